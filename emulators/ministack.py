"""Starts ministack with two faults mended: its SNS drops Binary attributes of PublishBatch, and its
IAM asks for rights to batches of messages, which AWS knows by the right to one message alone.

Where it listens stands in GATEWAY_PORT and BIND_HOST. With AUTH=true it judges requests by IAM.
"""

import sys

# This file must not be found as the package that it starts.
sys.path.pop(0)

from ministack.app import main  # noqa: E402
from ministack.core import iam_actions  # noqa: E402
from ministack.services import sns  # noqa: E402

parse = sns._parse_batch_entries


def parse_with_binary(params):
    entries = parse(params)
    for number, entry in enumerate(entries, start=1):
        for index in range(1, len(entry["message_attributes"]) + 1):
            path = f"PublishBatchRequestEntries.member.{number}.MessageAttributes.entry.{index}"
            value = sns._p(params, f"{path}.Value.BinaryValue")
            if value:
                name = sns._p(params, f"{path}.Name")
                entry["message_attributes"][name]["BinaryValue"] = value
                entry["message_attributes"][name].pop("StringValue", None)
    return entries


BATCHES = {
    "sns:PublishBatch",
    "sqs:ChangeMessageVisibilityBatch",
    "sqs:DeleteMessageBatch",
    "sqs:SendMessageBatch",
}
extract = iam_actions.extract_iam_action


def extract_of_one(*request):
    action = extract(*request)
    return action.removesuffix("Batch") if action in BATCHES else action


sns._parse_batch_entries = parse_with_binary
iam_actions.extract_iam_action = extract_of_one
sys.exit(main())
