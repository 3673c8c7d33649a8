//! What a test's code logs.

use parking_lot::Mutex;
use std::io;
use std::sync::Arc;

struct Writer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The line of a log that contains a message, which must be the only one.
pub(crate) fn only_line<'a>(log: &'a str, message: &str) -> &'a str {
    let mut lines = log.lines().filter(|line| line.contains(message));
    let line = lines.next().unwrap_or_else(|| panic!("{log}"));
    assert_eq!(lines.next(), None);
    line
}

/// What an action logs. It runs once without a log: the first use of a log line
/// decides whether it is enabled, and another test may make that decision at this
/// moment, for no subscriber.
pub(crate) fn log_of(mut act: impl FnMut()) -> String {
    act();
    let lines = Arc::<Mutex<Vec<u8>>>::default();
    let writer = Arc::clone(&lines);
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || Writer(Arc::clone(&writer)))
        .finish();
    tracing::subscriber::with_default(subscriber, act);
    String::from_utf8_lossy(&lines.lock()).into_owned()
}
