"""Sign-up, confirmation, preferences, unsubscribe over HTTP; only POST ever changes anything."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost.domain.errors import ConflictError
from paperpost.domain.tokens import TokenError
from paperpost.observe import logger, metrics
from paperpost.settings import SubscribeSettings
from paperpost.subscribe import (
    pages,
    routes_preferences,
    routes_privacy,
    routes_signup,
    routes_unsubscribe,
)
from paperpost.subscribe.calls import site_of
from paperpost.subscribe.forms import RequestError
from paperpost.subscribe.incoming import count, headers_of
from paperpost.subscribe.signup import TooManyError

app = APIGatewayHttpResolver()
for module in (routes_signup, routes_preferences, routes_unsubscribe, routes_privacy):
    app.include_router(module.router)

# What each address takes; a request of another method is told so.
_METHODS = {
    "/api/subscribe": "POST",
    "/api/confirm": "GET, POST",
    "/api/unsubscribe": "GET, POST",
    "/api/preferences": "GET, POST",
    "/api/export": "GET",
    "/api/erase": "POST",
    "/api/health": "GET",
}


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request. What the sender got wrong is a 4xx answer; only our own faults raise."""
    count("Requests")
    # A link with a slash behind it is the same link.
    return app.resolve({**event, "rawPath": event["rawPath"].rstrip("/")}, context)


@app.get("/api/health")
def health() -> dict[str, str]:
    """Say that the function answers; it asks nothing else."""
    return {"status": "ok"}


@app.exception_handler(RequestError)  # type: ignore[untyped-decorator]
def explain_request(error: RequestError) -> Response[str]:
    """Tell the sender what to put right."""
    if isinstance(error, TooManyError):
        count("SignupsLimited")
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
    allow = _METHODS.get("/".join(app.current_event.path.split("/")[:3]), "")
    return _problem("method" if allow else "path", allow=allow)


def _problem(name: str, *, field: str = "", word: str = "", allow: str = "") -> Response[str]:
    site = site_of(SubscribeSettings.from_env())
    reader = pages.Reader.of(headers_of(app.current_event))
    return pages.problem(reader, name, site=site, field=field, word=word, allow=allow)
