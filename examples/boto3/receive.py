"""Prints the events that come to a queue of Worldbus: boto3 and stock protobuf, nothing else.

    python -m grpc_tools.protoc --proto_path=proto --python_out=. proto/worldbus/events/v1/*.proto
    PYTHONPATH=. python examples/boto3/receive.py gaming-system-npc-brain-events

A message carries a batch of events, as Worldbus publishes them, or a single event, as
examples/boto3/publish.py does. One that cannot be decoded goes to the queue of dead letters
next to its own: left where it is, it would come again and again.
"""

import sys

import boto3
from google.protobuf.message import DecodeError
from worldbus.events.v1.envelope_pb2 import EventBatch, GameEvent


def events(attributes):
    """(source, event type, bytes of the payload) of each event of a message."""
    if "batch" in attributes:
        batch = EventBatch.FromString(attributes["batch"]["BinaryValue"])
        return [(batch.source, *event) for event in zip(batch.event_types, batch.payload_sizes)]
    event = GameEvent.FromString(attributes["event"]["BinaryValue"])
    return [(event.source, event.event_type, len(event.payload))]


sqs = boto3.client("sqs")
queue = sqs.get_queue_url(QueueName=sys.argv[1])["QueueUrl"]
dead_letters = sqs.get_queue_url(QueueName=sys.argv[1] + "-dead-letters")["QueueUrl"]
while True:
    answer = sqs.receive_message(
        QueueUrl=queue, MessageAttributeNames=["All"], MaxNumberOfMessages=10, WaitTimeSeconds=20
    )
    for message in answer.get("Messages", []):
        attributes = message.get("MessageAttributes", {})
        try:
            for source, event_type, size in events(attributes):
                print(source, event_type, f"{size} bytes", flush=True)
        except (DecodeError, KeyError) as error:
            print(f"set aside {message['MessageId']}: {error!r}", file=sys.stderr, flush=True)
            kept = {
                name: {key: value for key, value in attribute.items() if not key.endswith("Values")}
                for name, attribute in attributes.items()
            }
            sqs.send_message(
                QueueUrl=dead_letters, MessageBody=message["Body"], MessageAttributes=kept
            )
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
