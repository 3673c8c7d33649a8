use aws_lc_rs::digest;
use std::path::Path;
use std::time::Duration;
use strict_yaml::read_file;
use tokio::time::Instant;

/// A digest of the contents of files. An unreadable file has a digest, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileContents(Vec<u8>);

impl FileContents {
    /// Reads the files.
    pub(crate) fn read(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for path in paths {
            match read_file(path.as_ref()) {
                Ok(bytes) => {
                    context.update(&(bytes.len() as u64).to_be_bytes());
                    context.update(&bytes);
                }
                Err(error) => context.update(error.kind().to_string().as_bytes()),
            }
        }
        Self(context.finish().as_ref().to_vec())
    }
}

/// Polls files, and compares their contents with those that were last loaded.
///
/// Polling also works on file systems without change notifications, and with
/// the symbolic links by which Kubernetes replaces mounted files.
#[derive(Debug)]
pub(crate) struct FileWatcher {
    period: Duration,
    next_poll: Option<Instant>,
    loaded: FileContents,
}

impl FileWatcher {
    /// Watches files whose contents are loaded now.
    pub(crate) const fn new(period: Duration, loaded: FileContents) -> Self {
        Self {
            period,
            next_poll: None,
            loaded,
        }
    }

    /// Waits until the next poll is due: a period after the previous one, or
    /// after the first call. A call that is cancelled does not delay the poll.
    pub(crate) async fn poll_due(&mut self) {
        let period = self.period;
        let next = self
            .next_poll
            .get_or_insert_with(|| Instant::now() + period);
        tokio::time::sleep_until(*next).await;
        self.next_poll = Some(Instant::now() + period);
    }

    /// Whether the contents differ from the loaded ones.
    pub(crate) fn has_changed(&self, contents: &FileContents) -> bool {
        self.loaded != *contents
    }

    /// Marks contents as loaded.
    pub(crate) fn set_loaded(&mut self, contents: FileContents) {
        self.loaded = contents;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_wait_does_not_delay_the_poll() {
        let none: [&Path; 0] = [];
        let period = Duration::from_secs(5);
        let mut watcher = FileWatcher::new(period, FileContents::read(none));
        let start = Instant::now();
        for _ in 0..4 {
            let early = tokio::time::timeout(Duration::from_secs(1), watcher.poll_due()).await;
            assert!(early.is_err());
        }
        watcher.poll_due().await;
        assert_eq!(start.elapsed(), period);
        watcher.poll_due().await;
        assert_eq!(start.elapsed(), 2 * period);
    }

    #[test]
    fn contents_depend_on_every_file_and_on_where_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let read = |contents: [&str; 2]| {
            std::fs::write(path("a"), contents[0]).unwrap();
            std::fs::write(path("b"), contents[1]).unwrap();
            FileContents::read([path("a"), path("b")])
        };
        assert_eq!(read(["ab", "c"]), read(["ab", "c"]));
        assert_ne!(read(["ab", "c"]), read(["a", "bc"]));
        assert_ne!(
            FileContents::read([path("a")]),
            FileContents::read([path("missing")])
        );
    }
}
