"""What every route begins with: the call, the fields that were sent, and who sends them."""

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from paperpost import settings
from paperpost.observe import metrics
from paperpost.settings import SubscribeSettings
from paperpost.subscribe import signup
from paperpost.subscribe.calls import Call
from paperpost.subscribe.forms import Fields, read_fields


def new_router() -> APIGatewayHttpRouter:
    """Routes of their own, which handler.py puts together."""
    return APIGatewayHttpRouter()  # type: ignore[no-untyped-call]  # the library's has no types


def begin(event: APIGatewayProxyEventV2) -> Call:
    """The call that answers *event*."""
    return Call.begin(
        SubscribeSettings.from_env(),
        headers_of(event),
        now=settings.now(),
        epoch_s=settings.epoch_s(),
    )


def fields_of(event: APIGatewayProxyEventV2) -> Fields:
    """
    What was sent in *event*.

    Raises: RequestError: If it cannot be read.
    """
    return read_fields(
        event.body,
        is_base64=bool(event.is_base64_encoded),
        content_type=event.headers.get("content-type", ""),
    )


def headers_of(event: APIGatewayProxyEventV2) -> dict[str, str]:
    """The request's headers, their names in lower case."""
    return {name.lower(): value for name, value in event.headers.items()}


def network_of(event: APIGatewayProxyEventV2, call: Call) -> str:
    """What stands for the sender's network in limits."""
    source = event.request_context.http.source_ip
    told = signup.client_address(headers_of(event), source, secret=call.settings.origin_secret)
    return signup.network_of(told)


def count(name: str) -> None:
    """Count one more of the metric *name*."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
