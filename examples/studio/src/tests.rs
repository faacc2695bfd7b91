//! The stock catalogue takes the studio's event type and shows it in JSON.

use super::*;
use worldbus::events::{BatchBuilder, Catalogue, Event, EventId, ProducerId, json};

#[test]
fn the_catalogue_shows_a_quest_in_json() {
    let catalogue = Catalogue::builtin().with_descriptor_set(CATALOGUE).unwrap();
    let quest = QuestCompleted { quest_id: "q".to_owned(), ..Default::default() };
    let id = EventId { producer: ProducerId::from_bits(1), sequence: 0 };
    let mut builder = BatchBuilder::new("quest-service", "europe");
    builder.push_event(&quest, id, 0, Some("player-7")).unwrap();
    let batch = builder.finish().unwrap();
    let json = json::event(&batch.iter().next().unwrap(), &catalogue);
    assert!(json.contains("\"event_type\":\"quest.completed\""), "{json}");
    assert!(json.contains("\"quest_id\":\"q\",\"outcome\":\"OUTCOME_UNSPECIFIED\""), "{json}");
    assert_eq!((QuestCompleted::NUMBER, QuestCompleted::TOPIC), (1000, "quest"));
}
