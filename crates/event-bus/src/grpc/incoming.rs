//! The body of a gRPC request as it comes: how long its messages say that they are, before they
//! are read.
//!
//! Each message begins with five bytes: whether it is compressed, and its length
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, Length-Prefixed-Message).

use std::collections::VecDeque;

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
    lengths: Lengths,
}

impl Incoming {
    /// A body whose first message has `max` bytes at the most, and each further one `max_then`,
    /// or no more than the first.
    pub(super) fn new(body: Body, max: usize, max_then: Option<usize>) -> Self {
        let lengths = Lengths { max, max_then, ..Lengths::default() };
        Self { data: body.into_data_stream(), read: VecDeque::new(), lengths }
    }

    /// The length of the first message, as soon as it is known; `None` for a body without one.
    pub(super) async fn length(&mut self, deadline: Instant) -> Result<Option<usize>, Status> {
        while self.lengths.first.is_none() {
            match self.next(Some(deadline)).await? {
                Some(bytes) => self.read.push_back(bytes),
                None => break,
            }
        }
        Ok(self.lengths.first)
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

    async fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Bytes>, Status> {
        let next = match deadline {
            Some(deadline) => timeout_at(deadline, self.data.next()).await.map_err(|_| late())?,
            None => self.data.next().await,
        };
        let Some(bytes) = next else { return Ok(None) };
        let bytes = bytes.map_err(|error| Status::cancelled(error.to_string()))?;
        self.lengths.pass(&bytes)?;
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
    first: Option<usize>,
    max: usize,
    max_then: Option<usize>,
}

impl Lengths {
    fn pass(&mut self, mut bytes: &[u8]) -> Result<(), Status> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            let taken = (HEAD_BYTES - self.head_filled).min(bytes.len());
            self.head[self.head_filled..][..taken].copy_from_slice(&bytes[..taken]);
            self.head_filled += taken;
            bytes = &bytes[taken..];
            if self.head_filled == HEAD_BYTES {
                self.begin()?;
            }
        }
        Ok(())
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
        if self.first.is_none() {
            self.first = Some(length);
            self.max = self.max_then.unwrap_or(length);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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
            bytes.chunks(cut).for_each(|chunk| lengths.pass(chunk).unwrap());
            assert_eq!((lengths.first, lengths.left, lengths.head_filled), (Some(10), 0, 0));
        }
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
