"""Sends entries, one a line of a file, with PutEvents, ten a call: put_events.py ENDPOINT FILE [BUS]."""

import json
import sys

import boto3
from botocore.config import Config


def put_events(endpoint, path, *bus):
    """Says how many entries failed, how many calls were made, and the id of every entry, in order."""
    client = boto3.client(
        "events",
        endpoint_url=endpoint,
        region_name="eu-west-2",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with open(path, encoding="utf-8") as lines:
        entries = [json.loads(line) | {"EventBusName": name for name in bus} for line in lines]
    failed, calls, ids = 0, 0, []
    for start in range(0, len(entries), 10):
        answer = client.put_events(Entries=entries[start : start + 10])
        failed += answer["FailedEntryCount"]
        calls += 1
        ids += [entry["EventId"] for entry in answer["Entries"] if "EventId" in entry]
    print(json.dumps({"failed": failed, "calls": calls, "ids": ids}))


if __name__ == "__main__":
    put_events(*sys.argv[1:])
