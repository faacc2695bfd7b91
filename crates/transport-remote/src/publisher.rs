//! Batches on their way to the event-bus: a stream of calls that is opened by the first, and by the
//! next one after it broke.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::channel::Client;
use crate::failure::{error, late};
use worldbus_bus::{Appended, Error, Gather, GatherLimits, Kind};
use worldbus_rpc::limits::{GATHER_BYTES, GATHER_COUNT_MAX};
use worldbus_rpc::v1;

/// What goes into one message to the event-bus.
const GATHER_LIMITS: GatherLimits =
    GatherLimits { count_max: GATHER_COUNT_MAX, bytes_max: GATHER_BYTES, linger: Duration::ZERO };
/// Calls on their way: one at a time.
const CALL_COUNT: usize = 1;

/// Gathers batches into calls.
pub(crate) fn start(client: Client, call_timeout: Duration) -> Gather<v1::PublishEntry, Appended> {
    let stream = Arc::new(Mutex::new(PublishStream { client, open: None }));
    let call = move |entries| {
        let stream = Arc::clone(&stream);
        async move {
            // One call at a time: it is free.
            let mut stream = stream.lock().await;
            let answer =
                timeout(call_timeout, stream.call(v1::PublishStreamRequest { entries })).await;
            let answer = match answer {
                Ok(answer) => answer.map_err(|status| error(&status)),
                Err(_) => Err(late(call_timeout)),
            };
            if answer.is_err() {
                // An answer that comes late must not be taken for that of the next call.
                stream.open = None;
            }
            Ok(results(answer?))
        }
        .boxed()
    };
    Gather::start(GATHER_LIMITS, Box::new(call))
}

fn results(response: v1::PublishStreamResponse) -> Vec<Result<Appended, Error>> {
    let no_result = || {
        let context = "the event-bus gave no result that this version knows";
        Err(Error::unknown(Kind::Unavailable, context))
    };
    let results = response.results.into_iter();
    results.map(|result| result.into_result().unwrap_or_else(no_result)).collect()
}

struct PublishStream {
    client: Client,
    open: Option<Open>,
}

struct Open {
    requests: mpsc::Sender<v1::PublishStreamRequest>,
    answers: Streaming<v1::PublishStreamResponse>,
}

impl PublishStream {
    async fn call(
        &mut self,
        request: v1::PublishStreamRequest,
    ) -> Result<v1::PublishStreamResponse, Status> {
        // What a stream that broke meanwhile does not take was not sent.
        let unsent = match &self.open {
            Some(open) => open.requests.try_send(request).err().map(TrySendError::into_inner),
            None => Some(request),
        };
        if let Some(request) = unsent {
            self.open = Some(Open::new(&mut self.client, request).await?);
        }
        let answer = match &mut self.open {
            Some(open) => open.answers.message().await?,
            None => None,
        };
        answer.ok_or_else(|| Status::unavailable("the event-bus ended the stream"))
    }
}

impl Open {
    /// Opens the stream with the first call on it.
    async fn new(client: &mut Client, first: v1::PublishStreamRequest) -> Result<Self, Status> {
        let (requests, receiver) = mpsc::channel(CALL_COUNT);
        // There is room for it.
        let _ = requests.try_send(first);
        let answers = client.publish_stream(ReceiverStream::new(receiver)).await?.into_inner();
        Ok(Self { requests, answers })
    }
}
