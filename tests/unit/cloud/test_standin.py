"""The stand-in over loopback, asked by boto3 as the handlers ask it."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from paperpost.domain.errors import InvalidInputError
from paperpost.enrich.answers import RefusedByProviderError
from paperpost.enrich.prompt import Request, message, schema
from paperpost.enrich.providers.bedrock import Bedrock
from paperpost_cli.cloud.standin import (
    ConverseAnswer,
    ConverseRequest,
    ForwardModel,
    Model,
    ReplayModel,
    Standin,
)
from support.records import make_paper

ANSWERS = {
    "2403.09918": {
        "zh": {"title": "题", "abstract": "摘要", "tldr": "一句话"},
        "en": {"tldr": "In short."},
    }
}
ALL_EVENTS = ("SEND", "DELIVERY", "BOUNCE", "COMPLAINT")
TOPIC = "arn:aws:sns:us-east-1:000000000000:feedback"


class FakeAccount:
    """One configuration set, `set`, whose events are kept."""

    def __init__(self, wanted: Sequence[str] = ALL_EVENTS) -> None:
        self.wanted = wanted
        self.published: list[dict[str, Any]] = []
        self.failures = 0

    def topics(self, configuration_set: str) -> Mapping[str, Sequence[str]] | None:
        return {kind: [TOPIC] for kind in self.wanted} if configuration_set == "set" else None

    def publish(self, topic: str, message: str) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("away")
        assert topic == TOPIC
        self.published.append(json.loads(message))


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount()


@pytest.fixture
def start(tmp_path: Path, account: FakeAccount) -> Iterator[Callable[[Model], Standin]]:
    """Start a stand-in with a model; it ends with the test."""
    started: list[Standin] = []

    def with_model(model: Model) -> Standin:
        made = Standin(
            mail_dir=tmp_path / "mail",
            model=model,
            verified_domain="paper.example",
            account=account,
        )
        started.append(made.start())
        return made

    yield with_model
    for made in started:
        made.stop()


@pytest.fixture
def standin(start: Callable[[Model], Standin]) -> Standin:
    return start(ReplayModel(ANSWERS))


def client(name: str, standin: Standin) -> Any:
    make: Any = boto3.client  # one function for every service
    return make(
        name,
        endpoint_url=standin.url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )


def letter(
    to: str = "Reader <reader@example.org>",
    sender: str = "paperpost@paper.example",
    extra: str = "",
) -> bytes:
    return (
        f"From: Paperpost <{sender}>\r\nTo: {to}\r\nSubject: =?utf-8?b?6K665paH?=\r\n"
        f"{extra}MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    ).encode()


def send(standin: Standin, raw: bytes, **more: Any) -> str:
    """Send with the configuration set and wait for the events; returns the message id."""
    request = {"ConfigurationSetName": "set", "Content": {"Raw": {"Data": raw}}, **more}
    message_id: str = client("sesv2", standin).send_email(**request)["MessageId"]
    deadline = time.monotonic() + 5
    while not standin.idle() and time.monotonic() < deadline:
        time.sleep(0.005)
    return message_id


def refusal(standin: Standin, raw: bytes, **more: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as failure:
        send(standin, raw, **more)
    response = failure.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def kinds(account: FakeAccount) -> list[str]:
    return [event["eventType"] for event in account.published]


def test_a_message_is_kept_as_it_was_handed_over(standin: Standin, tmp_path: Path) -> None:
    """Byte for byte, X-SES headers included, under its number and message id."""
    raw = letter(extra="X-SES-MESSAGE-TAGS: issue=daily-2024-03-26, subscriber=abc\r\n")

    first, second = send(standin, raw), send(standin, letter())

    files = sorted((tmp_path / "mail").iterdir())
    assert [file.name for file in files] == [f"000001-{first}.eml", f"000002-{second}.eml"]
    assert files[0].read_bytes() == raw


def test_numbers_go_on_after_a_restart(start: Callable[[Model], Standin], tmp_path: Path) -> None:
    """A second stand-in over the same folder overwrites nothing."""
    model = ReplayModel({})
    send(start(model), letter())
    (tmp_path / "mail" / ".000002-x.part").write_bytes(b"half")

    send(start(model), letter())

    names = sorted(path.name[:6] for path in (tmp_path / "mail").iterdir())
    assert names == ["000001", "000002"]


@pytest.mark.parametrize(
    ("raw", "more", "expected"),
    [
        (letter(sender="me@elsewhere.example"), {}, ("MessageRejected", 400)),
        (letter(sender="me@notpaper.example"), {}, ("MessageRejected", 400)),
        (letter(), {"FromEmailAddress": "me@elsewhere.example"}, ("MessageRejected", 400)),
        (letter(), {"ConfigurationSetName": "none"}, ("NotFoundException", 404)),
        (letter().replace(b"From:", b"X-From:"), {}, ("BadRequestException", 400)),
        (letter().replace(b"To:", b"X-To:"), {}, ("BadRequestException", 400)),
        (letter(to="nobody"), {}, ("BadRequestException", 400)),
        (
            letter(to=", ".join(f"r{n}@x.example" for n in range(51))),
            {},
            ("BadRequestException", 400),
        ),
        (letter(extra="X-SES-MESSAGE-TAGS: issue=a b\r\n"), {}, ("BadRequestException", 400)),
    ],
)
def test_what_ses_refuses_is_refused_and_not_kept(
    standin: Standin, tmp_path: Path, raw: bytes, more: dict[str, Any], expected: tuple[str, int]
) -> None:
    """With the error type and status that SES gives."""
    assert refusal(standin, raw, **more) == expected
    assert list((tmp_path / "mail").iterdir()) == []
    assert standin.calls() == {"SendEmail": 1, "SendEmail refused": 1}


def test_a_message_above_forty_megabytes_is_refused(standin: Standin) -> None:
    """The limit is on the decoded message."""
    assert refusal(standin, letter() + b"x" * (40 * 1024 * 1024)) == ("BadRequestException", 400)


def test_content_that_is_not_raw_is_refused(standin: Standin) -> None:
    """Paperpost sends raw messages alone."""
    simple = {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}
    with pytest.raises(ClientError, match="Raw"):
        client("sesv2", standin).send_email(Content={"Simple": simple})


def test_an_ordinary_address_gives_send_and_delivery(
    standin: Standin, account: FakeAccount
) -> None:
    """In that order, with the message's tags, headers and configuration set."""
    tags = "X-SES-MESSAGE-TAGS: issue=daily-2024-03-26, subscriber=abc\r\n"

    message_id = send(standin, letter(extra=tags))

    assert kinds(account) == ["Send", "Delivery"]
    mail = account.published[1]["mail"]
    assert mail["messageId"] == message_id
    assert mail["destination"] == ["reader@example.org"]
    assert mail["tags"]["issue"] == ["daily-2024-03-26"]
    assert mail["tags"]["subscriber"] == ["abc"]
    assert mail["tags"]["ses:configuration-set"] == ["set"]
    assert mail["commonHeaders"]["subject"] == "论文"
    assert {header["name"] for header in mail["headers"]} == {
        "From", "To", "Subject", "MIME-Version", "Content-Type",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("success", ["Send", "Delivery"]),
        ("ooto", ["Send", "Delivery"]),
        ("bounce", ["Send", "Bounce"]),
        ("suppressionlist", ["Send", "Bounce"]),
        ("complaint", ["Send", "Delivery", "Complaint"]),
    ],
)
def test_simulator_addresses_cause_their_events(
    standin: Standin, account: FakeAccount, label: str, expected: list[str]
) -> None:
    """With a +label too."""
    send(standin, letter(to=f"{label}+reader-7@simulator.amazonses.com"))

    assert kinds(account) == expected


def test_a_simulated_bounce_is_permanent_and_general(
    standin: Standin, account: FakeAccount
) -> None:
    """And names the recipient with its label."""
    send(standin, letter(to="bounce+7@simulator.amazonses.com"))

    bounce = account.published[1]["bounce"]
    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Permanent", "General")
    assert bounce["bouncedRecipients"][0]["emailAddress"] == "bounce+7@simulator.amazonses.com"


@pytest.mark.parametrize(("address", "kind"), [("bounce", "Bounce"), ("complaint", "Complaint")])
def test_events_have_the_form_of_the_published_examples(
    standin: Standin, account: FakeAccount, shared_data: Path, address: str, kind: str
) -> None:
    """Every field of SES's own example stands in ours, and with the same type."""
    path = shared_data / "aws-events" / f"ses-publishing-{kind.lower()}.json"
    example = json.loads(path.read_text())

    send(standin, letter(to=f"{address}@simulator.amazonses.com"))

    ours = next(event for event in account.published if event["eventType"] == kind)
    assert missing(example, ours) == []


def missing(example: Any, ours: Any, at: str = "") -> list[str]:
    """Paths of *example* that *ours* lacks or has with another type."""
    if type(example) is not type(ours):
        return [at]
    if isinstance(example, dict):
        return [
            found
            for key in example
            for found in (missing(example[key], ours[key], f"{at}.{key}") if key in ours else [key])
        ]
    if isinstance(example, list):
        return missing(example[0], ours[0], f"{at}[0]") if ours else [at]
    return []


def test_only_the_events_that_the_destination_asks_for_are_published(
    standin: Standin, account: FakeAccount
) -> None:
    """A destination of bounces alone hears nothing of deliveries."""
    account.wanted = ("BOUNCE",)

    send(standin, letter())
    send(standin, letter(to="bounce@simulator.amazonses.com"))

    assert kinds(account) == ["Bounce"]


def test_a_message_without_a_configuration_set_causes_no_event(
    standin: Standin, account: FakeAccount
) -> None:
    """As in SES, where the events belong to the set."""
    client("sesv2", standin).send_email(Content={"Raw": {"Data": letter()}})

    assert standin.idle()
    assert account.published == []


def test_an_event_is_published_again_after_a_failure(
    standin: Standin, account: FakeAccount
) -> None:
    """A moment's absence of the topic loses nothing."""
    account.failures = 1

    send(standin, letter())

    assert kinds(account) == ["Send", "Delivery"]
    assert standin.problems == []


def test_an_event_that_cannot_be_published_is_noted(standin: Standin, account: FakeAccount) -> None:
    """After three tries it stands among the problems, and the next ones go out."""
    account.failures = 3

    send(standin, letter())

    assert kinds(account) == ["Delivery"]
    assert "away" in standin.problems[0]


def test_the_account_has_a_quota(standin: Standin) -> None:
    """GetAccount says how much may be sent and how much was."""
    send(standin, letter())

    account = client("sesv2", standin).get_account()

    assert account["SendingEnabled"]
    assert account["SendQuota"]["SentLast24Hours"] == 1.0
    assert account["SendQuota"]["MaxSendRate"] == 14.0


def test_a_quota_is_of_the_24_hours_before_the_newest_mail(standin: Standin) -> None:
    """By what mails say of their own time: a replay of weeks takes minutes."""
    for date in (
        "Mon, 20 Apr 2026 08:00:00 +0800",
        "Tue, 21 Apr 2026 08:00:00 +0800",
        "Tue, 21 Apr 2026 00:00:01 +0000",
        "Tue, 21 Apr 2026 23:59:59 +0000",
    ):
        send(standin, letter(extra=f"Date: {date}\r\n"))

    account = client("sesv2", standin).get_account()

    assert account["SendQuota"]["SentLast24Hours"] == 3.0


def test_an_unknown_request_is_answered_with_an_error(standin: Standin) -> None:
    """Not with silence."""
    with pytest.raises(ClientError, match="has no GET"):
        client("sesv2", standin).list_contact_lists()


def test_an_error_of_our_own_is_answered_as_500(start: Callable[[Model], Standin]) -> None:
    """A model that breaks does not let the handler hang."""

    def broken(_request: ConverseRequest) -> ConverseAnswer:
        raise ZeroDivisionError

    with pytest.raises(ClientError) as failure:
        ask(start(broken), "hi")
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_many_requests_on_one_connection_are_fast(standin: Standin) -> None:
    """No pause of 40 ms between headers and body."""
    ses = client("sesv2", standin)
    ses.get_account()

    began = time.monotonic()
    for _ in range(20):
        ses.get_account()

    assert time.monotonic() - began < 0.4


def ask(standin: Standin, prompt: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client("bedrock-runtime", standin).converse(
        modelId="us.amazon.nova-lite-v1:0",
        system=[{"text": "Translate."}],
        messages=[{"role": "user", "content": [{"text": prompt}]}],
        inferenceConfig={"maxTokens": 900, "temperature": 0.0},
        **more,
    )
    return answer


def prompt(language: str, paper: str = "2403.09918") -> str:
    wanted = {"task": {"n": 1}, "id": paper, "language": language, "title": "On {braces}"}
    return f"Set {{A}} in {json.dumps(wanted)}\nAnswer in JSON."


TOOL: dict[str, Any] = {
    "toolConfig": {
        "tools": [{"toolSpec": {"name": "save", "inputSchema": {"json": {"type": "object"}}}}],
        "toolChoice": {"tool": {"name": "save"}},
    }
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_prepared_answer_is_found_by_id_and_language(standin: Standin, language: str) -> None:
    """As JSON text, with a count of tokens."""
    answer = ask(standin, prompt(language))

    text = answer["output"]["message"]["content"][0]["text"]
    assert json.loads(text) == ANSWERS["2403.09918"][language]
    assert answer["stopReason"] == "end_turn"
    assert answer["usage"]["totalTokens"] > 0
    assert standin.calls() == {"Converse": 1}


def test_a_forced_tool_gets_the_answer_as_its_input(standin: Standin) -> None:
    """As toolUse, where the request has one."""
    answer = ask(standin, prompt("zh"), **TOOL)

    use = answer["output"]["message"]["content"][0]["toolUse"]
    assert (use["name"], use["input"]) == ("save", ANSWERS["2403.09918"]["zh"])
    assert answer["stopReason"] == "tool_use"


@pytest.mark.parametrize("text", [prompt("zh", "9999.00001"), "no object at all", '{"id": "x"}'])
def test_a_paper_without_a_prepared_answer_is_a_validation_error(
    standin: Standin, text: str
) -> None:
    """Of Bedrock's type, so that the handler notes it and goes on."""
    with pytest.raises(ClientError) as failure:
        ask(standin, text)

    assert failure.value.response["Error"]["Code"] == "ValidationException"


def test_answers_are_read_from_lines_of_json(tmp_path: Path) -> None:
    """One paper a line; a line that is none is named."""
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps({"id": "1", "en": {"tldr": "x"}}) + "\n\n")
    request = ConverseRequest(model="m", system="", user='{"id": "1", "language": "en"}')
    assert json.loads(ReplayModel.from_file(path)(request).text) == {"tldr": "x"}

    path.write_text('{"id": "1"}\n{"no": 1}\n')
    with pytest.raises(InvalidInputError, match=r"answers\.jsonl:2"):
        ReplayModel.from_file(path)


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any], list[tuple[int, Any]]]]:
    """A model server: its URL, what it was asked, and the answers it will give."""
    asked: list[Any] = []
    answers: list[tuple[int, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, json.loads(body)))
            status, value = answers.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(value).encode())

        def log_message(self, *_: object) -> None: ...

    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{made.server_address[1]}", asked, answers
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_request_is_forwarded_to_an_openai_compatible_server(
    start: Callable[[Model], Standin], server: tuple[str, list[Any], list[tuple[int, Any]]]
) -> None:
    """System and user text and the limits go out, the text and its cost come back."""
    url, asked, answers = server
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    answers.append((200, {"choices": [{"message": {"content": "hi"}}], "usage": usage}))

    answer = ask(start(ForwardModel(url + "/v1", model="local")), "hello")

    path, body = asked[0]
    assert path == "/v1/chat/completions"
    assert body == {
        "model": "local",
        "messages": [
            {"role": "system", "content": "Translate."},
            {"role": "user", "content": "hello"},
        ],
        "max_tokens": 900,
        "temperature": 0.0,
    }
    assert answer["output"]["message"]["content"] == [{"text": "hi"}]
    assert answer["usage"]["totalTokens"] == 10


def test_a_forwarded_tool_call_comes_back_as_the_tools_input(
    start: Callable[[Model], Standin], server: tuple[str, list[Any], list[tuple[int, Any]]]
) -> None:
    """The server's tool call becomes Converse's toolUse."""
    url, asked, answers = server
    call = {"function": {"name": "save", "arguments": '{"tldr": "x"}'}}
    answers.append((200, {"choices": [{"message": {"content": None, "tool_calls": [call]}}]}))

    answer = ask(start(ForwardModel(url)), "hello", **TOOL)

    assert asked[0][1]["tool_choice"] == {"type": "function", "function": {"name": "save"}}
    assert answer["output"]["message"]["content"][0]["toolUse"]["input"] == {"tldr": "x"}


@pytest.mark.parametrize("given", [(500, {}), (200, {}), (200, {"choices": []}), (200, [])])
def test_a_broken_model_server_is_an_error_of_the_model(
    start: Callable[[Model], Standin],
    server: tuple[str, list[Any], list[tuple[int, Any]]],
    given: tuple[int, Any],
) -> None:
    """Whatever it answers, the handler gets Bedrock's own error."""
    url, _, answers = server
    answers.append(given)

    with pytest.raises(ClientError) as failure:
        ask(start(ForwardModel(url)), "hello")

    assert failure.value.response["Error"]["Code"] == "ModelErrorException"


def test_a_request_that_a_model_server_does_not_take_is_no_fault_of_the_model(
    start: Callable[[Model], Standin], server: tuple[str, list[Any], list[tuple[int, Any]]]
) -> None:
    """A paper that is too long for it must not make it look dead."""
    url, _, answers = server
    answers.append((400, {"error": "context window"}))

    with pytest.raises(ClientError) as failure:
        ask(start(ForwardModel(url)), "hello")

    assert failure.value.response["Error"]["Code"] == "ValidationException"


def test_an_absent_model_server_is_service_unavailable(start: Callable[[Model], Standin]) -> None:
    """Nobody listens on port 9."""
    with pytest.raises(ClientError) as failure:
        ask(start(ForwardModel("http://127.0.0.1:9")), "hello")

    assert failure.value.response["Error"]["Code"] == "ServiceUnavailableException"


REQUEST = Request(paper=make_paper("2604.99001"), language="zh")


def test_enrich_gets_a_forwarded_answer_through_the_tool_that_it_forces(
    start: Callable[[Model], Standin], server: tuple[str, list[Any], list[tuple[int, Any]]]
) -> None:
    """The whole way: schema and prompt reach the server, its tool call comes back as an answer."""
    url, asked, answers = server
    given = {"title": "题", "abstract": "文", "tldr": "句"}
    call = {"function": {"name": "answer", "arguments": json.dumps(given)}}
    choice = {"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
    answers.append((200, {"choices": [choice], "usage": {"prompt_tokens": 7}}))
    bedrock = Bedrock(client("bedrock-runtime", start(ForwardModel(url))), "m")

    answer = bedrock.enrich(REQUEST)

    assert dict(answer.fields) == given
    body = asked[0][1]
    assert body["messages"][1]["content"] == message(REQUEST)
    assert body["tools"][0]["function"] == {"name": "answer", "parameters": schema("zh")}
    assert body["tool_choice"]["function"]["name"] == "answer"


@pytest.mark.parametrize(
    "said",
    [
        {"content": "Sure! Here is"},
        {"content": "[1, 2]"},
        {"content": None},
        {"content": None, "tool_calls": [{"function": {"name": "answer", "arguments": '{"tit'}}]},
    ],
)
def test_a_forwarded_answer_that_is_no_json_object_is_refused(
    start: Callable[[Model], Standin],
    server: tuple[str, list[Any], list[tuple[int, Any]]],
    said: dict[str, Any],
) -> None:
    """A small model babbles; that is no crash and no reason to ask again and again."""
    url, _, answers = server
    answers.append((200, {"choices": [{"message": said, "finish_reason": "stop"}]}))
    bedrock = Bedrock(client("bedrock-runtime", start(ForwardModel(url))), "m")

    with pytest.raises(RefusedByProviderError, match="no answer in the reply"):
        bedrock.enrich(REQUEST)


def test_a_forwarded_answer_that_was_cut_off_is_refused(
    start: Callable[[Model], Standin], server: tuple[str, list[Any], list[tuple[int, Any]]]
) -> None:
    """Also where what there is of it happens to be JSON."""
    url, _, answers = server
    said = {"content": '{"title": "题", "abstract": "文", "tldr": "句"}'}
    answers.append((200, {"choices": [{"message": said, "finish_reason": "length"}]}))
    bedrock = Bedrock(client("bedrock-runtime", start(ForwardModel(url))), "m")

    with pytest.raises(RefusedByProviderError, match="stopped: max_tokens"):
        bedrock.enrich(REQUEST)
