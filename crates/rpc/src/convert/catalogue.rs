//! Event types of studios.

use super::invalid;
use crate::v1;
use worldbus_bus::{Error, RegisteredType, StudioTypes};
use worldbus_events::Change;

impl From<StudioTypes> for v1::GetCatalogueResponse {
    fn from(StudioTypes { registered, configured }: StudioTypes) -> Self {
        Self { registered, configured }
    }
}

impl From<v1::GetCatalogueResponse> for StudioTypes {
    fn from(message: v1::GetCatalogueResponse) -> Self {
        let v1::GetCatalogueResponse { registered, configured } = message;
        Self { registered, configured }
    }
}

impl From<RegisteredType> for v1::RegisteredType {
    fn from(RegisteredType { number, name, topic, change }: RegisteredType) -> Self {
        let change = match change {
            Change::Added => v1::CatalogueChange::Added,
            Change::Updated => v1::CatalogueChange::Updated,
            Change::Unchanged => v1::CatalogueChange::Unchanged,
        };
        Self { number, name, topic, change: change.into() }
    }
}

impl TryFrom<v1::RegisteredType> for RegisteredType {
    type Error = Error;

    fn try_from(message: v1::RegisteredType) -> Result<Self, Error> {
        let change = match message.change() {
            v1::CatalogueChange::Added => Change::Added,
            v1::CatalogueChange::Updated => Change::Updated,
            v1::CatalogueChange::Unchanged => Change::Unchanged,
            v1::CatalogueChange::Unspecified => {
                return Err(invalid("a change of the catalogue that this version does not know"));
            }
        };
        let v1::RegisteredType { number, name, topic, .. } = message;
        Ok(Self { number, name, topic, change })
    }
}
