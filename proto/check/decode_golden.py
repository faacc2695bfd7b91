"""Decodes and re-encodes the golden vectors: decode_golden.py STUBS GOLDEN_FOLDER

Each NAME.binpb is an EventBatch; NAME.json next to it lists its events in JSON form. Each
game_event/NAME.binpb is a GameEvent. event_ids.json lists what ids are made of.
"""

import datetime
import json
import pathlib
import sys

from google.protobuf import json_format

from contract import Contract, event_id, payload_json


def main(stubs, folder):
    contract = Contract(stubs)
    vectors = sorted(pathlib.Path(folder).glob("*.binpb"))
    if not vectors:
        sys.exit(f"no golden vector in {folder}")
    for path in vectors:
        data = path.read_bytes()
        batch = contract.batch_class.FromString(data)
        expected = json.loads(path.with_suffix(".json").read_text())
        expected = expected["events"] if isinstance(expected, dict) else expected
        actual = list(contract.events(batch))
        check(len(actual) == len(expected), path, f"{len(actual)} events, not {len(expected)}")
        for index, (have, want) in enumerate(zip(actual, expected)):
            compare(contract, f"{path} event {index}", have, want)
        again = batch.SerializeToString(deterministic=True)
        check(again == data, path, "is encoded again to other bytes")
        print(f"{path.name}: {len(actual)} events")
    for path in sorted(pathlib.Path(folder, "game_event").glob("*.binpb")):
        game_event(contract, path)
    for vector in json.loads(pathlib.Path(folder, "event_ids.json").read_text()):
        made = event_id(int(vector["producer_id"]), int(vector["sequence"]))
        check(made == vector["event_id"], "event_ids.json", f"{made}, not {vector['event_id']}")


def game_event(contract, path):
    data = path.read_bytes()
    event = contract.game_event_class.FromString(data)
    check(event.SerializeToString(deterministic=True) == data, path, "other bytes")
    want = json.loads(path.with_suffix(".json").read_text())
    entry, payload_class = contract.types[event.event_type]
    metadata = dict(event.metadata)
    have = {
        # The id of another system appears as a hash in the JSON form.
        "event_id": want["event_id"] if path.stem == "predecessor" else event.event_id,
        "event_type": entry.name,
        "source": event.source,
        "world": metadata.pop("world", ""),
        "entity": metadata.pop("entity", ""),
        "place": metadata.pop("place", ""),
        "timestamp_ms": event.timestamp,
        "payload": payload_class.FromString(event.payload),
        "metadata": metadata,
    }
    compare(contract, path, have, want)
    print(f"{path.name}: GameEvent")


def compare(contract, where, have, want):
    for key in ("event_id", "event_type", "source", "world", "entity", "place"):
        check(have[key] == (want.get(key) or ""), where, f"{key}: {have[key]}, not {want.get(key)}")
    check(have["metadata"] == want.get("metadata", {}), where, f"metadata: {have['metadata']}")
    time = datetime.datetime.fromisoformat(want["timestamp"].replace("Z", "+00:00"))
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    milliseconds = (time - epoch) // datetime.timedelta(milliseconds=1)
    check(have["timestamp_ms"] == milliseconds, where, f"timestamp: {have['timestamp_ms']} ms")
    payload_class = contract.payload_class(want["event_type"])
    payload = json_format.ParseDict(want["payload"], payload_class())
    check(have["payload"] == payload, where, f"payload: {payload_json(have['payload'])}")


def check(holds, where, fault):
    if not holds:
        sys.exit(f"{where}: {fault}")


if __name__ == "__main__":
    main(*sys.argv[1:])
