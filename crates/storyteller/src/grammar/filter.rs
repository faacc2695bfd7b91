//! Filters: what a slot does to its value before it is text. Not here: slots (`template`).

use super::english::{
    article, capitalise, digits, list, ordinal, ordinal_words, plural, words as number_words,
};
use super::value::{Shape, Value, plain};
use super::words;
use worldbus_world::{GameTime, World};

/// A filter of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// `cap`: the first letter is a capital.
    Cap,
    /// `a`: with its article.
    Article,
    /// `the`: with `the` before it, unless it is there.
    The,
    /// `region`: the name of a region's id.
    Region,
    /// `weather`: a state of the weather as a noun.
    Weather,
    /// `thing`: the last part of an id, as words.
    Thing,
    /// `words`: a number in words up to twelve.
    Words,
    /// `ordinal`: `first` up to `twelfth`, then `13th`.
    Ordinal,
    /// `digits`: a number in digits.
    Digits,
    /// `count:NOUN`: `three days`.
    Count(String),
    /// `celsius`: tenths of a degree, as `18 degrees`.
    Celsius,
    /// `kmh`: tenths of a metre a second, as `72 km/h`.
    Kmh,
    /// `mm`: micrometres, as `12 mm`.
    Millimetres,
    /// `cm`: millimetres, as `20 cm`.
    Centimetres,
    /// `metres`: `400 metres`.
    Metres,
    /// `percent`: thousandths, as `80 percent`.
    Percent,
    /// `day`: `3 March`.
    Day,
    /// `spoken`: `the third of March`.
    Spoken,
    /// `weekday`: `Friday`.
    Weekday,
    /// `month`: `March`.
    Month,
    /// `year`: `2024`.
    Year,
    /// `season`: the season of the world's first region.
    Season,
    /// `part_of_day`: `in the morning`.
    PartOfDay,
    /// `list`: `a, b and c`.
    List,
}

const NAMES: &str = "cap, a, the, region, weather, thing, words, ordinal, digits, count:NOUN, \
                     celsius, kmh, mm, cm, metres, percent, day, spoken, weekday, month, year, \
                     season, part_of_day, list";

impl Filter {
    /// The filter of a name.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(noun) = text.strip_prefix("count:") {
            let fits = !noun.is_empty() && noun.chars().all(|c| c.is_alphabetic() || c == ' ');
            return match fits {
                true => Ok(Self::Count(noun.to_owned())),
                false => Err(format!("expected a noun behind `count:`, found `{noun:.40}`")),
            };
        }
        Ok(match text {
            "cap" => Self::Cap,
            "a" => Self::Article,
            "the" => Self::The,
            "region" => Self::Region,
            "weather" => Self::Weather,
            "thing" => Self::Thing,
            "words" => Self::Words,
            "ordinal" => Self::Ordinal,
            "digits" => Self::Digits,
            "celsius" => Self::Celsius,
            "kmh" => Self::Kmh,
            "mm" => Self::Millimetres,
            "cm" => Self::Centimetres,
            "metres" => Self::Metres,
            "percent" => Self::Percent,
            "day" => Self::Day,
            "spoken" => Self::Spoken,
            "weekday" => Self::Weekday,
            "month" => Self::Month,
            "year" => Self::Year,
            "season" => Self::Season,
            "part_of_day" => Self::PartOfDay,
            "list" => Self::List,
            _ => return Err(format!("unknown filter `{text:.40}`; filters: {NAMES}")),
        })
    }

    /// What it needs; it always makes a text.
    pub(crate) fn takes(&self) -> Shape {
        match self {
            Self::Cap | Self::Article | Self::The => Shape::Text,
            Self::Region | Self::Weather | Self::Thing => Shape::Text,
            Self::Words | Self::Ordinal | Self::Digits | Self::Count(_) => Shape::Number,
            Self::Celsius | Self::Kmh | Self::Millimetres => Shape::Number,
            Self::Centimetres | Self::Metres | Self::Percent => Shape::Number,
            Self::Day | Self::Spoken | Self::Weekday | Self::Month => Shape::Game,
            Self::Year | Self::Season | Self::PartOfDay => Shape::Game,
            Self::List => Shape::List,
        }
    }

    /// The text that it makes of a value; a value of another shape is shown as it is.
    pub(crate) fn apply(&self, value: &Value, world: &World) -> String {
        match value {
            Value::Text(text) => self.of_text(text, world),
            Value::Number(number) => self.of_number(*number),
            Value::Game(us) => self.of_game(GameTime(*us), world),
            Value::List(names) => list(names),
            Value::Flag(flag) => flag.to_string(),
        }
    }

    fn of_text(&self, text: &str, world: &World) -> String {
        match self {
            Self::Cap => capitalise(text),
            Self::Article => article(text),
            Self::The if text.to_lowercase().starts_with("the ") => text.to_owned(),
            Self::The => format!("the {text}"),
            Self::Region => words::region(world, text),
            Self::Weather => words::weather(text),
            Self::Thing => words::thing(text),
            _ => text.to_owned(),
        }
    }

    fn of_number(&self, number: i64) -> String {
        match self {
            Self::Words => number_words(number),
            Self::Ordinal if (1..=12).contains(&number) => ordinal_words(number),
            Self::Ordinal => ordinal(number),
            Self::Count(noun) => format!("{} {}", number_words(number), plural(noun, number)),
            Self::Celsius => {
                let degrees = rounded(number, 10);
                format!("{} {}", digits(degrees), plural("degree", degrees.abs()))
            }
            // 0.1 m/s are 0.36 km/h.
            Self::Kmh => format!("{} km/h", digits(rounded(number * 36, 100))),
            Self::Millimetres => format!("{} mm", digits(rounded(number, 1_000))),
            Self::Centimetres => format!("{} cm", digits(rounded(number, 10))),
            Self::Metres => format!("{} {}", digits(number), plural("metre", number)),
            Self::Percent => format!("{} percent", digits(rounded(number, 10))),
            _ => digits(number),
        }
    }

    fn of_game(&self, game: GameTime, world: &World) -> String {
        let calendar = world.calendar();
        let day = calendar.day(game);
        match self {
            Self::Spoken => words::day_spoken(&calendar, game),
            Self::Weekday => words::weekday(&calendar, game),
            Self::Month => plain(&calendar.rules().months()[usize::from(day.month) - 1].name),
            Self::Year => day.year.to_string(),
            Self::Season => plain(&calendar.season(game, world.hemisphere()).name).to_lowercase(),
            Self::PartOfDay => words::part_of_day(&calendar, game).to_owned(),
            _ => words::day_name(&calendar, &day),
        }
    }
}

/// To the nearest, halves away from 0.
fn rounded(number: i64, unit: i64) -> i64 {
    (number.abs() + unit / 2) / unit * number.signum()
}
