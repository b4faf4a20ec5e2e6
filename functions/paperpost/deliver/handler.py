"""deliver: claims, makes and sends one subscriber's letter, once; and confirmations."""

import json
from datetime import timedelta
from functools import lru_cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, settings
from paperpost.batches import take_batch
from paperpost.deliver.confirming import Confirmer
from paperpost.deliver.delivering import Deliverer, load_issue
from paperpost.deliver.letters import Imprint, LetterPress
from paperpost.deliver.pace import Pace, sending_rate
from paperpost.domain.tokens import TokenKeys
from paperpost.observe import logger, metrics
from paperpost.settings import DeliverSettings
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.secrets import Sending, sending, token_keys
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.site import SiteBucket
from paperpost.storage.subscribers import SubscriberTable


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Each message alone; one that fails goes back to the queue, with its rows open or claimed."""
    own = DeliverSettings.from_env()
    subscribers = clients.table(own.subscribers_table)
    profiles = SubscriberTable(subscribers)

    def keys() -> TokenKeys:
        return token_keys(clients.ssm(), own.token_keys_parameter, now=settings.now())

    def may_send() -> Sending:
        return sending(clients.ssm(), own.sending_parameter, now=settings.now())

    def time_left() -> timedelta:
        return timedelta(milliseconds=context.get_remaining_time_in_millis())

    ses, deliveries = clients.ses(), DeliveryTable(clients.table(own.deliveries_table))
    pace = Pace(deliveries, lambda: sending_rate(ses))
    deliverer = Deliverer(
        settings=own,
        deliveries=deliveries,
        profiles=profiles,
        ses=ses,
        keys=keys,
        press=lambda row: _press(own, row.issue, row.content_hash),
        sending=may_send,
        pace=pace,
        time_left=time_left,
    )
    confirmer = Confirmer(
        settings=own,
        profiles=profiles,
        mails=SignUpLimits(subscribers),
        ses=ses,
        keys=keys,
        sending=may_send,
        pace=pace,
        time_left=time_left,
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
    return take_batch(event, one, context=context)


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
