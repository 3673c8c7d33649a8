//! The file of headers that authenticates a command.

use super::Failure;
use crate::http_client::{ExporterClient, Headers};
use anyhow::Context as _;
use std::path::Path;
use strict_yaml::{io_reason, read_file};
use url::Url;
use zeroize::Zeroizing;

/// The client of the exporter of `--url`, with the headers of `--header-file`. No
/// connection is opened yet.
pub(super) fn exporter(url: &Url, file: Option<&Path>) -> Result<ExporterClient, Failure> {
    Ok(ExporterClient::new(url.clone(), read(file)?)?)
}

/// The headers in the file of `--header-file`; none without one.
pub(super) fn read(file: Option<&Path>) -> Result<Headers, Failure> {
    let Some(file) = file else {
        return Ok(Headers::default());
    };
    let bytes = Zeroizing::new(read_file(file).map_err(|error| {
        let reason = io_reason(&error);
        anyhow::anyhow!("--header-file {} cannot be read ({reason})", file.display())
    })?);
    let text = std::str::from_utf8(&bytes)
        .with_context(|| format!("--header-file {} is not UTF-8", file.display()))?;
    let headers = Headers::parse(text).with_context(|| format!("--header-file {}", file.display()));
    let hint = "write one `Name: value` a line, such as `X-Scope-OrgID: anonymous`";
    headers.map_err(|error| Failure::with_hint(error, hint))
}
