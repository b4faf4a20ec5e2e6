"""Send: one attempt to hand one message to SES, and what became of it."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from paperpost.domain.deliveries import DeliveryState, Outcome, answered, unanswered

if TYPE_CHECKING:
    from mypy_boto3_sesv2.client import SESV2Client


def attempt(
    client: "SESV2Client", raw: bytes, *, to: str, configuration_set: str, sender: str
) -> Outcome:
    """Hand *raw* to SES for the one recipient *to*, once; the outcome tells what is certain."""
    try:
        answer = client.send_email(
            Destination={"ToAddresses": [to]},
            Content={"Raw": {"Data": raw}},
            ConfigurationSetName=configuration_set,
        )
    except ClientError as exc:
        error, status = exc.response["Error"], exc.response["ResponseMetadata"]["HTTPStatusCode"]
        return answered(error.get("Code", ""), status, error.get("Message", ""), sender=sender)
    except (BotoCoreError, ResponseParserError) as exc:
        return unanswered(type(exc).__name__, str(exc))
    return Outcome(state=DeliveryState.SENT, reason="", message_id=answer.get("MessageId", ""))
