//! The files of captured responses.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use strict_yaml::read_at_most;

use crate::raw_json;
use crate::tenant::ListPage;

/// More than the reports of 90 days, some 10 MB.
const MAX_PAGE: u64 = 256 * 1024 * 1024;

/// Why captured responses cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file or the directory could not be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The directory has no page of the catalogue.
    #[error("{} contains no secureScoreControlProfiles*.json", directory.display())]
    NoProfiles {
        /// The directory.
        directory: PathBuf,
    },
    /// A file is not text in UTF-8.
    #[error("{} is not UTF-8; save it as UTF-8, since PowerShell's `>` writes UTF-16", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// A file is not JSON.
    #[error("{} is not JSON", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// The place of the error.
        source: serde_json::Error,
    },
    /// A file is not a list of Graph's.
    #[error("{} has no list named `value`, so it is not a response of Graph", path.display())]
    NotAList {
        /// The file.
        path: PathBuf,
    },
    /// No element identifies the tenant.
    #[error("{} has no `azureTenantId`", path.display())]
    NoTenant {
        /// The file.
        path: PathBuf,
    },
}

/// The pages of a list, a file each, linked in the order of their names; none without files.
pub(crate) fn load_pages(directory: &Path, prefix: &str) -> Result<Vec<ListPage>, ReplayError> {
    let is_page = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(prefix) && name.ends_with(".json")
    };
    let files = entries(directory)?.into_iter().filter(is_page);
    let pages = files.map(|path| load_page(&path));
    let mut pages = pages.collect::<Result<Vec<_>, _>>()?;
    let count = pages.len();
    for (page, next) in pages.iter_mut().zip(1..count) {
        page.next = Some(next);
    }
    Ok(pages)
}

/// A page of a list.
pub(crate) fn load_page(path: &Path) -> Result<ListPage, ReplayError> {
    let path = path.to_owned();
    let bytes = match read_at_most(&path, MAX_PAGE) {
        Ok(bytes) => bytes,
        Err(source) => return Err(ReplayError::Read { path, source }),
    };
    let Ok(text) = str::from_utf8(&bytes) else {
        return Err(ReplayError::NotUtf8 { path });
    };
    let text = text.trim_start_matches('\u{feff}');
    let mut envelope = match serde_json::from_str(text).map(raw_json::parse) {
        Ok(Value::Object(envelope)) => envelope,
        Ok(_) => return Err(ReplayError::NotAList { path }),
        Err(source) => return Err(ReplayError::NotJson { path, source }),
    };
    let Some(Value::Array(elements)) = envelope.remove("value") else {
        return Err(ReplayError::NotAList { path });
    };
    // The captured link leads to Microsoft; the next page here is the next file.
    envelope.remove("@odata.nextLink");
    Ok(ListPage {
        envelope,
        elements,
        next: None,
    })
}

/// The entries of a directory, by name.
pub(crate) fn entries(directory: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let unread = |source| ReplayError::Read {
        path: directory.to_owned(),
        source,
    };
    let entries = fs::read_dir(directory).map_err(unread)?;
    let paths = entries.map(|entry| Ok(entry.map_err(unread)?.path()));
    let mut paths = paths.collect::<Result<Vec<_>, ReplayError>>()?;
    paths.sort();
    Ok(paths)
}
