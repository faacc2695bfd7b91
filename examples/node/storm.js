// Closes the market of a region while a storm is over it: @grpc/grpc-js and @grpc/proto-loader.
//
//     npm install --no-package-lock --prefix examples/node
//     node examples/node/storm.js 127.0.0.1:7070

const path = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const definition = loader.loadSync(
  ["worldbus/bus/v1/bus.proto", "worldbus/events/v1/weather.proto"],
  {
    includeDirs: [path.join(__dirname, "../../proto")],
    keepCase: true,
    enums: String,
    longs: String,
    defaults: true,
  },
);
const { BusService } = grpc.loadPackageDefinition(definition).worldbus.bus.v1;
const decodeBatch = definition["worldbus.events.v1.EventBatch"].deserialize;
const decodeWeatherChanged = definition["worldbus.events.v1.WeatherChanged"].deserialize;

const WEATHER_CHANGED = 1; // its number in the catalogue
const SUBSCRIPTION = {
  name: "storm-node",
  topics: ["weather"],
  filter: { types: [WEATHER_CHANGED] },
  start: { now: {} },
  lease_ms: 30_000,
  attempts_max: 5,
  in_flight_max: 16,
  consumer: "examples/node/storm.js",
};
const OPTIONS = { "grpc.max_receive_message_length": 8 << 20, "grpc.keepalive_time_ms": 20_000 };
const RETRY_MS = 1_000;
const TIMEOUT_MS = 10_000;
const SEEN_MAX = 100_000;
// What no retry mends; everything else is worth another try.
const FATAL = [grpc.status.INVALID_ARGUMENT, grpc.status.UNAUTHENTICATED, grpc.status.UNIMPLEMENTED];

const seen = new Set(); // ids of events that were handled, the oldest first

function react(region, change) {
  if (change.new_state === "WEATHER_STATE_STORM") {
    console.log(`${region}: a storm, the market closes`);
  } else if (change.old_state === "WEATHER_STATE_STORM") {
    console.log(`${region}: the storm is over, the market opens`);
  }
}

/** Id, type, entity and payload of each event of a batch. */
function* events(batch) {
  let sequence = BigInt(batch.first_sequence);
  let start = 0;
  for (const [i, type] of batch.event_types.entries()) {
    if (batch.sequence_deltas.length > 0) {
      sequence += BigInt(batch.sequence_deltas[i]);
    } else if (i > 0) {
      sequence += 1n;
    }
    const entity = batch.entity_indexes[i] ?? 0;
    const end = start + batch.payload_sizes[i];
    yield {
      id: `${batch.producer_id}/${sequence}`,
      type,
      entity: entity > 0 ? batch.entities[entity - 1] : "",
      payload: batch.payloads.subarray(start, end),
    };
    start = end;
  }
}

/** Handles the events of a delivery; a batch comes whole, with types that were not asked for. */
function handle(delivery) {
  for (const event of events(decodeBatch(delivery.batch))) {
    if (event.type !== WEATHER_CHANGED || seen.has(event.id)) continue;
    react(event.entity, decodeWeatherChanged(event.payload));
    seen.add(event.id);
    if (seen.size > SEEN_MAX) seen.delete(seen.values().next().value);
  }
}

function outcomeOf(delivery) {
  try {
    handle(delivery);
    return { ack: {} };
  } catch (error) {
    // After attempts_max of these the bus sets the batch aside as dead letters.
    console.error(`failed to handle batch ${delivery.offset}: ${error.message}`);
    return { nack_ms: 1_000 };
  }
}

function settle(client, { topic, offset, attempt }, outcome) {
  const lease = { subscription: SUBSCRIPTION.name, topic, offset, attempt };
  const request = { settlements: [{ lease, outcome }] };
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + TIMEOUT_MS;
    client.settle(request, { deadline }, (error, answer) => {
      if (error) return reject(error);
      // A delivery that is not settled comes again, here or to another consumer.
      const failed = answer.results.filter((result) => result.error);
      failed.forEach((result) => console.error(`not settled: ${result.error.context}`));
      resolve();
    });
  });
}

/** Opens the subscription and handles what comes until the stream ends. */
async function consume(client) {
  const stream = client.subscribe();
  // Sent when the subscription is open.
  stream.on("metadata", () => console.log("subscribed"));
  stream.write({ open: SUBSCRIPTION });
  stream.write({ more: {} });
  try {
    for await (const response of stream) {
      for (const delivery of response.deliveries) {
        await settle(client, delivery, outcomeOf(delivery));
      }
      stream.write({ more: {} });
    }
  } finally {
    stream.cancel();
  }
}

async function main(address) {
  const client = new BusService(address, grpc.credentials.createInsecure(), OPTIONS);
  for (;;) {
    try {
      await consume(client);
    } catch (error) {
      if (FATAL.includes(error.code)) throw error;
      console.error(`${error.details}; retrying`);
    }
    await pause(RETRY_MS);
  }
}

main(process.argv[2] ?? "127.0.0.1:7070").catch((error) => {
  console.error(`refused: ${error.details ?? error.stack}`);
  process.exitCode = 1;
});
