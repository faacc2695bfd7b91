//! How a climate mixes the independent noises into its latent variables, at a moment. Mixing is
//! linear, so it is done to the columns of the lattice, which many places share.
//! Not here: the noises (`field`), what the latent variables mean (`hour`).

use super::field::{CONVECTION, Column, DIRECTION, Noise, PRECIPITATION, PRESSURE, WIND};
use crate::preset::OCTAVE_COUNT;
use crate::weather::Climate;

/// The latent variables of an hour, each Gaussian with variance 1.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Latent {
    pub(in super::super) precipitation: f32,
    pub(in super::super) cloud: f32,
    pub(in super::super) depression: f32,
    pub(in super::super) wind: f32,
    pub(in super::super) temperature: f32,
    pub(in super::super) convection: f32,
    pub(in super::super) direction: f32,
    pub(in super::super) pressure: f32,
    /// What single showers are made of: see [`shower`].
    pub(in super::super) shower: f32,
}

/// The loadings of each octave's noises.
#[derive(Clone, Debug)]
pub(in super::super) struct Mix {
    octaves: [Loadings; OCTAVE_COUNT],
}

/// Direction and pressure have nothing of the passing octave: the cell and the gust that showers
/// are made of lie in their places there.
const CELL: usize = DIRECTION;
const GUST: usize = PRESSURE;

/// How much each latent variable takes of the noises of an octave.
#[derive(Clone, Copy, Debug)]
struct Loadings {
    precipitation: f32,
    /// Of precipitation, its own.
    cloud: [f32; 2],
    /// Of precipitation, cloud, its own.
    depression: [f32; 3],
    /// Of precipitation, its own.
    wind: [f32; 2],
    /// Of precipitation, depression, its own.
    temperature: [f32; 3],
    convection: f32,
    slow: f32,
}

/// Amplitudes of what no preset decides: pressure and wind direction are not local.
const SLOW: [f64; OCTAVE_COUNT] = [0.0, 0.0, 0.6, 0.8, 0.0];

impl Mix {
    /// `temperature` is that of the moment: loadings on precipitation, on depression and on what
    /// is its own.
    pub(in super::super) fn new(climate: &Climate, temperature: [f64; 3]) -> Self {
        let (a, c) = (&climate.amplitudes, &climate.preset.correlations);
        let [cloud_rest, depression_rest, wind_rest] = climate.rests;
        let octaves = core::array::from_fn(|octave| Loadings {
            precipitation: a.precipitation[octave] as f32,
            cloud: scaled([c.cloud_rain, cloud_rest], a.cloud[octave]),
            depression: scaled(
                [c.depression_rain, c.depression_cloud, depression_rest],
                a.depression[octave],
            ),
            wind: scaled([c.wind_rain, wind_rest], a.wind[octave]),
            temperature: scaled(temperature, a.temperature[octave]),
            convection: a.convection[octave] as f32,
            slow: SLOW[octave] as f32,
        });
        Self { octaves }
    }

    /// An octave's part of each latent variable, from an octave's noises.
    pub(in super::super) fn column(&self, octave: usize, noises: &Column) -> Column {
        let l = &self.octaves[octave];
        let [rain, cloud, depression, wind, temperature, convection, direction, pressure] = *noises;
        [
            l.precipitation * rain,
            l.cloud[0] * rain + l.cloud[1] * cloud,
            l.depression[0] * rain + l.depression[1] * cloud + l.depression[2] * depression,
            l.wind[0] * rain + l.wind[1] * wind,
            l.temperature[0] * rain
                + l.temperature[1] * depression
                + l.temperature[2] * temperature,
            l.convection * convection,
            if octave == 0 { convection } else { l.slow * direction },
            if octave == 0 { wind } else { l.slow * pressure },
        ]
    }

    /// The latent variables of a place, from its noises.
    pub(in super::super) fn latent(&self, noise: &Noise) -> Latent {
        Self::sum(|octave| self.column(octave, &noise[octave]))
    }

    /// The latent variables of a place, from each octave's part of them.
    #[inline]
    pub(in super::super) fn sum(mut part: impl FnMut(usize) -> Column) -> Latent {
        let (mut sum, mut cell, mut gust) = (Column::default(), 0.0, 0.0);
        for octave in 0..OCTAVE_COUNT {
            let part = part(octave);
            if octave == 0 {
                (cell, gust) = (part[CELL], part[GUST]);
            }
            for (sum, part) in sum.iter_mut().zip(&part) {
                *sum += part;
            }
        }
        let [precipitation, cloud, depression, wind, temperature, convection, direction, pressure] =
            sum;
        Latent {
            precipitation,
            cloud,
            depression,
            wind,
            temperature,
            convection,
            // Of the passing octave they have these alone.
            direction: direction - cell,
            pressure: pressure - gust,
            shower: shower(cell, gust),
        }
    }
}

fn scaled<const N: usize>(loadings: [f64; N], amplitude: f64) -> [f32; N] {
    loadings.map(|loading| (loading * amplitude) as f32)
}

impl Latent {
    /// What rain needs alone; the rest is 0.
    pub(in super::super) fn of_rain(noise: &Noise, climate: &Climate) -> Self {
        let amplitudes = &climate.amplitudes.precipitation;
        let rain = |(amplitude, noises): (&f64, &Column)| *amplitude as f32 * noises[PRECIPITATION];
        let precipitation = amplitudes.iter().zip(noise).map(rain).sum();
        let shower = shower(noise[0][CONVECTION], noise[0][WIND]);
        Self { precipitation, shower, ..Self::default() }
    }
}

/// A shower needs a passing cell of convection and a gust: either alone would last for two or
/// three hours, both together for one.
fn shower(cell: f32, gust: f32) -> f32 {
    if cell < gust { cell } else { gust }
}

/// The loading that is left to reach variance 1.
pub(in super::super) fn rest(loadings: &[f64]) -> f64 {
    let used: f64 = loadings.iter().map(|l| l * l).sum();
    (1.0 - used).max(0.0).sqrt()
}
