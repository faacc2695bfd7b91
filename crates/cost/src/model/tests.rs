//! The model at its edges, and against what can be counted by hand.

use super::*;

fn prices() -> Prices {
    Prices::of("us-east-1").unwrap()
}

fn ticks(rate: f64) -> Load {
    Load { rate, payload_bytes: 10, producers: 1, subscribers: 1 }
}

fn ours(linger_ms: u32) -> Way {
    Way::Batches { linger_ms, encoding: Encoding::Protobuf }
}

fn near(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * right.abs().max(1.0)
}

#[test]
fn a_unit_is_64_kib_begun() {
    assert_eq!([0.0, 1.0, 65_535.0, 65_536.0].map(units), [1.0; 4]);
    assert_eq!([65_537.0, 131_072.0, 131_073.0, 262_144.0].map(units), [2.0, 2.0, 3.0, 4.0]);
}

#[test]
fn the_bill_of_one_json_event_a_request_is_counted_by_hand() {
    let cost = cost(&ticks(2.4), Way::JsonSingles, &prices()).unwrap();
    // 6.2208 million events in thirty days: published, received, deleted.
    let usd = 6.2208 * (0.50 + 0.40 + 0.40);
    assert!(near(cost.usd_per_month, usd), "{cost:?}");
    assert!(near(cost.usd_per_million_events, 1.30), "{cost:?}");
    assert_eq!((cost.idle_units, cost.bytes_per_event), (0.0, 291.0));
}

#[test]
fn a_silent_queue_costs_its_long_polls() {
    let load = Load { rate: 0.001, subscribers: 4, ..ticks(1.0) };
    let cost = cost(&load, ours(0), &prices()).unwrap();
    assert!(near(cost.idle_units, 4.0 * (1.0 / 20.0 - 0.001)), "{cost:?}");
}

#[test]
fn at_80_000_events_a_second_batches_take_a_thousandth() {
    for subscribers in [1, 2, 5] {
        let load = Load { subscribers, ..ticks(80_000.0) };
        let units = |way| cost(&load, way, &prices()).unwrap().units();
        let ours = units(ours(50));
        let (singles, tens) = (units(Way::JsonSingles), units(Way::ProtobufTens { linger_ms: 50 }));
        // One queue: 96,000 and 24,000 against 60. More queues dilute the saving on publishing.
        let least = if subscribers <= 2 { 1000.0 } else { 700.0 };
        assert!(singles >= least * ours, "{singles} against {ours}, {subscribers} subscribers");
        assert!(tens >= 300.0 * ours, "{tens} against {ours}, {subscribers} subscribers");
    }
}

#[test]
fn a_longer_linger_never_costs_more() {
    for rate in [0.1, 2.4, 100.0, 1000.0, 80_000.0, 1_000_000.0] {
        for payload_bytes in [0, 10, 300, 50_000] {
            let load = Load { payload_bytes, ..ticks(rate) };
            let mut before = f64::INFINITY;
            for linger_ms in [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048] {
                let units = cost(&load, ours(linger_ms), &prices()).unwrap().units();
                // While what leaves together is one unit, exactly; then what is rounded up to
                // whole units and whole messages may be a little more: a message of 180 KiB is
                // billed as 192 and leaves no room for a second one in its request.
                let small = load.rate * 2.048 * f64::from(payload_bytes + 5) < 60_000.0;
                let bound = if small { before * (1.0 + 1e-9) } else { before * 1.1 };
                assert!(units <= bound, "{load:?} {linger_ms} ms: {before} to {units}");
                before = units;
            }
        }
    }
}

#[test]
fn messages_and_requests_keep_to_the_limits() {
    for rate in [1.0, 77.0, 5_000.0, 80_000.0, 3_000_000.0] {
        for payload_bytes in [0, 10, 1_000, 60_000, 170_000] {
            let load = Load { payload_bytes, ..ticks(rate) };
            for way in [ours(0), ours(50), ours(1000), Way::ProtobufTens { linger_ms: 50 }] {
                let cost = cost(&load, way, &prices()).unwrap();
                let message = cost.events_per_message * cost.bytes_per_event;
                assert!(cost.events_per_message <= 4096.0, "{cost:?}");
                assert!(message <= 262_144.0 + 1e-6, "{cost:?}");
                let request = rate * cost.bytes_per_event / cost.publish_requests;
                assert!(request <= 262_144.0 + 1e-6, "{request}: {cost:?}");
                assert!(cost.messages / cost.publish_requests <= 10.0 + 1e-9, "{cost:?}");
                let carried = cost.messages * cost.events_per_message;
                assert!(near(carried, rate), "every event is carried: {cost:?}");
            }
        }
    }
}

#[test]
fn an_event_that_fits_no_message_has_no_cost() {
    let load = Load { payload_bytes: MESSAGE_BYTES_MAX, ..ticks(1.0) };
    assert_eq!(cost(&load, ours(0), &prices()), None);
    assert_eq!(cost(&load, Way::JsonSingles, &prices()), None);
}

#[test]
fn producers_that_batch_alone_save_less() {
    let of = |producers| {
        let load = Load { producers, ..ticks(1000.0) };
        cost(&load, ours(50), &prices()).unwrap().usd_per_month
    };
    assert!(of(100) > 5.0 * of(1), "{} and {}", of(100), of(1));
}

#[test]
fn the_default_linger_is_50_ms() {
    assert_eq!(default_linger_ms(), 50, "the reasons are in docs/adr/0004-linger.md");
}
