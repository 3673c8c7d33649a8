//! Lists in separate files, so that a tool can add an entry without changing the
//! configuration.

use super::proposed_file::{ProposedFile, ProposedList, ProposedPlace, identity};
use std::collections::BTreeSet;
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
        shown(Path::new(&self.name), base)
    }
}

fn shown(file: &Path, base: &Path) -> String {
    let name = file.strip_prefix(base).unwrap_or(file);
    name.display().to_string()
}

/// The lists that were read from files.
pub(super) struct FileLists<T> {
    pub(super) lists: Vec<FileList<T>>,
    /// The place of the proposed file among them.
    pub(super) proposed: Option<ProposedPlace>,
}

/// Reads the files that the patterns of a key name.
pub(super) struct FileReader<'a> {
    pub(super) list: ProposedList,
    pub(super) patterns: &'a [Text],
    /// A file with a text that is not written yet, of this or another list.
    pub(super) proposed: Option<ProposedFile<'a>>,
}

impl FileReader<'_> {
    /// The lists, in the order of the patterns and then of the names. A file that
    /// several patterns name is read once.
    pub(super) fn read<T: DeserializeOwned>(self, diagnostics: &mut Diagnostics) -> FileLists<T> {
        let proposed = self.proposed.filter(|it| it.list == self.list);
        let proposed_identity = proposed.map(|it| identity(it.path));
        let mut seen = BTreeSet::new();
        let mut read = FileLists {
            lists: Vec::new(),
            proposed: None,
        };
        let files = self.files(proposed, diagnostics);
        let named = files.iter().map(|file| (file.as_path(), true));
        for (file, is_named) in named.chain(proposed.map(|it| (it.path, false))) {
            let identity = identity(file);
            if !seen.insert(identity.clone()) {
                continue;
            }
            let text = proposed.filter(|_| Some(&identity) == proposed_identity.as_ref());
            if text.is_some() {
                read.proposed = Some(ProposedPlace {
                    is_named,
                    place: shown(file, diagnostics.base()),
                });
            }
            let text = text.map(|it| it.text.as_bytes().to_vec());
            read.lists.extend(read_one(file, text, diagnostics));
        }
        read
    }

    /// The files that the patterns name, in their order, with the proposed one.
    fn files(
        &self,
        proposed: Option<ProposedFile<'_>>,
        diagnostics: &mut Diagnostics,
    ) -> Vec<PathBuf> {
        let key = self.list.key();
        let mut all = Vec::new();
        for (index, pattern) in self.patterns.iter().enumerate() {
            let path = format!("{key}[{index}]");
            let absolute = diagnostics.base().join(pattern.value.trim());
            let found = absolute
                .to_str()
                .and_then(|pattern| glob::glob_with(pattern, LIKE_A_SHELL).ok());
            let Some(found) = found else {
                let example = key.replace("_files", "s.d/*.yml");
                let message = format!("not a pattern of file names; write one such as {example}");
                diagnostics.error(pattern.span, path, message);
                continue;
            };
            let mut files: Vec<PathBuf> = found.filter_map(Result::ok).collect();
            let new = proposed.and_then(|it| it.matched_by(&absolute, LIKE_A_SHELL));
            if let Some(new) = new.filter(|it| !files.contains(it)) {
                files.push(new);
                files.sort();
            }
            if files.is_empty() {
                diagnostics.warn(pattern.span, path, "no file matches");
            }
            all.extend(files);
        }
        all
    }
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

/// Reads a file, or `text` instead of what is on the disk.
fn read_one<T: DeserializeOwned>(
    file: &Path,
    text: Option<Vec<u8>>,
    diagnostics: &mut Diagnostics,
) -> Option<FileList<T>> {
    let name = file.display().to_string();
    let base = file.parent().unwrap_or(Path::new("")).to_owned();
    let read = || {
        read_file(file).map_err(|error| {
            let message = format!("the file cannot be read ({})", io_reason(&error));
            ParseError::new(Span::Nowhere, message)
        })
    };
    let contents = text.map_or_else(read, Ok);
    match contents.and_then(|contents| Ok((parse(&contents)?, contents))) {
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
                diagnostics.error(error.span, error.path, error.message);
            });
            None
        }
    }
}
