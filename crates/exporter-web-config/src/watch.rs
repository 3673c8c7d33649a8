//! Keeping the rules true to the file while we run.

use super::Gate;
use super::load::{Loaded, load, named};
use aws_lc_rs::digest;
use std::path::PathBuf;
use std::time::Duration;
use strict_yaml::read_file;
use strict_yaml::{ConfigErrors, ConfigWarning};
use tokio::time::Instant;

/// How long the last good rules hold with a broken file.
///
/// A certificate and its key are rarely replaced in one instant, and a scrape
/// that comes between should not fail. It also lets Prometheus see that the
/// file is broken. After that nothing is answered: the broken file may have
/// been meant to lock somebody out.
const GRACE: Duration = Duration::from_secs(120);

/// A web configuration file and those it names, as last looked at.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    seen: Vec<u8>,
    broken: Option<Broken>,
}

#[derive(Debug)]
struct Broken {
    since: Instant,
    shut: bool,
}

/// What a look has changed.
#[derive(Debug)]
pub enum Outcome {
    /// Other rules hold from now on.
    Renewed(Vec<ConfigWarning>),
    /// The file is broken; the last good rules hold for a while.
    Broken(ConfigErrors),
    /// It is still broken, and nobody gets in any more.
    Shut,
}

impl Watch {
    /// Loads the file for the first time.
    pub fn start(path: PathBuf) -> Result<(Self, Gate, Vec<ConfigWarning>), ConfigErrors> {
        let seen = content(&path);
        let Loaded { rules, warnings } = load(&path)?;
        let watch = Self {
            path,
            seen,
            broken: None,
        };
        Ok((watch, Gate::new(rules), warnings))
    }

    /// Looks at the files, and changes the gate where they have changed.
    pub fn look(&mut self, gate: &Gate) -> Option<Outcome> {
        let content = content(&self.path);
        if content == self.seen {
            return self.wait(gate);
        }
        self.seen = content;
        match load(&self.path) {
            Ok(Loaded { rules, warnings }) => {
                self.broken = None;
                gate.set(rules);
                Some(Outcome::Renewed(warnings))
            }
            Err(faults) => {
                self.broken.get_or_insert(Broken {
                    since: Instant::now(),
                    shut: false,
                });
                Some(Outcome::Broken(faults))
            }
        }
    }

    /// Shuts the gate when the file has been broken for long enough.
    fn wait(&mut self, gate: &Gate) -> Option<Outcome> {
        let broken = self.broken.as_mut()?;
        if broken.shut || broken.since.elapsed() < GRACE {
            return None;
        }
        broken.shut = true;
        gate.shut();
        Some(Outcome::Shut)
    }
}

/// Stands for the content of all the files; one that is missing counts too.
fn content(path: &PathBuf) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    for file in std::iter::once(path).chain(&named(path)) {
        match read_file(file) {
            Ok(bytes) => {
                context.update(&(bytes.len() as u64).to_be_bytes());
                context.update(&bytes);
            }
            Err(error) => context.update(error.kind().to_string().as_bytes()),
        }
    }
    context.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::Security;
    use super::*;

    fn written(folder: &tempfile::TempDir, text: &str) -> PathBuf {
        let path = folder.path().join("web.yml");
        std::fs::write(&path, text).unwrap();
        path
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_file_keeps_the_old_rules_for_a_while_and_then_shuts() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder, "rate_limit: {interval: 1s, burst: 5}\n");
        let (mut watch, gate, _) = Watch::start(path).unwrap();
        assert!(watch.look(&gate).is_none(), "nothing has changed");

        written(&folder, "rate_limit: [");
        assert!(matches!(watch.look(&gate), Some(Outcome::Broken(_))));
        tokio::time::advance(GRACE / 2).await;
        // Another fault does not begin the time anew.
        written(&folder, "rate_limits: {}");
        assert!(matches!(watch.look(&gate), Some(Outcome::Broken(_))));
        assert!(gate.rules().is_some());
        tokio::time::advance(GRACE / 2).await;
        assert!(matches!(watch.look(&gate), Some(Outcome::Shut)));
        assert!(gate.rules().is_none());
        assert!(matches!(gate.security(), Security::Plain));
        assert!(watch.look(&gate).is_none(), "told once");

        written(&folder, "rate_limit: {interval: 1s, burst: 5}\n");
        assert!(matches!(watch.look(&gate), Some(Outcome::Renewed(_))));
        assert!(gate.rules().is_some());
    }

    #[test]
    fn a_file_that_is_gone_is_a_broken_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder, "");
        let (mut watch, gate, _) = Watch::start(path.clone()).unwrap();
        std::fs::remove_file(path).unwrap();
        assert!(matches!(watch.look(&gate), Some(Outcome::Broken(_))));
    }
}
