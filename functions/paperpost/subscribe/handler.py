"""Sign-up, confirmation, preferences, unsubscribe over HTTP; only POST ever changes anything."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, settings
from paperpost.domain.announcements import eastern_date
from paperpost.domain.errors import ConflictError
from paperpost.domain.subscribers import Preferences, Subscriber, SubscriberStatus
from paperpost.domain.tokens import Purpose, TokenError, mailbox_hash, make_token, verify_token
from paperpost.observe import logger, metrics
from paperpost.settings import SubscribeSettings
from paperpost.storage.queues import Queue
from paperpost.storage.site import SiteBucket
from paperpost.subscribe import pages, signup
from paperpost.subscribe.calls import Call, site_of
from paperpost.subscribe.export import profile_of
from paperpost.subscribe.forms import Fields, RequestError, one_of, read_fields, single
from paperpost.subscribe.lessmail import LESS, less_offers
from paperpost.subscribe.previews import preview

app = APIGatewayHttpResolver()

# What the buttons of the preferences page send.
ACTIONS = ("save", "preview", "move")
# What each address takes; a request of another method is told so.
_METHODS = {
    "subscribe": "POST",
    "confirm": "GET, POST",
    "unsubscribe": "GET, POST",
    "preferences": "GET, POST",
    "export": "GET",
    "erase": "POST",
    "health": "GET",
}


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request. What the sender got wrong is a 4xx answer; only our own faults raise."""
    _count("Requests")
    return app.resolve(event, context)


@app.post("/api/subscribe")
def subscribe() -> Response[str]:
    """Take a sign-up; the answer is the same whoever's address it is."""
    call, fields = _begin(), _fields()
    language = single(fields, "language")
    reader = replace(call.reader, chinese=language != "en") if language else call.reader
    accepted = pages.show(reader, "accepted", site=call.site, status=HTTPStatus.ACCEPTED)
    if single(fields, "website"):
        _count("SignupsTrapped")
        return accepted
    wish = signup.SignUp(
        address=signup.read_address(fields),
        preferences=call.preferences(fields, Preferences(categories=())),
        network=signup.network_of(_client_address(call)),
    )
    _sign_up(call, wish)
    return accepted


@app.get("/api/confirm/<token>")
def ask_to_confirm(token: str) -> Response[str]:
    """Show what will be subscribed to, and the button."""
    call = _begin()
    subscriber = call.to_confirm(token)
    return call.show("confirm", subscriber, wanted=subscriber.preferences)


@app.post("/api/confirm/<token>")
def confirm(token: str) -> Response[str]:
    """Confirm; a second click is as good as the first."""
    call = _begin()
    subscriber = call.to_confirm(token)
    if call.table.set_status(subscriber.subscriber_id, SubscriberStatus.CONFIRMED, now=call.now):
        call.table.forget_confirmations(mailbox_hash(subscriber.address, call.keys))
        _end_replaced(call, subscriber)
        _count("SubscribersConfirmed")
    # Read anew: a second click, or the SDK's second try, may have met the first one's success.
    elif call.subscriber(token, Purpose.CONFIRM).status is not SubscriberStatus.CONFIRMED:
        raise RequestError("gone")
    link = make_token(Purpose.PREFERENCES, subscriber.subscriber_id, call.keys, now=call.now)
    return call.show("confirmed", subscriber, preferences_url=f"/api/preferences/{link}")


@app.get("/api/unsubscribe/<token>")
def ask_to_unsubscribe(token: str) -> Response[str]:
    """Show the button; link scanners get no further."""
    call = _begin()
    subscriber_id = verify_token(token, Purpose.UNSUBSCRIBE, call.keys, now=call.now)
    subscriber = call.table.get(subscriber_id)
    return call.show(
        "unsubscribe", subscriber, offers=less_offers(subscriber) if subscriber else ()
    )


@app.post("/api/unsubscribe/<token>")
def unsubscribe(token: str) -> Response[str]:
    """
    End the subscription, from the page's button or a mail program's one click (RFC 8058).

    The token alone is the proof: whatever a mail program sends is good. Only the page's other
    buttons, which ask for less mail, are something else.
    """
    call = _begin()
    subscriber_id = verify_token(token, Purpose.UNSUBSCRIBE, call.keys, now=call.now)
    less = LESS.get(_asked_less())
    subscriber = call.table.get(subscriber_id)
    if less and subscriber is not None and subscriber.status is SubscriberStatus.CONFIRMED:
        wanted = less(subscriber.preferences, eastern_date(call.now))
        if call.table.put_preferences(subscriber_id, wanted):
            _count("SubscribersWantLess")
            return call.show("less", subscriber, wanted=wanted)
    if call.table.set_status(subscriber_id, SubscriberStatus.UNSUBSCRIBED, now=call.now):
        _count("SubscribersLeft")
    return call.show("unsubscribed", call.table.get(subscriber_id))


@app.get("/api/preferences/<token>")
def show_preferences(token: str) -> Response[str]:
    """Show the form with what is stored."""
    call = _begin()
    return call.preferences_page(call.subscriber(token, Purpose.PREFERENCES), token)


@app.post("/api/preferences/<token>")
def save_preferences(token: str) -> Response[str]:
    """Store the form and show it again; or only show what it would have matched."""
    call = _begin()
    subscriber = call.subscriber(token, Purpose.PREFERENCES)
    fields = _fields()
    action = one_of(fields, "action", ACTIONS, default="save")
    if action == "move":
        return _move(call, subscriber, fields)
    wanted = call.preferences(fields, subscriber.preferences)
    if action == "preview":
        site = SiteBucket(clients.s3(), call.settings.site_bucket)
        tried = replace(subscriber, preferences=wanted)
        return call.preferences_page(tried, token, preview=preview(wanted, site))
    if not call.table.put_preferences(subscriber.subscriber_id, wanted):
        raise RequestError("gone")
    _count("PreferencesSaved")
    return call.preferences_page(replace(subscriber, preferences=wanted), token, saved=True)


@app.get("/api/export/<token>")
def export(token: str) -> Response[str]:
    """Everything that is stored of the reader, as a file."""
    call = _begin()
    subscriber = call.subscriber(token, Purpose.PREFERENCES)
    return pages.download(profile_of(subscriber), name="paperpost-profile.json")


@app.post("/api/erase/<token>")
def erase(token: str) -> Response[str]:
    """Remove all that is personal; a keyed hash stays, so that the address is not mailed again."""
    call = _begin()
    subscriber_id = verify_token(token, Purpose.PREFERENCES, call.keys, now=call.now)
    subscriber = call.table.get(subscriber_id)
    if call.table.set_status(subscriber_id, SubscriberStatus.ERASED, now=call.now):
        _count("SubscribersErased")
    return call.show("erased", subscriber)


@app.get("/api/health")
def health() -> dict[str, str]:
    """Say that the function answers; it asks nothing else."""
    return {"status": "ok"}


@app.exception_handler(RequestError)  # type: ignore[untyped-decorator]
def explain_request(error: RequestError) -> Response[str]:
    """Tell the sender what to put right."""
    if isinstance(error, signup.TooManyError):
        _count("SignupsLimited")
    logger.info("request refused", extra={"problem": error.problem, "field": error.field})
    return _problem(error.problem, field=error.field, word=error.word)


@app.exception_handler(TokenError)  # type: ignore[untyped-decorator]
def explain_token(error: TokenError) -> Response[str]:
    """Tell an expired link from one that never was valid."""
    logger.info("token refused", extra={"reason": error.reason})
    return _problem("expired" if error.reason == "expired" else "link")


@app.exception_handler(ConflictError)  # type: ignore[untyped-decorator]
def explain_conflict(_error: ConflictError) -> Response[str]:
    """Ask for another try."""
    logger.warning("profile kept changing")
    return _problem("busy")


@app.not_found
def explain_path(_error: NotFoundError) -> Response[str]:
    """HEAD, OPTIONS and other methods change nothing and are told what there is."""
    parts = app.current_event.path.split("/")
    allow = _METHODS.get(parts[2], "") if parts[:2] == ["", "api"] and len(parts) > 2 else ""  # noqa: PLR2004
    return _problem("method" if allow else "path", allow=allow)


def _asked_less() -> str:
    """Which of the page's other buttons was pressed, or '' for whatever else was sent."""
    try:
        return single(_fields(), "less")
    except RequestError:
        return ""


def _move(call: Call, subscriber: Subscriber, fields: Fields) -> Response[str]:
    """Have the new address confirm for itself; until then mail goes to the old one."""
    wish = signup.SignUp(
        address=signup.read_address(fields),
        preferences=subscriber.preferences,
        network=signup.network_of(_client_address(call)),
        source="move",
        replaces=subscriber.subscriber_id,
    )
    _sign_up(call, wish)
    return call.show("accepted", subscriber)


def _sign_up(call: Call, wish: signup.SignUp) -> None:
    """Count, store and queue; for a sign-up and for a new address alike."""
    signup.check_limits(
        call.table,
        wish,
        limits=signup.Limits(
            per_network=call.settings.signups_per_network,
            per_domain=call.settings.signups_per_domain,
            per_hour=call.settings.signups_per_hour,
        ),
        keys=call.keys,
        now=call.now,
        epoch_s=settings.epoch_s(),
    )
    queue = Queue(clients.sqs(), call.settings.confirmation_queue_url)
    signup.sign_up(wish, table=call.table, queue=queue, keys=call.keys, now=call.now)
    _count("SignupsAccepted")


def _end_replaced(call: Call, subscriber: Subscriber) -> None:
    """End the subscription of the address that this one takes the place of, if it does."""
    if replaced := subscriber.consent.get("replaces"):
        call.table.set_status(replaced, SubscriberStatus.UNSUBSCRIBED, now=call.now)


def _fields() -> Fields:
    event = app.current_event
    return read_fields(
        event.body,
        is_base64=bool(event.is_base64_encoded),
        content_type=event.headers.get("content-type", ""),
    )


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in app.current_event.headers.items()}


def _client_address(call: Call) -> str:
    source = app.current_event.request_context.http.source_ip
    return signup.client_address(_headers(), source, secret=call.settings.origin_secret)


def _begin() -> Call:
    return Call.begin(SubscribeSettings.from_env(), _headers(), now=settings.now())


def _problem(name: str, *, field: str = "", word: str = "", allow: str = "") -> Response[str]:
    site = site_of(SubscribeSettings.from_env())
    reader = pages.Reader.of(_headers())
    return pages.problem(reader, name, site=site, field=field, word=word, allow=allow)


def _count(name: str) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
