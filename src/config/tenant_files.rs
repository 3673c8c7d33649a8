//! Tenants in separate files, so that a tool can add one without changing the
//! configuration.

use std::path::{Path, PathBuf};
use strict_yaml::{Diagnostics, ParseError, Span, Spanned, Text, io_reason, parse, read_file};

use glob::MatchOptions;

use super::file::FileTenant;

/// As in a shell, `*` matches neither a slash nor hidden files. Kubernetes keeps
/// hidden copies beside mounted files.
const LIKE_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The tenants of one file.
pub(super) struct TenantList {
    /// `None` for the configuration itself.
    pub(super) file: Option<TenantFile>,
    pub(super) tenants: Vec<Spanned<FileTenant>>,
}

/// A file of tenants.
pub(super) struct TenantFile {
    /// Its name in messages.
    pub(super) name: String,
    /// The directory that paths in it are relative to.
    pub(super) base: PathBuf,
    pub(super) contents: Vec<u8>,
}

/// Reads the files that match the patterns, in the order of their names.
pub(super) fn read(patterns: &[Text], diagnostics: &mut Diagnostics) -> Vec<TenantList> {
    let mut lists = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        let path = format!("tenant_files[{index}]");
        let files = files(&path, pattern, diagnostics);
        lists.extend(files.iter().filter_map(|file| read_one(file, diagnostics)));
    }
    lists
}

fn files(path: &str, pattern: &Text, diagnostics: &mut Diagnostics) -> Vec<PathBuf> {
    let absolute = diagnostics.base().join(pattern.value.trim());
    let found = absolute
        .to_str()
        .and_then(|pattern| glob::glob_with(pattern, LIKE_A_SHELL).ok());
    let Some(found) = found else {
        let message = "not a pattern of file names; write one such as tenants.d/*.yml";
        diagnostics.error(pattern.span, path, message);
        return Vec::new();
    };
    let files: Vec<PathBuf> = found.filter_map(Result::ok).collect();
    if files.is_empty() {
        diagnostics.warn(pattern.span, path, "no file matches");
    }
    files
}

fn read_one(file: &Path, diagnostics: &mut Diagnostics) -> Option<TenantList> {
    let name = file.display().to_string();
    let base = file.parent().unwrap_or(Path::new("")).to_owned();
    let read = read_file(file).map_err(|error| ParseError {
        span: Span::Nowhere,
        message: format!("the file cannot be read ({})", io_reason(&error)),
    });
    match read.and_then(|contents| Ok((parse(&contents)?, contents))) {
        Ok((tenants, contents)) => Some(TenantList {
            file: Some(TenantFile {
                name,
                base,
                contents,
            }),
            tenants,
        }),
        Err(error) => {
            diagnostics.in_file(&name, &base, |diagnostics| {
                diagnostics.error(error.span, "", error.message);
            });
            None
        }
    }
}
