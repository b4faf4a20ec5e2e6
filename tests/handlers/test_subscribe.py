"""The sign-up API as a browser, a mail program, a scanner and a stranger meet it."""

import dataclasses
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from paperpost import clients
from paperpost.domain.subscribers import Cadence, Preferences, SubscriberStatus
from paperpost.domain.tokens import Purpose, make_token
from paperpost.observe import logger
from paperpost.storage.subscribers import SubscriberTable
from paperpost.subscribe.handler import handler
from support.api import FakeContext
from support.aws import Cloud
from support.readers import ADDRESS, NOW, make_keys, make_subscriber, store
from support.signup import PURPOSES, WISH, call, dump, link, page_of, queued, status_of

GET_ROUTES = ["confirm", "unsubscribe", "preferences", "export"]
POST_ROUTES = ["confirm", "unsubscribe", "preferences", "erase"]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the function logs."""
    text, stream_handler = io.StringIO(), logger.handlers[0]
    before = stream_handler.setStream(text)  # type: ignore[attr-defined]
    yield text
    stream_handler.setStream(before)  # type: ignore[attr-defined]


# sign-up


def test_a_sign_up_by_form_queues_a_confirmation(cloud: Cloud, table: SubscriberTable) -> None:
    """The profile waits unconfirmed; the queue knows an id and no address."""
    answer = call("POST", "/api/subscribe", form=WISH)

    (message,) = queued(cloud)
    stored = table.get(message["subscriber"])
    assert answer["statusCode"] == 202
    assert message["kind"] == "confirm"
    assert stored is not None
    assert stored.status is SubscriberStatus.UNCONFIRMED
    assert stored.preferences.categories == ("cs.CV", "cs.AI")


def test_a_sign_up_by_json_is_answered_in_json(cloud: Cloud, table: SubscriberTable) -> None:
    """With every optional wish."""
    wish = {
        "email": "Reader@例子.测试",
        "categories": "cs.CV",
        "language": "en",
        "cadence": "weekly",
        "length": "full",
        "hour": 7,
        "zone": "Europe/Berlin",
    }

    answer = call("POST", "/api/subscribe", data=wish)

    (message,) = queued(cloud)
    stored = table.get(message["subscriber"])
    assert (answer["statusCode"], json.loads(answer["body"])) == (202, {"status": "accepted"})
    assert stored is not None
    assert stored.address == "Reader@xn--fsqu00a.xn--0zwm56d"
    assert stored.preferences == Preferences(
        categories=("cs.CV",),
        language="en",
        cadence=Cadence.WEEKLY,
        length="full",
        hour=7,
        zone="Europe/Berlin",
    )


@pytest.mark.parametrize(
    "name", ["httpapi-v2_subscribe-post-form", "httpapi-v2_subscribe-post-json"]
)
def test_recorded_requests_are_taken(
    cloud: Cloud,
    table: SubscriberTable,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """The form that API Gateway recorded, with our path and our categories."""
    monkeypatch.setenv("CATEGORIES", "cs.AI,cs.CL,stat.ML")
    event = json.loads((shared_data / "aws-events" / f"{name}.json").read_text())
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/api/subscribe"

    answer = handler(event, FakeContext())  # type: ignore[arg-type]

    (message,) = queued(cloud)
    assert answer["statusCode"] == 202
    assert status_of(table, message["subscriber"]) == "unconfirmed"


def answers_by_status(table: SubscriberTable) -> dict[str, Any]:
    """The answer and the AWS calls for an unknown address and for one of each status."""
    calls: list[str] = []
    for client in (clients.table("subscribers").meta.client, clients.sqs(), clients.ssm()):
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    found = {}
    for n, status in enumerate((None, *SubscriberStatus)):
        address = f"reader{n}@example.com"
        if status is not None:
            store(table, make_subscriber(f"b{n}", address=address), status=status)
        calls.clear()
        form = {**WISH, "email": address}
        answer = call("POST", "/api/subscribe", form=form, source_ip=f"203.0.113.{n}")
        found[str(status)] = (answer, tuple(calls))
    return found


def test_the_answer_is_the_same_for_every_status(
    table: SubscriberTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, headers and every byte, so nobody learns who reads; and the same AWS calls."""
    monkeypatch.setenv("SIGNUPS_PER_HOUR", "100")

    call("GET", link("confirm"))  # reads the keys, which are then kept
    found = answers_by_status(table)

    (first, calls), *others = found.values()
    assert first["statusCode"] == 202
    assert all(other == (first, calls) for other in others)
    assert calls == (
        "UpdateItem",
        "UpdateItem",
        "UpdateItem",
        "GetItem",
        "GetItem",
        "TransactWriteItems",
        "SendMessageBatch",
    )


@pytest.mark.usefixtures("table")
def test_a_filled_trap_is_answered_as_always_and_does_nothing(cloud: Cloud) -> None:
    """A robot that fills every field learns nothing."""
    expected = call("POST", "/api/subscribe", form={**WISH, "email": "other@example.com"})
    queued(cloud)
    before = dump()

    answer = call("POST", "/api/subscribe", form={**WISH, "website": "https://example.com"})

    assert answer == expected
    assert dump() == before
    assert queued(cloud) == []


@pytest.mark.usefixtures("table")
def test_too_many_from_one_network_are_refused(cloud: Cloud) -> None:
    """The fourth gets a page that asks for patience, and no profile."""
    answers = [
        call("POST", "/api/subscribe", form={**WISH, "email": f"reader{n}@example.com"})
        for n in range(4)
    ]

    assert [a["statusCode"] for a in answers] == [202, 202, 202, 429]
    assert "稍后再试" in page_of(answers[3]).text_content()
    assert len(queued(cloud)) == 3


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"email": "reader"}, 422, "email"),
        ({"email": "读者@example.com"}, 422, "email"),
        ({"email": ["a@example.com", "b@example.com"]}, 422, "email"),
        ({"email": {"a": 1}}, 422, "email"),
        ({"email": None}, 422, "email"),
        ({"categories": []}, 422, "categories"),
        ({"categories": "hep-th"}, 422, "categories"),
        ({"language": "fr"}, 422, "language"),
        ({"hour": 25}, 422, "hour"),
        ({"zone": "Nowhere"}, 422, "zone"),
    ],
)
def test_a_wrong_field_is_a_problem_that_names_it(
    changes: dict[str, Any], status: int, field: str
) -> None:
    """As RFC 9457 has it, without repeating what was sent."""
    answer = call("POST", "/api/subscribe", data={**WISH, **changes})

    body = json.loads(answer["body"])
    assert answer["statusCode"] == body["status"] == status
    assert answer["headers"]["Content-Type"].startswith("application/problem+json")
    assert body["field"] == field
    assert "example.com" not in answer["body"]
    assert dump() == []


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"email=%FF", "application/x-www-form-urlencoded", 400),
        (b"{", "application/json", 400),
        (b"x" * 30_000, "application/x-www-form-urlencoded", 413),
        (b"email=a", "text/plain", 415),
        (None, "application/x-www-form-urlencoded", 422),
    ],
)
def test_a_body_that_cannot_be_read_is_a_page_and_no_fault_of_ours(
    body: bytes | None, content_type: str, status: int
) -> None:
    """Never a 5xx, and never a 403 or 404, which the CDN would hide."""
    answer = call("POST", "/api/subscribe", body=body, headers={"content-type": content_type})

    assert answer["statusCode"] == status
    assert page_of(answer).xpath("//h1")


@pytest.mark.usefixtures("table")
def test_the_page_speaks_the_language_that_was_chosen() -> None:
    """English for those who choose it, whatever the browser says."""
    english = call("POST", "/api/subscribe", form={**WISH, "language": "en"})
    chinese = call("POST", "/api/subscribe", form=WISH, headers={"accept-language": "en"})

    assert page_of(english).get("lang") == "en"
    assert "check your mail" in page_of(english).text_content()
    assert page_of(chinese).get("lang") == "zh-Hans"


# confirmation


def test_the_button_confirms_and_pressing_twice_does_no_harm(table: SubscriberTable) -> None:
    """From the page of the mail's link to the audience."""
    store(table)
    page = page_of(call("GET", link("confirm")))
    assert page.xpath("//form[@method='post'][not(@action)]//button")

    first, second = call("POST", link("confirm")), call("POST", link("confirm"))

    assert first == second
    assert first["statusCode"] == 200
    assert status_of(table) == "confirmed"
    assert [m.subscriber_id for m in table.list_audience("daily", 0)] == ["a1"]


def test_pressing_twice_at_once_is_as_good(table: SubscriberTable) -> None:
    """The other press arrives between this one's look at the profile and its write."""
    store(table)
    dynamodb = clients.table("subscribers").meta.client
    rival = SubscriberTable(boto3.resource("dynamodb").Table("subscribers"))

    def press_first(**_: Any) -> None:
        rival.set_status("a1", SubscriberStatus.CONFIRMED, now=NOW)

    dynamodb.meta.events.register("before-call.dynamodb.TransactWriteItems", press_first)

    answer = call("POST", link("confirm"))

    dynamodb.meta.events.unregister("before-call.dynamodb.TransactWriteItems", press_first)
    assert answer["statusCode"] == 200
    assert status_of(table) == "confirmed"


def test_the_confirmed_page_leads_to_the_preferences(table: SubscriberTable) -> None:
    """The link in it works."""
    store(table)

    page = page_of(call("POST", link("confirm")))

    (path,) = page.xpath("//a[contains(@href, '/api/preferences/')]/@href")
    assert call("GET", path)["statusCode"] == 200


def test_an_old_confirmation_says_that_it_expired(table: SubscriberTable) -> None:
    """After 48 hours."""
    store(table)
    old = link("confirm", now=NOW - timedelta(hours=49))

    answers = [call("GET", old), call("POST", old)]

    assert [a["statusCode"] for a in answers] == [410, 410]
    assert status_of(table) == "unconfirmed"


@pytest.mark.parametrize("status", [SubscriberStatus.COMPLAINED, SubscriberStatus.ERASED])
def test_a_final_status_cannot_be_confirmed_away(
    table: SubscriberTable, status: SubscriberStatus
) -> None:
    """The answer is a page, the status stays."""
    store(table, status=status)

    answer = call("POST", link("confirm"))

    assert answer["statusCode"] == 410
    assert status_of(table) == status.value


@pytest.mark.parametrize("status", [SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.BOUNCED])
def test_who_left_or_bounced_comes_back_by_confirming(
    table: SubscriberTable, status: SubscriberStatus
) -> None:
    """That is what the second confirmation mail is for."""
    store(table, status=status)

    call("POST", link("confirm", now=NOW + timedelta(seconds=1)))

    assert status_of(table) == "confirmed"


# unsubscribe

MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (MULTIPART, "multipart/form-data; boundary=b"),
        (b"", "application/x-www-form-urlencoded"),
        (None, "text/plain"),
    ],
)
def test_one_click_unsubscribes(
    table: SubscriberTable, body: bytes | None, content_type: str
) -> None:
    """RFC 8058: no cookie, no redirect, either form of body, and again without harm."""
    store(table, status=SubscriberStatus.CONFIRMED)
    headers = {"content-type": content_type, "accept": "*/*"}

    answers = [call("POST", link("unsubscribe"), body=body, headers=headers) for _ in range(2)]

    assert [a["statusCode"] for a in answers] == [200, 200]
    assert all("location" not in {k.lower() for k in a["headers"]} for a in answers)
    assert not any(a.get("cookies") for a in answers)
    assert status_of(table) == "unsubscribed"
    assert list(table.list_audience("daily", 0)) == []


def test_a_slash_behind_a_link_does_no_harm(table: SubscriberTable) -> None:
    """Whoever writes links anew may add one."""
    store(table, status=SubscriberStatus.CONFIRMED)

    page = call("GET", link("unsubscribe") + "/")
    answer = call("POST", link("unsubscribe") + "/")

    assert (page["statusCode"], answer["statusCode"]) == (200, 200)
    assert status_of(table) == "unsubscribed"


def test_the_recorded_one_click_request_unsubscribes(
    table: SubscriberTable, shared_data: Path
) -> None:
    """With our path."""
    store(table, status=SubscriberStatus.CONFIRMED)
    path = shared_data / "aws-events" / "httpapi-v2_unsubscribe-one-click-post.json"
    event = json.loads(path.read_text())
    event["rawPath"] = event["requestContext"]["http"]["path"] = link("unsubscribe")

    answer = handler(event, FakeContext())  # type: ignore[arg-type]

    assert answer["statusCode"] == 200
    assert status_of(table) == "unsubscribed"


@pytest.mark.parametrize("status", [s for s in SubscriberStatus if s != "confirmed"])
def test_leaving_is_always_answered_well(table: SubscriberTable, status: SubscriberStatus) -> None:
    """Also for who left, bounced, complained or is erased: a mail program must not try for ever."""
    store(table, status=status)

    answer = call("POST", link("unsubscribe"))

    assert answer["statusCode"] == 200
    final = "unsubscribed" if status is SubscriberStatus.UNCONFIRMED else status.value
    assert status_of(table) == final


def test_a_link_of_twenty_years_and_a_retired_key_still_unsubscribes(
    table: SubscriberTable,
) -> None:
    """Mails are kept longer than keys."""
    store(table, status=SubscriberStatus.CONFIRMED)
    old = make_keys(signing=("k0",), retired=())
    token = make_token(Purpose.UNSUBSCRIBE, "a1", old, now=NOW - timedelta(days=7300))

    answer = call("POST", f"/api/unsubscribe/{token}")

    assert answer["statusCode"] == 200
    assert status_of(table) == "unsubscribed"


# preferences, export, erasure


def form_values(page: Any) -> dict[str, list[str]]:
    """What a browser would send of the preferences form as it stands."""
    (form,) = page.xpath("//form[@class='preferences']")
    values: dict[str, list[str]] = {}
    for name, value in form.form_values():
        values.setdefault(name, []).append(value)
    return values


def test_saving_an_untouched_form_changes_nothing(table: SubscriberTable) -> None:
    """What the form shows is what is stored."""
    wanted = Preferences(
        categories=("cs.AI", "math.ST"),
        language="en",
        cadence=Cadence.WEEKLY,
        length="full",
        hour=0,
        zone="Europe/Berlin",
        paused_until=date(2026, 5, 1),
    )
    store(table, make_subscriber(preferences=wanted), status=SubscriberStatus.CONFIRMED)
    before = dump()

    answer = call(
        "POST", link("preferences"), form=form_values(page_of(call("GET", link("preferences"))))
    )

    assert answer["statusCode"] == 200
    assert "Saved" in page_of(answer).text_content()
    assert dump() == before


def test_the_pause_link_of_a_mail_lands_on_the_field(table: SubscriberTable) -> None:
    """The letter's foot says `…#pause`."""
    store(table, status=SubscriberStatus.CONFIRMED)

    page = page_of(call("GET", link("preferences")))

    (field,) = page.xpath("//*[@id='pause']")
    assert (field.tag, field.get("name")) == ("input", "paused_until")


def test_changed_preferences_are_stored_and_shown(table: SubscriberTable) -> None:
    """And planning sees them."""
    store(table, status=SubscriberStatus.CONFIRMED)
    form = form_values(page_of(call("GET", link("preferences"))))

    answer = call(
        "POST",
        link("preferences"),
        form={**form, "categories": ["math.ST"], "hour": "7", "cadence": "weekly"},
    )

    assert form_values(page_of(answer))["categories"] == ["math.ST"]
    (member,) = table.list_audience("weekly", 0)
    assert member.hour == 7


def test_a_wrong_preference_changes_nothing(table: SubscriberTable) -> None:
    """The page says which field."""
    store(table, status=SubscriberStatus.CONFIRMED)
    before = dump()

    answer = call("POST", link("preferences"), form={"categories": "cs.CV", "zone": "Nowhere"})

    assert answer["statusCode"] == 422
    assert "zone" in page_of(answer).text_content()
    assert dump() == before


def test_the_export_holds_all_that_is_stored(table: SubscriberTable) -> None:
    """As a JSON file, in the words of the data model."""
    stored = store(table, status=SubscriberStatus.CONFIRMED)

    answer = call("GET", link("export"))

    profile = json.loads(answer["body"])
    assert answer["headers"]["Content-Disposition"].startswith("attachment")
    assert profile["address"] == ADDRESS
    assert profile["consent"] == stored.consent
    names = {f.name for f in dataclasses.fields(stored)} - {"subscriber_id"}
    assert profile.keys() == names | {"id"}
    wishes = {f.name for f in dataclasses.fields(stored.preferences)}
    assert profile["preferences"].keys() == wishes


def test_the_export_tells_of_letters_that_bounced(table: SubscriberTable) -> None:
    """When, by the letter's number at the mail service."""
    store(table, status=SubscriberStatus.CONFIRMED)
    table.note_bounce("a1", "0100-abc", at=NOW)

    profile = json.loads(call("GET", link("export"))["body"])

    assert profile["bounces"] == {"0100-abc": NOW.isoformat()}


def test_erasing_leaves_a_tombstone_and_nothing_personal(
    cloud: Cloud, table: SubscriberTable
) -> None:
    """Not after a new sign-up either."""
    store(table, status=SubscriberStatus.CONFIRMED)

    answer = call("POST", link("erase"))
    again = call("POST", link("erase"))
    call("POST", "/api/subscribe", form=WISH)

    assert [answer["statusCode"], again["statusCode"]] == [200, 200]
    assert status_of(table) == "erased"
    assert ADDRESS not in str(dump())
    assert queued(cloud) == [{"subscriber": "a1", "kind": "confirm"}]
    assert call("GET", link("export"))["statusCode"] == 410


# what holds for every route


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
@pytest.mark.parametrize("status", SubscriberStatus)
def test_only_post_ever_changes_anything(
    cloud: Cloud, table: SubscriberTable, method: str, status: SubscriberStatus
) -> None:
    """Scanners follow links and try methods: every item stays as it was, and nothing is queued."""
    store(table, status=status)
    before = dump()

    paths = [link(route) for route in PURPOSES] + ["/api/subscribe", "/api/health", "/api"]
    answers = [call(method, path, form=WISH) for path in paths]

    assert dump() == before
    assert queued(cloud) == []
    assert all(a["statusCode"] in {200, 400, 405, 410} for a in answers)


@pytest.mark.parametrize("route", GET_ROUTES)
def test_a_page_is_kept_by_no_cache_index_or_referer(table: SubscriberTable, route: str) -> None:
    """And runs nothing, frames nowhere, loads nothing foreign."""
    store(table, status=SubscriberStatus.CONFIRMED)

    headers = call("GET", link(route))["headers"]

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("route", ["confirm", "unsubscribe", "preferences"])
def test_pages_use_nothing_that_their_policy_forbids(
    table: SubscriberTable, route: str, language: str
) -> None:
    """No script, no inline style, no foreign resource; every label and title is there."""
    wanted = Preferences(categories=("cs.CV",), language=language)
    store(table, make_subscriber(preferences=wanted), status=SubscriberStatus.CONFIRMED)

    page = page_of(call("GET", link(route)))

    assert page.get("lang") == {"zh": "zh-Hans", "en": "en"}[language]
    assert page.xpath("//script | //style | //@style | //img") == []
    assert page.xpath("//link/@href") == ["/style.css"]
    assert all(not href.startswith("http") for href in page.xpath("//@href | //@action"))
    assert page.xpath("//h1")[0].text_content().strip()
    assert page.xpath("//title")[0].text_content().endswith(("Paperpost", "论文早报"))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("route", PURPOSES)
def test_a_link_that_proves_nothing_is_a_clear_page(
    table: SubscriberTable, method: str, route: str
) -> None:
    """Cut off, of another purpose, of a stranger's making, of nobody: 4xx and nothing changed."""
    store(table, status=SubscriberStatus.CONFIRMED)
    before = dump()
    other = next(r for r in PURPOSES if PURPOSES[r] is not PURPOSES[route])
    good, wrong = link(route), link(other).rpartition("/")[2]
    paths = [
        good[:-1],
        f"/api/{route}/{wrong}",
        f"/api/{route}/x",
        f"/api/{route}/%00é",
        f"/api/{route}/",
    ]

    answers = [call(method, path) for path in paths]

    assert all(a["statusCode"] in {400, 405} for a in answers)
    assert all(page_of(a).xpath("//h1") for a in answers)
    assert dump() == before


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("route", ["confirm", "preferences", "export"])
def test_a_good_link_of_a_subscriber_that_is_gone_is_a_clear_page(route: str) -> None:
    """After a restore from backup, say."""
    assert call("GET", link(route, "feedbeef"))["statusCode"] == 410


@pytest.mark.usefixtures("table")
def test_a_wrong_method_is_told_the_right_ones() -> None:
    """405 with Allow; an unknown path is a 400."""
    wrong = call("GET", "/api/subscribe")
    unknown = call("GET", "/api/nothing/here")

    assert (wrong["statusCode"], wrong["headers"]["Allow"]) == (405, "POST")
    assert unknown["statusCode"] == 400


def test_health_answers_without_asking_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the settings."""
    monkeypatch.delenv("SUBSCRIBERS_TABLE", raising=False)

    answer = call("GET", "/api/health")

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ok"})


def test_a_profile_that_keeps_changing_asks_for_patience(
    table: SubscriberTable,
) -> None:
    """Another writer is always faster: 503, and the next click may work."""
    store(table)
    dynamodb = clients.table("subscribers").meta.client
    interfere = faster_writer()
    dynamodb.meta.events.register("before-call.dynamodb.TransactWriteItems", interfere)

    answer = call("POST", link("confirm"))

    dynamodb.meta.events.unregister("before-call.dynamodb.TransactWriteItems", interfere)
    assert answer["statusCode"] == 503
    assert status_of(table) == "unconfirmed"


def faster_writer() -> Callable[..., None]:
    """A writer that changes the profile's preferences just before each update arrives."""
    hours = iter(range(24))
    other = boto3.resource("dynamodb").Table("subscribers")

    def interfere(**_: Any) -> None:
        other.update_item(
            Key={"pk": "SUB#a1", "sk": "PROFILE"},
            UpdateExpression="SET preferences.#hour = :hour",
            ExpressionAttributeNames={"#hour": "hour"},
            ExpressionAttributeValues={":hour": next(hours)},
        )

    return interfere


def test_no_address_or_token_is_ever_logged_or_queued(
    cloud: Cloud,
    table: SubscriberTable,
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The canary goes through every route, right and wrong; table and export alone show it."""
    store(table, make_subscriber("b2", address="x" + ADDRESS))
    call("POST", "/api/subscribe", form=WISH)
    call("POST", "/api/subscribe", data={**WISH, "hour": ADDRESS})
    call("POST", "/api/subscribe", data={"email": f"{ADDRESS}@"})
    call("POST", "/api/subscribe", data={ADDRESS: True})
    call("POST", "/api/subscribe", body=f"email={ADDRESS}".encode(), headers={"content-type": "x"})
    links = [link(route, "b2") for route in PURPOSES]
    for path in links:
        call("GET", path)
        call("POST", path, form={"categories": "cs.CV", "zone": ADDRESS})
        call("POST", path[:-1], form=WISH)

    written = log.getvalue() + "".join(capsys.readouterr()) + str(queued(cloud))

    assert "request refused" in written
    assert "token refused" in written
    assert "SignupsAccepted" in written
    local, domain = ADDRESS.split("@")
    assert not re.search(f"{local}|{domain}|203\\.0\\.113", written)
    assert not [path for path in links if path.rpartition(".")[2] in written]
