//! How long a connection may keep the server waiting.
//!
//! hyper's header timeout also runs between two requests, so it would close a
//! Prometheus' connection between scrapes, and hyper has no timeout while it
//! distinguishes HTTP/1 from HTTP/2. So the timeouts are enforced here, below HTTP.

use super::connection_table::{ConnectionActivity, WRITE_TIMEOUT};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// A stream that fails when its peer takes too long.
#[derive(Debug)]
pub(super) struct TimeoutStream<S> {
    stream: S,
    activity: Arc<ConnectionActivity>,
    /// When the first byte after the last request arrived.
    head_since: Option<Instant>,
    write_deadline: Option<Instant>,
    read_timer: Pin<Box<Sleep>>,
    write_timer: Pin<Box<Sleep>>,
}

impl<S> TimeoutStream<S> {
    /// Enforces the timeouts on a stream.
    pub(super) fn new(stream: S, activity: Arc<ConnectionActivity>) -> Self {
        let now = Instant::now();
        Self {
            stream,
            activity,
            head_since: None,
            write_deadline: None,
            read_timer: Box::pin(sleep_until(now)),
            write_timer: Box::pin(sleep_until(now)),
        }
    }

    /// Fails where the client sends too much beside its requests.
    fn bytes_read(&mut self, bytes: usize) -> io::Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        let last = self.activity.last();
        if self.head_since.is_none_or(|since| since <= last) {
            self.head_since = Some(Instant::now());
        }
        match self.activity.received(bytes) {
            true => Ok(()),
            false => Err(io::Error::other("too many bytes beside the requests")),
        }
    }

    fn poll_read_timeout(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let deadline = self.activity.read_deadline(self.head_since);
            if Instant::now() >= deadline {
                return Poll::Ready(timed_out("waiting for a request"));
            }
            self.read_timer.as_mut().reset(deadline);
            ready!(self.read_timer.as_mut().poll(context));
        }
    }

    fn poll_write_timeout(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let deadline = self.write_deadline.unwrap_or_else(Instant::now);
        self.write_timer.as_mut().reset(deadline);
        self.write_timer
            .as_mut()
            .poll(context)
            .map(|()| timed_out("sending a response"))
    }

    fn begin_write(&mut self) {
        self.write_deadline
            .get_or_insert_with(|| Instant::now() + WRITE_TIMEOUT);
    }
}

fn timed_out(doing: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, doing)
}

impl<S: AsyncRead + Unpin> AsyncRead for TimeoutStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(outcome) => {
                let read = buffer.filled().len().saturating_sub(before);
                Poll::Ready(outcome.and_then(|()| self.bytes_read(read)))
            }
            Poll::Pending => self.poll_read_timeout(context).map(Err),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimeoutStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.begin_write();
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => self.poll_write_timeout(context).map(Err),
            ready => ready,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.begin_write();
        match Pin::new(&mut self.stream).poll_write_vectored(context, slices) {
            Poll::Pending => self.poll_write_timeout(context).map(Err),
            ready => ready,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes after each complete write.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = ready!(Pin::new(&mut self.stream).poll_flush(context));
        self.write_deadline = None;
        Poll::Ready(outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::connection_table::{HEAD_TIMEOUT, IDLE_TIMEOUT};
    use hyper::Version;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::timeout;

    fn stream() -> (
        TimeoutStream<DuplexStream>,
        DuplexStream,
        Arc<ConnectionActivity>,
    ) {
        let (ours, theirs) = duplex(64);
        let activity = ConnectionActivity::new();
        (
            TimeoutStream::new(ours, Arc::clone(&activity)),
            theirs,
            activity,
        )
    }

    async fn waited(stream: &mut TimeoutStream<DuplexStream>) -> (Duration, io::Result<usize>) {
        let start = Instant::now();
        let outcome = stream.read(&mut [0; 16]).await;
        (start.elapsed(), outcome)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_sends_nothing_times_out() {
        for (requests, limit) in [(0, HEAD_TIMEOUT), (1, IDLE_TIMEOUT)] {
            let (mut stream, _theirs, activity) = stream();
            (0..requests).for_each(|_| drop(activity.begin(Version::HTTP_11)));
            let (time, outcome) = waited(&mut stream).await;
            assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert_eq!(time.as_secs(), limit.as_secs());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn single_bytes_do_not_extend_the_head_timeout() {
        let (mut stream, mut theirs, activity) = stream();
        drop(activity.begin(Version::HTTP_11));
        tokio::time::sleep(Duration::from_secs(60)).await;
        let start = Instant::now();
        let dribble = tokio::spawn(async move {
            while theirs.write_all(b"G").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        while waited(&mut stream).await.1.is_ok() {}
        assert_eq!(start.elapsed().as_secs(), HEAD_TIMEOUT.as_secs());
        drop(stream);
        dribble.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn control_frames_of_http2_are_not_a_head() {
        let (mut stream, mut theirs, activity) = stream();
        drop(activity.begin(Version::HTTP_2));
        tokio::time::sleep(Duration::from_secs(1)).await;
        theirs.write_all(b"ping").await.unwrap();
        waited(&mut stream).await.1.unwrap();
        assert!(waited(&mut stream).await.0 > HEAD_TIMEOUT * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_flight_has_no_read_timeout() {
        let (mut stream, _theirs, activity) = stream();
        let _request = activity.begin(Version::HTTP_11);
        let outcome = timeout(HEAD_TIMEOUT * 4, stream.read(&mut [0; 16])).await;
        assert!(outcome.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_stops_reading_times_out() {
        let (mut stream, _theirs, _) = stream();
        let start = Instant::now();
        let outcome = stream.write_all(&[0; 1_000]).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), WRITE_TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn each_response_has_its_own_timeout() {
        let (mut stream, mut theirs, _) = stream();
        for _ in 0..3 {
            stream.write_all(&[0; 64]).await.unwrap();
            stream.flush().await.unwrap();
            tokio::time::sleep(WRITE_TIMEOUT / 2).await;
            theirs.read_exact(&mut [0; 64]).await.unwrap();
        }
    }
}
