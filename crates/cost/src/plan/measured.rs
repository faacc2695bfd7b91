//! What was measured, built in: points of `cargo xtask bench`, and the curves through them.
//!
//! `measured.json` is written by `cargo xtask bench` in the step that writes the page about
//! performance, from the same figures. Not here: what follows for a load (`capacity`).

use serde::{Deserialize, Serialize};

use super::Engine;

/// The points as they stand in the repository.
const DATA: &str = include_str!("measured.json");
/// In flight where another option is varied.
pub(super) const WINDOW: u32 = 1000;
/// Bytes of the payload of a point that names none: those of a plain time.updated.
pub(super) const PAYLOAD_BYTES: u32 = 10;

/// All points, and where they are from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// What measured them.
    pub source: Source,
    pub(super) points: Vec<Point>,
}

/// Which machine, commit and command.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What was run, if it was kept.
    pub command: Option<String>,
    /// What it was built from.
    pub commit: String,
    /// When.
    pub day: String,
    /// Of the machine.
    pub processor: String,
    /// Of the machine; client and server share them.
    pub cores: u32,
    /// What else a reader must know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A load of `worldbus bench`, and its median.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Point {
    pub(super) engine: Engine,
    /// Events, or ready batches, in flight.
    pub(super) window: u32,
    pub(super) payload_bytes: Option<u32>,
    pub(super) topics: u32,
    pub(super) subscribers: u32,
    pub(super) batch_events: Option<u32>,
    pub(super) events_per_s: f64,
    /// From publish to handler.
    pub(super) p50_ms: Option<f64>,
    pub(super) p99_ms: Option<f64>,
}

/// What a curve is over. The other options of its points are the usual ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Window,
    Payload,
    Topics,
    Subscribers,
}

/// Points by what is along the axis.
#[derive(Debug, Clone)]
pub(super) struct Curve(Vec<(f64, f64)>);

impl Measured {
    /// What is built in.
    ///
    /// # Errors
    /// In words, if it is broken.
    pub fn built_in() -> Result<Self, String> {
        serde_json::from_str(DATA).map_err(|error| format!("the built-in measurements: {error}"))
    }

    /// A figure of an engine along an axis, of the points that have it.
    pub(super) fn curve(
        &self,
        engine: Engine,
        axis: Axis,
        figure: impl Fn(&Point) -> Option<f64>,
    ) -> Curve {
        let points = self.points.iter();
        let on_axis = points.filter(|point| point.engine == engine && point.is_on(axis));
        let mut curve: Vec<(f64, f64)> =
            on_axis.filter_map(|point| Some((point.x(axis), figure(point)?))).collect();
        curve.sort_by(|a, b| a.0.total_cmp(&b.0));
        Curve(curve)
    }

    /// Ready batches on an engine.
    pub(super) fn batches(&self, engine: Engine) -> Option<&Point> {
        let mut points = self.points.iter();
        points.find(|point| point.engine == engine && point.batch_events.is_some())
    }

    /// The windows that were measured on an engine, the smallest first.
    pub(super) fn windows(&self, engine: Engine) -> Vec<u32> {
        let curve = self.curve(engine, Axis::Window, |point| Some(point.events_per_s));
        curve.0.iter().map(|point| point.0 as u32).collect()
    }
}

impl Point {
    /// Whether all but what is along the axis is as usual.
    pub(super) fn is_on(&self, axis: Axis) -> bool {
        let is_usual = |other| match other {
            Axis::Window => self.window == WINDOW,
            Axis::Payload => self.payload_bytes.is_none(),
            Axis::Topics => self.topics == 1,
            Axis::Subscribers => self.subscribers == 1,
        };
        let all = [Axis::Window, Axis::Payload, Axis::Topics, Axis::Subscribers];
        let others = all.into_iter().filter(|other| *other != axis);
        self.batch_events.is_none() && others.into_iter().all(is_usual)
    }

    fn x(&self, axis: Axis) -> f64 {
        f64::from(match axis {
            Axis::Window => self.window,
            Axis::Payload => self.payload_bytes.unwrap_or(PAYLOAD_BYTES),
            Axis::Topics => self.topics,
            Axis::Subscribers => self.subscribers,
        })
    }
}

impl Curve {
    /// From points in the order of the axis.
    #[cfg(test)]
    pub(super) fn new(points: &[(f64, f64)]) -> Self {
        Self(points.to_vec())
    }

    /// The value at `x`: straight between points where both axes are logarithmic, and beyond the
    /// ends that of the end. `None` without points.
    pub(super) fn at(&self, x: f64) -> Option<f64> {
        let (first, last) = (self.0.first()?, self.0.last()?);
        if x <= first.0 {
            return Some(first.1);
        }
        let between = self.0.windows(2).find(|pair| x <= pair[1].0);
        let Some([from, to]) = between else { return Some(last.1) };
        let part = libm::log(x / from.0) / libm::log(to.0 / from.0);
        Some(from.1 * libm::exp(part * libm::log(to.1 / from.1)))
    }

    /// The ends of what was measured.
    pub(super) fn ends(&self) -> Option<(f64, f64)> {
        Some((self.0.first()?.0, self.0.last()?.0))
    }

    /// Whether it is no more than one point.
    pub(super) fn is_point(&self) -> bool {
        self.0.len() < 2
    }
}
