//! Answer bodies, the honest and the broken.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// How long before it breaks a connection may take to send what it holds.
///
/// HTTP/2 throws away what is queued when a stream is reset, headers
/// included: without the pause the client would see no answer at all rather
/// than half of one.
const PAUSE: Duration = Duration::from_millis(50);

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// As it should, its length known beforehand.
    Clean,
    /// As it should, but nobody was told when.
    Open,
    /// The connection breaks.
    Broken,
    /// Never: the client waits.
    Never,
}

/// A body in pieces with an end that can be bad.
#[derive(Debug)]
pub(super) struct Body {
    pieces: VecDeque<Bytes>,
    end: End,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Body {
    fn ending(pieces: VecDeque<Bytes>, end: End) -> Self {
        Self {
            pieces,
            end,
            pause: None,
        }
    }

    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::ending(VecDeque::from([bytes.into()]), End::Clean)
    }

    /// The same piece again and again, in the memory of one, without a length:
    /// a client that trusts `Content-Length` alone is not warned.
    pub(super) fn repeated(piece: Bytes, times: usize) -> Self {
        Self::ending(std::iter::repeat_n(piece, times).collect(), End::Open)
    }

    /// The first half, then a broken connection.
    pub(super) fn truncated(bytes: Bytes) -> Self {
        let half = bytes.slice(..bytes.len() / 2);
        Self::ending(VecDeque::from([half]), End::Broken)
    }

    /// Nothing, for ever.
    pub(super) fn stalled() -> Self {
        Self::ending(VecDeque::new(), End::Never)
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match (self.pieces.pop_front(), self.end) {
            (Some(piece), _) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            (None, End::Clean | End::Open) => Poll::Ready(None),
            (None, End::Broken) => {
                let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(PAUSE)));
                ready!(pause.as_mut().poll(context));
                Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
            }
            // No waker is kept: only the end of the connection ends this.
            (None, End::Never) => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && self.end == End::Clean
    }

    fn size_hint(&self) -> SizeHint {
        let bytes = self.pieces.iter().map(|piece| piece.len() as u64).sum();
        match self.end {
            End::Clean => SizeHint::with_exact(bytes),
            End::Open | End::Broken | End::Never => SizeHint::default(),
        }
    }
}
