"""Works in an account of an AWS emulator, with fake credentials: deployment.py ENDPOINT COMMAND ARGUMENTS...

deploy PREFIX TEMPLATE BINARY   deploys the template; the functions run BINARY
put-items TABLE FILE            writes items, one a line of JSON
send QUEUE BODY                 sends a message
send-all QUEUE FILE             sends messages, one a line: body and attributes
count QUEUE                     says how many messages there are, received or not
delete-table TABLE              deletes a table
"""

import io
import json
import sys
import time
import zipfile
from decimal import Decimal

import boto3

PATIENCE = 60


def client(kind):
    return boto3.client(kind, **CREDENTIALS)


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


endpoint, command, *arguments = sys.argv[1:]
CREDENTIALS = {
    "endpoint_url": endpoint,
    "region_name": "eu-west-2",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
{"deploy": deploy, "put-items": put_items, "send": send, "send-all": send_all, "count": count, "delete-table": delete_table}[command](*arguments)
