//! A value together with the place it was written at.

use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

/// Where a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// Nowhere in particular: something is missing from the whole.
    Nowhere,
    /// In the file; both count from 1.
    Line { line: u64, column: u64 },
    /// In this environment variable.
    Variable(&'static str),
}

impl From<Location> for Mark {
    fn from(location: Location) -> Self {
        match (location.line(), location.column()) {
            (0, _) => Self::Nowhere,
            (line, column) => Self::Line { line, column },
        }
    }
}

/// A value as somebody wrote it, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<T> {
    pub(crate) value: T,
    pub(crate) mark: Mark,
}

impl<T> Written<T> {
    pub(crate) const fn new(value: T, mark: Mark) -> Self {
        Self { value, mark }
    }
}

/// A single value, kept as text until its meaning is known.
///
/// Everything is read as text, numbers and switches too: YAML reads a bare
/// `off` as false and an unlucky tenant id as a number, and a fault in one
/// value must not hide the faults in the others.
pub(crate) type Text = Written<String>;

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self::new(spanned.value, spanned.referenced.into()))
    }
}
