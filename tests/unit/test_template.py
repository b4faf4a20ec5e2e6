"""template.yaml keeps what no linter checks; each fact is asserted on the translation."""

import json
import re
from typing import Any

import pytest

from paperpost import clients, settings
from paperpost.enrich import handler as enrich
from paperpost.enrich import work
from paperpost.enrich.providers import _PROVIDERS, openai
from paperpost.enrich.providers.openai import FORMS
from paperpost.fetch import handler as fetch
from paperpost.fetch.transport import BODY_TIME, TIMEOUTS_S
from support.template import ROOT, of_type, source_template, translated_template

STAGES = ("Fetch", "Enrich", "Publish", "Compose", "Deliver", "Subscribe", "Feedback")


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def functions() -> dict[str, Any]:
    return of_type("AWS::Lambda::Function")


def queue_named(arn: dict[str, Any]) -> dict[str, Any]:
    """The properties of the queue that a GetAtt names."""
    queue: dict[str, Any] = of_type("AWS::SQS::Queue")[arn["Fn::GetAtt"][0]]
    return queue


def test_there_are_seven_functions_from_one_code_folder() -> None:
    """A stage is a function; all of them are one build."""
    code = {json.dumps(f["Code"], sort_keys=True) for f in functions().values()}

    assert set(functions()) == {f"{stage}Function" for stage in STAGES}
    assert len(code) == 1


@pytest.mark.parametrize("stage", STAGES)
def test_each_function_has_its_own_role_memory_timeout_and_log_group(stage: str) -> None:
    function = functions()[f"{stage}Function"]
    group = of_type("AWS::Logs::LogGroup")[f"{stage}Logs"]

    assert function["Role"] == {"Fn::GetAtt": [f"{stage}FunctionRole", "Arn"]}
    assert 128 <= function["MemorySize"] <= 1024
    assert 5 <= function["Timeout"] <= 600
    assert function["Handler"] == f"paperpost.{stage.lower()}.handler.handler"
    assert function["Runtime"] == "python3.13"
    assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{stage}Logs"}
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("stage", STAGES)
def test_each_function_gets_every_setting_that_its_stage_requires(stage: str) -> None:
    """A setting without default that is not given would stop the function at start."""
    kind = getattr(settings, f"{stage}Settings")
    given = set(functions()[f"{stage}Function"]["Environment"]["Variables"])
    known = {field.upper() for field in kind.__dataclass_fields__}
    needed = {n.upper() for n, f in kind.__dataclass_fields__.items() if f.default is _MISSING}

    assert needed <= given
    assert given - known <= {
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_SESV2",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "CLOCK_OFFSET_S",
        "POWERTOOLS_LOG_LEVEL",
        "CATEGORIES",
        "LANGUAGES",
        "CONTACT_MAIL",
    }


@pytest.mark.parametrize("stage", STAGES)
def test_the_endpoint_is_declared_empty_and_the_clock_is_right(stage: str) -> None:
    """SAM CLI only sets variables that are declared; outside replays the clock is not moved."""
    variables = functions()[f"{stage}Function"]["Environment"]["Variables"]

    assert variables["AWS_ENDPOINT_URL"] == ""
    assert variables["AWS_ENDPOINT_URL_SESV2"] == ""
    assert variables["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] == ""
    assert variables["CLOCK_OFFSET_S"] == "0"


def test_policies_name_actions_and_resources_without_wildcards() -> None:
    """Least privilege: no action ends in a star, no resource is one."""
    statements = [s for role in of_type("AWS::IAM::Role").values() for s in _granted(role)]

    assert statements
    for statement in statements:
        assert all("*" not in action for action in _as_list(statement["Action"]))
        # One knows no resources, the other lists what no name was given for.
        if statement["Action"] not in ("ses:GetAccount", "cloudwatch:DescribeAlarms"):
            assert all(resource != "*" for resource in _as_list(statement["Resource"]))


def test_no_role_may_read_the_queues_or_streams_of_others() -> None:
    """
    Of AWS's own policies they have those for logs and traces.

    To the role of a function with an SQS or DynamoDB event SAM adds one for all queues, or streams,
    of the account. Source: samtranslator 1.115, model/eventsources/pull.py, read 2026-11-26.
    """
    allowed = ("service-role/AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess")
    managed = {
        arn.partition(":policy/")[2]
        for role in of_type("AWS::IAM::Role").values()
        for arn in role.get("ManagedPolicyArns", [])
    }
    received = {
        stage: {
            arn["Fn::GetAtt"][0]
            for statement in _statements(stage)
            if "sqs:ReceiveMessage" in _as_list(statement["Action"])
            for arn in _as_list(statement["Resource"])
        }
        for stage in STAGES
    }
    fed = {stage: set[str]() for stage in STAGES}
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        source, kind = mapping["EventSourceArn"]["Fn::GetAtt"]
        if kind == "Arn":
            fed[mapping["FunctionName"]["Ref"].removesuffix("Function")].add(source)

    assert managed == set(allowed)
    assert received == fed


def test_enrich_may_call_the_profile_and_the_model_behind_it() -> None:
    """
    A profile's id (us.vendor.model) is not its model's, and both ARNs have to be allowed.

    Source: Bedrock user guide, 'Prerequisites for inference profiles', read 2026-11-23.
    """
    (resources,) = [
        s["Resource"] for s in _statements("Enrich") if s["Action"] == "bedrock:InvokeModel"
    ]
    model = "arn:${AWS::Partition}:bedrock:*::foundation-model/"
    profile = "arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:inference-profile/"

    assert resources == [
        {
            "Fn::If": [
                "HasFoundationModel",
                {"Fn::Sub": model + "${BedrockFoundationModelId}"},
                {"Fn::Sub": model + "${BedrockModelId}"},
            ]
        },
        {"Fn::Sub": profile + "${BedrockModelId}"},
    ]
    assert source_template()["Parameters"]["BedrockFoundationModelId"]["Default"] == ""


def test_the_slowest_model_cannot_outlast_enrichs_timeout() -> None:
    """A batch cut off in the middle would be asked, and paid, again."""
    mapping = of_type("AWS::Lambda::EventSourceMapping")["EnrichFunctionPapers"]
    config, http = clients.bedrock().meta.config, clients.model_http().connection_pool_kw
    calls = 2 * 2  # the most that Languages takes, and a second try of what was rejected
    a_paper_s = calls * (config.connect_timeout + config.read_timeout)

    assert config.retries["total_max_attempts"] == 1
    assert (http["timeout"].connect_timeout, http["timeout"].read_timeout) == (
        config.connect_timeout,
        config.read_timeout,
    )
    assert http["retries"].total is False
    assert config.connect_timeout + config.read_timeout == openai._PATIENCE_S
    assert mapping["BatchSize"] * a_paper_s + 30 <= functions()["EnrichFunction"]["Timeout"]


def test_a_claim_outlives_its_worker_and_not_the_hiding_of_its_message() -> None:
    """Else two would ask at once, or the owner's own message would find its claim in the way."""
    queue = of_type("AWS::SQS::Queue")["EnrichmentQueue"]
    timeout_s = functions()["EnrichFunction"]["Timeout"]

    assert timeout_s < work.LEASE.total_seconds() < queue["VisibilityTimeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == enrich._RECEIVES


def test_enrich_writes_under_papers_deletes_claims_and_sums_in_its_own_partition() -> None:
    """Listings and announcements have another writer."""
    conditions = {
        action: statement.get("Condition")
        for statement in _statements("Enrich")
        for action in _as_list(statement["Action"])
    }

    assert conditions["dynamodb:PutItem"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["PAPER#*", "CLAIM#*", "ENRICH"]}
    }
    assert conditions["dynamodb:DeleteItem"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["CLAIM#*"]}
    }
    assert conditions["dynamodb:UpdateItem"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ENRICH"]}
    }


def test_enrich_may_call_the_provider_that_was_chosen_and_no_other() -> None:
    """Who translates nothing needs neither a model nor a key."""
    role = of_type("AWS::IAM::Role")["EnrichFunctionRole"]
    given = [s for p in role["Policies"] for s in _as_list(p["PolicyDocument"]["Statement"])]
    chosen = {s["Fn::If"][1]["Action"]: s["Fn::If"] for s in given if "Fn::If" in s}
    conditions = source_template()["Conditions"]

    assert {action: conditions[told[0]] for action, told in chosen.items()} == {
        "bedrock:InvokeModel": {"Fn::Equals": [{"Ref": "EnrichProvider"}, "bedrock"]},
        "ssm:GetParameter": {"Fn::Equals": [{"Ref": "EnrichProvider"}, "openai"]},
    }
    assert {told[2]["Ref"] for told in chosen.values()} == {"AWS::NoValue"}


def test_enrich_may_read_one_secret() -> None:
    """The key of the server that the operator names."""
    (resource,) = [
        s["Resource"] for s in _statements("Enrich") if s["Action"] == "ssm:GetParameter"
    ]

    assert resource["Fn::Sub"].endswith(":parameter${OpenAiKeyParameter}")


def test_every_provider_can_be_chosen_and_every_form_of_an_answer_too() -> None:
    parameters = source_template()["Parameters"]

    assert set(parameters["EnrichProvider"]["AllowedValues"]) == set(_PROVIDERS)
    assert tuple(parameters["OpenAiForm"]["AllowedValues"]) == FORMS


def test_only_deliver_may_send_mail_and_only_enrich_may_call_the_model() -> None:
    users = {
        action: {
            name.removesuffix("FunctionRole")
            for name, role in of_type("AWS::IAM::Role").items()
            if action in json.dumps(role.get("Policies", []))
        }
        for action in ("ses:SendEmail", "bedrock:InvokeModel", "s3:PutObject")
    }

    assert users == {
        "ses:SendEmail": {"Deliver"},
        "bedrock:InvokeModel": {"Enrich"},
        "s3:PutObject": {"Publish", "Compose"},
    }


def test_fetch_enrich_and_publish_cannot_see_subscribers() -> None:
    """The three tables exist so that no function can read what it does not need."""
    for stage in ("Fetch", "Enrich", "Publish"):
        role = json.dumps(of_type("AWS::IAM::Role")[f"{stage}FunctionRole"])
        assert "SubscribersTable" not in role
        assert "DeliveriesTable" not in role


def test_issues_and_the_counts_of_letters_have_one_writer() -> None:
    """Compose writes them, publish only reads the counts: its right to put ends at the folder."""
    folder = {"Fn::Sub": "${SiteBucket.Arn}/issues/*"}
    statements = {
        stage: [
            (statement["Effect"], statement["Resource"])
            for statement in _statements(stage)
            if "s3:PutObject" in _as_list(statement["Action"])
        ]
        for stage in ("Publish", "Compose")
    }

    assert ("Deny", folder) in statements["Publish"]
    assert statements["Compose"] == [("Allow", folder)]


def test_the_morning_letter_counts_readers_without_an_address_and_reads_enrichs_notes_alone() -> (
    None
):
    """
    What a Scan may name is bounded; of Papers only the one partition can be asked for.

    Source: DynamoDB developer guide, 'Using IAM policy conditions for fine-grained access control',
    read 2026-11-26.
    """
    conditions = {
        action: statement.get("Condition")
        for statement in _statements("Deliver")
        for action in _as_list(statement["Action"])
        if action in {"dynamodb:Scan", "dynamodb:Query"}
    }

    assert conditions == {
        "dynamodb:Scan": {
            "ForAllValues:StringEquals": {
                "dynamodb:Attributes": ["pk", "sk", "status", "confirmed_at", "ended_at"]
            },
            "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
        },
        "dynamodb:Query": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ENRICH"]}},
    }


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        ("Publish", None),
        ("Compose", None),
        ("Deliver", ["issues/*", "status.json"]),
        ("Subscribe", "*.json"),
    ],
)
def test_who_asks_for_files_that_may_be_missing_is_told_that_they_are(
    stage: str, named: object
) -> None:
    """
    S3 answers 403 for them, as for what may not be read, unless they could be listed.

    Of such a request the key counts as `s3:prefix`. Sources: S3's GetObject, 'Permissions', and
    https://github.com/ceph/ceph/pull/68577, which found it out; read 2026-11-26.
    """
    (statement,) = [s for s in _statements(stage) if s["Action"] == "s3:ListBucket"]

    assert statement["Resource"] == {"Fn::GetAtt": ["SiteBucket", "Arn"]}
    assert statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix") == named


def test_the_morning_letter_looks_at_every_dead_letter_queue() -> None:
    variables = functions()["DeliverFunction"]["Environment"]["Variables"]
    named = {queue["Ref"] for queue in variables["DEAD_LETTER_QUEUES"]["Fn::Join"][1]}
    (readable,) = [
        s["Resource"] for s in _statements("Deliver") if s["Action"] == "sqs:GetQueueAttributes"
    ]

    assert named == {n for n in of_type("AWS::SQS::Queue") if n.endswith("DeadLetters")}
    assert named == {arn["Fn::GetAtt"][0] for arn in readable}


def test_compose_reads_the_audience_index_alone_and_so_no_address() -> None:
    role = of_type("AWS::IAM::Role")["ComposeFunctionRole"]
    resources = re.findall(r"\$\{SubscribersTable[^\"]*", json.dumps(role))

    assert resources == ["${SubscribersTable.Arn}/index/audience"]


@pytest.mark.parametrize("stage", ["Compose", "Deliver"])
def test_who_plans_and_who_sends_can_tell_a_restored_table(stage: str) -> None:
    (resources,) = [
        s["Resource"] for s in _statements(stage) if s["Action"] == "dynamodb:DescribeTable"
    ]

    assert {arn["Fn::GetAtt"][0] for arn in resources} == {"SubscribersTable", "DeliveriesTable"}


def test_tables_are_on_demand_recoverable_expiring_and_kept_by_parameter() -> None:
    tables = of_type("AWS::DynamoDB::Table")

    assert set(tables) == {"PapersTable", "SubscribersTable", "DeliveriesTable"}
    for name, table in tables.items():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert table["DeletionProtectionEnabled"] == {"Fn::If": ["RetainData", True, False]}
        resource = translated_template()["Resources"][name]
        assert resource["DeletionPolicy"] == {"Ref": "DataPolicy"}
        assert resource["UpdateReplacePolicy"] == {"Ref": "DataPolicy"}


def test_only_the_papers_table_has_a_stream_and_only_publish_reads_it() -> None:
    streams = {n for n, t in of_type("AWS::DynamoDB::Table").items() if "StreamSpecification" in t}
    readers = {
        name
        for name, mapping in of_type("AWS::Lambda::EventSourceMapping").items()
        if "StreamArn" in json.dumps(mapping["EventSourceArn"])
    }

    assert streams == {"PapersTable"}
    assert readers == {"PublishFunctionChanges"}


def test_publishs_stream_is_filtered_to_announcements_and_enrichments() -> None:
    """What publish itself writes must not wake it again."""
    mapping = of_type("AWS::Lambda::EventSourceMapping")["PublishFunctionChanges"]
    patterns = [json.loads(f["Pattern"]) for f in mapping["FilterCriteria"]["Filters"]]

    assert patterns == [
        {"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "CATEGORY#"}]}}}},
        {"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "ENRICHMENT#"}]}}}},
    ]
    assert mapping["MaximumBatchingWindowInSeconds"] > 0
    assert mapping["DestinationConfig"]["OnFailure"]


def test_queues_stay_hidden_six_timeouts_and_report_single_failures() -> None:
    """Source: Lambda developer guide, 'Creating an Amazon SQS event source', read 2026-11-23."""
    mappings = [
        m for m in of_type("AWS::Lambda::EventSourceMapping").values() if "Queue" in str(m)
        and "StreamArn" not in json.dumps(m["EventSourceArn"])
    ]  # fmt: skip

    assert len(mappings) == 4
    for mapping in mappings:
        function = functions()[mapping["FunctionName"]["Ref"]]
        queue = queue_named(mapping["EventSourceArn"])
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_every_working_queue_has_a_dead_letter_queue_that_keeps_two_weeks() -> None:
    queues = of_type("AWS::SQS::Queue")
    working = {n: q for n, q in queues.items() if not n.endswith("DeadLetters")}

    assert len(working) == 4
    for queue in working.values():
        target = queue_named(queue["RedrivePolicy"]["deadLetterTargetArn"])
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
        assert target["MessageRetentionPeriod"] == 14 * 86400
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())


def test_schedules_are_in_eastern_time_with_dead_letters_and_a_name_per_stack() -> None:
    """But the morning letter's: the operator sleeps elsewhere."""
    schedules = of_type("AWS::Scheduler::Schedule")
    zones = {name: s["ScheduleExpressionTimezone"] for name, s in schedules.items()}

    assert len(schedules) == 5
    assert zones.pop("DeliverFunctionMorning") == {"Ref": "MorningZone"}
    assert set(zones.values()) == {"America/New_York"}
    for schedule in schedules.values():
        assert schedule["Target"]["DeadLetterConfig"]["Arn"]
        assert "MaximumRetryAttempts" in schedule["Target"]["RetryPolicy"]
        assert "AWS::StackName" in json.dumps(schedule["Name"])


def test_a_tick_that_fails_is_tried_again_no_later_than_the_next_one_comes() -> None:
    """
    A schedule hands its event over; what becomes of it then is Lambda's affair alone.

    Source: Lambda developer guide, 'Error handling for asynchronous invocation', read 2026-11-26.
    """
    configs = {
        config["FunctionName"]["Ref"]: config
        for config in of_type("AWS::Lambda::EventInvokeConfig").values()
    }

    targets = [s["Target"]["Arn"] for s in of_type("AWS::Scheduler::Schedule").values()]
    assert {target["Fn::GetAtt"][0] for target in targets} == set(configs)
    assert {name: config["MaximumRetryAttempts"] for name, config in configs.items()} == {
        "FetchFunction": 2,
        "EnrichFunction": 1,
        "PublishFunction": 0,
        "ComposeFunction": 0,
        "DeliverFunction": 0,
    }
    for config in configs.values():
        assert config["MaximumEventAgeInSeconds"] <= 3600


def test_the_last_request_of_fetch_ends_before_its_time() -> None:
    """A request leaves in the first three quarters, and may take as long as its body may."""
    timeout_s = functions()["FetchFunction"]["Timeout"]
    longest_s = sum(TIMEOUTS_S) + BODY_TIME.total_seconds()

    assert timeout_s * fetch._FOR_REQUESTS + longest_s < timeout_s


def test_the_bucket_is_private_versioned_and_issues_are_not_for_readers() -> None:
    bucket = of_type("AWS::S3::Bucket")["SiteBucket"]
    policy = of_type("AWS::S3::BucketPolicy")["SiteBucketPolicy"]["PolicyDocument"]["Statement"]
    denied = [s["Resource"] for s in policy if s["Effect"] == "Deny"]

    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert {"Fn::Sub": "${SiteBucket.Arn}/issues/*"} in denied


def test_ses_events_reach_feedback_through_sns_and_sqs_of_this_stack_alone() -> None:
    destination = of_type("AWS::SES::ConfigurationSetEventDestination")["FeedbackEvents"]
    subscription = of_type("AWS::SNS::Subscription")["FeedbackSubscription"]
    policy = of_type("AWS::SQS::QueuePolicy")["FeedbackQueuePolicy"]["PolicyDocument"]

    assert destination["EventDestination"]["SnsDestination"]["TopicARN"] == {"Ref": "FeedbackTopic"}
    assert {"BOUNCE", "COMPLAINT", "DELIVERY", "SEND"} <= set(
        destination["EventDestination"]["MatchingEventTypes"]
    )
    assert subscription["Protocol"] == "sqs"
    assert policy["Statement"][0]["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Ref": "FeedbackTopic"}}
    }


def test_routes_are_those_of_the_design_and_the_api_is_throttled() -> None:
    keys = {route["RouteKey"] for route in of_type("AWS::ApiGatewayV2::Route").values()}
    stage = of_type("AWS::ApiGatewayV2::Stage")["HttpApiStage"]

    assert keys == {
        "POST /api/subscribe",
        "GET /api/confirm/{token}", "POST /api/confirm/{token}",
        "GET /api/unsubscribe/{token}", "POST /api/unsubscribe/{token}",
        "GET /api/preferences/{token}", "POST /api/preferences/{token}",
        "GET /api/export/{token}", "POST /api/erase/{token}", "GET /api/health", "$default",
    }  # fmt: skip
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert "path" not in stage["AccessLogSettings"]["Format"]


def test_parameters_are_described_and_at_most_four_must_be_given() -> None:
    parameters = source_template()["Parameters"]
    required = [name for name, p in parameters.items() if "Default" not in p]

    assert len(required) <= 4
    for name, parameter in parameters.items():
        assert parameter["Description"], name
        assert {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter) or (
            parameter["Type"] == "Number"
        ), name


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ("ContactMail", "me@example.org", "me at example.org"),
        ("Categories", "cs.AI,quant-ph,cond-mat.mes-hall", "cs.AI, cs.CL"),
        ("Languages", "zh,en", "zh;en"),
        ("Languages", "en", "zh,en,zh"),
        ("OpenAiUrl", "https://me.openai.azure.com/openai/v1", "http://example.org/v1"),
        ("OpenAiUrl", "http://127.0.0.1:8080/v1", "http://127.0.0.1.example.org/v1"),
        ("OpenAiUrl", "https://example.org/v1", "https://example.org/v1?key=x"),
        ("OpenAiKeyParameter", "/paperpost/model-key", "sk-abc"),
        ("BedrockFoundationModelId", "anthropic.claude-3-haiku-20240307-v1:0", "*"),
        ("SiteUrl", "https://papers.example.org", "https://papers.example.org/"),
        ("SiteUrl", "", "papers.example.org"),
        ("SenderDomain", "mail.example.org", "a@example.org"),
        ("TokenKeysParameter", "/paperpost/token-keys", "paperpost"),
        ("FeedSource", "https://rss.arxiv.org", "http://rss.arxiv.org"),
        ("MorningZone", "America/Argentina/Buenos_Aires", "GMT +8"),
        ("PostalAddress", "1 Main St, Springfield", "1 Main St\nBcc: x"),
    ],
)
def test_a_parameters_pattern_takes_good_and_refuses_bad_values(
    parameter: str, good: str, bad: str
) -> None:
    pattern = source_template()["Parameters"][parameter]["AllowedPattern"]

    assert re.search(pattern, good)
    assert not re.search(pattern, bad)


def test_with_mail_off_nothing_that_needs_a_domain_is_made() -> None:
    """`Mail: off` deploys feeds and site alone."""
    always = {
        name
        for name, resource in translated_template()["Resources"].items()
        if resource.get("Condition") != "MailOn"
    }
    functions_always = {n for n in always if n.endswith("Function")}

    assert functions_always == {"FetchFunction", "EnrichFunction", "PublishFunction"}
    assert not [n for n in always if n.startswith(("Subscribers", "Deliver", "HttpApi", "Sender"))]


def test_nothing_that_is_made_without_mail_refers_to_what_is_made_with_it() -> None:
    """A Ref to a resource that a condition left out fails the deployment."""
    resources = translated_template()["Resources"]
    conditional = {n for n, r in resources.items() if r.get("Condition") == "MailOn"}
    for name, resource in resources.items():
        if name in conditional:
            continue
        used = set(
            re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', json.dumps(_without_if(resource)))
        )
        assert not used & conditional, name


def test_every_template_file_is_in_the_code_folder_by_its_link() -> None:
    """The build copies functions/, so the templates must be reachable from there."""
    assert (ROOT / "functions" / "templates").resolve() == ROOT / "templates"


def _statements(stage: str) -> list[dict[str, Any]]:
    """What the stage's role may do and may not, with every condition met."""
    return _granted(of_type("AWS::IAM::Role")[f"{stage}FunctionRole"])


def _granted(role: dict[str, Any]) -> list[dict[str, Any]]:
    policies = role.get("Policies", [])
    given = [s for p in policies for s in _as_list(p["PolicyDocument"]["Statement"])]
    return [s["Fn::If"][1] if "Fn::If" in s else s for s in given]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _without_if(value: Any) -> Any:
    """*value* as it is with MailOn false."""
    if isinstance(value, dict):
        if value.get("Fn::If", [None])[0] == "MailOn":
            return _without_if(value["Fn::If"][2])
        return {k: _without_if(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_if(v) for v in value]
    return value


_MISSING = settings.FetchSettings.__dataclass_fields__["papers_table"].default
