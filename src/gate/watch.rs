//! Keeping the rules true to the file while we run.

use super::Gate;
use super::load::{Loaded, load, named};
use crate::config::strict::read;
use crate::config::{Faults, Warning};
use aws_lc_rs::digest;
use std::path::PathBuf;
use std::time::Duration;
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
    Renewed(Vec<Warning>),
    /// The file is broken; the last good rules hold for a while.
    Broken(Faults),
    /// It is still broken, and nobody gets in any more.
    Shut,
}

impl Watch {
    /// Loads the file for the first time.
    pub fn start(path: PathBuf) -> Result<(Self, Gate, Vec<Warning>), Faults> {
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
        match read(file) {
            Ok(bytes) => {
                context.update(&(bytes.len() as u64).to_be_bytes());
                context.update(&bytes);
            }
            Err(error) => context.update(error.kind().to_string().as_bytes()),
        }
    }
    context.finish().as_ref().to_vec()
}
