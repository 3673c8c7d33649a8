use crate::AccessControl;
use crate::file_watcher::{FileContents, FileWatcher};
use crate::load::{load, referenced_files};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use strict_yaml::{ConfigErrors, ConfigWarning};
use tokio::time::Instant;

/// How often the files are polled. A renewed certificate is used, and a removed
/// user rejected, within this time.
const POLL_PERIOD: Duration = Duration::from_secs(1);

/// How long the last valid configuration stays in effect after an invalid
/// change.
///
/// A certificate and its key are rarely replaced in one instant, and a scrape
/// in between must not fail. Prometheus also gets the time to see that the file
/// is invalid. Afterwards every request is rejected, since the invalid change
/// may have been meant to remove a user.
const GRACE_PERIOD: Duration = Duration::from_secs(120);

/// Reloads a web configuration file when it, or a file that it names, changes.
#[derive(Debug)]
pub struct ConfigWatcher {
    path: PathBuf,
    files: FileWatcher,
    access: Arc<AccessControl>,
    invalid: Option<Invalid>,
}

#[derive(Debug)]
struct Invalid {
    since: Instant,
    is_closed: bool,
}

/// What a poll has changed.
#[derive(Debug)]
pub enum WatchEvent {
    /// The changed file is in effect.
    Reloaded(Vec<ConfigWarning>),
    /// The changed file is invalid; the last valid one stays in effect for two
    /// minutes.
    Invalid(ConfigErrors),
    /// The file is still invalid, and every request is rejected from now on.
    Closed,
}

impl ConfigWatcher {
    /// Loads the file for the first time.
    pub fn load(path: impl Into<PathBuf>) -> Result<(Self, Vec<ConfigWarning>), ConfigErrors> {
        let path = path.into();
        let contents = contents(&path);
        let (config, warnings) = load(&path)?;
        let watcher = Self {
            path,
            files: FileWatcher::new(POLL_PERIOD, contents),
            access: Arc::new(AccessControl::new(config)),
            invalid: None,
        };
        Ok((watcher, warnings))
    }

    /// Where the file in effect is applied.
    pub fn access(&self) -> Arc<AccessControl> {
        Arc::clone(&self.access)
    }

    /// Polls the files every second, for ever, and reports each change.
    pub async fn run(mut self, mut on_event: impl FnMut(WatchEvent)) -> Infallible {
        loop {
            self.files.poll_due().await;
            if let Some(event) = self.poll() {
                on_event(event);
            }
        }
    }

    /// Reads the files now, and applies a change.
    pub fn poll(&mut self) -> Option<WatchEvent> {
        let contents = contents(&self.path);
        if !self.files.has_changed(&contents) {
            return self.close_after_grace_period();
        }
        self.files.set_loaded(contents);
        match load(&self.path) {
            Ok((config, warnings)) => {
                self.invalid = None;
                self.access.replace(config);
                Some(WatchEvent::Reloaded(warnings))
            }
            Err(errors) => {
                self.invalid.get_or_insert_with(|| Invalid {
                    since: Instant::now(),
                    is_closed: false,
                });
                Some(WatchEvent::Invalid(errors))
            }
        }
    }

    fn close_after_grace_period(&mut self) -> Option<WatchEvent> {
        let invalid = self.invalid.as_mut()?;
        if invalid.is_closed || invalid.since.elapsed() < GRACE_PERIOD {
            return None;
        }
        invalid.is_closed = true;
        self.access.close();
        Some(WatchEvent::Closed)
    }
}

fn contents(path: &Path) -> FileContents {
    let referenced = referenced_files(path);
    FileContents::read(std::iter::once(path).chain(referenced.iter().map(PathBuf::as_path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectionPolicy;

    const VALID: &str = "rate_limit: {interval: 1s, burst: 5}\n";

    fn write(folder: &tempfile::TempDir, text: &str) -> PathBuf {
        let path = folder.path().join("web.yml");
        std::fs::write(&path, text).unwrap();
        path
    }

    #[tokio::test(start_paused = true)]
    async fn an_invalid_file_keeps_the_old_configuration_for_two_minutes_and_then_closes() {
        let folder = tempfile::tempdir().unwrap();
        let (mut watcher, _) = ConfigWatcher::load(write(&folder, VALID)).unwrap();
        let access = watcher.access();
        assert!(watcher.poll().is_none(), "nothing has changed");

        write(&folder, "rate_limit: [");
        assert!(matches!(watcher.poll(), Some(WatchEvent::Invalid(_))));
        tokio::time::advance(GRACE_PERIOD / 2).await;
        // Another error does not restart the grace period.
        write(&folder, "rate_limits: {}");
        assert!(matches!(watcher.poll(), Some(WatchEvent::Invalid(_))));
        assert!(access.config().is_some());
        tokio::time::advance(GRACE_PERIOD / 2).await;
        assert!(matches!(watcher.poll(), Some(WatchEvent::Closed)));
        assert!(access.config().is_none());
        assert!(matches!(
            access.connection_policy(),
            ConnectionPolicy::Plain
        ));
        assert!(watcher.poll().is_none(), "reported once");

        write(&folder, VALID);
        assert!(matches!(watcher.poll(), Some(WatchEvent::Reloaded(_))));
        assert!(access.config().is_some());
    }

    #[test]
    fn a_deleted_file_is_invalid() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(&folder, "");
        let (mut watcher, _) = ConfigWatcher::load(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        assert!(matches!(watcher.poll(), Some(WatchEvent::Invalid(_))));
    }
}
