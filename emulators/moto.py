"""Starts moto's server with one fault mended: a Binary attribute that SNS delivers stays base64
text in its SQS, which then fails at every receive.

Listens on 127.0.0.1, at the port that stands in GATEWAY_PORT.
"""

import base64
import os
import sys

# This file must not be found as the package that it starts.
sys.path.pop(0)

from moto.server import main  # noqa: E402
from moto.sqs.models import SQSBackend  # noqa: E402

send_message = SQSBackend.send_message


def send_message_decoded(self, queue_name, message_body, message_attributes=None, **rest):
    for value in (message_attributes or {}).values():
        if isinstance(value.get("BinaryValue"), str):
            value["BinaryValue"] = base64.b64decode(value["BinaryValue"])
    return send_message(self, queue_name, message_body, message_attributes, **rest)


SQSBackend.send_message = send_message_decoded
main(["-H", "127.0.0.1", "-p", os.environ["GATEWAY_PORT"]])
