//! Makes presets: simulates decades of a few draws of the world's own field and moves a preset's
//! figures until the simulated weather is like the observed. What was not observed is lent by
//! another preset, and reported. Deterministic. Not here: files.

mod air;
mod base;
mod draws;
mod goals;
mod months;
mod nearest;
mod rain;
mod search;
mod sky;
mod tables;
mod temperature;

use self::base::Base;
use self::draws::Draws;
use self::goals::Goals;
use self::tables::Scores;
use crate::normals::Normals;
use crate::observations::Record;
use crate::targets::Place;
use worldbus_world::preset::{Preset, SLOT_COUNT, Table};

/// Years of each draw: as many as presets are judged by.
pub const YEAR_COUNT: u32 = 30;
const WIND_CMPS_MAX: f64 = 9000.0;
const DEPRESSION_CK_MAX: f64 = 6000.0;

/// Makes presets. Holds the noise of the years that they are tried upon.
#[derive(Debug)]
pub struct Builder {
    draws: Draws,
    /// Called with what is begun.
    progress: fn(&str),
}

/// A preset, and what it has from elsewhere.
#[derive(Clone, Debug)]
pub struct Built {
    /// The preset.
    pub preset: Preset,
    /// What was not in the observations and where it was taken from, a sentence each.
    pub notes: Vec<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::of_years(YEAR_COUNT)
    }
}

impl Builder {
    /// One that tries presets on so many years: fewer are faster, and leave more to chance.
    pub fn of_years(year_count: u32) -> Self {
        Self::with_progress(year_count, |_| {})
    }

    /// The same; `progress` is called with each part of the work as it is begun, this one included.
    pub fn with_progress(year_count: u32, progress: fn(&str)) -> Self {
        progress("drawing years of weather");
        Self { draws: Draws::of_years(year_count), progress }
    }

    /// A preset from observations, daily or hourly. `base` lends what they lack; with none it is
    /// the built-in climate that is nearest.
    ///
    /// # Errors
    /// A record too short or without precipitation and states.
    pub fn of_record(
        &self,
        record: &Record,
        place: Place,
        base: Option<&Preset>,
    ) -> Result<Built, String> {
        check(record)?;
        let base = self.base(base, &nearest::of_record(record), place.latitude);
        let goals = Goals::of_record(record, place, &base);
        let (mut preset, lent) = self.calibrate(record, &goals, &base);
        let name = &base.preset.name;
        let note = |what: &&str| format!("{what}: not in the observations, as in {name}.");
        let notes: Vec<String> = lent.iter().map(note).collect();
        preset.validated = validated(&lent);
        preset.source = [&[preset.source][..], &notes].concat().join(" ");
        Ok(Built { notes, preset })
    }

    /// The built-in climate that is most like normals, on either side of the equator, but for some.
    pub fn nearest(&self, normals: &Normals, latitude: f64, but: &[&str]) -> Preset {
        nearest::preset(normals, latitude, self.draws.any(), but)
    }

    /// A preset from twelve normals; `base` as in [`Self::of_record`].
    pub fn of_normals(&self, normals: &Normals, place: Place, base: Option<&Preset>) -> Built {
        let base = self.base(base, normals, place.latitude);
        let goals = Goals::of_normals(normals, place, &base);
        let (mut preset, _) = self.calibrate(&Record::default(), &goals, &base);
        (self.progress)("moving moisture and wind to their normals");
        air::moisten(&mut preset, normals, &self.draws);
        air::blow(&mut preset, normals, &base);
        (self.progress)("looking for fog, thunder and the extremes again");
        sky::cut(&mut preset, &self.draws, self.draws.hour_count(), &goals);
        sky::extremes(&mut preset, &self.draws, &goals);
        let name = &base.preset.name;
        let mut notes = normals.notes(name);
        notes.push(format!(
            "What lasts how long: a prior. Cloud, fog, mist, thunder: as in {name}."
        ));
        preset.validated = "Nothing of it: it was made of twelve normals.".to_owned();
        preset.source = [&[preset.source][..], &notes].concat().join(" ");
        Built { notes, preset }
    }

    /// The preset that lends, on this side of the equator, and what it is like.
    fn base(&self, base: Option<&Preset>, like: &Normals, latitude: f64) -> Base {
        (self.progress)("comparing with the built-in climates");
        let base = base.cloned().unwrap_or_else(|| self.nearest(like, latitude, &[]));
        Base::of(&base, self.draws.any()).on_side_of(latitude)
    }

    fn calibrate(
        &self,
        record: &Record,
        goals: &Goals,
        base: &Base,
    ) -> (Preset, Vec<&'static str>) {
        let draws = &self.draws;
        let mut preset = base.preset.clone();
        preset.name = goals.targets.name.clone();
        preset.source = goals.targets.source.clone();
        preset.latitude = goals.targets.latitude;
        preset.elevation_m = goals.targets.elevation_m;
        let lent = observed_tables(&mut preset, record);
        let scores = Scores::of(record);
        scores.apply(&mut preset);
        let goals = &mut goals.clone();
        (self.progress)("fitting rain");
        rain::calibrate(&mut preset, draws, goals);
        let shape = tables::shape_of_record(record);
        let shape = shape.unwrap_or_else(|| tables::shape_of_preset(&base.preset));
        (self.progress)("fitting temperature");
        temperature::calibrate(&mut preset, draws, goals, shape);
        (self.progress)("fitting cloud, fog, thunder and the extremes");
        sky::calibrate(&mut preset, draws, goals, &scores);
        sky::cut(&mut preset, draws, draws.hour_count(), goals);
        sky::heavy(&mut preset, draws, goals);
        sky::extremes(&mut preset, draws, goals);
        (preset, lent)
    }
}

/// Puts the tables that the record has; names those that it lacks.
fn observed_tables(preset: &mut Preset, record: &Record) -> Vec<&'static str> {
    let mut lent = Vec::new();
    let mut put = |table: &mut Table, found: Option<Table>, what| match found {
        Some(found) => *table = found,
        None => lent.push(what),
    };
    let depression = tables::table(record, tables::depression_k, 100.0, DEPRESSION_CK_MAX);
    put(&mut preset.depression, depression, "humidity");
    let wind = tables::table(record, |hour| hour.wind_ms, 100.0, WIND_CMPS_MAX);
    put(&mut preset.wind, wind, "wind");
    let cloud = tables::cloud(record);
    put(&mut preset.cloud, cloud, "cloud");
    if record.hours.iter().all(|hour| hour.state.is_none()) {
        lent.push("shares of fog, mist and thunder");
    }
    if record.hours.is_empty() {
        lent.push("the course of a day");
    }
    if record.days.iter().all(|day| day.precip_mm.is_none()) {
        lent.push("amounts of rain");
    }
    lent
}

fn check(record: &Record) -> Result<(), String> {
    const DAY_COUNT_MIN: usize = 330;
    if record.days.len() < DAY_COUNT_MIN {
        let found = record.days.len();
        return Err(format!("expected at least {DAY_COUNT_MIN} whole days, found {found}"));
    }
    let of_month = |month: u8| record.days.iter().filter(|day| day.month == month).count();
    if let Some(month) = (1..=12).find(|month| of_month(*month) < 20) {
        return Err(format!("expected at least 20 days of month {month}, found fewer"));
    }
    let amounts = record.days.iter().any(|day| day.precip_mm.is_some());
    let states = record.hours.iter().any(|hour| hour.state.is_some());
    if !amounts && !states {
        return Err("expected precip_mm or state, found neither".to_owned());
    }
    Ok(())
}

/// Which figures of a preset stand for observations.
fn validated(lent: &[&str]) -> String {
    let all = ["amounts of rain", "humidity", "wind", "cloud", "shares of fog, mist and thunder"];
    let (not, known): (Vec<&str>, Vec<&str>) = all.iter().partition(|what| lent.contains(what));
    let known = known.join(", ");
    let not = if not.is_empty() { "nothing".to_owned() } else { not.join(", ") };
    format!("Compared with the record: temperature, spells of rain, {known}. Not compared: {not}.")
}

/// The preset as it would be on the other side of the equator: half a year later.
fn other_side(preset: &Preset) -> Preset {
    let turn = |table: &Table| {
        let rows = table.rows();
        let at = |m: usize, s: usize, z: f64| {
            let row = &rows[(m + 6) % 12 * SLOT_COUNT + s];
            row[(z * 2.0 + 8.0).round() as usize]
        };
        Table::from_quantiles(at)
    };
    let mut turned = preset.clone();
    for months in [
        &mut turned.rain_onset_z,
        &mut turned.rain_rate_mmph,
        &mut turned.shower_onset_z,
        &mut turned.fog_depression_k,
        &mut turned.mist_depression_k,
        &mut turned.thunder_cut,
    ] {
        months.rotate_left(6);
    }
    turned.temperature_rain.rotate_left(6);
    turned.latitude = -preset.latitude;
    turned.temperature = turn(&preset.temperature);
    turned.depression = turn(&preset.depression);
    turned.wind = turn(&preset.wind);
    turned.cloud = turn(&preset.cloud);
    turned
}
