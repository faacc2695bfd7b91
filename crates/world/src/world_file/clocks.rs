//! What a world file states of clocks: how fast the phases of the day pass, and clocks next to the
//! world's own. Not here: the scale of the world's own clock, which is a key of the world.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::calendar::Phase;
use crate::clock::{PhaseSpeeds, Scale};
use crate::model::{CLOCK_COUNT_MAX, NamedClock};
use crate::source::{self, Table, WorldFileError};

const NAME_BYTES_MAX: usize = 32;
const SCALE_KEY: &str = "real_seconds_per_game_hour";
const SPEEDS_KEY: &str = "phase_speeds";
const PHASES: [Phase; 4] = [Phase::Dawn, Phase::Day, Phase::Dusk, Phase::Night];

pub(super) struct Clocks {
    pub(super) phase_speeds: PhaseSpeeds,
    pub(super) named: Vec<NamedClock>,
}

type Item<'v> = (&'v str, &'v DeValue<'v>);

pub(super) fn read(root: &mut Table<'_>, scale: Scale) -> Result<Clocks, WorldFileError> {
    let mut clocks = Clocks { phase_speeds: PhaseSpeeds::default(), named: Vec::new() };
    if root.has("clock") {
        root.with("clock", |value| {
            let table = value.as_table().ok_or_else(|| source::expected("a table", value))?;
            for (key, value) in items(table) {
                match key {
                    SPEEDS_KEY => clocks.phase_speeds = speeds(value)?,
                    _ => return Err(format!("expected the key {SPEEDS_KEY}, found {key}")),
                }
            }
            Ok(())
        })?;
    }
    if root.has("clocks") {
        clocks.named = root.with("clocks", |value| {
            let wanted = format!("1 to {CLOCK_COUNT_MAX} tables [clocks.NAME]");
            let table = value.as_table().filter(|t| (1..=CLOCK_COUNT_MAX).contains(&t.len()));
            let table = table.ok_or_else(|| source::expected(&wanted, value))?;
            let named = items(table).map(|(name, value)| named(name, value, scale));
            let mut named = named.collect::<Result<Vec<_>, _>>()?;
            named.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(named)
        })?;
    }
    Ok(clocks)
}

fn named(name: &str, value: &DeValue<'_>, scale: Scale) -> Result<NamedClock, String> {
    let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(plain) {
        return Err(format!(
            "expected a name of 1 to {NAME_BYTES_MAX} lower case letters, digits, - or _, \
             found {name:.40?}"
        ));
    }
    let table = value.as_table().ok_or_else(|| source::expected("a table", value))?;
    let phase_speeds = PhaseSpeeds::default();
    let mut clock = NamedClock { name: name.to_owned(), scale, phase_speeds };
    for (key, value) in items(table) {
        let at = |message: String| format!("{name}.{key}: {message}");
        match key {
            SCALE_KEY => {
                let text = source::number_text(value);
                let text =
                    text.ok_or_else(|| at(source::expected("a number such as 25", value)))?;
                clock.scale = text.parse().map_err(|error| at(format!("{error}")))?;
            }
            SPEEDS_KEY => clock.phase_speeds = speeds(value).map_err(at)?,
            _ => return Err(at(format!("expected one of the keys {SCALE_KEY}, {SPEEDS_KEY}"))),
        }
    }
    Ok(clock)
}

fn speeds(value: &DeValue<'_>) -> Result<PhaseSpeeds, String> {
    const WANTED: &str = "a table such as { night = 2 }";
    let table = value.as_table().ok_or_else(|| source::expected(WANTED, value))?;
    items(table).try_fold(PhaseSpeeds::default(), |speeds, (key, value)| {
        let phase = PHASES.into_iter().find(|phase| phase.name() == key);
        let phase = phase.ok_or_else(|| {
            format!("expected one of the phases dawn, day, dusk, night, found {key:.40}")
        })?;
        let speed = source::number_text(value).and_then(|text| text.parse().ok());
        let wanted = || format!("{SPEEDS_KEY}.{}", source::expected("a number", value));
        speeds.with(phase, speed.ok_or_else(wanted)?).map_err(|e| format!("{SPEEDS_KEY}.{e}"))
    })
}

fn items<'v>(table: &'v DeTable<'v>) -> impl Iterator<Item = Item<'v>> {
    let item = |(key, value): (&'v Spanned<_>, &'v Spanned<DeValue<'v>>)| {
        (AsRef::<str>::as_ref(key.get_ref()), value.get_ref())
    };
    table.iter().map(item)
}
