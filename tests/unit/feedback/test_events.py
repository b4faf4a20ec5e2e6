"""SES's events, as recorded and as invented, become feedback or a named fault."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.feedback.events import (
    FeedbackKind,
    MalformedEventError,
    UnknownEventError,
    parse_feedback,
    read_envelope,
)

EXPECTED = {
    "ses-notification-bounce-with-dsn": ["bounced"],
    "ses-notification-complaint-with-feedback": ["complained"],
    "ses-notification-delivery": ["delivered"],
    "ses-publishing-bounce": ["bounced"],
    "ses-publishing-bounce-on-account-suppression-list": ["bounced"],
    "ses-publishing-bounce-three-recipients-mixed": ["bounced"] * 3,
    "ses-publishing-bounce-transient-mailboxfull": ["bounced_for_now"],
    "ses-publishing-complaint": ["complained"],
    "ses-publishing-delayed-delivery": ["delayed"],
    "ses-publishing-delivery": ["delivered"],
    "ses-publishing-failure": ["unrendered"],
    "ses-publishing-reject": ["rejected"],
}
TAGS = {"issue": ["daily-2024-03-26"], "subscriber": ["a1"], "ses:from-domain": ["example.com"]}
MAIL = {"messageId": "m1", "destination": ["reader@example.com"], "tags": TAGS}


def event(**changes: Any) -> dict[str, Any]:
    """A permanent bounce of one letter, with *changes*."""
    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "a@example.com"}]}
    return {"eventType": "Bounce", "bounce": bounce, "mail": MAIL, **changes}


def complaint(**details: Any) -> dict[str, Any]:
    """What makes the event a complaint."""
    recipients = [{"emailAddress": "reader@example.com"}]
    return {
        "eventType": "Complaint",
        "complaint": {"complainedRecipients": recipients, **details},
        "bounce": None,
    }


def kinds_of(value: Any) -> list[str]:
    """The kinds in an event."""
    return [f.kind.value for f in parse_feedback(json.dumps(value))]


@pytest.mark.parametrize("name", EXPECTED)
def test_recorded_events_are_understood(shared_data: Path, name: str) -> None:
    """Each of SES's documented examples, in both of its forms."""
    message = (shared_data / "aws-events" / f"{name}.json").read_text()

    found = parse_feedback(message)

    assert [f.kind.value for f in found] == EXPECTED[name]
    assert all("@" in f.recipient and f.message_id for f in found)
    assert all(f.subscriber_id == f.issue == "" for f in found)


def test_every_recorded_ses_event_is_expected(shared_data: Path) -> None:
    """A new file in the folder without an expectation here fails."""
    assert {path.stem for path in (shared_data / "aws-events").glob("ses-*.json")} == set(EXPECTED)


OTHER_ENVELOPES = {
    "eventbridge_ses-bounce": "bounced",
    "eventbridge_ses-complaint": "complained",
    "eventbridge_ses-delayed-delivery": "delayed",
    "eventbridge_ses-delivery": "delivered",
    "eventbridge_ses-suppression-bounce": "bounced",
    "sns-lambda_ses-bounce": "bounced",
    "sns-lambda_ses-complaint": "complained",
    "sns-lambda_ses-suppression-bounce": "bounced",
}


@pytest.mark.parametrize("name", OTHER_ENVELOPES)
def test_events_recorded_in_other_envelopes_are_understood_too(
    shared_data: Path, name: str
) -> None:
    """Only the envelope differs from ours."""
    match json.loads((shared_data / "aws-events" / f"{name}.json").read_text()):
        case {"detail": detail}:
            message = json.dumps(detail)
        case {"Records": [{"Sns": {"Message": message}}]}:
            pass

    assert [f.kind.value for f in parse_feedback(message)] == [OTHER_ENVELOPES[name]]


def test_a_recorded_batch_of_our_own_envelopes_is_read(shared_data: Path) -> None:
    """A bounce, a complaint and a poisoned one."""
    path = shared_data / "aws-events" / "sqs-batch_sns-wrapped_bounce+complaint+poison.json"
    bodies = [record["body"] for record in json.loads(path.read_text())["Records"]]

    bounce, complaint = (read_envelope(body) for body in bodies[:2])

    assert parse_feedback(bounce.message)[0].kind is FeedbackKind.BOUNCED
    assert parse_feedback(complaint.message)[0].kind is FeedbackKind.COMPLAINED
    with pytest.raises(MalformedEventError):
        read_envelope(bodies[2])


def test_tags_tell_subscriber_and_issue() -> None:
    """SES gives each tag as a list."""
    (found,) = parse_feedback(json.dumps(event()))

    assert (found.subscriber_id, found.issue, found.message_id) == ("a1", "daily-2024-03-26", "m1")


def test_a_bounce_is_of_whom_we_wrote_to_wherever_it_was_forwarded() -> None:
    """The receiving side's report names the last mailbox; of several recipients it must choose."""
    (found,) = parse_feedback(json.dumps(event()))
    several = {**MAIL, "destination": ["reader@example.com", "a@example.com"]}
    (chosen,) = parse_feedback(json.dumps(event(mail=several)))

    assert found.recipient == "reader@example.com"
    assert chosen.recipient == "a@example.com"


@pytest.mark.parametrize(
    "tags", [None, [], {}, {"subscriber": []}, {"subscriber": ["a1", "b2"]}, {"subscriber": "a1"}]
)
def test_without_one_clear_tag_nobody_is_meant(tags: Any) -> None:
    """Feedback never acts on a guess."""
    (found,) = parse_feedback(json.dumps(event(mail={**MAIL, "tags": tags})))

    assert found.subscriber_id == ""


@pytest.mark.parametrize(
    ("details", "kind"),
    [
        ({"complaintFeedbackType": "abuse"}, "complained"),
        ({}, "complained"),
        ({"complaintSubType": None}, "complained"),
        ({"complaintFeedbackType": "not-spam"}, "not_spam"),
        ({"complaintSubType": "OnAccountSuppressionList"}, "complained"),
    ],
)
def test_not_every_complaint_is_one(details: dict[str, Any], kind: str) -> None:
    """Some readers report that a mail is no spam."""
    assert kinds_of(event(**complaint(**details))) == [kind]


UNSENT = {
    "ses-publishing-bounce-on-account-suppression-list": "on a suppression list",
    "ses-publishing-failure": "not rendered",
    "ses-publishing-reject": "rejected: Bad content",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_event_tells_whether_ses_sent_the_mail(shared_data: Path, name: str) -> None:
    """What was sent and came back is another thing."""
    found = parse_feedback((shared_data / "aws-events" / f"{name}.json").read_text())

    assert {one.unsent for one in found} == {UNSENT.get(name, "")}


@pytest.mark.parametrize(
    ("details", "why"),
    [
        ({"bounce": {**event()["bounce"], "bounceSubType": "Suppressed"}}, "on a suppression list"),
        ({"bounce": {**event()["bounce"], "bounceSubType": "General"}}, ""),
        ({"bounce": {**event()["bounce"], "bounceSubType": None}}, ""),
        (complaint(complaintSubType="OnAccountSuppressionList"), "on a suppression list"),
        (complaint(complaintSubType=None), ""),
        (complaint(), ""),
        ({"eventType": "Reject", "bounce": None}, "rejected"),
        (
            {"eventType": "Reject", "bounce": None, "reject": {"reason": "x" * 99}},
            f"rejected: {'x' * 40}",
        ),
    ],
)
def test_a_subtype_or_a_reason_tells_why_a_mail_was_not_sent(
    details: dict[str, Any], why: str
) -> None:
    (found,) = parse_feedback(json.dumps(event(**details)))

    assert found.unsent == why


@pytest.mark.parametrize("bounce_type", ["Transient", "Undetermined", "SomethingNew"])
def test_only_a_permanent_bounce_is_for_good(bounce_type: str) -> None:
    """A full mailbox may be emptied."""
    bounce = {**event()["bounce"], "bounceType": bounce_type}

    assert kinds_of(event(bounce=bounce)) == ["bounced_for_now"]


@pytest.mark.parametrize(
    "value",
    [
        {"eventType": "Open", "mail": MAIL, "open": {}},
        {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have …"},
    ],
)
def test_a_type_that_tells_nothing_is_one_of_kind_other(value: dict[str, Any]) -> None:
    """It is counted by its name and fails nothing."""
    (found,) = parse_feedback(json.dumps(value))

    assert found.kind is FeedbackKind.OTHER
    assert found.event_type in value.values()


@pytest.mark.parametrize("value", ["Sentiment", "bounce", "", "Rendering  Failure", "x" * 999])
def test_a_type_of_the_future_is_an_error_of_its_own(value: str) -> None:
    """Somebody has to look at it; what it says of readers may matter."""
    with pytest.raises(UnknownEventError) as caught:
        parse_feedback(json.dumps({"eventType": value, "mail": MAIL}))

    assert len(str(caught.value)) < 120


def test_what_was_sent_is_sent_to_all_its_recipients() -> None:
    """A Send event has no list of its own."""
    assert kinds_of({"eventType": "Send", "mail": MAIL, "send": {}}) == ["accepted"]


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("text", "event"),
        ({}, "eventType"),
        ({"eventType": 7}, "eventType"),
        (event(bounce=None), "bounce"),
        (event(bounce={"bounceType": "Permanent"}), "bouncedRecipients"),
        (event(bounce={"bouncedRecipients": ["a@example.com"]}), "recipients"),
        (event(bounce={"bouncedRecipients": [{}]}), "recipients"),
        (event(mail=None), "mail"),
        (event(mail={}), "mail"),
        ({"eventType": "Delivery", "delivery": {"recipients": "a@example.com"}}, "recipients"),
        ({"eventType": "Send", "mail": {"messageId": "m1"}}, "recipients"),
    ],
)
def test_a_malformed_event_names_the_part_at_fault(value: Any, part: str) -> None:
    """So that the dead letter can be understood; the text shows no address."""
    with pytest.raises(MalformedEventError) as fault:
        parse_feedback(json.dumps(value))

    assert fault.value.part == part
    assert "example" not in str(fault.value)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "text",
        "[]",
        json.dumps(event()),
        json.dumps({"Type": "Notification", "TopicArn": "t"}),
        json.dumps({"Type": "Notification", "TopicArn": "t", "Message": {"eventType": "Bounce"}}),
        json.dumps({"Type": "SubscriptionConfirmation", "TopicArn": "t", "Message": "m"}),
    ],
)
def test_what_is_no_notification_is_malformed(body: str) -> None:
    """A raw event too: then raw delivery was switched on, and nobody could tell the topic."""
    with pytest.raises(MalformedEventError):
        read_envelope(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["eventType", "bounce", "complaint", "delivery", "mail", "send"]),
        json_values | st.sampled_from(["Bounce", "Complaint", "Delivery", "Send"]),
    )
)
def test_any_json_is_feedback_or_malformed(value: dict[str, Any]) -> None:
    """No other error."""
    try:
        found = parse_feedback(json.dumps(value))
    except MalformedEventError:
        return

    assert all(isinstance(f.recipient, str) for f in found)
