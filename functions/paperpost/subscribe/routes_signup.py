"""Sign-up, confirmation, and the sign-up of a new address for an old reader."""

from dataclasses import replace
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from paperpost import clients
from paperpost.domain.subscribers import Preferences, Subscriber, SubscriberStatus
from paperpost.domain.tokens import Purpose, mailbox_hash, make_token
from paperpost.storage.queues import Queue
from paperpost.subscribe import pages, signup
from paperpost.subscribe.calls import Call
from paperpost.subscribe.forms import Fields, RequestError, single
from paperpost.subscribe.incoming import begin, count, fields_of, network_of, new_router

router = new_router()


@router.post("/api/subscribe")
def subscribe() -> Response[str]:
    """Take a sign-up; the answer is the same whoever's address it is."""
    event = router.current_event
    call, fields = begin(event), fields_of(event)
    language = single(fields, "language")
    reader = replace(call.reader, chinese=language != "en") if language else call.reader
    accepted = pages.show(reader, "accepted", site=call.site, status=HTTPStatus.ACCEPTED)
    if single(fields, "website"):
        count("SignupsTrapped")
        return accepted
    wish = signup.SignUp(
        address=signup.read_address(fields),
        preferences=call.preferences(fields, Preferences(categories=())),
        network=network_of(event, call),
    )
    _sign_up(call, wish)
    return accepted


@router.get("/api/confirm/<token>")
def ask_to_confirm(token: str) -> Response[str]:
    """Show what will be subscribed to, and the button."""
    call = begin(router.current_event)
    subscriber = call.to_confirm(token)
    return call.show("confirm", subscriber, wanted=subscriber.preferences)


@router.post("/api/confirm/<token>")
def confirm(token: str) -> Response[str]:
    """Confirm; a second click is as good as the first."""
    call = begin(router.current_event)
    subscriber = call.to_confirm(token)
    if call.table.set_status(subscriber.subscriber_id, SubscriberStatus.CONFIRMED, now=call.now):
        call.limits.forget_confirmations(mailbox_hash(subscriber.address, call.keys))
        _end_replaced(call, subscriber)
        count("SubscribersConfirmed")
    # Read anew: a second click, or the SDK's second try, may have met the first one's success.
    elif call.subscriber(token, Purpose.CONFIRM).status is not SubscriberStatus.CONFIRMED:
        raise RequestError("gone")
    link = make_token(Purpose.PREFERENCES, subscriber.subscriber_id, call.keys, now=call.now)
    return call.show("confirmed", subscriber, preferences_url=f"/api/preferences/{link}")


def move(call: Call, subscriber: Subscriber, fields: Fields) -> Response[str]:
    """Have the new address confirm for itself; until then mail goes to the old one."""
    wish = signup.SignUp(
        address=signup.read_address(fields),
        preferences=subscriber.preferences,
        network=network_of(router.current_event, call),
        source="move",
        replaces=subscriber.subscriber_id,
    )
    _sign_up(call, wish)
    return call.show("accepted", subscriber)


def _sign_up(call: Call, wish: signup.SignUp) -> None:
    """Count, store and queue; for a sign-up and for a new address alike."""
    signup.check_limits(
        call.limits,
        wish,
        limits=signup.Limits(
            per_network=call.settings.signups_per_network,
            per_domain=call.settings.signups_per_domain,
            per_hour=call.settings.signups_per_hour,
        ),
        keys=call.keys,
        now=call.now,
        epoch_s=call.epoch_s,
    )
    queue = Queue(clients.sqs(), call.settings.confirmation_queue_url)
    signup.sign_up(
        wish, table=call.table, queue=queue, keys=call.keys, now=call.now, epoch_s=call.epoch_s
    )
    count("SignupsAccepted")


def _end_replaced(call: Call, subscriber: Subscriber) -> None:
    """End the subscription of the address that this one takes the place of, if it does."""
    if replaced := subscriber.consent.get("replaces"):
        call.table.set_status(replaced, SubscriberStatus.UNSUBSCRIBED, now=call.now)
