"""Starts moto's server with three faults mended: a Binary attribute that SNS delivers stays base64
text in its SQS, which then fails at every receive; of two receives at once both may get the same
message, far more often than from SQS itself; and of two transactions of DynamoDB at once both may
succeed where one excludes the other.

Listens on 127.0.0.1, at the port that stands in GATEWAY_PORT.
"""

import base64
import os
import sys
import threading
import time

# This file must not be found as the package that it starts.
sys.path.pop(0)

from moto.dynamodb.models import DynamoDBBackend  # noqa: E402
from moto.server import main  # noqa: E402
from moto.sqs.models import SQSBackend  # noqa: E402

send_message = SQSBackend.send_message


def send_message_decoded(self, queue_name, message_body, message_attributes=None, **rest):
    for value in (message_attributes or {}).values():
        if isinstance(value.get("BinaryValue"), str):
            value["BinaryValue"] = base64.b64decode(value["BinaryValue"])
    return send_message(self, queue_name, message_body, message_attributes, **rest)


SQSBackend.send_message = send_message_decoded

receive_message = SQSBackend.receive_message
receiving = threading.Lock()


def receive_message_alone(self, queue_name, count, wait_seconds_timeout, *rest):
    until = time.monotonic() + (wait_seconds_timeout or 0)
    while True:
        with receiving:
            messages = receive_message(self, queue_name, count, 0, *rest)
        if messages or time.monotonic() >= until:
            return messages
        time.sleep(0.02)


SQSBackend.receive_message = receive_message_alone

transact_write_items = DynamoDBBackend.transact_write_items
transacting = threading.Lock()


def transact_write_items_alone(self, *transaction):
    with transacting:
        return transact_write_items(self, *transaction)


DynamoDBBackend.transact_write_items = transact_write_items_alone
main(["-H", "127.0.0.1", "-p", os.environ["GATEWAY_PORT"]])
