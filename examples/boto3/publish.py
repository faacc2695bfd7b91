"""Publishes a weather.changed that Worldbus services accept: boto3 and stock protobuf.

    python -m grpc_tools.protoc --proto_path=proto --python_out=. proto/worldbus/events/v1/*.proto
    PYTHONPATH=. python examples/boto3/publish.py arn:aws:sns:us-east-1:…:gaming-system-weather-events
"""

import sys
import time
import uuid

import boto3
from worldbus.events.v1.envelope_pb2 import GameEvent
from worldbus.events.v1.weather_pb2 import WEATHER_STATE_RAIN, WeatherChanged

event = GameEvent(
    event_id=str(uuid.uuid4()),
    event_type=1,
    source="my-service",
    timestamp=int(time.time() * 1000),
    payload=WeatherChanged(new_state=WEATHER_STATE_RAIN).SerializeToString(),
    metadata={"world": "europe", "entity": "brussels"},
)
boto3.client("sns").publish(
    TopicArn=sys.argv[1],
    Message="rain in brussels",
    MessageAttributes={
        "event": {"DataType": "Binary", "BinaryValue": event.SerializeToString()},
        "event_types": {"DataType": "String.Array", "StringValue": '["weather.changed"]'},
    },
)
print(event.event_id)
