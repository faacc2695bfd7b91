//! The catalogue that the parts of a process share: replaced as a whole while they work. Not for:
//! what may replace it ([`Catalogue::extended`]).

use std::sync::{Arc, PoisonError, RwLock};

use super::Catalogue;

/// A handle on the one catalogue of a process. Clones see the same.
#[derive(Debug, Clone)]
pub struct SharedCatalogue(Arc<RwLock<Arc<Catalogue>>>);

impl SharedCatalogue {
    /// The catalogue as it is now. Work that must not see two holds on to it.
    pub fn current(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces it for all who share it, from their next look on.
    pub fn replace(&self, catalogue: Catalogue) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
    }
}

impl From<Catalogue> for SharedCatalogue {
    fn from(catalogue: Catalogue) -> Self {
        Self::from(Arc::new(catalogue))
    }
}

impl From<Arc<Catalogue>> for SharedCatalogue {
    fn from(catalogue: Arc<Catalogue>) -> Self {
        Self(Arc::new(RwLock::new(catalogue)))
    }
}

impl Default for SharedCatalogue {
    /// Worldbus's own event types.
    fn default() -> Self {
        Self::from(Catalogue::builtin())
    }
}
