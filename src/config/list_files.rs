//! Lists in separate files, so that a tool can add an entry without changing the
//! configuration.

use std::path::{Path, PathBuf};
use strict_yaml::{Diagnostics, ParseError, Span, Spanned, Text, io_reason, parse, read_file};

use glob::MatchOptions;
use serde::de::DeserializeOwned;

/// As in a shell, `*` matches neither a slash nor hidden files. Kubernetes keeps
/// hidden copies beside mounted files.
const LIKE_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The entries of one file.
pub(super) struct FileList<T> {
    /// `None` for the configuration itself.
    pub(super) file: Option<ListFile>,
    pub(super) entries: Vec<Spanned<T>>,
}

impl<T> FileList<T> {
    /// The entries of the configuration itself.
    pub(super) fn of_configuration(entries: Option<Vec<Spanned<T>>>) -> Self {
        Self {
            file: None,
            entries: entries.unwrap_or_default(),
        }
    }
}

/// A file with a list.
pub(super) struct ListFile {
    /// Its name in messages.
    pub(super) name: String,
    /// The directory that paths in it are relative to.
    pub(super) base: PathBuf,
    pub(super) contents: Vec<u8>,
}

impl ListFile {
    /// Its name in findings, relative to the directory of the configuration where it
    /// is in there.
    pub(super) fn relative_to(&self, base: &Path) -> String {
        let name = Path::new(&self.name);
        name.strip_prefix(base)
            .unwrap_or(name)
            .display()
            .to_string()
    }
}

/// Reads the files that match the patterns under a key, in the order of their
/// names.
pub(super) fn read<T: DeserializeOwned>(
    key: &str,
    patterns: &[Text],
    diagnostics: &mut Diagnostics,
) -> Vec<FileList<T>> {
    let mut lists = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        let path = format!("{key}[{index}]");
        let example = key.replace("_files", "s.d/*.yml");
        let files = files(&path, pattern, &example, diagnostics);
        lists.extend(files.iter().filter_map(|file| read_one(file, diagnostics)));
    }
    lists
}

/// The files that were read, and those of plain names that do not exist yet: a
/// command may create them.
pub(super) fn editable<T>(patterns: &[Text], lists: &[FileList<T>], base: &Path) -> Vec<PathBuf> {
    let read = lists.iter().filter_map(|list| list.file.as_ref());
    let mut files: Vec<PathBuf> = read.map(|it| PathBuf::from(&it.name)).collect();
    let plain = patterns.iter().map(|it| it.value.trim());
    let plain = plain.filter(|it| !it.contains(['*', '?', '[']));
    files.extend(plain.map(|it| base.join(it)));
    files.sort_unstable();
    files.dedup();
    files
}

fn files(path: &str, pattern: &Text, example: &str, diagnostics: &mut Diagnostics) -> Vec<PathBuf> {
    let absolute = diagnostics.base().join(pattern.value.trim());
    let found = absolute
        .to_str()
        .and_then(|pattern| glob::glob_with(pattern, LIKE_A_SHELL).ok());
    let Some(found) = found else {
        let message = format!("not a pattern of file names; write one such as {example}");
        diagnostics.error(pattern.span, path, message);
        return Vec::new();
    };
    let files: Vec<PathBuf> = found.filter_map(Result::ok).collect();
    if files.is_empty() {
        diagnostics.warn(pattern.span, path, "no file matches");
    }
    files
}

fn read_one<T: DeserializeOwned>(
    file: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<FileList<T>> {
    let name = file.display().to_string();
    let base = file.parent().unwrap_or(Path::new("")).to_owned();
    let read = read_file(file).map_err(|error| ParseError {
        span: Span::Nowhere,
        message: format!("the file cannot be read ({})", io_reason(&error)),
    });
    match read.and_then(|contents| Ok((parse(&contents)?, contents))) {
        Ok((entries, contents)) => Some(FileList {
            file: Some(ListFile {
                name,
                base,
                contents,
            }),
            entries,
        }),
        Err(error) => {
            diagnostics.in_file(&name, &base, |diagnostics| {
                diagnostics.error(error.span, "", error.message);
            });
            None
        }
    }
}
