//! The server of `--check` and `--remote-write`.

use crate::cli::{Backfill, ServerUrl};
use crate::commands::Failure;
use crate::config::Config;
use crate::tsdb::{Headers, Server};
use anyhow::Context as _;
use std::fs;
use std::path::Path;

/// Prepares the client; no connection is opened yet.
pub(super) fn server(
    url: &ServerUrl,
    flags: &Backfill,
    config: &Config,
) -> Result<Server, Failure> {
    let headers = match &flags.header_file {
        None => Headers::default(),
        Some(file) => headers(file)?,
    };
    let roots = config.extra_roots.as_ref().map(|roots| &*roots.pem);
    let server = Server::new(url.as_url().clone(), headers, roots);
    Ok(server.context("the HTTP client of the server cannot be set up")?)
}

fn headers(file: &Path) -> Result<Headers, Failure> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("--header-file {} cannot be read", file.display()))?;
    let headers =
        Headers::parse(&text).with_context(|| format!("--header-file {}", file.display()));
    headers.map_err(|error| Failure::Other {
        error,
        hint: Some("write one `Name: value` a line, such as `X-Scope-OrgID: anonymous`".to_owned()),
    })
}
