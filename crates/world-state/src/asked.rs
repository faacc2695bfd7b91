//! Steps that events ask for, which no caller would send again. Those of events that are handled at
//! a time share a transaction and are made in the order of the events. Not here: which steps those
//! are (`projections`, `requests`).

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::desk::{Desk, OfEvent};
use crate::model::{Refusal, Step};
use crate::store::Committed;
use worldbus_bus::{Error, Fate, Gather, GatherLimits, HandlerError, Kind, Message, trace};

/// Events that are handled at a time, and steps that share a transaction.
pub(crate) const EVENTS_COUNT_MAX: usize = 256;
/// Bytes of the events that steps sharing a transaction come from: what they name is in memory.
const EVENTS_BYTES_MAX: usize = 1 << 16;
const LIMITS: GatherLimits = GatherLimits {
    count_max: EVENTS_COUNT_MAX,
    bytes_max: EVENTS_BYTES_MAX,
    linger: Duration::ZERO,
};

/// Takes steps that events ask for.
#[derive(Clone)]
pub(crate) struct Asked(Arc<Gather<OfEvent, Result<Committed, Refusal>>>);

impl Asked {
    /// Has them made at a desk.
    pub(crate) fn at(desk: &Desk) -> Self {
        let desk = desk.clone();
        let call = move |steps: Vec<_>| {
            let desk = desk.clone();
            async move {
                let made = desk.take_patiently(&steps).await;
                let made = made.map_err(|error| Error::refused(Kind::Invalid, error.to_string()));
                Ok(made?.into_iter().map(Ok).collect())
            }
            .boxed()
        };
        Self(Arc::new(Gather::start(LIMITS, Box::new(call))))
    }

    /// Makes the step that an event asks for, behind those of the events before it. It waits as
    /// long as the database fails for now, and the event stays leased meanwhile.
    ///
    /// # Errors
    /// `permanent` if the step is refused.
    pub(crate) async fn make(&self, step: Step, message: &Message) -> Result<(), HandlerError> {
        let of_event = OfEvent { step, trace: trace::current() };
        match self.0.send(of_event, message.payload().len()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(refusal)) => Err(HandlerError::permanent(refusal)),
            Err(error) if error.fate() == Fate::Refused => Err(HandlerError::permanent(error)),
            Err(error) => Err(HandlerError::temporary(error)),
        }
    }
}
