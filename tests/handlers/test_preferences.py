"""What readers set for themselves without a login, and what the limits of sign-ups hold."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from paperpost import clients
from paperpost.data import taxonomy
from paperpost.domain.papers import AnnounceType
from paperpost.domain.subscribers import Cadence, Preferences, Rule, SubscriberStatus
from paperpost.domain.tokens import mailbox_hash
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.subscribers import SubscriberTable
from support.aws import Cloud
from support.readers import ADDRESS, EPOCH_S, NOW, make_subscriber, store
from support.signup import KEYS, WISH, call, dump, link, page_of, queued, status_of

CONFIRMED = SubscriberStatus.CONFIRMED
SECRET = "s" * 32


def paper(arxiv_id: str, title: str, **changes: Any) -> dict[str, Any]:
    """One record of a published day."""
    return {
        "id": arxiv_id,
        "version": 1,
        "category": "cs.CV",
        "announced_on": "2026-04-20",
        "announce_type": "new",
        "title": title,
        "abstract": "Nothing.",
        "authors": [{"name": "Renée Dupont"}],
        "categories": ["cs.CV"],
        **changes,
    }


@pytest.fixture
def published(cloud: Cloud) -> None:
    """One published day of cs.CV."""
    rows = [{"category": "cs.CV", "published": 3}, {"category": "cs.AI", "published": 0}]
    files = {
        "status.json": {"dates": [{"announced_on": "2026-04-20", "categories": rows}]},
        "cs.CV/2026-04-20.json": {
            "records": [
                paper("2604.00001", "Diffusion <b>models</b>"),
                paper("2604.00002", "Graphs"),
                paper("2604.00003", "Diffusion again", announce_type="replace"),
            ]
        },
    }
    for path, value in files.items():
        clients.s3().put_object(Bucket=cloud.bucket, Key=path, Body=json.dumps(value).encode())


def preferences_of(table: SubscriberTable) -> Preferences:
    """What is stored."""
    stored = table.get("a1")
    assert stored is not None
    return stored.preferences


def test_rules_types_and_the_most_papers_are_saved_and_shown_again(table: SubscriberTable) -> None:
    """In the form's own words."""
    store(table, status=CONFIRMED)
    form = {
        "categories": "cs.CV",
        "announce_types": ["replace", "new"],
        "include": "diffusion\r\nauthor: Yann LeCun",
        "exclude": "title: survey",
        "most": "30",
    }

    page = page_of(call("POST", link("preferences"), form=form))

    assert preferences_of(table) == Preferences(
        categories=("cs.CV",),
        announce_types=(AnnounceType.NEW, AnnounceType.REPLACE),
        include=(
            Rule(field="text", phrase="diffusion"),
            Rule(field="author", phrase="Yann LeCun"),
        ),
        exclude=(Rule(field="title", phrase="survey"),),
        most=30,
    )
    assert page.xpath("//textarea[@name='include']")[0].text == "diffusion\nauthor: Yann LeCun"


def test_a_form_without_any_type_is_refused_and_not_silently_kept(table: SubscriberTable) -> None:
    """Boxes that are not ticked are not sent: something else must say that they were there."""
    store(table, status=CONFIRMED)
    (form,) = page_of(call("GET", link("preferences"))).xpath("//form[@class='preferences']")
    for box in form.xpath(".//input[@type='checkbox'][@name='announce_types']"):
        box.checked = False

    answer = call("POST", link("preferences"), form=dict(form.form_values()))

    assert answer["statusCode"] == 422
    assert "announce_types" in answer["body"]


@pytest.mark.usefixtures("published")
def test_a_preview_shows_what_would_have_matched_and_saves_nothing(table: SubscriberTable) -> None:
    """From the published records; a title stays text."""
    store(table, status=CONFIRMED)
    before = dump()
    form = {"categories": ["cs.CV", "cs.AI"], "include": "diffusion", "action": "preview"}

    page = page_of(call("POST", link("preferences"), form=form))

    section = page.xpath("//section[@id='preview']")[0]
    assert "2 篇里，有 1 篇符合" in section.text_content()
    assert [a.text for a in section.xpath(".//li/a")] == ["Diffusion <b>models</b>"]
    assert dump() == before


@pytest.mark.usefixtures("published")
def test_an_author_is_found_without_accents_and_in_any_order(table: SubscriberTable) -> None:
    """And initials are warned of."""
    store(table, status=CONFIRMED)
    form = {"categories": "cs.CV", "include": "author: dupont renee", "action": "preview"}
    broad = {**form, "include": "author: R Dupont"}

    found = page_of(call("POST", link("preferences"), form=form))
    warned = page_of(call("POST", link("preferences"), form=broad))

    assert "有 2 篇符合" in found.xpath("//section[@id='preview']")[0].text_content()
    assert found.xpath("//p[@class='warning']") == []
    assert "R Dupont" in warned.xpath("//p[@class='warning']")[0].text_content()


def test_a_preview_before_anything_was_published_says_so(
    table: SubscriberTable, cloud: Cloud
) -> None:
    """A new site."""
    clients.s3().put_object(Bucket=cloud.bucket, Key="status.json", Body=b'{"dates": []}')
    store(table, status=CONFIRMED)

    page = page_of(call("POST", link("preferences"), form={**WISH, "action": "preview"}))

    assert "还没有" in page.xpath("//section[@id='preview']")[0].text_content()


def test_a_wrong_rule_names_the_word_and_saves_nothing(table: SubscriberTable) -> None:
    """To the reader, as page and as JSON."""
    store(table, status=CONFIRMED)
    before = dump()
    wish = {"categories": "cs.CV", "include": "autor: LeCun"}

    page = page_of(call("POST", link("preferences"), form=wish))
    answer = call("POST", link("preferences"), data=wish)

    assert "autor" in page.xpath("//main")[0].text_content()
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["word"] == "autor"
    assert dump() == before


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Preferences(categories=("cs.CV",)), "4月22日 12:40"),
        (Preferences(categories=("cs.CV",), hour=8), "4月23日 08:00"),
        (Preferences(categories=("cs.CV",), zone="Europe/Berlin"), "4月22日 06:40"),
        (Preferences(categories=("cs.CV",), cadence=Cadence.WEEKLY), "4月25日 08:00"),
        (
            Preferences(categories=("cs.CV",), paused_until=date(2026, 4, 25)),
            "4月27日 12:40",
        ),
    ],
)
def test_the_page_tells_when_the_next_mail_is_expected(
    table: SubscriberTable, wanted: Preferences, expected: str
) -> None:
    """By the reader's clock; NOW is a Tuesday, 05:00 UTC, after that day's announcement."""
    store(table, make_subscriber(preferences=wanted), status=CONFIRMED)

    text = " ".join(
        page_of(call("GET", link("preferences"))).xpath("//main")[0].text_content().split()
    )

    assert f"预计 {expected} 送达" in text


def test_categories_stand_by_archive(table: SubscriberTable) -> None:
    """To tick all that the site carries, with names; the rest of arXiv's can be read about."""
    store(table)

    page = page_of(call("GET", link("preferences")))

    fields = page.xpath("//fieldset[.//input[@name='categories']]")
    offered = [[i.get("value") for i in f.xpath(".//input")] for f in fields]
    assert offered == [["cs.AI", "cs.CV"], ["math.ST"]]
    assert "计算机视觉与模式识别" in fields[0].text_content()
    (others,) = page.xpath("//details[.//b='hep-th']")
    told = {p.xpath("b")[0].text: p.text_content().split() for p in others.xpath("p[b]")}
    assert others.xpath(".//input") == []
    assert "cs.CL" in told["cs"]
    assert not {"cs.AI", "cs.CV"} & {*told["cs"]}
    assert sum(text.count("·") for text in told.values()) == len(taxonomy().categories) - 3


def test_a_category_that_is_no_longer_carried_is_told(table: SubscriberTable) -> None:
    """Nothing comes of it any more, and the next saving drops it."""
    store(table, make_subscriber(preferences=Preferences(categories=("cs.CV", "hep-th"))))

    page = page_of(call("GET", link("preferences")))

    assert "hep-th" in page.xpath("//p[@class='warning']")[0].text_content()


# change of address


def test_a_new_address_confirms_for_itself_and_then_takes_over(
    cloud: Cloud, table: SubscriberTable
) -> None:
    """Until then the old one reads on; the wishes move along."""
    wanted = Preferences(categories=("cs.CV",), length="full")
    store(table, make_subscriber(preferences=wanted), status=CONFIRMED)

    answer = call("POST", link("preferences"), form={"action": "move", "email": "new@example.net"})

    (message,) = queued(cloud)
    between = (status_of(table), status_of(table, message["subscriber"]))
    call("POST", link("confirm", message["subscriber"]))
    moved = table.get(message["subscriber"])
    assert answer["statusCode"] == 200
    assert between == ("confirmed", "unconfirmed")
    assert (status_of(table), moved and moved.status.value) == ("unsubscribed", "confirmed")
    assert moved is not None
    assert (moved.address, moved.preferences) == ("new@example.net", wanted)


def test_nobody_learns_by_a_change_of_address_who_else_reads(
    cloud: Cloud, table: SubscriberTable
) -> None:
    """A confirmed address answers as a new one does, and stays as it is."""
    store(table, status=CONFIRMED)
    store(table, make_subscriber("b2", address="other@example.com"), status=CONFIRMED)

    taken = call("POST", link("preferences"), form={"action": "move", "email": "other@example.com"})
    fresh = call("POST", link("preferences"), form={"action": "move", "email": "new@example.com"})

    assert taken == fresh
    assert (status_of(table), status_of(table, "b2")) == ("confirmed", "confirmed")
    assert len(queued(cloud)) == 2


# less mail


@pytest.mark.parametrize(
    ("less", "changed"),
    [
        ("weekly", {"cadence": Cadence.WEEKLY}),
        ("brief", {"length": "brief"}),
        ("pause", {"paused_until": (NOW + timedelta(days=30)).date()}),
    ],
)
def test_less_mail_is_a_button_beside_unsubscribe(
    table: SubscriberTable, less: str, changed: dict[str, Any]
) -> None:
    """One thing changes, the subscription goes on."""
    wanted = Preferences(categories=("cs.CV",), length="full")
    store(table, make_subscriber(preferences=wanted), status=CONFIRMED)
    buttons = page_of(call("GET", link("unsubscribe"))).xpath("//button[@name='less']/@value")

    answer = call("POST", link("unsubscribe"), form={"less": less})

    after = preferences_of(table)
    assert less in buttons
    assert answer["statusCode"] == 200
    assert status_of(table) == "confirmed"
    assert {name: getattr(after, name) for name in changed} == changed


@pytest.mark.parametrize("body", [b"less=more", b"less=weekly&less=brief", b"\xff"])
def test_whatever_else_is_sent_unsubscribes(table: SubscriberTable, body: bytes) -> None:
    """A mail program is never told that it did something wrong."""
    store(table, status=CONFIRMED)
    headers = {"content-type": "application/x-www-form-urlencoded"}

    call("POST", link("unsubscribe"), body=body, headers=headers)

    assert status_of(table) == "unsubscribed"


def test_a_pause_by_an_old_mail_never_cuts_a_longer_one_short(table: SubscriberTable) -> None:
    """The unsubscribe link can only bring less."""
    far = (NOW + timedelta(days=200)).date()
    wanted = Preferences(categories=("cs.CV",), paused_until=far)
    store(table, make_subscriber(preferences=wanted), status=CONFIRMED)

    call("POST", link("unsubscribe"), form={"less": "pause"})

    assert preferences_of(table).paused_until == far


# confirmation links work once


def test_a_used_confirmation_link_does_not_bring_back_who_left(table: SubscriberTable) -> None:
    """Within its 48 hours too."""
    store(table)
    call("POST", link("confirm"))
    call("POST", link("unsubscribe"))

    answers = [call("GET", link("confirm")), call("POST", link("confirm"))]

    assert [a["statusCode"] for a in answers] == [410, 410]
    assert status_of(table) == "unsubscribed"


def test_a_used_link_stays_used_after_a_new_sign_up(cloud: Cloud, table: SubscriberTable) -> None:
    """Only the link of the new mail counts then."""
    store(table)
    old = link("confirm")
    call("POST", old)
    call("POST", link("unsubscribe"))
    call("POST", "/api/subscribe", form=WISH)

    answer = call("POST", old)

    assert len(queued(cloud)) == 1
    assert answer["statusCode"] == 410
    assert status_of(table) == "unsubscribed"


def test_a_used_link_shows_preferences_to_nobody_later(
    table: SubscriberTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pressing twice is one thing, an old mail in another's hands is another."""
    store(table)
    call("POST", link("confirm"))
    monkeypatch.setattr("paperpost.settings.now", lambda: NOW + timedelta(minutes=11))

    answer = call("POST", link("confirm"))

    assert answer["statusCode"] == 410
    assert "/api/preferences/" not in answer["body"]
    assert status_of(table) == "confirmed"


# limits


@pytest.fixture
def limits(table: SubscriberTable, cloud: Cloud) -> SignUpLimits:  # noqa: ARG001  for the settings
    """The counters."""
    return SignUpLimits(clients.table(cloud.subscribers))


def claims(limits: SignUpLimits, address: str, *hours: int) -> list[bool]:
    """Whether a confirmation may go to *address* after so many hours each."""
    mailbox = mailbox_hash(address, KEYS)
    return [
        limits.claim_confirmation(mailbox, now=NOW + timedelta(hours=h), expires_at=EPOCH_S)
        for h in hours
    ]


def test_a_mailbox_is_asked_once_in_24_hours_and_three_times_in_all(limits: SignUpLimits) -> None:
    """However often somebody signs it up."""
    assert claims(limits, ADDRESS, 0, 1, 23, 24, 25, 48, 72, 2000) == [
        True, False, False, True, False, True, False, False,
    ]  # fmt: skip


def test_spellings_of_one_mailbox_share_its_limit(limits: SignUpLimits) -> None:
    """Tags, case, and Gmail's full stops; another mailbox is another."""
    assert claims(limits, "Jo.Reader+x@googlemail.com", 0) == [True]
    assert claims(limits, "joreader@gmail.com", 1) == [False]
    assert claims(limits, "jo.reader@example.com", 1) == [True]
    assert claims(limits, "joreader@example.com", 1) == [True]


def test_confirming_counts_from_nothing_again(table: SubscriberTable, limits: SignUpLimits) -> None:
    """So that who left may come back."""
    store(table)
    claims(limits, ADDRESS, -72, -48, -24)
    assert claims(limits, ADDRESS, 24) == [False]

    call("POST", link("confirm"))

    assert claims(limits, ADDRESS, 24) == [True]


def test_a_claim_that_was_not_used_is_given_back(limits: SignUpLimits) -> None:
    """SES had refused for now: the queue tries again."""
    mailbox = mailbox_hash(ADDRESS, KEYS)
    claims(limits, ADDRESS, 0)

    limits.return_confirmation(mailbox)

    assert claims(limits, ADDRESS, 0, 24, 48, 72) == [True, True, True, False]


@pytest.mark.usefixtures("table")
def test_too_many_for_one_domain_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """From whatever networks; another domain is not concerned."""
    monkeypatch.setenv("SIGNUPS_PER_DOMAIN", "2")
    addresses = ["a@example.com", "b@EXAMPLE.com", "c@example.com", "c@example.net"]

    answers = [
        call("POST", "/api/subscribe", form={**WISH, "email": a}, source_ip=f"203.0.113.{n}")
        for n, a in enumerate(addresses)
    ]

    assert [a["statusCode"] for a in answers] == [202, 202, 429, 202]


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("proof", "statuses"),
    [(SECRET, [202] * 5), ("x" * 32, [202, 202, 202, 429, 429]), (None, [202, 202, 202, 429, 429])],
)
def test_the_client_s_network_is_believed_of_a_proven_cdn_alone(
    monkeypatch: pytest.MonkeyPatch,
    proof: str | None,
    statuses: list[int],
) -> None:
    """Else a stranger would have a new network with every request."""
    monkeypatch.setenv("ORIGIN_SECRET", SECRET)
    proofs = {} if proof is None else {"X-Paperpost-Origin": proof}

    answers = [
        call(
            "POST",
            "/api/subscribe",
            form={**WISH, "email": f"reader@d{n}.example.com"},
            headers={**proofs, "X-Paperpost-Client": f"198.51.100.{n}"},
        )
        for n in range(5)
    ]

    assert [a["statusCode"] for a in answers] == statuses


@pytest.mark.usefixtures("table")
def test_without_a_secret_no_header_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty secret proves nothing."""
    monkeypatch.delenv("ORIGIN_SECRET", raising=False)

    answers = [
        call(
            "POST",
            "/api/subscribe",
            form={**WISH, "email": f"reader@d{n}.example.com"},
            headers={"X-Paperpost-Origin": "", "X-Paperpost-Client": f"198.51.100.{n}"},
        )
        for n in range(4)
    ]

    assert [a["statusCode"] for a in answers] == [202, 202, 202, 429]
