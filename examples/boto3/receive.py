"""Prints the events that come to a queue of Worldbus: boto3 and stock protobuf, nothing else.

    python -m grpc_tools.protoc --proto_path=proto --python_out=. proto/worldbus/events/v1/*.proto
    PYTHONPATH=. python examples/boto3/receive.py gaming-system-npc-brain-events
"""

import sys

import boto3
from worldbus.events.v1.envelope_pb2 import EventBatch

sqs = boto3.client("sqs")
queue = sqs.get_queue_url(QueueName=sys.argv[1])["QueueUrl"]
while True:
    answer = sqs.receive_message(
        QueueUrl=queue, MessageAttributeNames=["All"], MaxNumberOfMessages=10, WaitTimeSeconds=20
    )
    for message in answer.get("Messages", []):
        batch = EventBatch.FromString(message["MessageAttributes"]["batch"]["BinaryValue"])
        for index, event_type in enumerate(batch.event_types):
            size = batch.payload_sizes[index]
            print(batch.source, event_type, f"{size} bytes", flush=True)
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
