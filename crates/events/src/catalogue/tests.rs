//! Studios' types join ours; whatever clashes or breaks a rule is refused by name.

use std::path::Path;

use proptest::prelude::*;
use protox::file::{
    ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver,
};

use super::*;
use crate::v1::DeliveryClass;

struct Source(String);

impl FileResolver for Source {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            "studio.proto" => File::from_source(name, &self.0),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// The descriptor set of a studio's file with this body.
pub(crate) fn compile(body: &str, with_imports: bool) -> Vec<u8> {
    let mut chain = ChainFileResolver::new();
    chain.add(Source(format!(
        "syntax = \"proto3\";\npackage studio.v1;\n\
         import \"worldbus/events/v1/catalogue.proto\";\n{body}"
    )));
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    chain.add(IncludeFileResolver::new(proto));
    chain.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(chain);
    compiler.include_imports(with_imports).open_file("studio.proto").unwrap();
    compiler.encode_file_descriptor_set()
}

/// A message that is an event type.
fn message(message: &str, number: u32, name: &str, topic: &str) -> String {
    format!(
        "message {message} {{ option (worldbus.events.v1.event_type) = \
         {{ number: {number} name: {name:?} topic: {topic:?} summary: \"s\" }}; \
         string quest_id = 1; }}"
    )
}

fn refusal(body: &str) -> String {
    let error = Catalogue::builtin().with_descriptor_set(&compile(body, true)).unwrap_err();
    assert_eq!(error.kind(), Kind::WrongCatalogue);
    error.to_string()
}

#[test]
fn the_fixed_numbers_keep_their_names() {
    let catalogue = Catalogue::builtin();
    let found: Vec<(u32, &str, &str)> =
        catalogue.iter().map(|t| (t.number(), t.name(), t.topic())).collect();
    assert_eq!(
        found,
        [
            (1, "weather.changed", "weather"),
            (2, "weather.severe", "weather"),
            (3, "time.changed", "time"),
            (4, "time.day_activated", "time"),
            (5, "time.night_activated", "time"),
            (6, "time.updated", "time"),
            (7, "world_state.updated", "world"),
            (8, "time.clock_changed", "time"),
            (20, "time.hour_changed", "time"),
            (21, "time.day_changed", "time"),
            (22, "time.month_changed", "time"),
            (23, "time.year_changed", "time"),
            (24, "time.season_changed", "time"),
            (25, "time.moon_phase_changed", "time"),
            (26, "time.holiday_started", "time"),
            (27, "time.holiday_ended", "time"),
            (28, "time.scale_changed", "time"),
            (29, "time.paused", "time"),
            (30, "time.resumed", "time"),
            (31, "time.jumped", "time"),
            (32, "time.schedule_fired", "time"),
            (33, "time.clock_requested", "time"),
            (60, "weather.transition_started", "weather"),
            (61, "weather.transition_completed", "weather"),
            (62, "weather.alert_updated", "weather"),
            (63, "weather.alert_ended", "weather"),
            (64, "weather.override_set", "weather"),
            (65, "weather.override_cleared", "weather"),
            (66, "weather.corrected", "weather"),
            (67, "weather.sample", "weather"),
            (68, "weather.daily_summary", "weather"),
            (69, "ground.state_changed", "weather"),
            (70, "weather.override_requested", "time"),
            (71, "weather.overrides_announced", "weather"),
            (100, "npc.activity_changed", "npc"),
            (101, "npc.crowd_changed", "npc"),
            (102, "npc.directive_set", "npc"),
            (103, "npc.directive_cleared", "npc"),
            (104, "npc.corrected", "npc"),
            (105, "npc.spawned", "npc"),
            (106, "npc.removed", "npc"),
            (107, "npc.directive_requested", "time"),
            (120, "world_state.change_requested", "time"),
            (140, "story.entry_added", "story"),
            (141, "story.arc_advanced", "story"),
            (142, "story.proposal_made", "story"),
            (143, "story.proposal_answered", "story"),
            (144, "story.entry_rewritten", "story"),
        ]
    );
    assert_eq!(
        catalogue.topics().collect::<Vec<_>>(),
        ["npc", "story", "time", "weather", "world"]
    );
    let tick = catalogue.by_number(6).unwrap();
    assert_eq!(tick.delivery_class(), DeliveryClass::Latest);
    assert_eq!(tick.owner(), Owner::Worldbus);
    assert_eq!(tick.message_name(), "worldbus.events.v1.TimeUpdated");
}

#[test]
fn a_studios_types_join_with_imports_and_without() {
    let body = message("QuestCompleted", 1000, "quest.completed", "quest");
    for with_imports in [true, false] {
        let set = compile(&body, with_imports);
        let catalogue = Catalogue::builtin().with_descriptor_set(&set).unwrap();
        let quest = catalogue.by_name("quest.completed").unwrap();
        assert_eq!((quest.number(), quest.owner()), (1000, Owner::Studio));
        assert_eq!(quest.delivery_class(), DeliveryClass::Every);
        assert_eq!(catalogue.iter().count(), Catalogue::builtin().iter().count() + 1);
        // The same set once more changes nothing.
        assert!(catalogue.with_descriptor_set(&set).is_ok());
    }
}

#[test]
fn unknown_names_suggest_the_ones_most_like_them() {
    let catalogue = Catalogue::builtin();
    let error = catalogue.by_name("weather.chnaged").unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownEventType);
    assert!(error.to_string().contains("did you mean weather.changed"), "{error}");
    let error = catalogue.by_name("xyz").unwrap_err().to_string();
    assert!(error.contains("worldbus catalog"), "{error}");
    assert_eq!(catalogue.name_of(6), "time.updated");
    assert_eq!(catalogue.name_of(77), "77");
}

#[test]
fn type_of_another_topic_is_named_with_its_own() {
    let catalogue = Catalogue::builtin();
    let why = catalogue.elsewhere(1, &["time", "npc"]).unwrap();
    assert!(why.starts_with("weather.changed has the topic weather, not time, npc; "), "{why}");
    for (event_type, topics) in [(1, &["time", "weather"][..]), (1, &[]), (4711, &["time"])] {
        assert_eq!(catalogue.elsewhere(event_type, topics), None);
    }
}

#[test]
fn unknown_topic_suggests_those_that_are_alike_or_names_all() {
    let catalogue = Catalogue::builtin();
    assert!(catalogue.unknown_topic("wether", []).ends_with("did you mean weather?"));
    assert!(catalogue.unknown_topic("quset", ["quest"]).ends_with("did you mean quest?"));
    let all = catalogue.unknown_topic("xyz", ["quest"]);
    assert!(all.contains("there are npc, quest, story, time, weather, world"), "{all}");
}

#[test]
fn numbers_and_names_that_are_taken_are_refused_naming_both() {
    let both = message("A", 1000, "a.b", "t") + &message("B", 1000, "b.c", "t");
    let text = refusal(&both);
    assert!(text.contains("studio.v1.A") && text.contains("studio.v1.B"), "{text}");
    let text = refusal(&message("Rain", 1001, "weather.changed", "rain"));
    assert!(text.contains("studio.v1.Rain"), "{text}");
    assert!(text.contains("worldbus.events.v1.WeatherChanged"), "{text}");
}

#[test]
fn options_that_break_a_rule_are_refused_by_message() {
    for (body, expected) in [
        (message("A", 999, "a.b", "t"), "expected 1000 or more"),
        (message("A", 0, "a.b", "t"), "expected 1000 or more"),
        (message("A", 1000, "quest", "t"), "name \"quest\""),
        (message("A", 1000, "Quest.done", "t"), "name \"Quest.done\""),
        (message("A", 1000, "quest..done", "t"), "name"),
        (message("A", 1000, &format!("a.{}", "b".repeat(127)), "t"), "name"),
        (message("A", 1000, "a.b", ""), "topic \"\""),
        (message("A", 1000, "a.b", "my topic"), "topic \"my topic\""),
        (message("A", 1000, "a.b", &"t".repeat(65)), "topic"),
        (format!("message Outer {{ {} }}", message("A", 1000, "a.b", "t")), "top level"),
    ] {
        let text = refusal(&body);
        assert!(text.contains("studio.v1.") && text.contains(expected), "{text}");
    }
}

#[test]
fn a_set_whose_imports_are_missing_is_refused_with_advice() {
    let error = Catalogue::empty()
        .with_descriptor_set(&compile(&message("A", 1000, "a.b", "t"), false))
        .unwrap_err();
    assert!(error.to_string().contains("--include_imports"), "{error}");
    let large = vec![0; DESCRIPTOR_SET_BYTES_MAX + 1];
    let error = Catalogue::builtin().with_descriptor_set(&large).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
}

/// A quest whose payload has these fields besides its id.
fn quest(number: u32, topic: &str, fields: &str) -> Vec<u8> {
    let option =
        format!("number: {number} name: \"quest.completed\" topic: \"{topic}\" summary: \"s\"");
    let body = format!(
        "message Quest {{ option (worldbus.events.v1.event_type) = {{ {option} }}; \
         string quest_id = 1; {fields} }} \
         message Loot {{ uint32 gold = 1; }} enum Rank {{ NONE = 0; HIGH = 1; }}"
    );
    compile(&body, true)
}

#[test]
fn newer_version_of_a_file_replaces_it_and_the_same_changes_nothing() {
    let first = Catalogue::builtin().extended(&quest(1000, "quests", "")).unwrap();
    assert_eq!(first.types.len(), 1, "of Worldbus's own files nothing is reported");
    assert_eq!((first.types[0].0.number(), first.types[0].1), (1000, Change::Added));
    let first = first.catalogue;
    let same = first.extended(&quest(1000, "quests", "")).unwrap();
    assert_eq!(same.types[0].1, Change::Unchanged);
    assert_eq!(same.catalogue.studio_set(), first.studio_set());
    let newer = quest(1000, "quests", "Loot loot = 2; repeated Rank ranks = 3;");
    let second = first.extended(&newer).unwrap();
    assert_eq!(second.types[0].1, Change::Updated);
    let fields = |of: &Catalogue| of.by_number(1000).unwrap().message().fields().count();
    assert_eq!((fields(&first), fields(&second.catalogue)), (1, 3));
    // Whichever comes first, the newer one counts.
    assert_eq!(fields(&first.joined(&second.catalogue.studio_set()).unwrap()), 3);
    assert_eq!(fields(&second.catalogue.joined(&first.studio_set()).unwrap()), 3);
}

#[test]
fn studio_set_makes_the_same_catalogue_without_the_files_of_worldbus() {
    let whole = Catalogue::builtin().extended(&quest(1000, "quests", "Loot loot = 2;")).unwrap();
    let set = whole.catalogue.studio_set();
    assert!(set.len() < 1000, "{} bytes", set.len());
    let again = Catalogue::builtin().with_descriptor_set(&set).unwrap();
    assert_eq!(again.studio_set(), set);
    assert_eq!(again.by_number(1000).unwrap().name(), "quest.completed");
    assert_eq!(again.by_number(1000).unwrap().file_name(), "studio.proto");
    assert!(Catalogue::builtin().studio_set().is_empty());
}

#[test]
fn what_would_make_published_events_unreadable_is_refused_and_names_both_sides() {
    let fields = "Loot loot = 2; Rank rank = 3; repeated uint32 gold = 4;";
    let whole = Catalogue::builtin().extended(&quest(1000, "quests", fields)).unwrap().catalogue;
    let renamed = fields.replace("gold", "silver");
    let single = fields.replace("repeated ", "");
    let retyped = fields.replace("uint32", "string");
    let chosen = fields.replace("Loot loot = 2;", "oneof prize { Loot loot = 2; }");
    let without_enum = fields.replace("Rank", "uint32");
    for (set, parts) in [
        (quest(1000, "quests", "Loot loot = 2;"), vec!["Quest.rank = 3 would be gone", "only add"]),
        (quest(1000, "quests", &renamed), vec!["Quest.gold = 4"]),
        (quest(1000, "quests", &single), vec!["Quest.gold = 4"]),
        (quest(1000, "quests", &retyped), vec!["Quest.gold = 4", "string"]),
        (quest(1000, "quests", &chosen), vec!["Quest.loot = 2"]),
        (quest(1000, "quests", &without_enum), vec!["Quest.rank = 3", "uint32"]),
        (quest(1000, "deeds", fields), vec!["on topic quests is there", "on topic deeds"]),
        (quest(1001, "quests", fields), vec!["completed = 1000", "completed = 1001"]),
        (compile(&message("A", 1001, "a.b", "t"), true), vec!["quest.completed = 1000", "gone"]),
        (compile(&message("A", 1000, "a.b", "t"), true), vec!["completed = 1000", "a.b = 1000"]),
    ] {
        let error = whole.extended(&set).unwrap_err();
        assert_eq!(error.kind(), Kind::WrongCatalogue);
        for part in parts {
            assert!(error.to_string().contains(part), "`{part}` is not in: {error}");
        }
    }
    let fewer = compile(
        "message Quest { option (worldbus.events.v1.event_type) = { number: 1000 \
         name: \"quest.completed\" topic: \"quests\" summary: \"s\" }; string quest_id = 1; \
         Loot loot = 2; Rank rank = 3; repeated uint32 gold = 4; } \
         message Loot {} enum Rank { NONE = 0; }",
        true,
    );
    let error = whole.extended(&fewer).unwrap_err().to_string();
    assert!(error.contains("Loot.gold = 1 would be gone"), "{error}");
}

static SETS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let body = message("A", 1000, "a.b", "t");
    [compile(&body, true), compile(&body, false)]
});

proptest! {
    #[test]
    fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        // Empty or unknown fields only are a valid set of no files.
        let _ = Catalogue::builtin().with_descriptor_set(&bytes);
    }

    #[test]
    fn changed_bytes_of_a_set_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        with_imports: bool,
    ) {
        let mut set = SETS[usize::from(with_imports)].clone();
        for (at, byte) in changes {
            let at = at.index(set.len());
            set[at] = byte;
        }
        let _ = Catalogue::builtin().with_descriptor_set(&set);
        let _ = Catalogue::empty().with_descriptor_set(&set);
        let _ = Catalogue::builtin().joined(&set);
    }
}
