//! How many events a second one log carries, from the curves. Pure.
//!
//! A load that was measured has exactly its measured figure. Any other is the window's figure times
//! what each other option takes of it alone: measured apart, multiplied here, and noted.

use super::measured::{Axis, Curve, Measured, PAYLOAD_BYTES, WINDOW};
use super::{Engine, event_bytes};

/// What goes through one log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Events in flight; of ready batches, batches.
    pub(super) window: u32,
    pub(super) payload_bytes: u32,
    pub(super) topics: u32,
    pub(super) subscribers: u32,
    pub(super) batch_events: Option<u32>,
}

/// What one log carries.
#[derive(Debug, Clone, Default)]
pub(super) struct Capacity {
    pub(super) events_per_s: f64,
    pub(super) p50_ms: Option<f64>,
    pub(super) p99_ms: Option<f64>,
    /// What was not measured, and what stands for it.
    pub(super) assumptions: Vec<String>,
}

/// What options other than the window leave.
#[derive(Default)]
struct Parts {
    share: f64,
    /// How many options have a part in it.
    count: usize,
    assumptions: Vec<String>,
}

/// What one log of an engine carries; nothing if nothing was measured of it.
pub(super) fn capacity(measured: &Measured, engine: Engine, shape: &Shape) -> Capacity {
    let capacity = match shape.batch_events {
        Some(batch_events) => of_batches(measured, engine, shape, batch_events),
        None => of_events(measured, engine, shape),
    };
    capacity.unwrap_or_default()
}

/// One event a call.
fn of_events(measured: &Measured, engine: Engine, shape: &Shape) -> Option<Capacity> {
    let rate = |axis| measured.curve(engine, axis, |point| Some(point.events_per_s));
    let windows = rate(Axis::Window);
    let window = f64::from(shape.window);
    let mut parts = Parts { share: 1.0, ..Parts::default() };
    if let Some((least, most)) =
        windows.ends().filter(|(least, most)| !within(window, *least, *most))
    {
        let text = format!(
            "a window of {window} was not measured; {least} to {most} were, and the nearest stands \
             for it"
        );
        parts.assumptions.push(text);
    }
    let at_window = windows.at(window)?;
    parts.take("topics", &rate(Axis::Topics), 1.0, f64::from(shape.topics));
    parts.take("subscribers", &rate(Axis::Subscribers), 1.0, f64::from(shape.subscribers));
    let payload = rate(Axis::Payload);
    let mut events_per_s = at_window;
    if payload.is_point() && shape.payload_bytes > PAYLOAD_BYTES {
        events_per_s = events_per_s.min(bytes_limit(measured, engine, shape)?);
        parts.assumptions.push(
            "payload sizes were not measured: bytes a second are taken to be those of ready \
             batches at the most"
                .to_owned(),
        );
    } else {
        let (usual, wanted) = (f64::from(PAYLOAD_BYTES), f64::from(shape.payload_bytes));
        parts.take("bytes of a payload", &payload, usual, wanted);
    }
    parts.count += usize::from(shape.window != WINDOW);
    parts.note();
    events_per_s *= parts.share;
    if measured.curve(engine, Axis::Window, |point| point.p50_ms).ends().is_none() {
        parts.assumptions.push(
            "latencies were not measured: p50 is the window over the events a second that it lets \
             through"
                .to_owned(),
        );
    }
    let latency = |figure: fn(&super::measured::Point) -> Option<f64>| {
        let at_window_ms = measured.curve(engine, Axis::Window, figure).at(window)?;
        // In flight is the same, so what passes more slowly waits longer.
        Some(at_window_ms * at_window / events_per_s)
    };
    Some(Capacity {
        events_per_s,
        p50_ms: latency(|point| point.p50_ms).or(Some(window / events_per_s * 1000.0)),
        p99_ms: latency(|point| point.p99_ms),
        assumptions: parts.assumptions,
    })
}

/// Ready batches: their bytes are copied, and nothing looks into them.
fn of_batches(
    measured: &Measured,
    engine: Engine,
    shape: &Shape,
    batch_events: u32,
) -> Option<Capacity> {
    let point = measured.batches(engine)?;
    let (measured_events, events) = (f64::from(point.batch_events?), f64::from(batch_events));
    let mut parts = Parts { share: 1.0, ..Parts::default() };
    let subscribers = measured.curve(engine, Axis::Subscribers, |point| Some(point.events_per_s));
    parts.take("subscribers", &subscribers, 1.0, f64::from(shape.subscribers));
    if shape.subscribers > 1 {
        let text = "what subscribers take of ready batches was not measured: it is taken to be \
                    what they take of single events";
        parts.assumptions.push(text.to_owned());
    }
    let by_bytes = bytes_limit(measured, engine, shape)?;
    let by_batches = point.events_per_s * events / measured_events;
    if batch_events != point.batch_events? || shape.payload_bytes != PAYLOAD_BYTES {
        let text = format!(
            "ready batches of {measured_events} plain events were measured: of others no more \
             batches or bytes a second are planned"
        );
        parts.assumptions.push(text);
    }
    let events_per_s = by_bytes.min(by_batches) * parts.share;
    let slower = point.events_per_s / events_per_s * events / measured_events;
    let in_flight = f64::from(point.window) * events;
    Some(Capacity {
        events_per_s,
        p50_ms: Some(point.p50_ms.map_or(in_flight / events_per_s * 1000.0, |ms| ms * slower)),
        p99_ms: point.p99_ms.map(|ms| ms * slower),
        assumptions: parts.assumptions,
    })
}

/// Events a second of this size that are as many bytes a second as ready batches were.
fn bytes_limit(measured: &Measured, engine: Engine, shape: &Shape) -> Option<f64> {
    let batches = measured.batches(engine)?;
    let events = f64::from(batches.batch_events?);
    let bytes_per_s = batches.events_per_s * event_bytes(PAYLOAD_BYTES, events);
    Some(bytes_per_s / event_bytes(shape.payload_bytes, events))
}

impl Parts {
    /// Takes what an option leaves, next to its usual value. Beyond the last point the same work a
    /// second is done, of what grows with the option: that is less than the curve's end.
    fn take(&mut self, name: &str, curve: &Curve, usual: f64, wanted: f64) {
        if wanted <= usual {
            return;
        }
        let ends = curve.ends().filter(|_| !curve.is_point());
        let (Some((_, most)), Some(of_usual), Some(of_wanted)) =
            (ends, curve.at(usual), curve.at(wanted))
        else {
            self.assumptions
                .push(format!("{name} were not measured, and are taken to cost nothing"));
            return;
        };
        self.count += 1;
        self.share *= of_wanted / of_usual * (most / wanted).min(1.0);
        if wanted > most {
            self.assumptions.push(format!(
                "{wanted} {name}: {most} were measured; beyond, events a second are taken to fall \
                 by as much as they grow"
            ));
        }
    }

    fn note(&mut self) {
        if self.count > 1 {
            let text = "window, payload, topics and subscribers were measured one at a time: what \
                        each takes is multiplied";
            self.assumptions.push(text.to_owned());
        }
    }
}

fn within(x: f64, least: f64, most: f64) -> bool {
    (least..=most).contains(&x)
}
