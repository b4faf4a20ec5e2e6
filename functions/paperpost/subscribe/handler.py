"""Sign-up, confirmation, preferences, unsubscribe over HTTP; only POST ever changes anything."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, settings
from paperpost.domain.errors import ConflictError
from paperpost.domain.subscribers import Preferences, SubscriberStatus
from paperpost.domain.tokens import Purpose, TokenError, make_token, verify_token
from paperpost.observe import logger, metrics
from paperpost.settings import SubscribeSettings
from paperpost.storage.queues import Queue
from paperpost.subscribe import pages, signup
from paperpost.subscribe.calls import Call, site_of
from paperpost.subscribe.export import profile_of
from paperpost.subscribe.forms import Fields, RequestError, read_fields, single

app = APIGatewayHttpResolver()

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
        network=signup.network_of(app.current_event.request_context.http.source_ip),
    )
    signup.check_limits(
        call.table,
        wish.network,
        per_network=call.settings.signups_per_network,
        per_hour=call.settings.signups_per_hour,
        keys=call.keys,
        now=call.now,
        epoch_s=settings.epoch_s(),
    )
    queue = Queue(clients.sqs(), call.settings.confirmation_queue_url)
    signup.sign_up(wish, table=call.table, queue=queue, keys=call.keys, now=call.now)
    _count("SignupsAccepted")
    return accepted


@app.get("/api/confirm/<token>")
def ask_to_confirm(token: str) -> Response[str]:
    """Show what will be subscribed to, and the button."""
    call = _begin()
    subscriber = call.subscriber(token, Purpose.CONFIRM)
    return call.show("confirm", subscriber, wanted=subscriber.preferences)


@app.post("/api/confirm/<token>")
def confirm(token: str) -> Response[str]:
    """Confirm; a second click is as good as the first."""
    call = _begin()
    subscriber = call.subscriber(token, Purpose.CONFIRM)
    if call.table.set_status(subscriber.subscriber_id, SubscriberStatus.CONFIRMED, now=call.now):
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
    return call.show("unsubscribe", call.table.get(subscriber_id))


@app.post("/api/unsubscribe/<token>")
def unsubscribe(token: str) -> Response[str]:
    """
    End the subscription, from the page's button or a mail program's one click (RFC 8058).

    The token alone is the proof, so the body is not read: whatever a mail program sends is good.
    """
    call = _begin()
    subscriber_id = verify_token(token, Purpose.UNSUBSCRIBE, call.keys, now=call.now)
    if call.table.set_status(subscriber_id, SubscriberStatus.UNSUBSCRIBED, now=call.now):
        _count("SubscribersLeft")
    return call.show("unsubscribed", call.table.get(subscriber_id))


@app.get("/api/preferences/<token>")
def show_preferences(token: str) -> Response[str]:
    """Show the form with what is stored."""
    call = _begin()
    return call.preferences_page(call.subscriber(token, Purpose.PREFERENCES), token, saved=False)


@app.post("/api/preferences/<token>")
def save_preferences(token: str) -> Response[str]:
    """Store the form and show it again."""
    call = _begin()
    subscriber = call.subscriber(token, Purpose.PREFERENCES)
    wanted = call.preferences(_fields(), subscriber.preferences)
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
    return _problem(error.problem, field=error.field)


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


def _fields() -> Fields:
    event = app.current_event
    return read_fields(
        event.body,
        is_base64=bool(event.is_base64_encoded),
        content_type=event.headers.get("content-type", ""),
    )


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in app.current_event.headers.items()}


def _begin() -> Call:
    return Call.begin(SubscribeSettings.from_env(), _headers(), now=settings.now())


def _problem(name: str, *, field: str = "", allow: str = "") -> Response[str]:
    site = site_of(SubscribeSettings.from_env())
    return pages.problem(pages.Reader.of(_headers()), name, site=site, field=field, allow=allow)


def _count(name: str) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
