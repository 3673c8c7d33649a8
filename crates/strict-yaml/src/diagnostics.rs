use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::Span;

/// The place of an error: the file or variable, and the path of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    source: String,
    span: Span,
    path: String,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        match self.span {
            Span::Line { line, column } => write!(f, ":{line}:{column}")?,
            Span::Variable(name) => return write!(f, ": {name}"),
            Span::Nowhere => {}
        }
        match self.path.as_str() {
            "" => Ok(()),
            path => write!(f, ": {path}"),
        }
    }
}

/// One error of a configuration.
///
/// The message says what is wrong and, after a semicolon, what to do. It
/// repeats no value of the file that does not resemble a known word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// File, line and column, or the environment variable.
    pub location: Location,
    /// What is wrong, and the fix.
    pub message: String,
    /// A further sentence, for a fix longer than a clause.
    pub hint: Option<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

/// Every error of a configuration, in the order of the file, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
    warnings: Vec<ConfigWarning>,
}

impl ConfigErrors {
    /// Sorts the errors: those of `source` first, then those of other files.
    fn new(source: &str, mut errors: Vec<ConfigError>, warnings: Vec<ConfigWarning>) -> Self {
        errors.sort_by(|a, b| {
            let (a, b) = (&a.location, &b.location);
            let by_file = (a.source != source, &a.source).cmp(&(b.source != source, &b.source));
            by_file.then(a.span.cmp(&b.span))
        });
        Self { errors, warnings }
    }

    /// The errors one by one.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.errors.iter()
    }

    /// The warnings; they often explain an error.
    pub fn warnings(&self) -> &[ConfigWarning] {
        &self.warnings
    }

    /// The number of errors.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.errors.len()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl Error for ConfigErrors {}

/// A setting that works but is probably a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigWarning(String);

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Collects errors and warnings while a configuration is read.
///
/// After an error the reader continues with a placeholder value, to find the
/// other errors; [`finish`](Self::finish) discards the placeholders.
pub struct Diagnostics {
    source: String,
    base: PathBuf,
    errors: Vec<ConfigError>,
    warnings: Vec<ConfigWarning>,
}

impl Diagnostics {
    /// Diagnostics of the file `source`; `base` is the directory that relative
    /// paths in it are relative to.
    pub fn new(source: impl Into<String>, base: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            base: base.into(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The directory that relative paths are relative to.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Runs `read` with another file as the source of all diagnostics.
    pub fn in_file<T>(
        &mut self,
        source: &str,
        base: &Path,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outer_source = std::mem::replace(&mut self.source, source.to_owned());
        let outer_base = std::mem::replace(&mut self.base, base.to_owned());
        let result = read(self);
        self.source = outer_source;
        self.base = outer_base;
        result
    }

    /// Reports an error of the key `path`.
    pub fn error(&mut self, span: Span, path: impl fmt::Display, message: impl Into<String>) {
        self.error_with_hint(span, path, message, None);
    }

    /// Reports an error whose fix takes a further sentence.
    pub fn error_with_hint(
        &mut self,
        span: Span,
        path: impl fmt::Display,
        message: impl Into<String>,
        hint: Option<&str>,
    ) {
        let error = ConfigError {
            location: self.location(span, path),
            message: message.into(),
            hint: hint.map(str::to_owned),
        };
        self.errors.push(error);
    }

    /// Reports a warning about the key `path`.
    pub fn warn(&mut self, span: Span, path: impl fmt::Display, message: impl fmt::Display) {
        let location = self.location(span, path);
        self.warnings
            .push(ConfigWarning(format!("{location}: {message}")));
    }

    fn location(&self, span: Span, path: impl fmt::Display) -> Location {
        Location {
            source: self.source.clone(),
            span,
            path: path.to_string(),
        }
    }

    /// The end of an error about a missing file: the directory in which a
    /// relative name was looked for.
    ///
    /// The name itself is not repeated: file contents, secrets among them, get
    /// pasted where a file's name belongs.
    pub fn looked_for_in(&self, location: &Path) -> String {
        match self.base.to_str() {
            _ if location.is_absolute() && self.base.is_relative() => String::new(),
            None | Some("") => "; it is looked for in the working directory".to_owned(),
            Some(base) => format!("; a relative name is looked for in {base}"),
        }
    }

    /// The errors, if the rest of the file cannot be read.
    pub fn into_errors(self) -> ConfigErrors {
        ConfigErrors::new(&self.source, self.errors, self.warnings)
    }

    /// The value and the warnings, or every error.
    pub fn finish<T>(self, value: T) -> Result<(T, Vec<ConfigWarning>), ConfigErrors> {
        if self.errors.is_empty() {
            Ok((value, self.warnings))
        } else {
            Err(self.into_errors())
        }
    }
}
