"""One time.updated event to bytes and back by what Python has: json, orjson, protobuf.

Called by codec.rs with the event as JSON text and a file with our descriptor set. Prints one line
a way that is installed: its name, nanoseconds to encode, nanoseconds to decode, bytes.
"""

import json
import sys
import timeit

NUMBER, REPEAT = 20_000, 5


def nanos(call):
    return min(timeit.repeat(call, number=NUMBER, repeat=REPEAT)) / NUMBER * 1e9


def report(name, encode, decode):
    data = encode()
    print(name, nanos(encode), nanos(lambda: decode(data)), len(data), sep="\t")


def by_protobuf(event, descriptor_set):
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file:
        pool.Add(file)

    def message(name):
        descriptor = pool.FindMessageTypeByName("worldbus.events.v1." + name)
        return message_factory.GetMessageClass(descriptor)

    game_event, time_updated = message("GameEvent"), message("TimeUpdated")
    data = event["data"]
    minutes, hour, minute = data["total_minutes"], data["hour"], data["minute"]

    def encode():
        tick = time_updated(total_minutes=minutes, hour=hour, minute=minute, phase=2)
        return game_event(
            event_id=event["event_id"],
            event_type=6,
            source="time-manager",
            timestamp=1_795_000_000_000,
            payload=tick.SerializeToString(),
        ).SerializeToString()

    def decode(data):
        return time_updated.FromString(game_event.FromString(data).payload)

    report("protobuf", encode, decode)


def main():
    event = json.loads(sys.argv[1])
    report("json", lambda: json.dumps(event), json.loads)
    try:
        import orjson

        report("orjson", lambda: orjson.dumps(event), orjson.loads)
    except ImportError:
        pass
    try:
        with open(sys.argv[2], "rb") as file:
            by_protobuf(event, file.read())
    except ImportError:
        pass


main()
