use serde::{Deserialize, Deserializer};

/// Where a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// No place: a value is missing from the whole file.
    Nowhere,
    /// A place in the file; both count from 1.
    Line {
        /// The line.
        line: u64,
        /// The character in the line.
        column: u64,
    },
    /// This environment variable.
    Variable(&'static str),
}

impl From<serde_saphyr::Location> for Span {
    fn from(location: serde_saphyr::Location) -> Self {
        match (location.line(), location.column()) {
            (0, _) => Self::Nowhere,
            (line, column) => Self::Line { line, column },
        }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, Copy)]
pub struct Spanned<T> {
    /// The value as written.
    pub value: T,
    /// Its place.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value written at `span`.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A scalar, kept as text until it is checked.
///
/// Numbers and booleans are read as text too: YAML takes a bare `off` for
/// false and some ids for numbers, and one wrong type must not hide the other
/// errors of the file.
pub type Text = Spanned<String>;

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<T>::deserialize(deserializer)?;
        Ok(Self::new(spanned.value, spanned.referenced.into()))
    }
}
