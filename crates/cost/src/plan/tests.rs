//! Plans against the points that were measured, at the edges of the curves, and against limits.

use super::capacity::{Shape, capacity};
use super::measured::{Axis, Curve, PAYLOAD_BYTES, Point};
use super::*;

/// How far a stated capacity may be from what was measured, either way.
const FACTOR_MAX: f64 = 1.25;

const ENGINES: [Engine; 3] = [Engine::Embedded, Engine::Remote, Engine::SnsSqs];

fn measured() -> Measured {
    Measured::built_in().unwrap()
}

fn wanted(events_per_s: f64) -> Wanted {
    Wanted {
        events_per_s,
        payload_bytes: PAYLOAD_BYTES,
        topics: 1,
        subscribers: 1,
        window: None,
        batch_events: None,
        retention_hours: 24,
        disk_gib: None,
    }
}

fn of(wanted: &Wanted, engine: Engine) -> Plan {
    plan(&measured(), wanted, engine).unwrap()
}

/// The load of a measured point, at half of what was measured there.
fn load_of(point: &Point) -> Wanted {
    Wanted {
        payload_bytes: point.payload_bytes.unwrap_or(PAYLOAD_BYTES),
        topics: point.topics,
        subscribers: point.subscribers,
        window: Some(point.window),
        batch_events: point.batch_events,
        ..wanted(point.events_per_s * HEADROOM_SHARE / FACTOR_MAX)
    }
}

#[test]
fn stated_capacity_is_what_was_measured_at_each_point() {
    let measured = measured();
    assert!(measured.points.len() > 20, "{}", measured.points.len());
    for point in &measured.points {
        let plan = of(&load_of(point), point.engine);
        let ratio = plan.window_events_per_s.unwrap() / point.events_per_s;
        assert!((1.0 / FACTOR_MAX..=FACTOR_MAX).contains(&ratio), "{ratio}: {point:?}");
        assert_eq!(plan.count, 1, "{point:?}");
        let is_of_window = point.is_on(Axis::Window) || point.batch_events.is_some();
        let ms = point.p50_ms.zip(plan.p50_ms).filter(|_| is_of_window);
        let ratio = ms.map_or(1.0, |(measured, planned)| planned / measured);
        assert!((1.0 / FACTOR_MAX..=FACTOR_MAX).contains(&ratio), "{ratio}: {point:?}");
    }
}

#[test]
fn both_local_engines_have_a_curve_over_windows_and_ready_batches() {
    let measured = measured();
    for engine in [Engine::Embedded, Engine::Remote] {
        assert!(measured.windows(engine).len() >= 3, "{engine:?}");
        assert!(measured.batches(engine).is_some(), "{engine:?}");
    }
}

#[test]
fn curve_is_straight_between_points_on_logarithmic_axes_and_level_beyond_its_ends() {
    let curve = Curve::new(&[(1.0, 100.0), (100.0, 10_000.0), (1000.0, 10.0)]);
    let near = |x: f64, y: f64| (curve.at(x).unwrap() / y - 1.0).abs() < 1e-9;
    assert!(near(10.0, 1000.0) && near(100.0, 10_000.0) && near(1000.0, 10.0));
    assert!(near(0.1, 100.0) && near(1e6, 10.0));
    assert_eq!(Curve::new(&[]).at(1.0), None);
}

#[test]
fn every_plan_keeps_the_headroom_and_to_the_limits_up_to_a_hundred_million() {
    for engine in ENGINES {
        for rate in [0.01, 2.4, 1e3, 4e4, 1e6, 1e7, 1e8] {
            for (topics, subscribers, payload_bytes) in
                [(1, 1, 10), (100, 8, 10), (100_000, 1024, 10), (3, 2, 100_000)]
            {
                let wanted = Wanted { topics, subscribers, payload_bytes, ..wanted(rate) };
                let plan = of(&wanted, engine);
                let context = format!("{wanted:?} {plan:?}");
                assert!(plan.share_used <= HEADROOM_SHARE * (1.0 + 1e-9), "{context}");
                let of_window = plan.window_events_per_s.unwrap_or(f64::INFINITY);
                assert!(rate <= of_window * HEADROOM_SHARE * (1.0 + 1e-9), "{context}");
                assert!(plan.share_used > 0.0 && plan.capacity_events_per_s >= rate, "{context}");
                assert!(plan.topics_each * plan.count >= u64::from(topics), "{context}");
                let places = u64::from(PLACES_MAX);
                assert!(engine == Engine::SnsSqs || plan.topics_each <= places, "{context}");
                assert!((1.0..=4096.0).contains(&plan.batch_events), "{context}");
                assert!(plan.publishers >= plan.count, "{context}");
                assert!(plan.usd_per_month().is_finite(), "{context}");
            }
        }
    }
}

#[test]
fn there_are_as_few_logs_as_carry_it() {
    let measured = measured();
    for engine in [Engine::Embedded, Engine::Remote] {
        for (rate, topics) in [(1e8, 1), (2e7, 1), (2e7, 1000), (1e8, 4000)] {
            let wanted = Wanted { topics, ..wanted(rate) };
            let plan = of(&wanted, engine);
            let fewer = plan.count - 1;
            assert!(fewer > 0, "{plan:?}");
            let shape = Shape {
                window: plan.window.unwrap(),
                payload_bytes: wanted.payload_bytes,
                topics: u64::from(topics).div_ceil(fewer) as u32,
                subscribers: 1,
                batch_events: None,
            };
            let carried = capacity(&measured, engine, &shape).events_per_s * fewer as f64;
            let has_places = shape.topics <= PLACES_MAX;
            assert!(!has_places || carried * HEADROOM_SHARE < rate, "{fewer} do: {plan:?}");
        }
    }
}

#[test]
fn more_of_anything_never_needs_fewer_logs() {
    for engine in [Engine::Embedded, Engine::Remote] {
        let count = |wanted: &Wanted| of(wanted, engine).count;
        let base = Wanted { topics: 10, ..wanted(2e6) };
        let least = count(&base);
        assert!(count(&Wanted { events_per_s: 4e6, ..base }) >= least);
        assert!(count(&Wanted { subscribers: 32, ..base }) >= least);
        assert!(count(&Wanted { subscribers: 1024, ..base }) > least);
        assert!(count(&Wanted { payload_bytes: 10_000, ..base }) >= least);
        assert!(count(&Wanted { topics: 100_000, ..base }) >= 98);
    }
}

#[test]
fn window_is_the_smallest_that_suffices() {
    let windows = measured().windows(Engine::Remote);
    let of_rate = |rate| of(&wanted(rate), Engine::Remote).window.unwrap();
    assert_eq!(of_rate(1.0), windows[0]);
    let chosen = [1e3, 1e5, 3e5, 6e5, 1e6].map(of_rate);
    assert!(chosen.is_sorted(), "{chosen:?}");
    assert!(of_rate(1e7) >= chosen[4]);
}

#[test]
fn what_was_not_measured_is_stated() {
    let notes = |wanted: &Wanted| of(wanted, Engine::Remote).notes.join("\n");
    let plain = Wanted { window: Some(1000), ..wanted(1000.0) };
    assert!(!notes(&plain).contains("measured at") && !notes(&plain).contains("beyond"));
    let far = Wanted { window: Some(100_000), ..plain };
    assert!(notes(&far).contains("a window of 100000 was not measured"), "{}", notes(&far));
    let many = Wanted { subscribers: 100, ..plain };
    assert!(notes(&many).contains("100 subscribers: 32 were measured"), "{}", notes(&many));
    let both = Wanted { subscribers: 8, topics: 10, ..plain };
    assert!(notes(&both).contains("is multiplied"), "{}", notes(&both));
    let large = Wanted { payload_bytes: 170_000, ..plain };
    let text = notes(&large);
    assert!(text.contains("payload"), "{text}");
    let batches = Wanted { batch_events: Some(10), ..wanted(1000.0) };
    assert!(notes(&batches).contains("ready batches of 1000 plain events were measured"));
}

#[test]
fn share_is_of_what_one_engine_carries_and_not_of_a_small_window() {
    let (small, large) = (of(&wanted(1.0), Engine::Remote), of(&wanted(2e5), Engine::Remote));
    assert!(small.window < large.window, "{small:?} {large:?}");
    assert_eq!(small.capacity_events_per_s, large.capacity_events_per_s);
    let ratio = large.share_used / small.share_used;
    assert!((ratio / 2e5 - 1.0).abs() < 1e-9, "{ratio}");
}

#[test]
fn settings_and_prices_beyond_the_usual_are_stated() {
    let of_batches = |rate| {
        let batches = Wanted { batch_events: Some(1000), ..wanted(rate) };
        let plan = of(&batches, Engine::Remote);
        (plan.notes.join("\n"), plan)
    };
    let (notes, _) = of_batches(2.4);
    assert!(notes.contains("--retention-hours 24") && !notes.contains("--retention-bytes"));
    let (notes, _) = of_batches(1e6);
    // A day of 15.092 MB/s, in whole GB.
    assert!(notes.contains("--retention-bytes 1304000000000"), "{notes}");
    for rate in [1e6, 1e7, 1e8] {
        let (notes, plan) = of_batches(rate);
        let each = plan.disk.unwrap().bytes_per_s / plan.count as f64;
        let is_much = each > 125.0 * 1024.0 * 1024.0;
        assert_eq!(notes.contains("each log writes"), is_much, "{each} {notes}");
    }
}

#[test]
fn split_and_spare_capacity_are_stated() {
    for engine in ENGINES {
        let notes = |rate| of(&wanted(rate), engine).notes.join("\n");
        assert!(notes(0.5).contains("by far"), "{engine:?}");
        let has_task = engine != Engine::SnsSqs;
        assert_eq!(notes(0.5).contains("a task of 0.25 vCPU"), has_task, "{engine:?}");
        assert!(!notes(0.5).contains("does not carry it"), "{engine:?}");
    }
    for engine in [Engine::Embedded, Engine::Remote] {
        let notes = of(&wanted(1e8), engine).notes.join("\n");
        assert!(notes.contains("does not carry it"), "{notes}");
        assert!(notes.contains("--batch-events 1000"), "{notes}");
    }
    // 100 million events a second of 1,000 bytes are half a million messages if all are full, and
    // an account has 15,000 of them within the headroom; two in five are not full.
    let large = Wanted { payload_bytes: 1000, ..wanted(1e8) };
    let plan = of(&large, Engine::SnsSqs);
    assert!((37..70).contains(&plan.count), "{plan:?}");
    assert!(plan.notes[0].contains("one account does not carry it"), "{plan:?}");
}

#[test]
fn disk_network_and_retention_are_counted_by_hand() {
    let wanted =
        Wanted { batch_events: Some(1000), subscribers: 4, disk_gib: Some(100), ..wanted(1e6) };
    let plan = of(&wanted, Engine::Remote);
    // 10 of payload, 5 of columns, a thousandth of 60 and of 32.
    let disk = plan.disk.unwrap();
    let near = |left: f64, right: f64| (left / right - 1.0).abs() < 1e-9;
    assert!(near(disk.bytes_per_s, 15.092e6), "{disk:?}");
    assert!(near(disk.bytes_per_day, 15.092e6 * 86_400.0), "{disk:?}");
    assert!(near(disk.retention_bytes_a_topic, disk.bytes_per_day), "{disk:?}");
    let files = 2.0 * disk.bytes_per_day + f64::from(256 << 20);
    assert!(near(disk.bytes_for_retention, files), "{disk:?}");
    let hours = (100.0 - 0.25) * f64::from(1 << 30) / 2.0 / 15.092e6 / 3600.0;
    assert!(near(disk.hours_that_fit.unwrap(), hours), "{disk:?}");
    assert!(near(plan.network_bytes_per_s, 15.06e6 * 5.0), "{plan:?}");
    assert_eq!(of(&wanted, Engine::Embedded).network_bytes_per_s, 0.0);
    let volume = &plan.month[1];
    assert!(volume.item.contains("100 GB") && near(volume.usd.unwrap(), 8.0), "{volume:?}");
}

#[test]
fn task_is_as_large_as_the_load_needs_and_priced() {
    let task = |rate| of(&wanted(rate), Engine::Remote).task_vcpu.unwrap();
    assert_eq!((task(2.4), task(1e7)), (0.25, f64::from(measured().source.cores)));
    let month = of(&wanted(2.4), Engine::Remote).month;
    let usd = 720.0 * (0.25 * 0.04048 + 0.5 * 0.004445);
    assert!((month[0].usd.unwrap() - usd).abs() < 1e-9, "{month:?}");
}

#[test]
fn over_sns_and_sqs_the_bill_is_that_of_the_cost_model() {
    let plan = of(&wanted(2.4), Engine::SnsSqs);
    // As docs/adr/0004 has it.
    assert!((plan.usd_per_month() - 6.45).abs() < 0.02, "{plan:?}");
    assert_eq!((plan.count, plan.publishers, plan.linger_ms), (1, 1, 50));
    let wanted = Wanted { payload_bytes: 200_000, ..wanted(1.0) };
    let error = super::plan(&measured(), &wanted, Engine::SnsSqs).unwrap_err();
    assert!(error.contains("publish a reference"), "{error}");
}

#[test]
fn cheapest_engine_for_several_processes_is_never_the_embedded_one() {
    let plans = |rate| ENGINES.map(|engine| of(&wanted(rate), engine));
    assert_eq!(cheapest_shared(&plans(0.1)), Some(Engine::SnsSqs));
    assert_eq!(cheapest_shared(&plans(1000.0)[..2]), Some(Engine::Remote));
    assert_eq!(cheapest_shared(&plans(1000.0)[..1]), None);
}

#[test]
fn short_numbers_have_three_digits() {
    let cases = [
        (2.092, "2.09"),
        (434.4, "434"),
        (9_996.0, "10 K"),
        (1_590_000.0, "1.59 M"),
        (0.5, "0.5"),
        (30_000.0, "30 K"),
        (999_600.0, "1 M"),
        (2e9, "2 G"),
        (100.0, "100"),
        (99.96, "100"),
    ];
    for (value, text) in cases {
        assert_eq!(short(value), text);
    }
}
