"""Works in an account of an AWS emulator, with fake credentials: deployment.py ENDPOINT COMMAND ARGUMENTS...

deploy PREFIX TEMPLATE BINARY   deploys the template; the functions run BINARY
remove PREFIX                   removes what was deployed
put-events BUS FILE             sends entries, one a line, with PutEvents
put-items TABLE FILE            writes items, one a line of JSON
send QUEUE BODY                 sends a message
send-all QUEUE FILE             sends messages, one a line: body and attributes
count QUEUE                     says how many messages there are, received or not
delete-table TABLE              deletes a table
function NAME VARIABLES         makes a function with the variables, an object, in its environment; or changes them to these
environment NAME                says a function's variables
carry PREFIX MILLISECONDS       does what CloudWatch does and the emulator doesn't, makes metrics of the lines in the embedded metric
                                format that functions have logged since the last time, as of when they say, or as of
                                MILLISECONDS; says of how many attempts
measure CONSUMER COUNT          carries until COUNT attempts of the consumer are counted
call SERVICE OPERATION JSON     calls an operation with its parameters, and says what it answers
put-metrics FILE                writes metrics, one a line: namespace, dimensions, name, and points of seconds ago and values
serve                           takes commands, each a line of JSON, and says of each, in a line, what it said or why it failed
"""

import collections
import contextlib
import dataclasses
import functools
import io
import json
import sys
import time
import traceback
import zipfile
from decimal import Decimal

import boto3

from put_events import put_events

PATIENCE = 180


@dataclasses.dataclass
class Carried:
    """What has been read of a stream of a log."""

    bytes: int = 0
    events: int = 0


carried = collections.defaultdict(Carried)


@functools.cache
def client(kind):
    return boto3.client(kind, **CREDENTIALS)


def pages(kind, operation, field, **parameters):
    for page in client(kind).get_paginator(operation).paginate(**parameters):
        yield from page[field]


def code(binary):
    """A zip whose bootstrap is the binary, run from where it lies: it need not be copied for each test."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        content.writestr(entry, f"#!/bin/sh\nexec {binary}\n")
    return archive.getvalue()


def deploy(prefix, template, binary):
    bucket = f"{prefix}-code"
    s3 = client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": CREDENTIALS["region_name"]})
    s3.put_object(Bucket=bucket, Key="cutover-consumer.zip", Body=code(binary))
    formation = client("cloudformation")
    parameters = {"Prefix": prefix, "CodeBucket": bucket}
    with open(template, encoding="utf-8") as body:
        formation.create_stack(
            StackName=prefix,
            TemplateBody=body.read(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
    deadline = time.monotonic() + PATIENCE
    while True:
        status = formation.describe_stacks(StackName=prefix)["Stacks"][0]["StackStatus"]
        if status == "CREATE_COMPLETE":
            return
        if not status.endswith("_IN_PROGRESS") or time.monotonic() > deadline:
            events = formation.describe_stack_events(StackName=prefix)["StackEvents"]
            failed = [e for e in events if e["ResourceStatus"].endswith("FAILED")]
            sys.exit(f"{status}: {[(e['LogicalResourceId'], e.get('ResourceStatusReason')) for e in failed]}")
        time.sleep(0.1)


def remove(prefix):
    formation, functions = client("cloudformation"), client("lambda")
    # With its stack, the emulator forgets a function and leaves its process running.
    for resource in formation.list_stack_resources(StackName=prefix)["StackResourceSummaries"]:
        if resource["ResourceType"] == "AWS::Lambda::Function":
            functions.delete_function(FunctionName=resource["PhysicalResourceId"])
    formation.delete_stack(StackName=prefix)


def put_items(table, path):
    with open(path, encoding="utf-8") as lines, boto3.resource("dynamodb", **CREDENTIALS).Table(table).batch_writer() as batch:
        for line in lines:
            item = json.loads(line, parse_float=Decimal, parse_int=Decimal)
            # What an index is partitioned by can't be null.
            batch.put_item(Item={key: value for key, value in item.items() if value is not None})


def send(queue, body):
    sqs = client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=body)


def send_all(queue, path):
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            sqs.send_message(QueueUrl=url, MessageBody=message["body"], MessageAttributes=message.get("attributes") or {})


def count(queue):
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    print(sum(int(attributes[name]) for name in names))


def delete_table(table):
    client("dynamodb").delete_table(TableName=table)


def function(name, variables):
    functions, environment = client("lambda"), {"Variables": json.loads(variables)}
    try:
        functions.update_function_configuration(FunctionName=name, Environment=environment)
    except functions.exceptions.ResourceNotFoundException:
        functions.create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=f"arn:aws:iam::{client('sts').get_caller_identity()['Account']}:role/publisher",
            Code={"ZipFile": code("/bin/true")},
            Environment=environment,
        )


def environment(name):
    print(json.dumps(client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]))


def call(service, operation, parameters):
    answer = getattr(client(service), operation)(**json.loads(parameters))
    print(json.dumps(answer, default=str))


def embedded(line):
    """The metrics in a line of a log, as PutMetricData takes them: namespace and data."""
    try:
        said = json.loads(line)
        about = said["_aws"]
    except (ValueError, TypeError, KeyError):
        return
    at = about["Timestamp"] / 1000
    for directive in about["CloudWatchMetrics"]:
        data = []
        for names in directive["Dimensions"]:
            dimensions = [{"Name": name, "Value": said[name]} for name in names]
            for metric in directive["Metrics"]:
                values = said[metric["Name"]]
                values = values if isinstance(values, list) else [values]
                data.append(
                    {"MetricName": metric["Name"], "Dimensions": dimensions, "Timestamp": at, "Values": values, "Unit": metric["Unit"]}
                )
        yield directive["Namespace"], data


def carry(prefix, at):
    print(carry_over(prefix, float(at) / 1000 if at else None).total())


def carry_over(prefix="", at=None):
    metrics, counted = client("cloudwatch"), collections.Counter()
    for group in pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=f"/aws/lambda/{prefix}"):
        name = group["logGroupName"]
        for stream in pages("logs", "describe_log_streams", "logStreams", logGroupName=name):
            known = carried[name, stream["logStreamName"]]
            if stream["storedBytes"] == known.bytes:
                continue
            known.bytes = stream["storedBytes"]
            events = client("logs").get_log_events(
                logGroupName=name, logStreamName=stream["logStreamName"], startFromHead=True, limit=10_000
            )["events"]
            new, known.events = events[known.events :], len(events)
            for line in (line for event in new for line in event["message"].splitlines()):
                for namespace, data in embedded(line):
                    for each in data:
                        each["Timestamp"] = at or each["Timestamp"]
                        counts = each["MetricName"] in ("Processed", "Failed")
                        for dimension in each["Dimensions"]:
                            if counts and dimension["Name"] == "Consumer":
                                counted[dimension["Value"]] += int(sum(each["Values"]))
                    metrics.put_metric_data(Namespace=namespace, MetricData=data)
    return counted


def measure(consumer, count):
    counted, deadline = 0, time.monotonic() + PATIENCE
    while counted < int(count):
        if time.monotonic() > deadline:
            sys.exit(f"{counted} of {count} attempts were measured")
        counted += carry_over()[consumer]
        time.sleep(0.1)


def put_metrics(path):
    metrics, now = client("cloudwatch"), time.time()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            given = json.loads(line)
            dimensions = [{"Name": name, "Value": value} for name, value in given["dimensions"].items()]
            data = [
                {"MetricName": given["name"], "Dimensions": dimensions, "Timestamp": now - ago, "Values": values}
                for ago, values in given["points"]
            ]
            for start in range(0, len(data), 100):
                metrics.put_metric_data(Namespace=given["namespace"], MetricData=data[start : start + 100])


def serve():
    for line in sys.stdin:
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                run(*json.loads(line))
            answer = {"said": said.getvalue()}
        except (Exception, SystemExit):
            answer = {"failed": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


def run(command, *arguments):
    COMMANDS[command](*arguments)


endpoint, *first = sys.argv[1:]
CREDENTIALS = {
    "endpoint_url": endpoint,
    "region_name": "eu-west-2",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
commands = [deploy, remove, put_items, send, send_all, count, delete_table, call, function, environment, carry, measure, put_metrics, serve]
COMMANDS = {each.__name__.replace("_", "-"): each for each in commands}
COMMANDS["put-events"] = lambda bus, path: put_events(endpoint, path, bus)
run(*first)
