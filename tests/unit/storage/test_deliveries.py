"""The ledger against a model of it: claims, marks, reconciling and feedback in any order."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from paperpost import clients
from paperpost.domain.deliveries import (
    LEASE,
    Delivery,
    DeliveryState,
    IssueRow,
    IssueState,
    is_overdue,
    may_become,
    reconciled,
)
from paperpost.storage.deliveries import DeliveryTable
from support.aws import Cloud, moto_cloud

ISSUE = "daily-2024-03-26"
START = datetime(2024, 3, 26, 4, 30, tzinfo=UTC)
LATER = 2_000_000_000


def planned(subscriber_id: str = "a", due_at: datetime = START) -> Delivery:
    """A planned delivery."""
    return Delivery(
        issue=ISSUE,
        shard=0,
        subscriber_id=subscriber_id,
        state=DeliveryState.PLANNED,
        due_at=due_at,
        updated_at=START,
    )


@pytest.fixture
def ledger(cloud: Cloud) -> DeliveryTable:
    """An empty ledger."""
    return DeliveryTable(clients.table(cloud.deliveries))


def test_a_delivery_is_planned_once(ledger: DeliveryTable) -> None:
    """The second time nothing changes."""
    later = planned(due_at=START + timedelta(hours=3))

    assert ledger.put_planned(planned(), expires_at=LATER)
    assert not ledger.put_planned(later, expires_at=LATER)
    assert list(ledger.list_deliveries(ISSUE, 0)) == [planned()]


def test_an_issue_row_keeps_everything_that_it_is_told(ledger: DeliveryTable) -> None:
    """From planning to its close."""
    row = IssueRow(
        issue=ISSUE,
        content_hash="ab",
        frozen_at=START,
        reason="cutoff",
        papers=7,
        shards=2,
        too_late=4,
    )
    assert ledger.put_issue(row, expires_at=LATER)
    assert not ledger.put_issue(replace(row, content_hash="cd"), expires_at=LATER)
    assert ledger.get_issue(ISSUE) == row

    ledger.save_cursor(ISSUE, (1, "a7"))
    assert ledger.get_issue(ISSUE) == replace(row, cursor=(1, "a7"))

    ledger.finish_planning(ISSUE)
    ledger.stop_issue(ISSUE, "daily quota")
    stopped = ledger.get_issue(ISSUE)
    assert stopped == replace(row, state=IssueState.SENDING, stopped="daily quota")

    ledger.note_queued(ISSUE, {START: START + timedelta(minutes=1)})
    ledger.close_issue(ISSUE, {"sent": 2}, now=START)
    assert ledger.get_issue(ISSUE) == replace(
        row,
        state=IssueState.CLOSED,
        queued={START: START + timedelta(minutes=1)},
        closed_at=START,
        totals={"sent": 2},
    )


def test_a_standing_is_what_compose_needs_of_a_row(ledger: DeliveryTable) -> None:
    """Who, in which state, due and claimed until when; and it can be settled."""
    ledger.put_planned(planned(), expires_at=LATER)
    claimed = ledger.claim(ISSUE, 0, "a", owner="o", now=START)
    assert claimed is not None

    (standing,) = ledger.list_standings(ISSUE, 0)

    assert standing == replace(claimed, owner="", mails=0)
    assert ledger.reconcile(standing, DeliveryState.UNKNOWN, now=START, reason="x")


def test_no_row_is_made_by_changing_what_is_not_there(ledger: DeliveryTable) -> None:
    """A message about an unknown issue or reader leaves no trace."""
    with pytest.raises(ledger._table.meta.client.exceptions.ConditionalCheckFailedException):
        ledger.stop_issue("daily-2024-01-01", "x")

    assert ledger.claim(ISSUE, 0, "nobody", owner="o", now=START) is None
    assert not ledger.knows_mail(ISSUE, 0, "nobody", "m")
    assert not settle(ledger, DeliveryState.SENT, subscriber="nobody")
    assert ledger.get_delivery(ISSUE, 0, "nobody") is None


@pytest.mark.parametrize(
    ("after", "claimed"),
    [
        (timedelta(seconds=-1), False),
        (timedelta(), True),
        (timedelta(hours=36), True),
        (timedelta(hours=36, seconds=1), False),
    ],
)
def test_a_letter_is_claimed_between_its_due_time_and_36_hours_later(
    ledger: DeliveryTable, after: timedelta, *, claimed: bool
) -> None:
    """The write itself checks it, whatever the message said."""
    ledger.put_planned(planned(), expires_at=LATER)

    assert (ledger.claim(ISSUE, 0, "a", owner="o", now=START + after) is not None) is claimed


def test_a_claim_whose_reply_was_lost_is_still_ours(ledger: DeliveryTable) -> None:
    """The SDK asks again and is refused; the row tells that it was us."""
    ledger.put_planned(planned(), expires_at=LATER)
    first = ledger.claim(ISSUE, 0, "a", owner="ours", now=START)

    assert ledger.claim(ISSUE, 0, "a", owner="ours", now=START) == first
    assert ledger.claim(ISSUE, 0, "a", owner="theirs", now=START) is None


def settle(
    ledger: DeliveryTable, state: DeliveryState, *, reason: str = "r", subscriber: str = "a"
) -> bool:
    """What feedback tells."""
    return ledger.settle(ISSUE, 0, subscriber, state, reason=reason, now=START)


def claimed_by(ledger: DeliveryTable, owner: str = "o") -> Delivery:
    """The letter in a worker's hands."""
    ledger.put_planned(planned(), expires_at=LATER)
    claimed = ledger.claim(ISSUE, 0, "a", owner=owner, now=START)
    assert claimed is not None
    return claimed


def sent_again(ledger: DeliveryTable) -> None:
    """The reply to the first mail was lost, and an operator's policy sent a second, m2."""
    ledger.mark(claimed_by(ledger), DeliveryState.UNKNOWN, now=START)
    (unknown,) = ledger.list_deliveries(ISSUE, 0)
    ledger.reconcile(unknown, DeliveryState.RELEASED, now=START, reason="ambiguous, sent again")
    ledger.mark(claimed_by(ledger, "p"), DeliveryState.SENT, now=START, message_id="m2")


def test_a_letter_that_is_given_free_again_may_start_however_long_ago_it_was_due(
    ledger: DeliveryTable,
) -> None:
    """The word that it goes again is the operator's word; without it, nothing changes."""
    ledger.put_planned(planned(), expires_at=LATER)
    claimed = ledger.claim(ISSUE, 0, "a", owner="o", now=START)
    assert claimed is not None
    ledger.mark(claimed, DeliveryState.UNKNOWN, now=START)
    seen, late = replace(claimed, state=DeliveryState.UNKNOWN), START + timedelta(hours=40)
    old = replace(seen, updated_at=START - timedelta(seconds=1))

    refused = ledger.reconcile(old, DeliveryState.RELEASED, now=late, reason="x")
    kept = ledger.get_delivery(ISSUE, 0, "a")
    released = ledger.reconcile(seen, DeliveryState.RELEASED, now=late, reason="x")

    assert (refused, kept and kept.due_at, released) == (False, START, True)
    assert ledger.claim(ISSUE, 0, "a", owner="p", now=late) is not None


def test_a_letter_that_feedback_proves_sent_does_not_go_again(ledger: DeliveryTable) -> None:
    """Also when the operator's policy had given it free by then."""
    claimed = claimed_by(ledger)
    ledger.mark(claimed, DeliveryState.RELEASED, now=START, reason="ambiguous, sent again")

    assert settle(ledger, DeliveryState.SENT)
    assert ledger.claim(ISSUE, 0, "a", owner="p", now=START) is None


def test_a_letter_that_ses_took_and_did_not_send_failed_whatever_came_first(
    ledger: DeliveryTable,
) -> None:
    """That SES took it says no event any more, and of two reasons the same one always stays."""
    ledger.mark(claimed_by(ledger), DeliveryState.SENT, now=START, message_id="m")
    told = [
        settle(ledger, DeliveryState.SENT),
        settle(ledger, DeliveryState.FAILED, reason="b"),
        settle(ledger, DeliveryState.SENT),
        settle(ledger, DeliveryState.FAILED, reason="c"),
        settle(ledger, DeliveryState.FAILED, reason="a"),
        settle(ledger, DeliveryState.FAILED, reason="a"),
    ]

    (letter,) = ledger.list_deliveries(ISSUE, 0)
    assert told == [False, True, False, False, True, False]
    assert (letter.state, letter.reason) == (DeliveryState.FAILED, "a")


def test_a_letter_knows_the_mail_that_ses_named_and_no_other(ledger: DeliveryTable) -> None:
    ledger.mark(claimed_by(ledger), DeliveryState.SENT, now=START, message_id="m1")

    assert [ledger.knows_mail(ISSUE, 0, "a", m) for m in ("m2", "m1", "m1")] == [False, True, True]


@pytest.mark.parametrize("state", [None, DeliveryState.UNKNOWN])
def test_where_the_reply_was_lost_the_first_event_names_the_mail(
    ledger: DeliveryTable, state: DeliveryState | None
) -> None:
    """Or where it has not come yet; what names another one later is a stranger's."""
    claimed = claimed_by(ledger)
    for known in [state] if state else []:
        ledger.mark(claimed, known, now=START)

    assert [ledger.knows_mail(ISSUE, 0, "a", m) for m in ("m1", "m2", "m1")] == [True, False, True]


@pytest.mark.parametrize(
    "state", [DeliveryState.RELEASED, DeliveryState.FAILED, DeliveryState.SKIPPED]
)
def test_a_letter_that_never_went_to_ses_is_no_mail(
    ledger: DeliveryTable, state: DeliveryState
) -> None:
    """Planned, refused, throttled or skipped: nobody can know an id of it."""
    ledger.put_planned(planned(), expires_at=LATER)
    before = ledger.knows_mail(ISSUE, 0, "a", "m1")
    ledger.mark(claimed_by(ledger), state, now=START)

    assert (before, ledger.knows_mail(ISSUE, 0, "a", "m1")) == (False, False)


def test_of_a_letter_that_was_sent_again_both_mails_are_known_and_no_third(
    ledger: DeliveryTable,
) -> None:
    """A complaint about the first is one, though its reply had been lost."""
    sent_again(ledger)

    known = [ledger.knows_mail(ISSUE, 0, "a", m) for m in ("m2", "m1", "m3", "m1", "m2")]

    (letter,) = ledger.list_deliveries(ISSUE, 0)
    assert known == [True, True, False, True, True]
    assert (letter.mails, letter.message_ids) == (2, {"m1", "m2"})


SUBSCRIBERS = ("a", "b")
OUTCOMES = st.sampled_from(
    [
        DeliveryState.SENT,
        DeliveryState.RELEASED,
        DeliveryState.FAILED,
        DeliveryState.SKIPPED,
        DeliveryState.UNKNOWN,
    ]
)


PROVED = (DeliveryState.SENT, DeliveryState.FAILED)


class Ledger(RuleBasedStateMachine):
    """
    Two subscribers, any number of workers, one reconciler, late and repeated feedback.

    The model is a dictionary; `mails` counts what SES would have sent.
    """

    claims = Bundle("claims")

    @initialize()
    def open(self) -> None:
        self.stack = ExitStack()
        cloud = self.stack.enter_context(moto_cloud())
        self.table = DeliveryTable(clients.table(cloud.deliveries))
        self.now = START
        self.model = dict.fromkeys(SUBSCRIBERS, DeliveryState.PLANNED)
        self.owners: dict[str, str] = {}
        self.changed = dict.fromkeys(SUBSCRIBERS, START)
        self.due = dict.fromkeys(SUBSCRIBERS, START)
        self.lease: dict[str, datetime] = {}
        self.mails = dict.fromkeys(SUBSCRIBERS, 0)
        self.resent = dict.fromkeys(SUBSCRIBERS, 0)
        self.count = 0
        for subscriber in SUBSCRIBERS:
            self.table.put_planned(planned(subscriber), expires_at=LATER)

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    def _becomes(self, subscriber: str, state: DeliveryState) -> None:
        assert may_become(self.model[subscriber], state)
        self.model[subscriber] = state
        self.changed[subscriber] = self.now

    @rule(subscriber=st.sampled_from(SUBSCRIBERS), target=claims)
    def claim(self, subscriber: str) -> object:
        """A message is delivered, perhaps once more."""
        self.count += 1
        owner = f"owner{self.count}"
        claimed = self.table.claim(ISSUE, 0, subscriber, owner=owner, now=self.now)
        free = self.model[subscriber] in {DeliveryState.PLANNED, DeliveryState.RELEASED}
        timely = self.due[subscriber] <= self.now <= self.due[subscriber] + timedelta(hours=36)
        assert (claimed is not None) == (free and timely)
        if claimed is None:
            return multiple()
        self._becomes(subscriber, DeliveryState.CLAIMED)
        self.owners[subscriber], self.lease[subscriber] = owner, self.now + LEASE
        return claimed

    @rule(claimed=consumes(claims), outcome=OUTCOMES, reached=st.booleans())
    def finish(self, claimed: Delivery, outcome: DeliveryState, *, reached: bool) -> None:
        """A worker sends, if its time is not long over, and records what it knows."""
        subscriber = claimed.subscriber_id
        ours = (
            self.model[subscriber] is DeliveryState.CLAIMED
            and self.owners[subscriber] == claimed.owner
        )
        # A function cannot run longer than the lease, so a late worker does not send.
        alive = claimed.lease_until is not None and self.now <= claimed.lease_until
        if alive and (
            outcome is DeliveryState.SENT or (outcome is DeliveryState.UNKNOWN and reached)
        ):
            self.mails[subscriber] += 1
        name = f"m{self.mails[subscriber]}" if outcome is DeliveryState.SENT and alive else ""
        assert self.table.mark(claimed, outcome, now=self.now, message_id=name) == ours
        if ours:
            self._becomes(subscriber, outcome)

    @rule(claimed=consumes(claims), reached=st.booleans())
    def die(self, claimed: Delivery, *, reached: bool) -> None:
        """A worker is killed before or after SES took its letter."""
        alive = claimed.lease_until is not None and self.now <= claimed.lease_until
        if reached and alive:
            self.mails[claimed.subscriber_id] += 1

    @rule(hours=st.sampled_from([0.1, 0.3, 1, 25]))
    def wait(self, hours: float) -> None:
        """Time passes."""
        self.now += timedelta(hours=hours)

    @rule(policy=st.sampled_from(["skip", "resend"]))
    def reconcile(self, policy: str) -> None:
        """Compose's tick."""
        for delivery in list(self.table.list_deliveries(ISSUE, 0)):
            state = reconciled(delivery, now=self.now, policy=policy)
            subscriber = delivery.subscriber_id
            if state is None:
                assert (
                    self.model[subscriber] is not DeliveryState.CLAIMED
                    or self.now <= self.lease[subscriber]
                )
                continue
            assert self.table.reconcile(delivery, state, now=self.now, reason="x")
            if state is DeliveryState.RELEASED:
                self.resent[subscriber] += 1
                self.due[subscriber] = self.now
            self._becomes(subscriber, state)

    @rule(subscriber=st.sampled_from(SUBSCRIBERS))
    def plan_again(self, subscriber: str) -> None:
        """Compose was interrupted, or its tick came twice."""
        again = replace(planned(subscriber), due_at=self.now)
        assert not self.table.put_planned(again, expires_at=LATER)

    @rule()
    def resume(self) -> None:
        """The operator lets overdue letters start."""
        for delivery in list(self.table.list_deliveries(ISSUE, 0)):
            if is_overdue(delivery, now=self.now):
                assert self.table.postpone(delivery, self.now)
                self.due[delivery.subscriber_id] = self.now

    @rule()
    def resend(self) -> None:
        """The operator lets letters of unknown fate go again."""
        for delivery in list(self.table.list_deliveries(ISSUE, 0)):
            if delivery.state is DeliveryState.UNKNOWN:
                assert self.table.reconcile(
                    delivery, DeliveryState.RELEASED, now=self.now, reason="the operator's word"
                )
                self.resent[delivery.subscriber_id] += 1
                self.due[delivery.subscriber_id] = self.now
                self._becomes(delivery.subscriber_id, DeliveryState.RELEASED)

    @rule(subscriber=st.sampled_from(SUBSCRIBERS))
    def skip(self, subscriber: str) -> None:
        """The operator ends a letter after a restore, though a worker may still have it."""
        delivery = self.table.get_delivery(ISSUE, 0, subscriber)
        assert delivery is not None
        if delivery.state.is_open:
            assert self.table.reconcile(
                delivery, DeliveryState.SKIPPED, now=self.now, reason="restored"
            )
            self._becomes(subscriber, DeliveryState.SKIPPED)

    @rule(subscriber=st.sampled_from(SUBSCRIBERS), state=st.sampled_from(DeliveryState))
    def change_what_was_seen_long_ago(self, subscriber: str, state: DeliveryState) -> None:
        """Whoever holds an old view of a row changes nothing."""
        stored = self.table.get_delivery(ISSUE, 0, subscriber)
        assert stored is not None
        old = replace(stored, updated_at=stored.updated_at - timedelta(seconds=1))
        assert not self.table.reconcile(old, state, now=self.now, reason="x")
        assert not self.table.postpone(
            replace(stored, due_at=stored.due_at - timedelta(seconds=1)), self.now
        )

    @rule(subscriber=st.sampled_from(SUBSCRIBERS), state=st.sampled_from(PROVED))
    def feedback(self, subscriber: str, state: DeliveryState) -> None:
        """An event about a letter that SES did take arrives, once or again."""
        if not self.mails[subscriber]:
            return
        assert self.table.knows_mail(ISSUE, 0, subscriber, f"m{self.mails[subscriber]}")
        settles = may_become(self.model[subscriber], state)
        assert self.table.settle(ISSUE, 0, subscriber, state, reason="x", now=self.now) == settles
        if settles:
            self._becomes(subscriber, state)

    @invariant()
    def the_table_is_the_model(self) -> None:
        """Whatever happened, in whatever order."""
        rows = list(self.table.list_deliveries(ISSUE, 0))
        assert {row.subscriber_id: row.state for row in rows} == self.model
        assert {row.subscriber_id: row.due_at for row in rows} == self.due

    @invariant()
    def every_mail_can_be_known(self) -> None:
        """The ledger counts no fewer mails than went out."""
        for delivery in self.table.list_deliveries(ISSUE, 0):
            assert delivery.mails >= self.mails[delivery.subscriber_id]

    @invariant()
    def nobody_is_mailed_twice_unless_the_operator_said_resend(self) -> None:
        """One mail for each time an ambiguous send was given free again, and one."""
        for subscriber, mails in self.mails.items():
            assert mails <= 1 + self.resent[subscriber]


Ledger.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
TestLedger = Ledger.TestCase
