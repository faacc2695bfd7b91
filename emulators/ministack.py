"""Starts ministack with one fault mended: its SNS drops Binary attributes of PublishBatch.

Where it listens stands in GATEWAY_PORT and BIND_HOST.
"""

import sys

# This file must not be found as the package that it starts.
sys.path.pop(0)

from ministack.app import main  # noqa: E402
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


sns._parse_batch_entries = parse_with_binary
sys.exit(main())
