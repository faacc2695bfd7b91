//! The JSON documents that the chronicle's routes answer with.

use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use crate::store::{Found, FoundArc};

/// A part of the chronicle.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChronicleEntries)]
pub(super) struct Entries {
    pub(super) entries: Vec<Entry>,
    /// The cursor of what follows; null if nothing does.
    pub(super) next: Option<String>,
}

/// A piece of the chronicle.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChronicleEntry)]
pub(super) struct Entry {
    id: String,
    /// When it happened: `2024-03-01T06:00:00`.
    game_time: String,
    /// A region's id; null: the world as a whole.
    region: Option<String>,
    /// 0 trivial to 1000 the talk of the year.
    #[schema(minimum = 0, maximum = 1000)]
    significance: u16,
    text: String,
    /// The story that it belongs to; null if it belongs to none.
    arc: Option<String>,
}

/// A piece of the chronicle, with where it comes from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChronicleEntryDetails)]
pub(super) struct Details {
    #[serde(flatten)]
    entry: Entry,
    /// The region's name.
    region_name: Option<String>,
    /// The rule that wrote it.
    rule: String,
    /// The ids of the events that it is about.
    event_ids: Vec<String>,
    /// The text by the grammar; `text` is that of a language model if there is one.
    original_text: String,
    /// The language model that wrote `text`.
    model: Option<String>,
}

/// What happened in a stretch of time, the most significant of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChronicleDigest)]
pub(super) struct Digest {
    pub(super) region: Option<String>,
    /// From this game time,
    pub(super) from: String,
    /// up to this one: now.
    pub(super) to: String,
    /// In the order of time.
    pub(super) entries: Vec<Entry>,
}

/// How much there is, chapter by chapter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChronicleContents)]
pub(super) struct Contents {
    /// The world's name.
    pub(super) world: String,
    pub(super) entry_count: u64,
    pub(super) regions: Vec<RegionName>,
    /// The months of the world's calendar from the first to the last entry; the latest 2400.
    pub(super) chapters: Vec<Chapter>,
}

/// What a region is called.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChronicleRegion)]
pub(super) struct RegionName {
    pub(super) id: String,
    pub(super) name: String,
}

/// A month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChronicleChapter)]
pub(super) struct Chapter {
    /// `March 2024`.
    pub(super) title: String,
    /// From this game time,
    pub(super) from: String,
    /// up to before this one.
    pub(super) to: String,
    /// Its first day, as the number of days since the first day of the calendar's year 0.
    pub(super) first_day: i64,
}

/// Stories that run over several events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChronicleArcs)]
pub(super) struct Arcs {
    pub(super) arcs: Vec<Arc>,
    /// The cursor of what follows; null if nothing does.
    pub(super) next: Option<String>,
}

/// A story.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChronicleArc)]
pub(super) struct Arc {
    id: String,
    /// `storm`, `drought`.
    kind: String,
    title: String,
    region: Option<String>,
    /// Where it is.
    stage: String,
    ended: bool,
    /// When it began.
    began: String,
    /// When its last step was.
    since: String,
    stages: Vec<Stage>,
}

/// A stage of a story.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChronicleStage)]
struct Stage {
    name: String,
    game_time: String,
}

impl Entry {
    pub(super) fn new(shared: &Shared, found: &Found) -> Self {
        Self {
            id: found.entry.id.to_string(),
            game_time: shared.game_text(found.entry.game_us),
            region: found.entry.region.clone(),
            significance: found.entry.significance,
            text: found.text().to_owned(),
            arc: found.entry.arc.clone(),
        }
    }
}

impl Details {
    pub(super) fn new(shared: &Shared, found: &Found) -> Self {
        let world = &shared.chronicler.world;
        let region = found.entry.region.as_deref().and_then(|id| world.region_index(id));
        Self {
            entry: Entry::new(shared, found),
            region_name: region.map(|index| world.regions[index].name.clone()),
            rule: found.entry.rule.clone(),
            event_ids: found.entry.causes.iter().map(ToString::to_string).collect(),
            original_text: found.entry.text.clone(),
            model: found.rewritten.as_ref().map(|(_, model)| model.clone()),
        }
    }
}

impl Arc {
    pub(super) fn new(shared: &Shared, FoundArc { arc, stages }: &FoundArc) -> Self {
        let (rules, world) = (&shared.chronicler.rules, &shared.chronicler.world);
        let title = rules.title(&arc.kind, arc.region.as_deref(), world);
        let stage = |(name, game_us): &(String, i64)| Stage {
            name: name.clone(),
            game_time: shared.game_text(*game_us),
        };
        Self {
            id: arc.id.clone(),
            kind: arc.kind.clone(),
            title: title.unwrap_or_else(|| arc.kind.clone()),
            region: arc.region.clone(),
            stage: arc.stage.clone(),
            ended: arc.ended,
            began: shared.game_text(arc.began_us),
            since: shared.game_text(arc.since_us),
            stages: stages.iter().map(stage).collect(),
        }
    }
}
