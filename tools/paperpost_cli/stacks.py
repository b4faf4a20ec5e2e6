"""A deployed stack as the operator's commands see it: its tables, bucket and settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from paperpost.domain.errors import PaperpostError
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.guard import Guard
from paperpost.storage.site import SiteBucket
from paperpost.storage.subscribers import SubscriberTable
from paperpost_cli.invoke import session_of
from paperpost_cli.laptop import STACK_NAME

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class NoStackError(PaperpostError):
    """There is no such stack, no laptop cloud, or the stack has no mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Clients and names. `endpoint`: of the laptop cloud, None for AWS."""

    session: boto3.Session
    endpoint: str | None
    outputs: Mapping[str, str]

    @classmethod
    def of(cls, name: str | None) -> "Stack":
        """
        The stack *name* in AWS, or without a name that of the laptop cloud.

        Raises: NoStackError: If it is not there.
        """
        session, endpoint = session_of(name)
        # A laptop cloud that does not answer at once does not run.
        config = Config(retries={"total_max_attempts": 1}) if endpoint else None
        try:
            client = session.client("cloudformation", endpoint_url=endpoint, config=config)
            told = client.describe_stacks(StackName=name or STACK_NAME)["Stacks"][0]["Outputs"]
        except (BotoCoreError, ClientError) as exc:
            where = f"the stack {name}" if name else "the laptop cloud (is `make run` running?)"
            raise NoStackError(f"{where} cannot be read: {' '.join(str(exc).split())}") from exc
        outputs = {output["OutputKey"]: output["OutputValue"] for output in told}
        return cls(session=session, endpoint=endpoint, outputs=outputs)

    def output(self, name: str) -> str:
        """The output *name*. Raises: NoStackError: If there is none, as in a stack without mail."""
        if name not in self.outputs:
            raise NoStackError(f"the stack has no {name}: is its parameter Mail on?")
        return self.outputs[name]

    def client(self, service: str, endpoint: str | None = None) -> Any:  # noqa: ANN401  boto3 has no common type
        """A client for *service*."""
        return self.session.client(service, endpoint_url=endpoint or self.endpoint)  # type: ignore[call-overload]

    @property
    def deliveries(self) -> DeliveryTable:
        """The ledger."""
        return DeliveryTable(self._table("DeliveriesTableName"))

    @property
    def subscribers(self) -> SubscriberTable:
        """The profiles."""
        return SubscriberTable(self._table("SubscribersTableName"))

    @property
    def guard(self) -> Guard:
        """Whether these are the tables that mail was sent from."""
        return Guard(
            site=self.site,
            tables={
                "Deliveries": self._table("DeliveriesTableName"),
                "Subscribers": self._table("SubscribersTableName"),
            },
        )

    @property
    def site(self) -> SiteBucket:
        """The bucket."""
        return SiteBucket(self.client("s3"), self.output("SiteBucketName"))

    def settings(self, function: str) -> Mapping[str, str]:
        """The environment of a function, such as `Deliver`."""
        name = self.output(f"{function}FunctionName")
        told = self.client("lambda").get_function_configuration(FunctionName=name)
        variables: Mapping[str, str] = told["Environment"]["Variables"]
        return variables

    def now(self) -> datetime:
        """The time (UTC) that the stack's functions go by; a replay moves it."""
        offset_s = float(self.settings("Deliver").get("CLOCK_OFFSET_S") or 0)
        return datetime.now(UTC) + timedelta(seconds=offset_s)

    def _table(self, output: str) -> "Table":
        return self.session.resource("dynamodb", endpoint_url=self.endpoint).Table(
            self.output(output)
        )
