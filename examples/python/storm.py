r"""Closes the market of a region while a storm is over it: grpcio and stock protobuf.

    pip install grpcio-tools
    mkdir -p target/stubs
    python -m grpc_tools.protoc -I proto \
        --python_out=target/stubs --grpc_python_out=target/stubs \
        proto/worldbus/events/v1/*.proto proto/worldbus/bus/v1/bus.proto
    PYTHONPATH=target/stubs python examples/python/storm.py 127.0.0.1:7070
"""

import queue
import sys
import time

import grpc
from worldbus.bus.v1 import bus_pb2 as bus
from worldbus.bus.v1.bus_pb2_grpc import BusServiceStub
from worldbus.events.v1.envelope_pb2 import EventBatch
from worldbus.events.v1.weather_pb2 import WEATHER_STATE_STORM, WeatherChanged

WEATHER_CHANGED = 1  # its number in the catalogue
SUBSCRIPTION = bus.Subscription(
    name="storm-python",
    topics=["weather"],
    filter=bus.Filter(types=[WEATHER_CHANGED]),
    start=bus.Position(now=bus.Position.Now()),
    lease_ms=30_000,
    attempts_max=5,
    in_flight_max=16,
    consumer="examples/python/storm.py",
)
OPTIONS = [("grpc.max_receive_message_length", 8 << 20), ("grpc.keepalive_time_ms", 20_000)]
RETRY_S = 1
TIMEOUT_S = 10
SEEN_MAX = 100_000
# What no retry mends; everything else is worth another try.
FATAL = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNIMPLEMENTED,
}

seen = {}  # ids of events that were handled, the oldest first


def react(region, change):
    if change.new_state == WEATHER_STATE_STORM:
        print(f"{region}: a storm, the market closes", flush=True)
    elif change.old_state == WEATHER_STATE_STORM:
        print(f"{region}: the storm is over, the market opens", flush=True)


def events(batch):
    """(id, type, entity, payload) of each event of a batch."""
    sequence, start = batch.first_sequence, 0
    for i, event_type in enumerate(batch.event_types):
        if batch.sequence_deltas:
            sequence += batch.sequence_deltas[i]
        elif i > 0:
            sequence += 1
        entity = batch.entity_indexes[i] if batch.entity_indexes else 0
        end = start + batch.payload_sizes[i]
        name = batch.entities[entity - 1] if entity else ""
        yield (batch.producer_id, sequence), event_type, name, batch.payloads[start:end]
        start = end


def handle(delivery):
    """Handles the events of a delivery; a batch comes whole, with types that were not asked for."""
    for event_id, event_type, region, payload in events(EventBatch.FromString(delivery.batch)):
        if event_type == WEATHER_CHANGED and event_id not in seen:
            react(region, WeatherChanged.FromString(payload))
            seen[event_id] = None
            if len(seen) > SEEN_MAX:
                del seen[next(iter(seen))]


def outcome_of(delivery):
    try:
        handle(delivery)
        return bus.Outcome(ack=bus.Outcome.Ack())
    except Exception as error:
        # After attempts_max of these the bus sets the batch aside as dead letters.
        print(f"failed to handle batch {delivery.offset}: {error!r}", file=sys.stderr, flush=True)
        return bus.Outcome(nack_ms=1000)


def settle(stub, delivery, outcome):
    lease = bus.Lease(
        subscription=SUBSCRIPTION.name,
        topic=delivery.topic,
        offset=delivery.offset,
        attempt=delivery.attempt,
    )
    request = bus.SettleRequest(settlements=[bus.Settlement(lease=lease, outcome=outcome)])
    for result in stub.Settle(request, timeout=TIMEOUT_S).results:
        if result.HasField("error"):
            # The delivery comes again, here or to another consumer.
            print(f"not settled: {result.error.context}", file=sys.stderr, flush=True)


def consume(stub):
    """Opens the subscription and handles what comes until the stream ends."""
    requests = queue.SimpleQueue()
    requests.put(bus.SubscribeRequest(open=SUBSCRIPTION))
    more = bus.SubscribeRequest(more=bus.SubscribeRequest.More())
    requests.put(more)
    try:
        stream = stub.Subscribe(iter(requests.get, None))
        stream.initial_metadata()  # here when the subscription is open
        if stream.is_active():
            print("subscribed", flush=True)
        for response in stream:
            for delivery in response.deliveries:
                settle(stub, delivery, outcome_of(delivery))
            requests.put(more)
    finally:
        requests.put(None)


def main(address):
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        stub = BusServiceStub(channel)
        while True:
            try:
                consume(stub)
            except grpc.RpcError as error:
                if error.code() in FATAL:
                    sys.exit(f"refused: {error.details()}")
                print(f"{error.details()}; retrying", file=sys.stderr, flush=True)
            time.sleep(RETRY_S)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7070")
    except KeyboardInterrupt:
        pass
