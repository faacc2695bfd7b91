//! Writes what the people of the sample world do over a day, as `docs/evidence/people`, and prints
//! how fast people are computed:
//!
//! ```text
//! cargo run --release -p worldbus-population --example evidence
//! ```
#![allow(clippy::disallowed_methods, reason = "it reads and writes files")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use worldbus_population::{Activity, Directives, Planner, Population, Skies, SkyChange, Sweep};
use worldbus_world::{Overrides, Weather, WeatherState, World};

const DAY: i64 = 1_440;
const QUARTER: i64 = 15;
/// Tuesday, 5 March, at midnight: the world begins on a Friday at 6.
const TUESDAY: i64 = 4 * DAY - 360;
const SATURDAY: i64 = DAY - 360;
/// 24 June.
const MIDSUMMER: i64 = 115 * DAY - 360;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 40.0;
const COLOURS: [&str; 14] = [
    "#33406b", "#b8b8b8", "#c77b30", "#e3b23c", "#7fb069", "#b5446e", "#8e7dbe", "#d1495b",
    "#9db4c0", "#4f9d9d", "#a3c96b", "#5c6f57", "#f08fb0", "#2f2f2f",
];

type Anything = Box<dyn std::error::Error>;

fn main() -> Result<(), Anything> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/evidence/people");
    std::fs::create_dir_all(&folder)?;
    let world = World::sample();
    let people = Arc::new(Population::read(&world)?);
    let fair = sky(&world, None);
    let storm = sky(&world, Some((TUESDAY + 10 * 60, TUESDAY + 15 * 60)));
    let days = [
        ("fair", "A working day in fair weather", &fair, TUESDAY),
        ("storm", "The same day with a storm from 10 to 15 o'clock", &storm, TUESDAY),
        ("market", "A market day in fair weather", &fair, SATURDAY),
        ("feast", "Midsummer in fair weather", &fair, MIDSUMMER),
    ];
    for (name, title, skies, begin) in days {
        let svg = day(&people, skies, begin, title);
        std::fs::write(folder.join(format!("{name}.svg")), svg)?;
    }
    speed()
}

/// A cloudy sky everywhere, but for a storm.
fn sky(world: &World, storm: Option<(i64, i64)>) -> Arc<Skies> {
    let cloudy = WeatherState::Cloudy;
    let mut changes = vec![SkyChange { minute: i64::MIN, state: cloudy }];
    if let Some((from, until)) = storm {
        changes.push(SkyChange { minute: from, state: WeatherState::Storm });
        changes.push(SkyChange { minute: until, state: cloudy });
    }
    Arc::new(Skies::received(vec![changes; world.regions.len()]))
}

/// The share of each activity at each quarter of an hour, one upon the other.
fn day(people: &Arc<Population>, skies: &Arc<Skies>, begin: i64, title: &str) -> String {
    let planner = Planner::new(Arc::clone(people), Arc::clone(skies), Directives::default());
    let mut sweep = Sweep::new(&planner, begin);
    let mut shares = Vec::new();
    for minute in (begin..=begin + DAY).step_by(QUARTER as usize) {
        sweep.advance(&planner, minute, |_| ());
        let mut counts = [0_u32; 14];
        for person in 0..people.len() {
            let (activity, _) = sweep.doing(&planner, person, minute);
            counts[activity as usize - 1] += 1;
        }
        shares.push(counts.map(|n| f64::from(n) / people.len() as f64));
    }
    chart(title, &shares)
}

fn chart(title: &str, shares: &[[f64; 14]]) -> String {
    let (plot_width, plot_height) = (WIDTH - LEFT - 130.0, HEIGHT - TOP - 40.0);
    let x = |at: usize| LEFT + plot_width * at as f64 / (shares.len() - 1) as f64;
    let y = |share: f64| TOP + plot_height * (1.0 - share);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{title}</text>\n"
    );
    let mut base = vec![0.0; shares.len()];
    for activity in Activity::ALL {
        let number = activity as usize - 1;
        let top: Vec<f64> = base.iter().zip(shares).map(|(base, of)| base + of[number]).collect();
        if top.iter().zip(&base).all(|(top, base)| top - base < 0.002) {
            continue;
        }
        let up = top.iter().enumerate().map(|(at, share)| (at, *share));
        let back = base.iter().enumerate().rev().map(|(at, share)| (at, *share));
        let points: Vec<String> =
            up.chain(back).map(|(at, share)| format!("{:.1},{:.1}", x(at), y(share))).collect();
        let _ = writeln!(
            svg,
            "<polygon fill=\"{}\" points=\"{}\"/>",
            COLOURS[number],
            points.join(" ")
        );
        base = top;
    }
    for hour in (0..=24).step_by(3) {
        let at = LEFT + plot_width * f64::from(hour) / 24.0;
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{hour}</text>",
            HEIGHT - 20.0
        );
    }
    for percent in [0, 25, 50, 75, 100] {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{percent} %</text>",
            LEFT - 6.0,
            y(f64::from(percent) / 100.0) + 4.0
        );
    }
    for (at, activity) in Activity::ALL.into_iter().enumerate() {
        let (left, top) = (WIDTH - 118.0, TOP + 18.0 * at as f64);
        let _ = writeln!(
            svg,
            "<rect x=\"{left}\" y=\"{top}\" width=\"12\" height=\"12\" fill=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{activity}</text>",
            COLOURS[at],
            left + 18.0,
            top + 10.0
        );
    }
    svg + "</svg>\n"
}

fn resident_bytes() -> Result<u64, Anything> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    Ok(pages.split_whitespace().nth(1).unwrap_or_default().parse::<u64>()? * 4_096)
}

/// How long a hundred thousand people take, and one question about one of them.
fn speed() -> Result<(), Anything> {
    let text = World::sample().file.text.replace("per_region = 100", "per_region = 8400");
    let text = text.replace("capacity = 250\n", "capacity = 9000\n");
    let text = text.replace("capacity = 30\n", "capacity = 900\n");
    let world = World::parse("many.toml", &text)?;
    let (begun, before) = (Instant::now(), resident_bytes()?);
    let people = Population::read(&world)?;
    let (count, made) = (people.len(), resident_bytes()?);
    println!("{count} people made in {:?}", begun.elapsed());
    let skies = Skies::new(Weather::new(&world), Overrides::default());
    let planner = Planner::new(people, skies, Directives::default());
    let begun = Instant::now();
    let mut sweep = Sweep::new(&planner, TUESDAY);
    println!("placed at midnight in {:?}", begun.elapsed());
    let each = |bytes: u64| bytes / count as u64;
    let (people, standing) = (each(made - before), each(resident_bytes()? - made));
    println!("bytes a person: {people} for who they are, {standing} for where they stand");
    let (begun, mut changes) = (Instant::now(), 0_u64);
    sweep.advance(&planner, TUESDAY + DAY, |_| changes += 1);
    let took = begun.elapsed();
    println!("a day: {changes} changes in {took:?}, {:?} a change", took / changes as u32);
    let begun = Instant::now();
    let spans: usize =
        (0..1_000).map(|n| planner.spans(n * 97, TUESDAY, TUESDAY + 7 * DAY).len()).sum();
    println!("a plan of a week: {:?} ({spans} spans of 1000 people)", begun.elapsed() / 1_000);
    let begun = Instant::now();
    let candidates: usize =
        (0..1_000).map(|n| planner.why(n * 97, TUESDAY + 17 * 60).candidates.len()).sum();
    println!("a why: {:?} ({candidates} candidates)", begun.elapsed() / 1_000);
    Ok(())
}
