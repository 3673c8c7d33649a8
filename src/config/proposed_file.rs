//! A file of tenants or decisions with the text that a command is about to write.

use glob::{MatchOptions, Pattern};
use std::path::{Path, PathBuf};

/// A file with the text that it would have after an edit. The configuration is loaded
/// with it as if it were written.
#[derive(Debug, Clone, Copy)]
pub struct ProposedFile<'a> {
    /// What the file lists.
    pub list: ProposedList,
    /// The file, which may not exist.
    pub path: &'a Path,
    /// Its whole text.
    pub text: &'a str,
}

/// What a file lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposedList {
    /// Tenants, as under `tenant_files`.
    Tenants,
    /// Decisions, as under `decision_files`.
    Decisions,
}

/// How the configuration was loaded with a proposed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedPlace {
    /// Whether the configuration names the file; if not, it was read all the same.
    pub is_named: bool,
    /// Its name in the places of decisions.
    pub place: String,
}

impl ProposedList {
    /// The key of the configuration that names such files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Tenants => "tenant_files",
            Self::Decisions => "decision_files",
        }
    }
}

impl ProposedFile<'_> {
    /// Whether an error or a warning with this source is about the file.
    pub fn is_source(&self, source: &str) -> bool {
        identity(Path::new(source)) == identity(self.path)
    }

    /// The name under which a pattern of the configuration finds the file once it is
    /// written; `None` where it does not.
    pub(super) fn matched_by(&self, pattern: &Path, options: MatchOptions) -> Option<PathBuf> {
        let (folder, name) = (folder(pattern), pattern.file_name()?.to_str()?);
        let own = self.path.file_name()?;
        let is_in_folder = identity(folder) == identity(self::folder(self.path));
        let name = Pattern::new(name).ok()?;
        let is_match = is_in_folder && name.matches_with(own.to_str()?, options);
        is_match.then(|| folder.join(own))
    }
}

/// The path by which a file is recognised under another name: without symbolic links
/// and `..`. The file may not exist.
pub(super) fn identity(path: &Path) -> PathBuf {
    if let Ok(found) = path.canonicalize() {
        return found;
    }
    match (folder(path).canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
