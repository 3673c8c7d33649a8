//! Response bodies, including those that break off.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// The delay before a connection reset.
///
/// HTTP/2 discards queued frames, headers included, when a stream is reset.
/// Without the delay the client would see no response instead of half of one.
const RESET_DELAY: Duration = Duration::from_millis(50);

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyEnd {
    /// Completely, at an announced length.
    Complete,
    /// Completely, at a length that no header announces.
    Unannounced,
    /// With a connection reset.
    Reset,
    /// Never.
    Stalled,
}

/// A body in chunks.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    chunks: VecDeque<Bytes>,
    end: BodyEnd,
    reset_delay: Option<Pin<Box<Sleep>>>,
}

impl ResponseBody {
    fn new(chunks: impl IntoIterator<Item = Bytes>, end: BodyEnd) -> Self {
        Self {
            chunks: chunks.into_iter().collect(),
            end,
            reset_delay: None,
        }
    }

    pub(crate) fn complete(bytes: impl Into<Bytes>) -> Self {
        Self::new([bytes.into()], BodyEnd::Complete)
    }

    /// One chunk many times, in the memory of one, without `Content-Length`.
    pub(crate) fn repeated(chunk: Bytes, times: usize) -> Self {
        Self::new(std::iter::repeat_n(chunk, times), BodyEnd::Unannounced)
    }

    /// The first half, then a connection reset.
    pub(crate) fn truncated(bytes: &Bytes) -> Self {
        Self::new([bytes.slice(..bytes.len() / 2)], BodyEnd::Reset)
    }

    /// No chunk and no end.
    pub(crate) fn stalled() -> Self {
        Self::new([], BodyEnd::Stalled)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match (self.chunks.pop_front(), self.end) {
            (Some(chunk), _) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            (None, BodyEnd::Complete | BodyEnd::Unannounced) => Poll::Ready(None),
            (None, BodyEnd::Reset) => {
                let delay = self
                    .reset_delay
                    .get_or_insert_with(|| Box::pin(sleep(RESET_DELAY)));
                ready!(delay.as_mut().poll(context));
                Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
            }
            // No waker: only the end of the connection ends this body.
            (None, BodyEnd::Stalled) => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_empty() && self.end == BodyEnd::Complete
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            BodyEnd::Complete => {
                SizeHint::with_exact(self.chunks.iter().map(|chunk| chunk.len() as u64).sum())
            }
            BodyEnd::Unannounced | BodyEnd::Reset | BodyEnd::Stalled => SizeHint::default(),
        }
    }
}
