//! The body of a gRPC request as it comes: how long its messages say that they are, before they
//! are read.
//!
//! Each message begins with five bytes: whether it is compressed, and its length
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, Length-Prefixed-Message).

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};
use tonic::Status;

use worldbus_bus::{Error, Kind};
use worldbus_rpc::to_status;

/// Bytes before each message.
const HEAD_BYTES: usize = 5;

/// A body of which the beginning was looked at.
pub(super) struct Incoming {
    data: BodyDataStream,
    /// What was read and not handed on yet.
    read: VecDeque<Bytes>,
    /// What was read behind a message, and not looked at yet.
    behind: Bytes,
    lengths: Lengths,
}

impl Incoming {
    /// A body whose first message has `max` bytes at the most, and each further one `max_then`,
    /// or no more than the first.
    pub(super) fn new(body: Body, max: usize, max_then: Option<usize>) -> Self {
        let lengths = Lengths { max, max_then, ..Lengths::default() };
        let (data, read, behind) = (body.into_data_stream(), VecDeque::new(), Bytes::new());
        Self { data, read, behind, lengths }
    }

    /// The length of the first message, as soon as it is known; `None` for a body without one.
    pub(super) async fn length(&mut self, deadline: Instant) -> Result<Option<usize>, Status> {
        while self.lengths.begun == 0 {
            match self.next(Some(deadline)).await? {
                Some(bytes) => self.read.push_back(bytes),
                None => return Ok(None),
            }
        }
        Ok(Some(self.lengths.latest))
    }

    /// All of it, as a body that fails at a message that is too long, or at the deadline.
    pub(super) fn into_body(self, deadline: Option<Instant>) -> Body {
        Body::from_stream(stream::try_unfold(self, move |mut this| async move {
            let bytes = match this.read.pop_front() {
                Some(bytes) => Some(bytes),
                None => this.next(deadline).await?,
            };
            Ok::<_, Status>(bytes.map(|bytes| (bytes, this)))
        }))
    }

    /// The same with room for each message: `first` for the first, and what `room` gives for one of
    /// that length. Who reads the body asks for a message when the one before was answered: then
    /// its room is free again. Each has `arrival` to come.
    pub(super) fn into_body_with_room<H, R, F>(self, first: H, room: R, arrival: Duration) -> Body
    where
        H: Send + 'static,
        R: Fn(usize) -> F + Send + 'static,
        F: Future<Output = Result<H, Status>> + Send,
    {
        let held = Some((first, Instant::now() + arrival));
        let state = (self, held, room);
        Body::from_stream(stream::try_unfold(state, move |(mut this, mut held, room)| async move {
            loop {
                if held.is_some()
                    && let Some(bytes) = this.read.pop_front()
                {
                    return Ok::<_, Status>(Some((bytes, (this, held, room))));
                }
                if this.lengths.is_between() {
                    held = None;
                }
                let begun = this.lengths.begun;
                let deadline = held.as_ref().map(|(_, deadline)| *deadline);
                let Some(bytes) = this.next(deadline).await? else { return Ok(None) };
                this.read.push_back(bytes);
                if this.lengths.begun > begun {
                    let room = room(this.lengths.latest).await?;
                    held = Some((room, Instant::now() + arrival));
                }
            }
        }))
    }

    /// The next bytes, of one message.
    async fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Bytes>, Status> {
        let mut bytes = std::mem::take(&mut self.behind);
        if bytes.is_empty() {
            let next = match deadline {
                Some(deadline) => {
                    timeout_at(deadline, self.data.next()).await.map_err(|_| late())?
                }
                None => self.data.next().await,
            };
            let Some(next) = next else { return Ok(None) };
            bytes = next.map_err(|error| Status::cancelled(error.to_string()))?;
        }
        self.behind = bytes.split_off(self.lengths.pass(&bytes)?);
        Ok(Some(bytes))
    }
}

fn late() -> Status {
    let context = "the request did not come in time; send it again";
    to_status(&Error::retry(Kind::Timeout, context))
}

/// Follows the lengths of messages as their bytes pass.
#[derive(Debug, Default)]
struct Lengths {
    head: [u8; HEAD_BYTES],
    head_filled: usize,
    /// Bytes of the message that are still to come.
    left: usize,
    /// Messages whose length is known, and the length of the latest of them.
    begun: u64,
    latest: usize,
    max: usize,
    max_then: Option<usize>,
}

impl Lengths {
    /// Passes bytes up to the end of a message; how many those are.
    fn pass(&mut self, bytes: &[u8]) -> Result<usize, Status> {
        let mut passed = 0;
        if self.left == 0 {
            passed = (HEAD_BYTES - self.head_filled).min(bytes.len());
            self.head[self.head_filled..][..passed].copy_from_slice(&bytes[..passed]);
            self.head_filled += passed;
            if self.head_filled < HEAD_BYTES {
                return Ok(passed);
            }
            self.begin()?;
        }
        let content = self.left.min(bytes.len() - passed);
        self.left -= content;
        Ok(passed + content)
    }

    fn begin(&mut self) -> Result<(), Status> {
        let [_, length @ ..] = self.head;
        let length = u32::from_be_bytes(length) as usize;
        if length > self.max {
            let context = format!("a message of {length} bytes; at most {}", self.max);
            return Err(to_status(&Error::refused(Kind::TooLarge, context)));
        }
        self.head_filled = 0;
        self.left = length;
        self.latest = length;
        if self.begun == 0 {
            self.max = self.max_then.unwrap_or(length);
        }
        self.begun += 1;
        Ok(())
    }

    /// Whether all of a message has passed and nothing of the next.
    fn is_between(&self) -> bool {
        self.left == 0 && self.head_filled == 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::sync::Semaphore;

    use super::*;

    fn message(length: usize) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend((length as u32).to_be_bytes());
        bytes.resize(HEAD_BYTES + length, 7);
        bytes
    }

    #[test]
    fn lengths_are_followed_however_the_bytes_are_cut() {
        let bytes = [message(10), message(0), message(3)].concat();
        for cut in 1..bytes.len() {
            let mut lengths = Lengths { max: 10, max_then: Some(3), ..Lengths::default() };
            let mut found = Vec::new();
            for mut chunk in bytes.chunks(cut) {
                while !chunk.is_empty() {
                    let (begun, passed) = (lengths.begun, lengths.pass(chunk).unwrap());
                    found.extend((lengths.begun > begun).then_some(lengths.latest));
                    chunk = &chunk[passed..];
                }
            }
            assert_eq!((found, lengths.is_between()), (vec![10, 0, 3], true));
        }
    }

    /// Room for one message after the other, however the bytes are cut: each is had before any of
    /// its message is handed on, and given back before more is read.
    #[tokio::test]
    async fn each_message_has_room_of_its_own_until_the_next_is_asked_for() {
        let bytes = [message(10), message(0), message(3), message(7)].concat();
        for cut in 1..=bytes.len() {
            let chunks: Vec<_> = bytes.chunks(cut).map(Bytes::copy_from_slice).collect();
            let chunks = stream::iter(chunks.into_iter().map(Ok::<_, Status>));
            let mut incoming = Incoming::new(Body::from_stream(chunks), 10, Some(10));
            let length = incoming.length(Instant::now()).await.unwrap();
            assert_eq!(length, Some(10));
            // One at a time: who asks for room while some is held waits for ever.
            let free = Arc::new(Semaphore::new(1));
            let first = Arc::clone(&free).try_acquire_owned().unwrap();
            let asked = Arc::new(Mutex::new(Vec::new()));
            let (of_room, room) = (Arc::clone(&asked), Arc::clone(&free));
            let room = move |length| {
                of_room.lock().unwrap().push(length);
                let free = Arc::clone(&room).try_acquire_owned();
                async { free.map_err(|_| Status::aborted("room of the message before is held")) }
            };
            let arrival = Duration::from_secs(1);
            let mut body = incoming.into_body_with_room(first, room, arrival).into_data_stream();
            let mut came = Vec::new();
            while let Some(part) = body.next().await {
                assert_eq!(free.available_permits(), 0, "no room for what is handed on");
                came.extend(part.unwrap());
            }
            assert_eq!((came, asked.lock().unwrap().clone()), (bytes.clone(), vec![0, 3, 7]));
            drop(body);
            assert_eq!(free.available_permits(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn message_that_does_not_come_in_time_fails_and_an_idle_stream_does_not() {
        let idle = Duration::from_secs(3600);
        let first = stream::iter([message(2)]);
        let second = stream::once(async move {
            tokio::time::sleep(idle).await;
            message(5)[..7].to_vec()
        });
        let never = stream::pending();
        let data = first.chain(second).chain(never).map(Ok::<_, Status>);
        let mut incoming = Incoming::new(Body::from_stream(data), 10, Some(10));
        incoming.length(Instant::now()).await.unwrap();
        let room = |_| async { Ok(()) };
        let mut body =
            incoming.into_body_with_room((), room, Duration::from_secs(10)).into_data_stream();
        assert_eq!(body.next().await.unwrap().unwrap().len(), HEAD_BYTES + 2);
        assert_eq!(body.next().await.unwrap().unwrap().len(), 7);
        assert!(body.next().await.unwrap().is_err(), "the rest of the second");
    }

    #[test]
    fn message_that_is_too_long_is_refused_by_its_first_bytes() {
        let mut first = Lengths { max: 10, ..Lengths::default() };
        let head = &message(11)[..HEAD_BYTES];
        assert_eq!(first.pass(head).unwrap_err().code(), tonic::Code::OutOfRange);
        let mut second = Lengths { max: 10, ..Lengths::default() };
        second.pass(&message(3)).unwrap();
        assert!(second.pass(&message(4)[..HEAD_BYTES]).is_err(), "longer than what was admitted");
    }
}
