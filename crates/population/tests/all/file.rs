//! What a world's file states of its people, and mistakes in it.

use std::time::{Duration, Instant};

use crate::kit::{people, world};
use worldbus_population::Population;
use worldbus_world::World;

fn sample() -> &'static str {
    include_str!("../../../../worlds/europe.toml")
}

fn read(text: &str) -> Result<Population, String> {
    let world = World::parse("w.toml", text).map_err(|error| error.to_string())?;
    Population::read(&world).map_err(|error| error.to_string())
}

fn refused(from: &str, to: &str) -> String {
    let text = sample().replacen(from, to, 1);
    assert_ne!(text, sample(), "{from} is not in the sample");
    read(&text).unwrap_err()
}

#[test]
fn sample_world_has_twelve_hundred_people_in_a_dozen_roles_with_ids_of_their_own() {
    let people = people(&world(20_240_301));
    assert_eq!((people.len(), people.roles().len()), (1_201, 14));
    for rank in 0..people.len() {
        assert_eq!(people.rank(&people.id(rank)), Some(rank));
    }
    let mayor = people.rank("mayor-of-brussels").unwrap();
    assert_eq!(people.name(mayor), "Margriet Verbeke");
    assert_eq!(people.person(mayor).character.sociable, 900);
    assert_eq!(people.id(0), "brussels-1");
    for id in ["brussels-0", "brussels-01", "brussels-+1", "brussels-101", "nowhere-1", "", "-"] {
        assert_eq!(people.rank(id), None, "{id}");
    }
}

#[test]
fn household_shares_its_name_and_world_without_people_has_none() {
    let people = people(&world(3));
    let family = |rank| people.name(rank).rsplit(' ').next().unwrap().to_owned();
    for rank in 1..100 {
        let other = (0..rank).find(|other| people.home(*other) == people.home(rank));
        assert!(other.is_none_or(|other| family(other) == family(rank)));
    }
    let text = sample().split("# The people:").next().unwrap();
    assert!(read(text).unwrap().is_empty());
}

#[test]
fn mistakes_name_file_line_key_and_what_was_expected() {
    for (from, to, wanted) in [
        ("per_region = 100", "per_regoin = 100", "did you mean `per_region`?"),
        ("per_region = 100", "per_region = 10000000", "people.per_region: expected a whole number"),
        ("per_region = 100", "per_region = 100000", "people: expected at most 1048576 people"),
        ("capacity = 6\n", "capacity = 2\n", "region brussels: expected room for 101 people"),
        ("capacity = 6\n", "capacity = 0\n", "places[0].capacity: expected a whole number from 1"),
        ("kind = \"field\"", "kind = \"mine\"", "workplace: expected a kind of places"),
        (
            "capacity = 8\nroof_permille = 0",
            "capacity = 1\nroof_permille = 0",
            "roles[0].workplace: region brussels: expected room for 16 of the role farmer",
        ),
        ("kind = \"temple\"", "kind = \"hall\"", "expected temple among the places for worship"),
        ("\"21:30 sleep\"", "\"05:00 sleep\"", "the routine never ends"),
        ("\"03:00 sleep\"", "\"sunrise sleep\"", "expected the first slot at a time of the clock"),
        ("\"21:30 sleep\"", "\"21:30 shop\"", "everyone is at home when a day begins"),
        ("\"21:30 sleep\"", "\"01:30 sleep\"", "the last slot at least 180 minutes before"),
        ("\"05:30 eat\"", "\"05:30 eats\"", "roles[0].routines[1].slots[1]: expected an activity"),
        (
            "weekdays = [\"Saturday\"]",
            "weekdays = [\"Caturday\"]",
            "weekdays[0]: expected a weekday",
        ),
        ("seasons = [\"summer\"]", "seasons = [\"monsoon\"]", "expected a season (spring"),
        ("id = \"artisan\"", "id = \"farmer\"", "expected an id of its own, found farmer again"),
        ("id = \"square\"", "id = \"market\"", "an id of its own, found brussels-market again"),
        ("role = \"clerk\"", "role = \"king\"", "people.named[0].role: expected the id of a role"),
        (
            "id = \"mayor-of-brussels\"",
            "id = \"paris-7\"",
            "expected another id than REGION-NUMBER",
        ),
        (
            "id = \"mayor-of-brussels\"",
            "id = \"overview\"",
            "people.named[0].id: expected another id than",
        ),
        (
            "id = \"mayor-of-brussels\"",
            "id = \"Mayor\"",
            "people.named[0].id: expected 1 to 64 lower",
        ),
        (
            "\"Margriet Verbeke\"",
            "\"a\\u202Eb\"",
            "people.named[0].name: expected 1 to 100 characters",
        ),
        ("\"Margriet Verbeke\"", "\"a\\nb\"", "people.named[0].name: expected 1 to 100 characters"),
        ("\"Margriet Verbeke\"", "\"\"", "people.named[0].name: expected 1 to 100 characters"),
        ("open = \"06:00-20:00\"", "open = \"6-20\"", "expected hours such as"),
        ("at = [0, 0]", "at = [0, 1001]", "expected [east, north] in metres"),
        ("roof_permille = 950", "roof_permille = 1950", "expected a whole number from 0 to 1000"),
        ("people_per = 4", "people_per = 4\ncount = 3", "expected count or people_per, found both"),
    ] {
        let error = refused(from, to);
        assert!(error.starts_with("w.toml:") && error.contains(wanted), "{to}: {error}");
    }
}

#[test]
fn named_people_fill_a_home_and_no_more() {
    let named = |number: usize| {
        format!(
            "[[people.named]]\nid = \"n{number}\"\nregion = \"brussels\"\nrole = \"clerk\"\n\
             home = \"brussels-house-1\"\n"
        )
    };
    let with = |count: usize| {
        let all: String = (0..count).map(named).collect();
        read(&sample().replacen("[[people.named]]", &format!("{all}[[people.named]]"), 1))
    };
    let people = with(6).unwrap();
    let home = people.place_rank("brussels-house-1").unwrap();
    assert_eq!((0..people.len()).filter(|rank| people.home(*rank) == home).count(), 6);
    let error = with(7).unwrap_err();
    assert!(error.contains("expected at most 6 named people at brussels-house-1"), "{error}");
}

#[test]
fn facts_are_who_there_is_in_which_order_and_by_what_they_live() {
    let facts_of = |from: &str, to: &str| {
        let text = World::sample().file.text.replacen(from, to, 1);
        worldbus_population::facts(&World::parse("europe.toml", &text).unwrap()).unwrap()
    };
    let same = facts_of("", "");
    let differs = |from, to| -> Vec<String> {
        let other = facts_of(from, to);
        same.keys().filter(|name| same[*name] != other[*name]).cloned().collect()
    };
    assert!(same["people"].starts_with("1201 ("), "{same:?}");
    assert_eq!(differs("share = 16", "share = 15"), ["lives of people"]);
    assert_eq!(
        differs("per_region = 100", "per_region = 101"),
        ["lives of people", "people", "places of people"]
    );
    assert_eq!(differs("id = \"house\"", "id = \"hut\""), ["lives of people", "places of people"]);
}

/// The sample with places for any number of people in Paris.
fn large(count: usize) -> String {
    let mut text = sample().to_owned();
    for (from, to) in [
        ("per_region = 100", format!("per_region = 0\nin_region = {{ paris = {count} }}")),
        (
            "region = \"brussels\"\nrole = \"clerk\"",
            "region = \"paris\"\nrole = \"clerk\"".to_owned(),
        ),
        ("at = [0, 0]", "people_per = 300".to_owned()),
        ("at = [60, -40]", "people_per = 300".to_owned()),
        ("at = [120, 80]", "people_per = 300".to_owned()),
        ("at = [-80, 30]", "people_per = 100".to_owned()),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, &to, 1);
    }
    text
}

/// It takes two seconds; where each person looks at all places it takes minutes.
#[test]
fn large_region_is_made_in_a_time_that_grows_with_its_people() {
    let begun = Instant::now();
    let people = read(&large(400_000)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let mut at = vec![0; people.places().len()];
    for rank in 0..people.len() {
        at[people.home(rank)] += 1;
    }
    let mut both = people.places().iter().zip(&at);
    assert!(both.all(|(place, count)| *count <= place.capacity));
}
