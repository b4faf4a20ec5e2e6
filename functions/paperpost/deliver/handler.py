"""deliver: claims, makes and sends one subscriber's letter, once; confirmations; the morning's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, settings
from paperpost.batches import take_batch
from paperpost.deliver.confirming import Confirmer
from paperpost.deliver.delivering import Deliverer, load_issue
from paperpost.deliver.letters import Imprint, LetterPress
from paperpost.deliver.morning import MorningMailer
from paperpost.deliver.pace import Pace, account
from paperpost.domain.deliveries import DeliveryState
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.tokens import TokenKeys
from paperpost.observe import logger, metrics
from paperpost.settings import DeliverSettings
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost.storage.guard import Guard
from paperpost.storage.secrets import Sending, sending, token_keys
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.site import SiteBucket
from paperpost.storage.subscribers import SubscriberTable

_KEEP_S = 400 * 24 * 3600
# A restored table is a new one, so a container looks at once, and at others that are put in place.
_GUARD_KEPT_S = 60


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """
    Each message alone; one that fails goes back to the queue, with its rows open or claimed.

    The schedule asks for the morning letter instead.
    """
    metrics.add_metric("DeliverRuns", MetricUnit.Count, 1)
    stage = _Stage(own=DeliverSettings.from_env(), context=context)
    if "Records" in event:
        return _batch(event, stage)
    if event.get("task") != "morning":
        raise InvalidInputError(f"deliver knows no task {event.get('task')!r}")
    return _morning(stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """What one invocation works with."""

    own: DeliverSettings
    context: LambdaContext

    @property
    def deliveries(self) -> DeliveryTable:
        return DeliveryTable(clients.table(self.own.deliveries_table))

    @property
    def profiles(self) -> SubscriberTable:
        return SubscriberTable(clients.table(self.own.subscribers_table))

    @property
    def pace(self) -> Pace:
        return Pace(self.deliveries, account(clients.ses()).rate)

    def locked(self) -> str:
        return _locked(self.own, int(settings.now().timestamp()) // _GUARD_KEPT_S)

    def keys(self) -> TokenKeys:
        return token_keys(clients.ssm(), self.own.token_keys_parameter, now=settings.now())

    def sending(self) -> Sending:
        return sending(clients.ssm(), self.own.sending_parameter, now=settings.now())

    def time_left(self) -> timedelta:
        return timedelta(milliseconds=self.context.get_remaining_time_in_millis())


def _batch(event: dict[str, Any], stage: _Stage) -> Mapping[str, Any]:
    own, ses = stage.own, clients.ses()
    deliverer = Deliverer(
        settings=own,
        deliveries=stage.deliveries,
        profiles=stage.profiles,
        ses=ses,
        keys=stage.keys,
        press=lambda row: _press(own, row.issue, row.content_hash),
        sending=stage.sending,
        locked=stage.locked,
        pace=stage.pace,
        quota=account(ses).quota,
        time_left=stage.time_left,
    )
    confirmer = Confirmer(
        settings=own,
        profiles=stage.profiles,
        mails=SignUpLimits(clients.table(own.subscribers_table)),
        ses=ses,
        keys=stage.keys,
        sending=stage.sending,
        pace=stage.pace,
        quota=account(ses).quota,
        time_left=stage.time_left,
        epoch_s=settings.epoch_s(),
    )

    def one(record: SQSRecord) -> None:
        body, now = json.loads(record.body), settings.now()
        if record.event_source_arn == own.confirmation_queue_arn:
            state = confirmer.confirm(body, now=now)
            metrics.add_metric(name=f"Confirmations{state.title()}", unit=MetricUnit.Count, value=1)
            return
        for state, count in deliverer.deliver(body, now=now).items():
            metrics.add_metric(name=f"Letters{state.title()}", unit=MetricUnit.Count, value=count)

    metrics.add_metric(name="Messages", unit=MetricUnit.Count, value=len(event["Records"]))
    return take_batch(event, one, context=stage.context)


def _morning(stage: _Stage) -> Mapping[str, Any]:
    own = stage.own
    mailer = MorningMailer(
        settings=own,
        deliveries=stage.deliveries,
        profiles=stage.profiles,
        notes=EnrichNotes(clients.table(own.papers_table)),
        site=SiteBucket(clients.s3(), own.site_bucket),
        sqs=clients.sqs(),
        cloudwatch=clients.cloudwatch,
        ses=clients.ses(),
        sending=stage.sending,
        locked=stage.locked,
        pace=stage.pace,
        time_left=stage.time_left,
    )
    state = mailer.send(now=settings.now(), expires_at=settings.epoch_s() + _KEEP_S)
    # An alarm rings when this does not come for a day (monitoring.yaml).
    sent = int(state == DeliveryState.SENT.value)
    metrics.add_metric("MorningLetterSent", MetricUnit.Count, sent)
    return {"letter": state}


@lru_cache(maxsize=2)
def _locked(own: DeliverSettings, _slot: int) -> str:
    return Guard(
        site=SiteBucket(clients.s3(), own.site_bucket),
        tables={
            "Deliveries": clients.table(own.deliveries_table),
            "Subscribers": clients.table(own.subscribers_table),
        },
    ).why_locked()


@lru_cache(maxsize=2)
def _press(own: DeliverSettings, issue: str, frozen_hash: str) -> LetterPress:
    """The letter press of an issue, kept with its pieces while this container lives."""
    return LetterPress(
        load_issue(SiteBucket(clients.s3(), own.site_bucket), issue, frozen_hash),
        Imprint(
            site_url=own.site_url,
            contact_mail=own.contact_mail,
            postal_address=own.postal_address,
        ),
    )
