"""Decodes what `worldbus tail --format protobuf` wrote: decode_tail.py STUBS FILE IDS

FILE holds length-delimited EventBatch messages; IDS holds the ids that `worldbus publish` printed,
one a line. Both must be the same events in the same order.
"""

import pathlib
import sys

from contract import Contract


def main(stubs, file, ids):
    contract = Contract(stubs)
    batches = list(delimited(pathlib.Path(file).read_bytes()))
    events = [event for data in batches for event in contract.events(parse(contract, data))]
    published = pathlib.Path(ids).read_text().split()
    if not published or [event["event_id"] for event in events] != published:
        sys.exit(f"{len(events)} events decoded are not the {len(published)} published")
    print(f"{len(events)} events in {len(batches)} batches")


def parse(contract, data):
    return contract.batch_class.FromString(data)


def delimited(data):
    """Splits messages that each follow their length as a varint."""
    at = 0
    while at < len(data):
        length, shift = 0, 0
        while True:
            byte, at = data[at], at + 1
            length, shift = length | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        if at + length > len(data):
            sys.exit("the last message is cut off")
        yield data[at : at + length]
        at += length


if __name__ == "__main__":
    main(*sys.argv[1:])
