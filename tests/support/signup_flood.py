"""Sign-ups by the thousand, and their timing: `python -m support.signup_flood flood|timing N`."""

import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from paperpost import clients, settings
from paperpost.deliver.confirming import Confirmer
from paperpost.deliver.pace import Pace
from paperpost.domain.subscribers import SubscriberStatus
from paperpost.observe import logger
from paperpost.settings import DeliverSettings
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.secrets import Sending
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.subscribers import SubscriberTable
from support.readers import NOW, make_keys, make_subscriber, store
from support.signup import call
from support.signup_server import served

_LIMITS = {"SIGNUPS_PER_NETWORK": "10", "SIGNUPS_PER_DOMAIN": "20", "SIGNUPS_PER_HOUR": "30"}
_VICTIM = "victim@example.com"


class _Post:
    """SES as far as a confirmation needs it; counts mails by recipient."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    def send_email(self, **what: Any) -> dict[str, str]:
        self.mails += what["Destination"]["ToAddresses"]
        return {"MessageId": str(len(self.mails))}


def main(task: str, count: str) -> int:
    """Print the figures as one line of JSON each."""
    logger.setLevel("ERROR")
    # One hour for all of it: the limits begin anew with the next.
    settings.now = lambda: NOW
    rows = _flood(int(count)) if task == "flood" else _timing(int(count))
    for row in rows:
        sys.stderr.write(json.dumps(row) + "\n")
    return 0


def _flood(count: int) -> Iterator[dict[str, Any]]:
    """Each way to flood, with a table of its own: what was accepted, and what was mailed."""
    ways: dict[str, Callable[[int], tuple[str, str]]] = {
        "one victim": lambda n: (_VICTIM, _network(n)),
        "one victim, spelt anew": lambda n: (f"v.i.c+{n}@gmail.com", _network(n)),
        "one network": lambda n: (f"reader@d{n}.example", "203.0.113.7"),
        "many networks": lambda n: (f"reader@d{n}.example", _network(n)),
    }
    for name, way in ways.items():
        with served(**_LIMITS) as (_, table):
            post, statuses = _Post(), dict[int, int]()
            for n in range(count):
                address, source = way(n)
                form = {"email": address, "categories": "cs.CV"}
                answer = call("POST", "/api/subscribe", form=form, source_ip=source)
                status = answer["statusCode"]
                statuses[status] = statuses.get(status, 0) + 1
            _deliver(table, post)
            yield {
                "way": name,
                "accepted": statuses.get(202, 0),
                "refused": statuses.get(429, 0),
                "others": count - statuses.get(202, 0) - statuses.get(429, 0),
                "mails": len(post.mails),
            }


def _deliver(table: SubscriberTable, post: _Post) -> None:
    """Take every queued confirmation twice, as a queue may."""
    own = DeliverSettings(
        subscribers_table="subscribers",
        deliveries_table="deliveries",
        site_bucket="site",
        site_url="https://papers.example.org",
        mail_from="paperpost@example.org",
        confirm_from="confirm@example.org",
        contact_mail="hello@example.org",
        postal_address="1 Sample Street",
        configuration_set="paperpost",
        token_keys_parameter="/keys",
        sending_parameter="/sending",
        confirmation_queue_arn="arn",
        papers_table="papers",
        stack_name="paperpost",
    )
    ses: Any = post
    deliveries = DeliveryTable(clients.table("deliveries"))
    confirmer = Confirmer(
        settings=own,
        profiles=table,
        mails=SignUpLimits(clients.table("subscribers")),
        ses=ses,
        keys=make_keys,
        sending=lambda: Sending.ON,
        pace=Pace(deliveries, lambda: 1_000_000.0),
        quota=lambda: None,
        time_left=lambda: timedelta(minutes=1),
        epoch_s=settings.epoch_s(),
    )
    url = clients.sqs().get_queue_url(QueueName="confirmation")["QueueUrl"]
    while (
        messages := clients.sqs()
        .receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        .get("Messages")
    ):
        for message in messages:
            body = json.loads(message["Body"])
            confirmer.confirm(body, now=NOW)
            confirmer.confirm(body, now=NOW + timedelta(hours=1))
            clients.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _network(n: int) -> str:
    return f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}"


def _timing(count: int) -> Iterator[dict[str, Any]]:
    """How alike the times of an unknown and of a known address are (Kolmogorov and Smirnov)."""
    with served() as (_, table):
        times: dict[str, list[float]] = {"unknown": []}
        for status in SubscriberStatus:
            address = f"{status}@example.com"
            store(table, make_subscriber(status.value, address=address), status=status)
            times[status.value] = []
        order = [name for name in times for _ in range(count)]
        random.Random(1).shuffle(order)
        for n, name in enumerate(order):
            address = f"u{n}@example.com" if name == "unknown" else f"{name}@example.com"
            form = {"email": address, "categories": "cs.CV"}
            began = time.perf_counter()
            call("POST", "/api/subscribe", form=form)
            times[name].append(time.perf_counter() - began)
        for name in list(times)[1:]:
            yield {"status": name, "p": round(_p_alike(times["unknown"], times[name]), 3)}


def _p_alike(one: list[float], other: list[float]) -> float:
    """
    The asymptotic p of the two-sample Kolmogorov-Smirnov test.

    Source: Numerical Recipes, third edition, section 14.3.3.
    """
    distance = max(
        abs(sum(a <= x for a in one) / len(one) - sum(b <= x for b in other) / len(other))
        for x in one + other
    )
    size = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    scaled = (size + 0.12 + 0.11 / size) * distance
    terms = ((-1.0) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * sum(terms)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
