use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::{Span, Text};

/// One error of a configuration.
///
/// The message says what is wrong and, after a semicolon, what to do. It
/// repeats no value of the file that does not resemble a known word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The name of the file.
    source: String,
    span: Span,
    /// The path of the key.
    path: String,
    /// What is wrong, and the fix.
    pub message: String,
    /// A further sentence, for a fix longer than a clause.
    pub hint: Option<String>,
}

impl ConfigError {
    /// The name of the file.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The path of the key.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for ConfigError {
    /// File, line and column, the key, and the message; or the environment
    /// variable and the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        match self.span {
            Span::Line { line, column } => write!(f, ":{line}:{column}")?,
            Span::Variable(name) => write!(f, ": {name}")?,
            Span::Nowhere => {}
        }
        if !self.path.is_empty() && !matches!(self.span, Span::Variable(_)) {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Every error of a configuration, in the order of the file, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
    warnings: Vec<ConfigWarning>,
}

impl ConfigErrors {
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
        let lines: Vec<_> = self.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Error for ConfigErrors {}

/// A setting that works but is probably a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigWarning(ConfigError);

impl ConfigWarning {
    /// Where it is and what is wrong, as for an error.
    pub const fn as_error(&self) -> &ConfigError {
        &self.0
    }
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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

    /// The value of the key `path`, if `parse` accepts its text without blanks
    /// around it. Reports why not.
    pub fn check<'t, T, E: fmt::Display>(
        &mut self,
        path: impl fmt::Display,
        text: impl Into<Option<&'t Text>>,
        parse: impl FnOnce(&'t str) -> Result<T, E>,
    ) -> Option<T> {
        let text = text.into()?;
        parse(text.value.trim())
            .map_err(|message| self.error(text.span, path, message.to_string()))
            .ok()
    }

    /// The text of the key `path`, which the section at `span` must have.
    /// Reports `missing`, which says what to write.
    pub fn require<'t>(
        &mut self,
        span: Span,
        path: impl fmt::Display,
        text: &'t Option<Text>,
        missing: &str,
    ) -> Option<&'t Text> {
        if text.is_none() {
            self.error(span, path, missing);
        }
        text.as_ref()
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
        let error = self.diagnostic(span, path, message.into(), hint);
        self.errors.push(error);
    }

    /// Reports a warning about the key `path`.
    pub fn warn(&mut self, span: Span, path: impl fmt::Display, message: impl fmt::Display) {
        let warning = self.diagnostic(span, path, message.to_string(), None);
        self.warnings.push(ConfigWarning(warning));
    }

    fn diagnostic(
        &self,
        span: Span,
        path: impl fmt::Display,
        message: String,
        hint: Option<&str>,
    ) -> ConfigError {
        ConfigError {
            source: self.source.clone(),
            span,
            path: path.to_string(),
            message,
            hint: hint.map(str::to_owned),
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

    /// The errors, if the rest of the file cannot be read: those of this file
    /// first, then those of others.
    pub fn into_errors(self) -> ConfigErrors {
        let Self {
            source,
            mut errors,
            warnings,
            ..
        } = self;
        errors.sort_by(|a, b| {
            let by_file = (a.source != source, &a.source).cmp(&(b.source != source, &b.source));
            by_file.then(a.span.cmp(&b.span))
        });
        ConfigErrors { errors, warnings }
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
