"""Leaving, by the page's button or a mail program's one click; or less mail instead."""

from aws_lambda_powertools.event_handler import Response

from paperpost.domain.announcements import eastern_date
from paperpost.domain.subscribers import SubscriberStatus
from paperpost.domain.tokens import Purpose, verify_token
from paperpost.subscribe.forms import RequestError, single
from paperpost.subscribe.incoming import begin, count, fields_of, new_router
from paperpost.subscribe.lessmail import LESS, less_offers

router = new_router()


@router.get("/api/unsubscribe/<token>")
def ask_to_unsubscribe(token: str) -> Response[str]:
    """Show the button; link scanners get no further."""
    call = begin(router.current_event)
    subscriber_id = verify_token(token, Purpose.UNSUBSCRIBE, call.keys, now=call.now)
    subscriber = call.table.get(subscriber_id)
    return call.show(
        "unsubscribe", subscriber, offers=less_offers(subscriber) if subscriber else ()
    )


@router.post("/api/unsubscribe/<token>")
def unsubscribe(token: str) -> Response[str]:
    """
    End the subscription, from the page's button or a mail program's one click (RFC 8058).

    The token alone is the proof: whatever a mail program sends is good. Only the page's other
    buttons, which ask for less mail, are something else.
    """
    call = begin(router.current_event)
    subscriber_id = verify_token(token, Purpose.UNSUBSCRIBE, call.keys, now=call.now)
    less = LESS.get(_asked_less())
    subscriber = call.table.get(subscriber_id)
    if less and subscriber is not None and subscriber.status is SubscriberStatus.CONFIRMED:
        wanted = less(subscriber.preferences, eastern_date(call.now))
        if call.table.put_preferences(subscriber_id, wanted):
            count("SubscribersWantLess")
            return call.show("less", subscriber, wanted=wanted)
    if call.table.set_status(subscriber_id, SubscriberStatus.UNSUBSCRIBED, now=call.now):
        count("SubscribersLeft")
    return call.show("unsubscribed", call.table.get(subscriber_id))


def _asked_less() -> str:
    """Which of the page's other buttons was pressed, or '' for whatever else was sent."""
    try:
        return single(fields_of(router.current_event), "less")
    except RequestError:
        return ""
