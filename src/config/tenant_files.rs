//! Tenants in files of their own, so that a tool can add one without touching
//! what people wrote.

use std::path::{Path, PathBuf};
use strict_yaml::{Diagnostics, Span, Spanned, Text, io_reason, parse, read_file};

use glob::MatchOptions;

use super::file::FileTenant;

/// As a shell does it: `*` stays within a folder, and hidden files are left
/// alone, among them those Kubernetes keeps beside a mounted one.
const LIKE_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Tenants that were written together.
pub(super) struct Batch {
    /// The file, where it is not the configuration itself.
    pub(super) file: Option<TenantFile>,
    pub(super) tenants: Vec<Spanned<FileTenant>>,
}

/// A file of tenants.
pub(super) struct TenantFile {
    /// As in messages.
    pub(super) name: String,
    /// What relative paths in it are relative to.
    pub(super) base: PathBuf,
    /// What it says.
    pub(super) text: String,
}

/// Reads the files that fit the patterns, in the order of their names.
pub(super) fn read(patterns: &[Text], diagnostics: &mut Diagnostics) -> Vec<Batch> {
    let mut batches = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        let path = format!("tenant_files[{index}]");
        let files = files(&path, pattern, diagnostics);
        batches.extend(files.iter().filter_map(|file| batch(file, diagnostics)));
    }
    batches
}

fn files(path: &str, pattern: &Text, diagnostics: &mut Diagnostics) -> Vec<PathBuf> {
    let written = diagnostics.base().join(pattern.value.trim());
    let found = written
        .to_str()
        .and_then(|written| glob::glob_with(written, LIKE_A_SHELL).ok());
    let Some(found) = found else {
        let message = "not a pattern of file names; write one such as tenants.d/*.yml";
        diagnostics.error(pattern.span, path, message);
        return Vec::new();
    };
    let files: Vec<PathBuf> = found.filter_map(Result::ok).collect();
    if files.is_empty() {
        diagnostics.warn(pattern.span, path, "no file fits yet");
    }
    files
}

fn batch(file: &Path, diagnostics: &mut Diagnostics) -> Option<Batch> {
    let name = file.display().to_string();
    let base = file.parent().unwrap_or(Path::new("")).to_owned();
    let read = read_file(file).map_err(|error| {
        let reason = io_reason(&error);
        format!("the file cannot be read ({reason})")
    });
    let text = read.and_then(|bytes| {
        String::from_utf8(bytes).map_err(|_| "the file is not UTF-8; save it as such".to_owned())
    });
    let text = match text {
        Ok(text) => text,
        Err(message) => {
            diagnostics.in_file(&name, &base, |diagnostics| {
                diagnostics.error(Span::Nowhere, "", message)
            });
            return None;
        }
    };
    match parse::<Vec<Spanned<FileTenant>>>(&text) {
        Ok(tenants) => Some(Batch {
            file: Some(TenantFile { name, base, text }),
            tenants,
        }),
        Err(malformed) => {
            diagnostics.in_file(&name, &base, |diagnostics| {
                diagnostics.error(malformed.span, "", malformed.message);
            });
            None
        }
    }
}
