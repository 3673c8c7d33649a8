//! How long a connection may keep us waiting.
//!
//! hyper has one time-out for reading a head and counts the quiet between two
//! requests towards it, so it would close a Prometheus' connection between
//! scrapes; and none while it looks at the first bytes to tell HTTP/1 from
//! HTTP/2. So the waiting is limited here, below HTTP.

use super::sending::{Dispatch, Sending};
use hyper::Version;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// From the first byte of a request to the end of its head, and from the
/// opening of a connection to its first request. A real client needs
/// milliseconds; who sends a byte a minute wants the connection, not an answer.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// From one request to the next. Longer than any sensible scrape interval, so
/// that Prometheus keeps its connection and, with TLS, its handshake.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// From the first byte of an answer to the last. A reader slower than this
/// would keep an old generation of a hundred megabytes in memory, and no
/// Prometheus waits that long.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// What happens on a connection, as the requests see it.
#[derive(Debug)]
pub(super) struct Pulse {
    beat: Mutex<Beat>,
    sending: Arc<Sending>,
}

#[derive(Debug, Clone, Copy)]
struct Beat {
    in_flight: usize,
    /// When a request last began or ended, before the first: the opening.
    last: Instant,
    served: bool,
    /// Its bytes between requests are housekeeping, not the start of a head.
    is_http2: bool,
}

impl Pulse {
    /// A connection opened now.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            beat: Mutex::new(Beat {
                in_flight: 0,
                last: Instant::now(),
                served: false,
                is_http2: false,
            }),
            sending: Arc::default(),
        })
    }

    /// A request begins; it ends when the answer is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Busy {
        self.change(|beat| {
            beat.in_flight += 1;
            beat.served = true;
            beat.is_http2 = version == Version::HTTP_2;
        });
        Busy {
            pulse: Arc::clone(self),
            dispatch: None,
        }
    }

    /// Ends when an answer takes longer to be sent than anybody may.
    pub(super) async fn stuck(&self) {
        self.sending.overdue(WRITE_TIMEOUT).await;
    }

    /// Since when nothing is asked of us, unless an answer is under way.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let beat = self.now();
        (beat.in_flight == 0).then_some(beat.last)
    }

    fn change(&self, change: impl FnOnce(&mut Beat)) {
        let mut beat = self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut beat);
        beat.last = Instant::now();
    }

    fn now(&self) -> Beat {
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Busy {
    pulse: Arc<Pulse>,
    dispatch: Option<Dispatch>,
}

impl Busy {
    /// The answer is ready, and sets out now.
    pub(super) fn answered(mut self) -> Self {
        self.dispatch = Some(self.pulse.sending.begin());
        self
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.pulse
            .change(|beat| beat.in_flight = beat.in_flight.saturating_sub(1));
    }
}

/// A stream that fails when its other end takes too long.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    pulse: Arc<Pulse>,
    /// When the first byte after the last request came.
    head_since: Option<Instant>,
    write_by: Option<Instant>,
    reading: Pin<Box<Sleep>>,
    writing: Pin<Box<Sleep>>,
}

impl<S> Paced<S> {
    /// Watches a stream.
    pub(super) fn new(stream: S, pulse: Arc<Pulse>) -> Self {
        let now = Instant::now();
        Self {
            stream,
            pulse,
            head_since: None,
            write_by: None,
            reading: Box::pin(sleep_until(now)),
            writing: Box::pin(sleep_until(now)),
        }
    }

    fn note(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let last = self.pulse.now().last;
        if self.head_since.is_none_or(|since| since <= last) {
            self.head_since = Some(Instant::now());
        }
    }

    /// Until when the next byte must come.
    fn read_by(&self) -> Instant {
        let beat = self.pulse.now();
        if !beat.served {
            return beat.last + HEAD_TIMEOUT;
        }
        let in_head = self
            .head_since
            .filter(|since| beat.in_flight == 0 && *since > beat.last);
        match in_head {
            Some(since) if !beat.is_http2 => since + HEAD_TIMEOUT,
            _ => beat.last + IDLE_TIMEOUT,
        }
    }

    fn wait_to_read(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let (deadline, now) = (self.read_by(), Instant::now());
            if now >= deadline {
                return Poll::Ready(timed_out("waiting for a request"));
            }
            self.reading.as_mut().reset(deadline);
            ready!(self.reading.as_mut().poll(context));
        }
    }

    fn wait_to_write(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let deadline = self.write_by.unwrap_or_else(Instant::now);
        self.writing.as_mut().reset(deadline);
        self.writing
            .as_mut()
            .poll(context)
            .map(|()| timed_out("sending an answer"))
    }

    fn begin_write(&mut self) {
        self.write_by
            .get_or_insert_with(|| Instant::now() + WRITE_TIMEOUT);
    }
}

fn timed_out(doing: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, doing)
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(outcome) => {
                self.note(buffer.filled().get(before..).unwrap_or_default());
                Poll::Ready(outcome)
            }
            Poll::Pending => self.wait_to_read(context).map(Err),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.begin_write();
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => self.wait_to_write(context).map(Err),
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
            Poll::Pending => self.wait_to_write(context).map(Err),
            ready => ready,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when all it had to write is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = ready!(Pin::new(&mut self.stream).poll_flush(context));
        self.write_by = None;
        Poll::Ready(outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::timeout;

    fn watched() -> (Paced<DuplexStream>, DuplexStream, Arc<Pulse>) {
        let (ours, theirs) = duplex(64);
        let pulse = Pulse::new();
        (Paced::new(ours, Arc::clone(&pulse)), theirs, pulse)
    }

    async fn waited(stream: &mut Paced<DuplexStream>) -> (Duration, io::Result<usize>) {
        let start = Instant::now();
        let outcome = stream.read(&mut [0; 16]).await;
        (start.elapsed(), outcome)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_ends_soon() {
        let (mut stream, _theirs, _) = watched();
        let (time, outcome) = waited(&mut stream).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(time.as_secs(), HEAD_TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_buys_no_time_for_a_head() {
        let (mut stream, mut theirs, pulse) = watched();
        drop(pulse.begin(Version::HTTP_11));
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
    async fn between_two_requests_there_is_time() {
        let (mut stream, _theirs, pulse) = watched();
        drop(pulse.begin(Version::HTTP_11));
        let (time, _) = waited(&mut stream).await;
        assert_eq!(time.as_secs(), IDLE_TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn housekeeping_of_http2_is_not_a_head() {
        let (mut stream, mut theirs, pulse) = watched();
        drop(pulse.begin(Version::HTTP_2));
        tokio::time::sleep(Duration::from_secs(1)).await;
        theirs.write_all(b"ping").await.unwrap();
        waited(&mut stream).await.1.unwrap();
        assert!(waited(&mut stream).await.0 > HEAD_TIMEOUT * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_being_answered_is_not_hurried() {
        let (mut stream, _theirs, pulse) = watched();
        let _busy = pulse.begin(Version::HTTP_11);
        let patient = timeout(HEAD_TIMEOUT * 4, stream.read(&mut [0; 16])).await;
        assert!(patient.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stops_reading_is_given_up() {
        let (mut stream, _theirs, _) = watched();
        let start = Instant::now();
        let outcome = stream.write_all(&[0; 1_000]).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), WRITE_TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn each_answer_has_its_own_time() {
        let (mut stream, mut theirs, _) = watched();
        for _ in 0..3 {
            stream.write_all(&[0; 64]).await.unwrap();
            stream.flush().await.unwrap();
            tokio::time::sleep(WRITE_TIMEOUT / 2).await;
            theirs.read_exact(&mut [0; 64]).await.unwrap();
        }
    }
}
