//! What an event is about and where it happened.

/// What an event is about and where it happened. A text is an entity:
/// `About::from("npc-7").at("market")`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// What the event is about; an empty name counts as absent.
    pub entity: Option<&'a str>,
    /// Where it happened, if that is not its entity; an empty name counts as absent.
    pub place: Option<&'a str>,
}

impl<'a> About<'a> {
    /// The same at a place.
    #[must_use]
    pub fn at(self, place: &'a str) -> Self {
        Self { place: Some(place), ..self }
    }
}

impl<'a> From<&'a str> for About<'a> {
    fn from(entity: &'a str) -> Self {
        Some(entity).into()
    }
}

impl<'a> From<&'a String> for About<'a> {
    fn from(entity: &'a String) -> Self {
        entity.as_str().into()
    }
}

impl<'a> From<Option<&'a str>> for About<'a> {
    fn from(entity: Option<&'a str>) -> Self {
        Self { entity, place: None }
    }
}
