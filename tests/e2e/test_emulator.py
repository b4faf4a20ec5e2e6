"""What the laptop cloud relies on in MiniStack, on a small stack of template.yaml's kinds."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from paperpost_cli.cloud.emulator import Emulator
from paperpost_cli.cloud.invocations import Invocations
from paperpost_cli.cloud.schedules import ScheduleFailedError, fire, list_schedules
from paperpost_cli.cloud.stack import Stack, StackError, deploy, describe
from paperpost_cli.cloud.standin import EmulatorAccount, ReplayModel, Standin

pytestmark = pytest.mark.emulator

HANDLER = """
import json, os
import boto3
from botocore.exceptions import ClientError

BUCKET = os.environ["BUCKET"]

def put(key, body):
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)

def handler(event, context):
    print("got", sorted(event))
    if "Records" in event:
        failed = []
        for record in event["Records"]:
            if "dynamodb" in record:
                put("stream/" + record["dynamodb"]["Keys"]["pk"]["S"].replace("#", "-"), "x")
            elif record["body"] == "poison":
                failed.append({"itemIdentifier": record["messageId"]})
            else:
                put("queue/" + record["messageId"], record["body"])
        return {"batchItemFailures": failed}
    if "requestContext" in event:
        return {"statusCode": 200, "headers": {"content-type": "application/json"},
                "body": json.dumps({"route": event["routeKey"], "path": event["rawPath"],
                                    "token": event.get("pathParameters", {}).get("token")})}
    if event.get("raise"):
        raise ValueError(event["raise"])
    if event.get("environment"):
        return os.environ.get(event["environment"])
    if event.get("mail"):
        return boto3.client("sesv2").send_email(**event["mail"])["MessageId"]
    try:
        put(event.get("key", "invoked"), "x")
    except ClientError as exc:
        return exc.response["Error"]["Code"]
    return "put"
"""

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Zone: { Type: String, Default: America/New_York }
Globals:
  Function:
    CodeUri: code/
    Handler: handler.handler
    Runtime: python3.13
    Timeout: 20
    Environment: { Variables: { BUCKET: !Ref Bucket, AWS_ENDPOINT_URL: "" } }
Resources:
  Bucket: { Type: AWS::S3::Bucket }
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: [!GetAtt Bucket.Arn, !Sub "${Bucket.Arn}/*"]
            Condition: { Bool: { aws:SecureTransport: "false" } }
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      StreamSpecification: { StreamViewType: NEW_IMAGE }
      TimeToLiveSpecification: { AttributeName: expires_at, Enabled: true }
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 1
      RedrivePolicy: { deadLetterTargetArn: !GetAtt DeadLetters.Arn, maxReceiveCount: 2 }
  DeadLetters: { Type: AWS::SQS::Queue }
  Topic: { Type: AWS::SNS::Topic }
  Subscribed: { Type: AWS::SQS::Queue }
  SubscribedRaw: { Type: AWS::SQS::Queue }
  Forbidden: { Type: AWS::SQS::Queue }
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: { TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Subscribed.Arn }
  RawSubscription:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt SubscribedRaw.Arn
      RawMessageDelivery: true
  ForbiddenSubscription:
    Type: AWS::SNS::Subscription
    Properties: { TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Forbidden.Arn }
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Subscribed, !Ref SubscribedRaw]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: { Service: sns.amazonaws.com }
            Action: sqs:SendMessage
            Resource: [!GetAtt Subscribed.Arn, !GetAtt SubscribedRaw.Arn]
            Condition: { ArnEquals: { aws:SourceArn: !Ref Topic } }
  MayWriteLogs: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 7 } }
  MayWrite:
    Type: AWS::Serverless::Function
    Properties:
      LoggingConfig: { LogGroup: !Ref MayWriteLogs, LogFormat: JSON }
      Policies:
        - Statement:
            - { Effect: Allow, Action: s3:PutObject, Resource: !Sub "${Bucket.Arn}/*" }
      Events:
        FromQueue:
          Type: SQS
          Properties:
            Queue: !GetAtt Queue.Arn
            BatchSize: 5
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: { MaximumConcurrency: 2 }
        FromTable:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 10
            MaximumBatchingWindowInSeconds: 1
            FilterCriteria:
              Filters:
                - Pattern: '{"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "WANTED#"}]}}}}'
        Nightly:
          Type: ScheduleV2
          Properties:
            Name: !Sub ${AWS::StackName}-nightly
            ScheduleExpression: cron(20 0 * * ? *)
            ScheduleExpressionTimezone: !Ref Zone
            Input: '{"key": "scheduled"}'
            RetryPolicy: { MaximumRetryAttempts: 0 }
            DeadLetterConfig: { Arn: !GetAtt DeadLetters.Arn }
        Broken:
          Type: ScheduleV2
          Properties:
            Name: !Sub ${AWS::StackName}-broken
            ScheduleExpression: rate(5 minutes)
            Input: '{"raise": "no luck"}'
  MayNot:
    Type: AWS::Serverless::Function
    Properties: {}
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: api, ProtocolType: HTTP } }
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: { ApiId: !Ref Api, StageName: $default, AutoDeploy: true }
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt MayWrite.Arn
      PayloadFormatVersion: "2.0"
  ApiMayInvoke:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref MayWrite
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: GET /api/confirm/{token}
      Target: !Sub integrations/${Integration}
  Mail:
    Type: AWS::SES::ConfigurationSet
    Properties: { Name: !Sub "${AWS::StackName}-mail" }
  MailEvents:
    Type: AWS::SES::ConfigurationSetEventDestination
    Properties:
      ConfigurationSetName: !Ref Mail
      EventDestination:
        Name: feedback
        Enabled: true
        MatchingEventTypes: [BOUNCE]
        SnsDestination: { TopicARN: !Ref Topic }
  Identity: { Type: AWS::SES::EmailIdentity, Properties: { EmailIdentity: paper.example } }
Outputs:
  Dkim: { Value: !GetAtt Identity.DkimDNSTokenName1 }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """The small stack in its running emulator."""

    emulator: Emulator
    stack: Stack
    template: Path
    standin: Standin
    mails: Path

    def client(self, name: str) -> Any:
        return self.emulator.client(name)

    def invoke(self, logical: str, event: dict[str, Any]) -> Any:
        answer = self.client("lambda").invoke(
            FunctionName=self.stack.physical[logical], Payload=json.dumps(event).encode()
        )
        return json.loads(answer["Payload"].read())

    def keys(self, prefix: str) -> list[str]:
        listed = self.client("s3").list_objects_v2(
            Bucket=self.stack.physical["Bucket"], Prefix=prefix
        )
        return [row["Key"] for row in listed.get("Contents", [])]

    def received(self, logical: str) -> list[str]:
        messages = self.client("sqs").receive_message(
            QueueUrl=self.stack.physical[logical], MaxNumberOfMessages=10
        )
        for message in messages.get("Messages", []):
            self.client("sqs").delete_message(
                QueueUrl=self.stack.physical[logical], ReceiptHandle=message["ReceiptHandle"]
            )
        return [message["Body"] for message in messages.get("Messages", [])]


def until(found: Callable[[], list[str]], *, seconds: float = 15) -> list[str]:
    """What *found* returns once it is true, or at the last."""
    deadline = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """One emulator with the small stack for all tests here; it ends with them."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "code").mkdir()
    (folder / "code" / "handler.py").write_text(HANDLER)
    (folder / "template.yaml").write_text(TEMPLATE)
    model = ReplayModel({})
    standin = Standin(mail_dir=folder / "mail", model=model, verified_domain="paper.example")
    emulator = Emulator(state_dir=folder / "state")
    standin.start()
    try:
        emulator.start(standin=standin.url)
        standin.connect(EmulatorAccount(emulator))
        stack = deploy(emulator, folder / "template.yaml", stack_name="small", parameters={})
        yield Small(
            emulator=emulator,
            stack=stack,
            template=folder / "template.yaml",
            standin=standin,
            mails=folder / "mail",
        )
    finally:
        emulator.stop()
        standin.stop()


def test_a_function_may_do_what_its_role_allows(small: Small) -> None:
    """The role with s3:PutObject writes, although the bucket refuses unencrypted transport."""
    assert small.invoke("MayWrite", {"key": "allowed"}) == "put"
    assert small.keys("allowed") == ["allowed"]


def test_a_function_is_refused_what_its_role_does_not_allow(small: Small) -> None:
    """The same code under a role without s3:PutObject is denied."""
    assert small.invoke("MayNot", {"key": "refused"}) == "AccessDenied"
    assert small.keys("refused") == []


def test_an_empty_endpoint_variable_still_leads_to_the_emulator(small: Small) -> None:
    """A template that declares AWS_ENDPOINT_URL empty does not send a handler to real AWS."""
    address = small.invoke("MayNot", {"environment": "AWS_ENDPOINT_URL"})

    assert address == small.emulator.endpoint


def test_nothing_of_the_operators_environment_reaches_a_handler(small: Small) -> None:
    """Only PATH, LANG, HOME, TMPDIR and the emulator's own settings do."""
    assert small.invoke("MayNot", {"environment": "PYTEST_CURRENT_TEST"}) is None


def test_a_topic_reaches_only_the_queues_whose_policy_admits_it(small: Small) -> None:
    """SNS wraps the message or passes it raw; a queue without a policy gets nothing."""
    small.client("sns").publish(TopicArn=small.stack.physical["Topic"], Message="news")

    wrapped = until(lambda: small.received("Subscribed"))
    assert json.loads(wrapped[0])["Message"] == "news"
    assert until(lambda: small.received("SubscribedRaw")) == ["news"]
    assert small.received("Forbidden") == []


def test_the_queue_feeds_its_function_and_failed_items_end_as_dead_letters(small: Small) -> None:
    """Good messages of a batch are done once; the poison is tried twice and set aside."""
    before = len(small.keys("queue/"))

    for body in ("one", "poison", "two"):
        small.client("sqs").send_message(QueueUrl=small.stack.physical["Queue"], MessageBody=body)

    assert until(lambda: small.received("DeadLetters")) == ["poison"]
    assert len(small.keys("queue/")) - before == 2


def test_the_stream_feeds_its_function_what_the_filter_lets_through(small: Small) -> None:
    """Only keys with the wanted prefix reach the function."""
    table = small.stack.physical["Table"]

    for key in ("OTHER#1", "WANTED#1"):
        small.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": key}})

    assert until(lambda: small.keys("stream/WANTED-1")) == ["stream/WANTED-1"]
    assert small.keys("stream/OTHER") == []


def test_the_http_api_routes_without_a_signature(small: Small) -> None:
    """A reader's plain request reaches the function with its path parameter."""
    api = small.stack.physical["Api"]
    url = f"{small.emulator.endpoint}/_aws/execute-api/{api}/$default/api/confirm/t%C3%A9"

    with urllib.request.urlopen(url) as answer:
        found = json.loads(answer.read())

    assert found == {
        "route": "GET /api/confirm/{token}",
        "path": "/api/confirm/té",
        "token": "té",
    }


def test_time_to_live_and_backups_are_put_right_after_deployment(small: Small) -> None:
    """MiniStack's CloudFormation drops both; deploy sets them through the API."""
    dynamodb, table = small.client("dynamodb"), small.stack.physical["Table"]

    ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]

    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expires_at")
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    assert recovery == "ENABLED"


def test_schedules_are_listed_with_zone_and_input_and_fire_their_function(small: Small) -> None:
    """The zone is the template's, and firing waits for the function's result."""
    broken, nightly = list_schedules(small.emulator, small.stack)

    assert (nightly.name, nightly.expression, nightly.zone, nightly.function) == (
        "small-nightly",
        "cron(20 0 * * ? *)",
        "America/New_York",
        small.stack.physical["MayWrite"],
    )
    assert fire(small.emulator, nightly) == "put"
    with pytest.raises(ScheduleFailedError, match="no luck"):
        fire(small.emulator, broken)


def test_invocations_and_errors_are_counted_from_the_log_lines(small: Small) -> None:
    """One more of each after one that raises; what it wrote can be read."""
    records, name = Invocations(small.emulator), small.stack.physical["MayNot"]
    counted, failed = records.count(name), records.errors(name)

    small.invoke("MayNot", {"environment": "HOME"})
    small.invoke("MayNot", {"raise": "a reason"})

    assert (records.count(name), records.errors(name)) == (counted + 2, failed + 1)
    written = [line.text for line in records.logs(name)]
    assert "got ['raise']" in written
    assert "ValueError: a reason" in written


def test_a_bounce_of_the_simulator_comes_back_through_topic_and_queue(small: Small) -> None:
    """A handler's mail is kept as a file; its event reaches the subscribed queue."""
    raw = b"From: a@paper.example\r\nTo: bounce+7@simulator.amazonses.com\r\n\r\nhi"

    message_id = small.invoke(
        "MayWrite",
        {
            "mail": {
                "Content": {"Raw": {"Data": raw.decode()}},
                "ConfigurationSetName": "small-mail",
            }
        },
    )

    event = json.loads(json.loads(until(lambda: small.received("Subscribed"))[0])["Message"])
    assert (event["eventType"], event["mail"]["messageId"]) == ("Bounce", message_id)
    assert [path.read_bytes() for path in small.mails.glob(f"*-{message_id}.eml")] == [raw]


def test_a_deployment_without_a_change_changes_nothing(small: Small) -> None:
    """The same template, parameters and code are an empty change set."""
    again = deploy(small.emulator, small.template, stack_name="small", parameters={})

    assert not again.changed
    assert again.physical == small.stack.physical


def test_changed_code_is_deployed_within_two_seconds(small: Small) -> None:
    """A saved handler shows at the next call."""
    handler = small.template.parent / "code" / "handler.py"
    handler.write_text(HANDLER.replace('return "put"', 'return "put anew"'))

    began = time.monotonic()
    stack = deploy(small.emulator, small.template, stack_name="small", parameters={})
    took = time.monotonic() - began

    assert stack.changed
    assert small.invoke("MayWrite", {}) == "put anew"
    assert took < 2


def test_a_failed_deployment_names_resource_and_reason(small: Small) -> None:
    """The old stack goes on working."""
    broken = small.template.with_name("broken.yaml")
    alarm = "  Wrong: { Type: AWS::CloudWatch::Alarm, Properties: { Threshold: 1 } }\n"
    broken.write_text(TEMPLATE.replace("Outputs:\n", f"{alarm}Outputs:\n"))

    with pytest.raises(StackError) as failure:
        deploy(small.emulator, broken, stack_name="small", parameters={})

    assert failure.value.resource == "Wrong"
    assert "MetricName" in str(failure.value)
    assert small.invoke("MayWrite", {}).startswith("put")


def test_what_was_saved_survives_a_power_cut(small: Small) -> None:
    """After kill -9 tables, queues and counts are as saved, and the stream goes on."""
    name, table = small.stack.physical["MayNot"], small.stack.physical["Table"]
    small.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": "KEPT"}})
    small.client("sqs").send_message(QueueUrl=small.stack.physical["Forbidden"], MessageBody="kept")
    counted = Invocations(small.emulator).count(name)
    small.emulator.save()

    os.kill(small.emulator.pid, signal.SIGKILL)
    small.emulator.kill()
    small.emulator.start(standin=small.standin.url)

    assert "Item" in small.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "KEPT"}})
    assert small.received("Forbidden") == ["kept"]
    assert Invocations(small.emulator).count(name) == counted
    assert small.invoke("MayNot", {"key": "refused"}) == "AccessDenied"
    small.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": "WANTED#2"}})
    assert until(lambda: small.keys("stream/WANTED-2")) == ["stream/WANTED-2"]


def test_a_message_whose_receiver_died_is_offered_again_after_a_restart(small: Small) -> None:
    """Its time-out would hold it back for minutes, though nobody works on it."""
    sqs, queue = small.client("sqs"), small.stack.physical["Forbidden"]
    sqs.send_message(QueueUrl=queue, MessageBody="half done")
    taken = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=600)["Messages"]
    assert small.received("Forbidden") == []
    small.emulator.save()

    os.kill(small.emulator.pid, signal.SIGKILL)
    small.emulator.kill()
    small.emulator.start(standin=small.standin.url)

    assert [message["Body"] for message in taken] == ["half done"]
    assert small.received("Forbidden") == ["half done"]


def test_a_queue_still_feeds_its_function_when_the_next_start_takes_another_port(
    small: Small,
) -> None:
    """`--once` takes free ports, so the same folder comes up elsewhere the second time."""
    before = len(small.keys("queue/"))
    small.emulator.stop()

    moved = Emulator(state_dir=small.emulator.state_dir).start(standin=small.standin.url)
    try:
        assert moved.port != small.emulator.port
        client, stack = moved.client("sqs"), describe(moved, "small")
        client.send_message(QueueUrl=stack.physical["Queue"], MessageBody="after the move")
        listed = moved.client("s3").list_objects_v2
        arrived = until(
            lambda: listed(Bucket=stack.physical["Bucket"], Prefix="queue/")["KeyCount"] > before
        )
    finally:
        moved.stop()
        small.emulator.start(standin=small.standin.url)

    assert arrived


def test_nothing_is_left_in_the_temporary_folder_after_the_end(small: Small) -> None:
    """Workers' folders go with the emulator; the state stays."""
    small.invoke("MayNot", {"environment": "HOME"})
    assert list((small.emulator.state_dir / "tmp").glob("ministack-lambda-*"))

    small.emulator.stop()

    assert not (small.emulator.state_dir / "tmp").exists()
    small.emulator.start(standin=small.standin.url)
    assert small.emulator.idle()


def test_the_emulator_ends_by_itself_when_its_launcher_dies(tmp_path: Path) -> None:
    """The closed pipe on its standard input is enough."""
    emulator = Emulator(state_dir=tmp_path).start()
    process = emulator._process
    assert process is not None
    assert process.stdin is not None

    process.stdin.close()

    assert process.wait(10) == 0
