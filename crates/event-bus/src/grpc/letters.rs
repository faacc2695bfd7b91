//! A list of dead letters as a stream of messages: a page is read when the client has taken the one
//! before, so that no list is in memory whole.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::{Stream, stream};
use tonic::Status;

use crate::grpc::status;
use crate::open::Open;
use crate::places::{Place, place_lost};
use worldbus_bus::{DeadContent, DeadLetter, Error, SubscriptionName};
use worldbus_rpc::v1;

/// A list under way.
pub(super) struct Letters {
    open: Arc<Open>,
    subscription: Option<SubscriptionName>,
    /// How many are still wanted.
    wanted: usize,
    /// The last one that was read.
    after: Option<String>,
    page: VecDeque<DeadLetter>,
    place: Place,
}

impl Letters {
    pub(super) fn new(
        open: Arc<Open>,
        subscription: Option<SubscriptionName>,
        limit: usize,
        place: Place,
    ) -> Self {
        Self { open, subscription, wanted: limit, after: None, page: VecDeque::new(), place }
    }

    /// Reads the next page, if the one before is used up.
    pub(super) async fn fill(&mut self) -> Result<(), Error> {
        if !self.page.is_empty() || self.wanted == 0 {
            return Ok(());
        }
        let (subscription, after) = (self.subscription.as_ref(), self.after.as_deref());
        let page = self.open.transport().dead_letter_page(subscription, after, self.wanted).await?;
        self.wanted = self.wanted.saturating_sub(page.len());
        if let Some(last) = page.last() {
            self.after = Some(last.id.clone());
        }
        self.page = page.into();
        Ok(())
    }

    pub(super) fn into_stream(
        self,
    ) -> impl Stream<Item = Result<v1::ListDeadLettersResponse, Status>> {
        stream::unfold(Some(self), |state| async {
            let mut this = state?;
            this.place.taken(0);
            if let Err(error) = this.fill().await {
                return Some((Err(status(error)), None));
            }
            let letter = this.page.pop_front()?;
            if !this.place.give(bytes_of(&letter)).await {
                return Some((Err(status(place_lost())), None));
            }
            Some((Ok(v1::ListDeadLettersResponse { dead_letter: Some(letter.into()) }), Some(this)))
        })
    }
}

fn bytes_of(letter: &DeadLetter) -> usize {
    match &letter.content {
        DeadContent::Event(event) => event.payload.len(),
        DeadContent::Undecoded { bytes, .. } => bytes.len(),
    }
}
