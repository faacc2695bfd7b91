//! Deadlines for what is written: a connection whose peer takes no bytes is cut after
//! [`WRITE_STALL_MS_MAX`], and one of which a stream is not read may be cut by its handler
//! ([`Cut`]), since on HTTP/2 one stream can stall while the others go on.
//!
//! Not for: deadlines of what is read, which are the server's.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::CancellationToken;

/// How long the bytes of a response may wait for a peer that takes none of them.
pub const WRITE_STALL_MS_MAX: u64 = 30_000;

/// Cuts the connection that a request came on. Handlers find it among the extensions of their
/// request.
#[derive(Debug, Clone, Default)]
pub struct Cut(CancellationToken);

impl Cut {
    /// Cuts it: what was not written yet is dropped, with all streams of the connection.
    pub fn now(&self) {
        self.0.cancel();
    }

    /// Whether it was cut.
    pub fn is_cut(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until it is cut.
    pub async fn cut(&self) {
        self.0.cancelled().await;
    }
}

/// A stream whose writes fail when none of them made progress for [`WRITE_STALL_MS_MAX`].
#[derive(Debug)]
pub(super) struct Progress<S> {
    stream: S,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Progress<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, stalled: None }
    }

    /// The outcome of a write, with the deadline of one that waits.
    fn observe<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let deadline = || Box::pin(sleep(Duration::from_millis(WRITE_STALL_MS_MAX)));
        ready!(self.stalled.get_or_insert_with(deadline).as_mut().poll(context));
        let why = format!("the peer took no bytes for {WRITE_STALL_MS_MAX} ms");
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Progress<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Progress<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.observe(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.observe(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn write_fails_when_the_peer_takes_nothing_and_not_while_it_takes_something() {
        let (ours, mut theirs) = duplex(4);
        let mut ours = Progress::new(ours);
        let slow = async {
            for _ in 0..4 {
                sleep(Duration::from_millis(WRITE_STALL_MS_MAX - 1)).await;
                theirs.read_u8().await.expect("written");
            }
        };
        let (written, ()) = tokio::join!(ours.write_all(&[0; 8]), slow);
        written.expect("each byte in time");
        let begun = Instant::now();
        let error = ours.write_all(&[0; 8]).await.expect_err("nothing was taken");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_millis() as u64, WRITE_STALL_MS_MAX);
    }
}
