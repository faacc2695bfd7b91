//! The chronicle as a pure function: golden texts, arcs and their time-outs, and the same from any
//! order of delivery, over repeats and restarts.

mod kit;
mod orders;

use super::*;
use kit::{Script, ledger, texts};
use worldbus_events::v1::{Severity, WeatherState};

/// A fortnight of spring, a storm, a feast in the rain, a city that changes hands.
fn year_in_short() -> Script {
    let mut script = Script::default();
    script.feast(2, "Lantern Night");
    script.changed(2.4, "brussels", WeatherState::Cloudy, WeatherState::Rain);
    script.changed(2.6, "brussels", WeatherState::Rain, WeatherState::Clear);
    script.severe(4.0, "paris", WeatherState::Storm, Severity::Warning, 251);
    script.changed(4.3, "paris", WeatherState::HeavyRain, WeatherState::Storm);
    script.changed(4.5, "paris", WeatherState::Storm, WeatherState::Clear);
    script.alert_ended(4.5, "paris", false);
    script.summary(5, "paris", 12, 60, 31_000, 8);
    script.severe(6.0, "london", WeatherState::Blizzard, Severity::Extreme, 300);
    script.alert_ended(6.2, "london", true);
    script.ruler(7.0, "paris", "faction/harbour-guild");
    script.ruler(8.0, "paris", "faction/crown");
    script.changed(9.1, "zurich", WeatherState::Cloudy, WeatherState::Snow);
    script
}

#[test]
fn fixed_events_make_these_texts() {
    let found = texts(&year_in_short().play(&mut ledger()));
    let expected: Vec<&str> = GOLDEN.lines().collect();
    assert_eq!(found, expected, "\n{}\n", found.join("\n"));
}

/// A change of the rules or of the grammar shows here.
const GOLDEN: &str = "\
Lantern Night began on a Sunday, the third of March.
Lantern Night in Brussels was drowned out by rain.
It began to rain in Brussels in the morning.
Late, the sky over Brussels cleared, and Lantern Night was kept after all.
In the afternoon, the clouds broke in Brussels and the rain was over.
A warning went through Paris: a storm was on its way.
What had been foretold came: a storm broke over Paris.
Thunder rolled over Paris in the early morning, with gusts of 78 km/h.
After twelve hours, the storm moved on from Paris, where the wind had reached 90 km/h.
After the storm the air in Paris was still.
People in Paris mended what the storm had broken.
Paris caught 31 mm of rain on 5 March; it rained for eight hours.
A warning went through London: a blizzard was on its way.
The warning for London was called off, and nothing came of it.
The crown took Paris from the harbour guild.
Winter showed itself in Zurich: the first snow fell in the dead of night.
In the dead of night, the first flakes of a snowfall reached Zurich.";

#[test]
fn storm_goes_from_warning_to_aftermath_and_its_entries_share_its_id() {
    let news = year_in_short().play(&mut ledger());
    let advances: Vec<&Advance> = news
        .iter()
        .filter_map(|news| match news {
            News::Advance(advance) if advance.kind == "storm" => Some(advance),
            _ => None,
        })
        .collect();
    let of = |region: &str| {
        let of = advances.iter().filter(|advance| advance.region.as_deref() == Some(region));
        of.map(|advance| (advance.from.as_str(), advance.to.as_str())).collect::<Vec<_>>()
    };
    let paris = [("", "warned"), ("warned", "raging"), ("raging", "aftermath")];
    assert_eq!(of("paris"), [&paris[..], &[("aftermath", "over")]].concat());
    assert_eq!(of("london"), [("", "warned"), ("warned", "called_off")]);
    let arc = &advances[0].arc;
    let entries = news
        .iter()
        .filter(|news| matches!(news, News::Entry(entry) if entry.arc.as_ref() == Some(arc)));
    assert_eq!(entries.count(), 4);
}

#[test]
fn drought_is_counted_over_days_and_ends_with_rain() {
    let mut script = Script::default();
    for day in 1..=30 {
        script.summary(day, "berlin", 20, 40, 0, 0);
    }
    script.summary(31, "berlin", 15, 60, 9_000, 5);
    let news = script.play(&mut ledger());
    let rules: Vec<_> = news
        .iter()
        .filter_map(|news| match news {
            News::Entry(entry) => Some((entry.rule.as_str(), entry.text.as_str())),
            News::Advance(_) => None,
        })
        .filter(|(rule, _)| rule.starts_with("drought"))
        .collect();
    let names: Vec<_> = rules.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(names, ["drought.dry_spell", "drought.drought", "drought.relief"]);
    assert!(rules[2].1.contains("30"), "{rules:?}");
}

#[test]
fn arc_that_nothing_moves_ends_at_its_time_out_in_game_time() {
    let mut script = Script::default();
    script.severe(1.0, "rome", WeatherState::Storm, Severity::Warning, 200);
    script.severe(1.0, "prague", WeatherState::Storm, Severity::Warning, 200);
    script.hour(9.0);
    let news = script.play(&mut ledger());
    let last = news.iter().rev().find_map(|news| match news {
        News::Advance(advance) => Some(advance.clone()),
        News::Entry(_) => None,
    });
    let last = last.unwrap();
    // The sample world has no Rome.
    assert_eq!(last.region.as_deref(), Some("prague"));
    assert_eq!((last.to.as_str(), last.ended), ("over", true));
    assert_eq!(last.game_us, kit::day_us(1.0) + 120 * 3_600_000_000);
}

#[test]
fn time_that_is_set_back_undoes_what_was_under_way() {
    let mut script = Script::default();
    script.severe(5.0, "paris", WeatherState::Storm, Severity::Warning, 200);
    script.jump(6.0, 2.0);
    let mut ledger = ledger();
    let news = script.play(&mut ledger);
    let undone = |news: &News| matches!(news, News::Advance(a) if a.to == "undone" && a.ended);
    assert_eq!(news.iter().filter(|news| undone(news)).count(), 1);
    assert!(texts(&news).iter().any(|text| text.contains("Time itself turned back")));
}

#[test]
fn who_was_removed_is_named_and_is_no_newcomer_by_an_undo() {
    let mut script = Script::default();
    script.removed(1.0, "paris-7", Some("Ada Moreau"));
    script.removed(2.0, "the-fool", None);
    script.back(3.0, "Ada Moreau");
    script.hour(4.0);
    let texts = texts(&script.play(&mut ledger()));
    assert!(texts[0].starts_with("Ada Moreau "), "{texts:?}");
    assert!(texts[1].starts_with("The fool "), "{texts:?}");
    assert!(texts[2].contains("again") || texts[2].contains("back"), "{texts:?}");
}

#[test]
fn what_may_not_become_a_story_is_not_published() {
    let mut script = Script::default();
    script.summary(1, "berlin", 20, 40, 0, 0);
    script.feast(2, "Lantern Night");
    script.hour(30.0);
    let news = script.play(&mut ledger());
    assert!(news.iter().all(|news| matches!(news, News::Entry(entry) if entry.arc.is_none())));
}

#[test]
fn hostile_names_stay_one_line_of_text() {
    let mut script = Script::default();
    script.feast(2, "<script>\u{1b}[2J\u{202e}\n# Feast {region} [x|y]");
    let news = script.play(&mut ledger());
    for text in texts(&news) {
        assert!(!text.chars().any(char::is_control) && !text.contains('\u{202e}'), "{text:?}");
        assert!(text.contains("<script> [2J # Feast {region} [x|y]"), "{text}");
    }
}

#[test]
fn memory_of_what_was_applied_is_bounded() {
    let mut script = Script::default();
    for day in 1..1_500 {
        for region in [
            "berlin",
            "paris",
            "vienna",
            "london",
            "prague",
            "munich",
            "zurich",
            "cologne",
            "brussels",
            "amsterdam",
            "copenhagen",
        ] {
            script.summary(day, region, 20, 40, 0, 0);
        }
    }
    let mut ledger = ledger();
    script.play(&mut ledger);
    assert_eq!(ledger.done.len(), DONE_COUNT_MAX);
    assert!(ledger.waiting.is_empty());
    let again = script.play(&mut ledger);
    let arcs = again.iter().filter(|news| matches!(news, News::Advance(_)));
    assert_eq!(arcs.count(), 0);
}
