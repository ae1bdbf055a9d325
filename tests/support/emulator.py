"""Runs the emulator, with the patience that AWS has with what a function logs.

It looks for a run's lines for a twentieth of a second after the run's answer, and leaves what comes later to the function's next run, if there
is one. Our functions end each run with their metrics, and on a busy machine these take longer to come through the pipe.

And it sends a function's dead-letter queue what AWS sends to a destination for failures. To the queue, AWS sends the event, and says
in attributes what went wrong, and not whose it was.

And it scans an index in the order of its range over all partitions. AWS goes from partition to partition.
"""

import contextvars
import json
import queue
import sys
import uuid

import boto3
from ministack.app import main
from ministack.core.lambda_runtime import ProvidedWorker
from ministack.services import dynamodb, lambda_svc

PATIENCE = 10  # seconds
METRICS = '"_aws"'

drain = ProvidedWorker._drain_stderr_bounded


def drain_with_metrics(self, **bounds):
    lines = []
    # Where the emulator has bounds of its own in mind, no run has ended.
    while not bounds and not any(METRICS in line for line in lines):
        try:
            lines.append(self._stderr_queue.get(timeout=PATIENCE))
        except queue.Empty:
            break
    return "\n".join(filter(None, [*lines, drain(self, **bounds)]))


ProvidedWorker._drain_stderr_bounded = drain_with_metrics
route = lambda_svc._route_async_failure


def route_as_lambda_does(target, function, event, result):
    config = lambda_svc._functions.get(function, {}).get("config", {})
    if target != (config.get("DeadLetterConfig") or {}).get("TargetArn"):
        return route(target, function, event, result)
    said = result.get("body") if isinstance(result.get("body"), dict) else {}
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": str(uuid.uuid4())},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": str(said.get("errorMessage", "unknown"))[:1000]},
    }
    *_, region, _, name = target.split(":")
    sqs = boto3.client("sqs", region_name=region)
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event), MessageAttributes=attributes)


lambda_svc._route_async_failure = route_as_lambda_does
order, scan = dynamodb._index_order_keys, dynamodb._scan
partition = contextvars.ContextVar("the index that is scanned is partitioned by", default=None)


def order_by_partition(table, ranges):
    by = partition.get()
    return [*([(by, dynamodb._get_attr_type(table, by))] if by else []), *order(table, ranges)]


def scan_by_partition(data):
    table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")))
    index = table and dynamodb._index_def(table, data.get("IndexName"))
    scanned = partition.set(index and dynamodb._index_key_lists(index)[0][0])
    try:
        return scan(data)
    finally:
        partition.reset(scanned)


dynamodb._index_order_keys, dynamodb._scan = order_by_partition, scan_by_partition
sys.exit(main())
