//! A decision: the candidates, the score of each by what it was made of, and the best.
//! Not here: when one decides (`walk`), which slot of the day it is (`day`).

use super::day::Day;
use super::inputs::Inputs;
use super::stand::{Stand, way_minutes};
use crate::activity::{Activity, Cause};
use crate::chance::Draw;
use crate::model::{CHARACTER_MAX, NOWHERE};
use crate::routine::{Does, Slot};
use worldbus_world::WeatherState;

/// Candidates of a decision at the most.
const CANDIDATE_COUNT_MAX: usize = 8;
/// What a directive is worth: more than all else together.
const ORDER: i32 = 10_000;
const ROUTINE: i32 = 1_000;
const PASTIME: i32 = 300;
const HABIT: i32 = 100;
/// A character of 1000 instead of 500 adds this.
const CHARACTER: i32 = 300;
/// Hunger rises to this in so many minutes after a meal, and no further.
const HUNGER: i32 = 1_000;
const HUNGRY_MINUTES: i64 = 480;
/// From this hunger on a meal is a candidate.
const HUNGER_MIN: i32 = 700;
/// The wish for company rises to this over the day.
const COMPANY: i32 = 400;
/// The wish for rest rises to this over the day.
const TIREDNESS: i32 = 500;
/// How long a pastime takes.
const PASTIME_MINUTES: i64 = 50;
const PASTIME_MORE_MINUTES: u64 = 91;
const MEAL_MINUTES: i64 = 40;
/// One does not set out for less at a place.
const STAY_MINUTES_MIN: i64 = 10;
/// Ways of so many minutes through weather count as much as standing in it.
const WAY_MINUTES_IN: i64 = 20;
const WAY_MINUTES_OUT: i64 = 60;
/// Longer ways than that count no more.
const WAY_MINUTES_COUNTED: i64 = 40;

/// What there is to choose from, with its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What.
    pub activity: Activity,
    /// Where, by rank.
    pub place: usize,
    /// Why it is a candidate.
    pub cause: Cause,
    /// What its score was made of.
    pub score: Score,
}

/// What a score is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// How well it fits the hour, or a directive.
    pub fit: i32,
    /// The need that it meets.
    pub need: i32,
    /// What the person is like.
    pub character: i32,
    /// The weather there and on the way, 0 or below.
    pub weather: i32,
    /// The way, 0 or below.
    pub way: i32,
    /// It is what the person does already.
    pub habit: i32,
}

/// What a person wishes to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) activity: Activity,
    pub(super) place: u32,
    pub(super) cause: Cause,
    pub(super) because: i64,
    /// When it decides again, if nothing comes between.
    pub(super) until: i64,
}

/// What a decision came to.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) candidates: Vec<Candidate>,
    /// Where in them.
    pub(super) best: usize,
    pub(super) wish: Wish,
}

impl Score {
    /// The sum of its parts.
    pub fn total(&self) -> i32 {
        self.fit + self.need + self.character + self.weather + self.way + self.habit
    }
}

/// What a person decides at a minute, as it stands then.
pub(super) fn decide(inputs: &Inputs, stand: &Stand, minute: i64) -> Choice {
    let person = stand.person as usize;
    let mut options = Options::new(inputs, stand, minute);
    if let Some(directive) = inputs.directives.at(&inputs.people, person, minute) {
        let place = directive.place.or_else(|| options.usual(directive.activity, None));
        let place = place.unwrap_or_else(|| inputs.people.home(person));
        options.add(directive.activity, place, Cause::Directive, ORDER, directive.end);
        options.because = directive.rev as i64;
        return options.choose();
    }
    let last_call = options.day.last_call();
    if minute >= last_call {
        let Does::One(activity) = options.day.last().does else { return options.at_home() };
        let (_, end) = options.day.slot(minute);
        options.add(activity, inputs.people.home(person), Cause::Routine, ROUTINE, end);
        return options.choose();
    }
    let (slot, end) = options.day.slot(minute);
    let end = end.min(last_call);
    match slot.does {
        Does::One(activity) => options.routine(slot, activity, end),
        Does::Free => options.pastimes(end),
    }
    options.meal(slot, end);
    options.shelter(end);
    options.choose()
}

struct Options<'a> {
    inputs: &'a Inputs,
    person: usize,
    stand: &'a Stand,
    minute: i64,
    day: Day<'a>,
    state: WeatherState,
    because: i64,
    list: Vec<(Candidate, i64)>,
}

impl<'a> Options<'a> {
    fn new(inputs: &'a Inputs, stand: &'a Stand, minute: i64) -> Self {
        let person = stand.person as usize;
        let day = Day::of(inputs, person, minute);
        let state = inputs.state(inputs.people.person(person).region, minute);
        let list = Vec::with_capacity(CANDIDATE_COUNT_MAX);
        Self { inputs, person, stand, minute, day, state, because: 0, list }
    }

    /// What the slot is for; where it cannot be, one is at home.
    fn routine(&mut self, slot: &Slot, activity: Activity, end: i64) {
        let fits = slot.only_if.is_none_or(|sky| sky.holds(self.state));
        let place = self.usual(activity, slot.kind).filter(|_| fits);
        if let Some((place, end)) = place.and_then(|place| self.open(place, end)) {
            self.add(activity, place, Cause::Routine, ROUTINE, end);
        } else {
            self.add(Activity::Rest, self.home(), Cause::Routine, ROUTINE, end);
        }
    }

    /// What one may do as one likes.
    fn pastimes(&mut self, end: i64) {
        let chance = self.inputs.people.made.chance;
        let (who, which) = (self.person as u64, self.minute as u64);
        let more = chance.below(Draw::Pastime, who, which, PASTIME_MORE_MINUTES) as i64;
        let end = end.min(self.minute + PASTIME_MINUTES + more);
        for activity in Activity::PASTIMES {
            let place = self.usual(activity, None);
            if let Some((place, end)) = place.and_then(|place| self.open(place, end)) {
                self.add(activity, place, Cause::Need, PASTIME, end);
            }
        }
        self.add(Activity::Rest, self.home(), Cause::Need, PASTIME, end);
    }

    fn meal(&mut self, slot: &Slot, end: i64) {
        let plain = !matches!(slot.does, Does::One(Activity::Eat | Activity::Sleep));
        if plain && self.hunger() >= HUNGER_MIN {
            let end = end.min(self.minute + MEAL_MINUTES);
            self.add(Activity::Eat, self.home(), Cause::Need, 0, end);
        }
    }

    /// Under a roof until the weather is better.
    fn shelter(&mut self, end: i64) {
        let weight = weight(self.state);
        if weight == 0 {
            return;
        }
        if let Some((place, end)) = self.nearest_roof(end) {
            let fit = 200 + weight / 5;
            self.add(Activity::Shelter, place, Cause::Weather, fit, end);
        }
    }

    fn add(&mut self, activity: Activity, place: usize, cause: Cause, fit: i32, end: i64) {
        let way = self.way(place);
        let score = Score {
            fit,
            need: self.need(activity, cause),
            character: self.character(activity, cause),
            weather: self.exposure(place, way),
            way: -(way.min(WAY_MINUTES_COUNTED) as i32) * 4,
            habit: if self.does(activity, place) { HABIT } else { 0 },
        };
        let until = end.max(self.minute + 1);
        self.list.push((Candidate { activity, place, cause, score }, until));
    }

    /// The best of what was added; of equals the first.
    fn choose(self) -> Choice {
        let scores = self.list.iter().map(|(candidate, _)| candidate.score.total());
        let best = scores.enumerate().max_by_key(|(at, score)| (*score, usize::MAX - at));
        let best = best.map_or(0, |(at, _)| at);
        let (candidate, until) = self.list[best];
        let because = match candidate.cause {
            Cause::Weather => {
                self.inputs.sky(self.inputs.people.person(self.person).region, self.minute).minute
            }
            Cause::Directive => self.because,
            Cause::Routine | Cause::Need => 0,
        };
        let Candidate { activity, place, cause, .. } = candidate;
        let wish = Wish { activity, place: place as u32, cause, because, until };
        let candidates = self.list.into_iter().map(|(candidate, _)| candidate).collect();
        Choice { candidates, best, wish }
    }

    fn at_home(mut self) -> Choice {
        let (home, end) = (self.home(), self.day.end());
        self.add(Activity::Rest, home, Cause::Routine, ROUTINE, end);
        self.choose()
    }

    fn home(&self) -> usize {
        self.inputs.people.home(self.person)
    }

    /// The place of an activity: of the kind that is named, or of the usual one.
    fn usual(&self, activity: Activity, kind: Option<usize>) -> Option<usize> {
        let people = &self.inputs.people;
        let kind = match (kind, activity.kind()) {
            (Some(kind), _) => kind,
            (None, None) => return people.workplace(self.person),
            (None, Some(name)) => people.kind(name)?,
        };
        people.haunt(self.person, kind)
    }

    /// A place, if it is open, with the minute until which one may stay.
    fn open(&self, place: usize, end: i64) -> Option<(usize, i64)> {
        let people = &self.inputs.people;
        let there = self.minute + self.way(place);
        let (day, minute) = self.inputs.days.split(there);
        let hours = &people.places()[place].open;
        let weekday = match hours.closed.is_empty() {
            true => None,
            false => people.made.calendar.day_of_number(day).weekday,
        };
        let closes = hours.until_closing(minute, weekday, self.inputs.days.minutes)?;
        let end = closes.map_or(end, |closes| end.min(there + closes));
        (there + STAY_MINUTES_MIN <= end).then_some((place, end))
    }

    /// Where it is dry: here, if there is a roof, or at the nearest of one's places that has one.
    fn nearest_roof(&self, end: i64) -> Option<(usize, i64)> {
        let people = &self.inputs.people;
        let row = people.haunts(self.person);
        let here = self.stand.place as usize;
        let haunts = row.iter().filter(|place| **place != NOWHERE).map(|place| *place as usize);
        let work = people.workplace(self.person);
        let all = [here, self.home()].into_iter().chain(work).chain(haunts);
        let roofed = all.filter(|place| people.places()[*place].is_roofed());
        let open = roofed.filter_map(|place| self.open(place, end));
        open.min_by_key(|(place, _)| (people.distance_m(here, *place), *place))
    }

    fn way(&self, place: usize) -> i64 {
        way_minutes(&self.inputs.people, self.stand.place as usize, place, self.state)
    }

    fn is_outdoors(&self) -> bool {
        !self.inputs.people.places()[self.stand.place as usize].is_roofed()
    }

    /// What the weather takes off: there, and on the way.
    fn exposure(&self, place: usize, way: i64) -> i32 {
        let weight = i64::from(weight(self.state));
        let roof = i64::from(self.inputs.people.places()[place].roof_permille);
        let there = weight * (1_000 - roof) / 1_000;
        // Who is outdoors is wet already.
        let per = if self.is_outdoors() { WAY_MINUTES_OUT } else { WAY_MINUTES_IN };
        let on_the_way = weight * way.min(WAY_MINUTES_COUNTED) / per;
        let hardy = i64::from(self.inputs.people.person(self.person).character.hardy);
        -((there + on_the_way) * (1_200 - hardy * 4 / 10) / 1_000) as i32
    }

    fn need(&self, activity: Activity, cause: Cause) -> i32 {
        match (activity, cause) {
            (Activity::Eat, Cause::Need) => self.hunger(),
            (Activity::Socialize, Cause::Need) => self.company(),
            (Activity::Rest, Cause::Need) => self.tiredness(),
            _ => 0,
        }
    }

    /// 0 to [`HUNGER`], by the time since the last meal.
    fn hunger(&self) -> i32 {
        let since = (self.minute - self.stand.ate).clamp(0, HUNGRY_MINUTES);
        (i64::from(HUNGER) * since / HUNGRY_MINUTES) as i32
    }

    /// 0 to [`COMPANY`], by the time of day, from where the person begins it.
    fn company(&self) -> i32 {
        let (chance, who) = (self.inputs.people.made.chance, self.person as u64);
        let day = self.day.begins() as u64;
        let first = chance.below(Draw::Company, who, day, COMPANY as u64) as i32;
        let since = (self.minute - self.day.begins()) * i64::from(COMPANY);
        (first + (since / self.inputs.days.minutes) as i32).min(COMPANY)
    }

    /// 0 to [`TIREDNESS`], by the time of day.
    fn tiredness(&self) -> i32 {
        let since = (self.minute - self.day.begins()) * i64::from(TIREDNESS);
        (since / self.inputs.days.minutes) as i32
    }

    fn character(&self, activity: Activity, cause: Cause) -> i32 {
        let character = &self.inputs.people.person(self.person).character;
        let of = |value: u16| {
            (i32::from(value) - i32::from(CHARACTER_MAX) / 2) * 2 * CHARACTER
                / i32::from(CHARACTER_MAX)
        };
        match (activity, cause) {
            (_, Cause::Directive | Cause::Weather) => 0,
            (Activity::Work | Activity::Patrol | Activity::Study, _) => of(character.diligent) / 2,
            (Activity::Socialize | Activity::Celebrate, _) => of(character.sociable),
            (Activity::Worship, _) => of(character.devout) - 150,
            (Activity::Play | Activity::Shop, _) => -200,
            (Activity::Rest, _) => -of(character.sociable) / 2,
            _ => 0,
        }
    }

    fn does(&self, activity: Activity, place: usize) -> bool {
        self.stand.activity == activity && self.stand.place as usize == place
    }
}

/// How much the weather matters to who is in it.
fn weight(state: WeatherState) -> i32 {
    match state {
        WeatherState::Blizzard => 3_500,
        WeatherState::Storm => 3_000,
        WeatherState::HeavyRain => 1_200,
        WeatherState::HeavySnow => 1_000,
        WeatherState::ExtremeHeat | WeatherState::ExtremeCold => 900,
        WeatherState::Rain | WeatherState::Snow => 300,
        WeatherState::Windy => 150,
        WeatherState::Fog => 50,
        WeatherState::Mist
        | WeatherState::Clear
        | WeatherState::PartlyCloudy
        | WeatherState::Cloudy => 0,
    }
}
