"""Sends and receives events as one would without Worldbus: boto3, at the speed that it has.

    stock.py json|batch EVENTS

json: one JSON event a request, as the system that Worldbus replaces published it.
batch: ten single protobufs a request. Both receive and delete ten at a time.
"""

import json
import sys
import threading
import time

import boto3

how, events = sys.argv[1], int(sys.argv[2])
topic = boto3.client("sns").create_topic(Name="stock")["TopicArn"]
sqs = boto3.client("sqs")
queue = sqs.create_queue(QueueName="stock")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
boto3.client("sns").subscribe(
    TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
)


def event_json(number):
    event = {
        "event_id": f"48d159e2-6af3-87bc-8000-{number:012x}",
        "event_type": "time.updated",
        "source": "time-manager",
        "timestamp": 1700000000000 + number,
        "data": {
            "year": 2026, "day": 60, "hour": number // 60 % 24, "minute": number % 60,
            "phase": "night", "season": "spring", "total_minutes": 84961 + number,
        },
        "metadata": {"world": "europe"},
    }
    return json.dumps(event)


def event_protobuf(number):
    # The size that a tick has as a message of its own: its bytes do not matter here.
    return number.to_bytes(75, "big")


def publish_json():
    sns = boto3.client("sns")
    for number in range(events):
        sns.publish(TopicArn=topic, Message=event_json(number))


def publish_batch():
    sns = boto3.client("sns")
    for first in range(0, events, 10):
        sns.publish_batch(
            TopicArn=topic,
            PublishBatchRequestEntries=[
                {
                    "Id": str(number),
                    "Message": "-",
                    "MessageAttributes": {
                        "event": {"DataType": "Binary", "BinaryValue": event_protobuf(number)}
                    },
                }
                for number in range(first, min(first + 10, events))
            ],
        )


def consume():
    left = events
    while left > 0:
        answer = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20, MessageAttributeNames=["All"]
        )
        messages = answer.get("Messages", [])
        if how == "json":
            for message in messages:
                json.loads(message["Body"])
        if messages:
            sqs.delete_message_batch(
                QueueUrl=queue,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                    for index, message in enumerate(messages)
                ],
            )
        left -= len(messages)


begun = time.monotonic()
publisher = threading.Thread(target=publish_json if how == "json" else publish_batch)
publisher.start()
consume()
publisher.join()
print(time.monotonic() - begun)
