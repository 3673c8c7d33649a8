//! What is wrong with a configuration, where, and what to do about it.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use super::written::Mark;

/// Where in the configuration a fault was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    source: String,
    mark: Mark,
    path: String,
}

impl Place {
    pub(super) fn new(source: &str, mark: Mark, path: impl fmt::Display) -> Self {
        Self {
            source: source.to_owned(),
            mark,
            path: path.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        match self.mark {
            Mark::Line { line, column } => write!(f, ":{line}:{column}")?,
            Mark::Variable(name) => return write!(f, ": {name}"),
            Mark::Nowhere => {}
        }
        match self.path.as_str() {
            "" => Ok(()),
            path => write!(f, ": {path}"),
        }
    }
}

/// One thing that keeps the exporter from starting.
///
/// The message carries its own remedy after a semicolon. It never repeats a
/// value from the file that is not close to a word we know: people paste
/// secrets on the wrong line, and a complaint ends up in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// File, line and column, or the environment variable.
    pub place: Place,
    /// What is wrong, and how to put it right.
    pub message: String,
    /// A further sentence, where the remedy is longer than a clause.
    pub hint: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Every fault of a configuration, in the order of the file.
///
/// All of them at once: a person who fixes five typing errors should not have
/// to start the exporter five times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

impl Faults {
    /// Those of the configuration itself come first.
    fn new(source: &str, mut faults: Vec<Fault>, warnings: Vec<Warning>) -> Self {
        faults.sort_by(|a, b| {
            let rank = |fault: &Fault| (fault.place.source != source, fault.place.mark);
            let (a_rank, b_rank) = (rank(a), rank(b));
            let by_file = (a_rank.0, &a.place.source).cmp(&(b_rank.0, &b.place.source));
            by_file.then(a_rank.1.cmp(&b_rank.1))
        });
        Self { faults, warnings }
    }

    /// The faults one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    /// What was odd beside them: often it is what explains a fault.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// How many there are; never 0.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.faults.len()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl Error for Faults {}

/// Something that works but is probably not what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning(String);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where complaints are collected while the configuration is read.
///
/// Each section goes on with a harmless stand-in after a fault; the stand-ins
/// are thrown away with everything else by [`Ledger::settle`].
pub(crate) struct Ledger {
    source: String,
    /// What relative paths are relative to.
    pub(crate) base: PathBuf,
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

impl Ledger {
    pub(crate) fn new(source: impl Into<String>, base: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            base: base.into(),
            faults: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Complains of another file for a while.
    pub(super) fn within<T>(
        &mut self,
        source: &str,
        base: &Path,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outer_source = std::mem::replace(&mut self.source, source.to_owned());
        let outer_base = std::mem::replace(&mut self.base, base.to_owned());
        let done = work(self);
        self.source = outer_source;
        self.base = outer_base;
        done
    }

    pub(crate) fn fault(
        &mut self,
        mark: Mark,
        path: impl fmt::Display,
        message: impl Into<String>,
    ) {
        self.fault_with_hint(mark, path, message, None);
    }

    pub(super) fn fault_with_hint(
        &mut self,
        mark: Mark,
        path: impl fmt::Display,
        message: impl Into<String>,
        hint: Option<&str>,
    ) {
        self.faults.push(Fault {
            place: Place::new(&self.source, mark, path),
            message: message.into(),
            hint: hint.map(str::to_owned),
        });
    }

    pub(crate) fn warn(&mut self, mark: Mark, path: impl fmt::Display, message: impl fmt::Display) {
        let place = Place::new(&self.source, mark, path);
        self.warnings.push(Warning(format!("{place}: {message}")));
    }

    /// Where a file was looked for, if that is not plain from what was written.
    ///
    /// The name itself is never repeated: where a file's name belongs, people
    /// paste what should be in the file. The line tells them which it was.
    pub(crate) fn looked_for(&self, location: &Path) -> String {
        match self.base.to_str() {
            _ if location.is_absolute() && self.base.is_relative() => String::new(),
            None | Some("") => "; it is looked for in the working directory".to_owned(),
            Some(base) => format!("; a relative name is looked for in {base}"),
        }
    }

    /// What was wrong, when there is no point in going on.
    pub(crate) fn into_faults(self) -> Faults {
        Faults::new(&self.source, self.faults, self.warnings)
    }

    /// The value with its warnings if nothing was wrong, else every fault.
    pub(crate) fn settle<T>(self, value: T) -> Result<(T, Vec<Warning>), Faults> {
        if self.faults.is_empty() {
            Ok((value, self.warnings))
        } else {
            Err(Faults::new(&self.source, self.faults, self.warnings))
        }
    }
}
