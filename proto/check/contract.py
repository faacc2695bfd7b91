"""Reads Worldbus events with nothing but stock protobuf: an EventBatch into events in JSON form.

Written from docs/reference/contract.md, not from the Rust code, so that the two check each other. Not a client
library; it is as short as it can be.
"""

import importlib
import pathlib
import sys
import uuid

from google.protobuf import json_format, message_factory


class Contract:
    """The contract as the modules that protoc made below a folder."""

    def __init__(self, stubs):
        sys.path.insert(0, str(stubs))
        modules = {}
        for path in sorted(pathlib.Path(stubs).rglob("*_pb2.py")):
            name = ".".join(path.relative_to(stubs).with_suffix("").parts)
            modules[name] = importlib.import_module(name)
        catalogue = modules["worldbus.events.v1.catalogue_pb2"]
        envelope = modules["worldbus.events.v1.envelope_pb2"]
        self.batch_class = envelope.EventBatch
        self.game_event_class = envelope.GameEvent
        self.types = {}  # number -> (catalogue entry, payload class)
        for module in modules.values():
            for message in module.DESCRIPTOR.message_types_by_name.values():
                options = message.GetOptions()
                if options.HasExtension(catalogue.event_type):
                    entry = options.Extensions[catalogue.event_type]
                    self.types[entry.number] = (entry, message_factory.GetMessageClass(message))

    def payload_class(self, name):
        """The payload class of an event type by name."""
        return next(cls for entry, cls in self.types.values() if entry.name == name)

    def events(self, batch):
        """Yields the events of a batch: JSON form, but timestamp_ms and payload as message."""
        count = len(batch.event_types)
        assert count > 0, "a batch holds at least one event"
        for column in (
            batch.sequence_deltas,
            batch.timestamp_deltas_ms,
            batch.entity_indexes,
            batch.place_indexes,
        ):
            assert len(column) in (0, count), "a column is left out or has an element an event"
        assert len(batch.payload_sizes) == count, "each event has a payload size"
        assert sum(batch.payload_sizes) == len(batch.payloads), "sizes add up to the payloads"
        metadata = {entry.index: dict(entry.entries) for entry in batch.metadata}
        sequence, timestamp_ms, start = batch.first_sequence, batch.base_timestamp_ms, 0
        for index, number in enumerate(batch.event_types):
            if batch.sequence_deltas:
                sequence = (sequence + batch.sequence_deltas[index]) % 2**64
            elif index > 0:
                sequence = (sequence + 1) % 2**64
            if batch.timestamp_deltas_ms:
                timestamp_ms += batch.timestamp_deltas_ms[index]
            entity = batch.entity_indexes[index] if batch.entity_indexes else 0
            place = batch.place_indexes[index] if batch.place_indexes else 0
            end = start + batch.payload_sizes[index]
            entry, payload_class = self.types[number]
            yield {
                "event_id": event_id(batch.producer_id, sequence),
                "event_type": entry.name,
                "source": batch.source,
                "world": batch.world,
                "entity": batch.entities[entity - 1] if entity else "",
                "place": batch.places[place - 1] if place else "",
                "timestamp_ms": timestamp_ms,
                "payload": payload_class.FromString(batch.payloads[start:end]),
                "metadata": metadata.get(index, {}),
            }
            start = end


def event_id(producer_id, sequence):
    """UUIDv8: producer 48 bits, version, producer 10 and sequence 2 bits, variant, sequence 62."""
    assert producer_id < 2**58, "a producer id has 58 bits"
    high = (producer_id >> 10) << 16 | 8 << 12 | (producer_id & 0x3FF) << 2 | sequence >> 62
    low = 2 << 62 | sequence & (2**62 - 1)
    return str(uuid.UUID(int=high << 64 | low))


def payload_json(payload):
    """A payload in proto3 JSON with the original field names."""
    return json_format.MessageToDict(payload, preserving_proto_field_name=True)
