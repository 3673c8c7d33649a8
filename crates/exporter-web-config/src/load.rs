use crate::file::{HttpSection, RateSection, WebFile};
use crate::{RateLimiter, WebConfig, go_duration, headers, tls, users};
use std::path::{Path, PathBuf};
use strict_yaml::{
    ConfigErrors, ConfigWarning, Diagnostics, ParseError, Span, Text, io_reason, parse, read_file,
    unknown_keys,
};

/// Loads a web configuration file. Paths in it are relative to its directory.
pub fn load(path: &Path) -> Result<(WebConfig, Vec<ConfigWarning>), ConfigErrors> {
    let base = path.parent().unwrap_or(Path::new(""));
    let diagnostics = Diagnostics::new(path.display().to_string(), base);
    finished(read(path), diagnostics)
}

/// Reads a web configuration that is not in a file. `source` names it in errors;
/// paths in it are relative to the working directory.
pub fn load_text(
    source: &str,
    text: &str,
) -> Result<(WebConfig, Vec<ConfigWarning>), ConfigErrors> {
    finished(parse(text), Diagnostics::new(source, ""))
}

fn finished(
    file: Result<WebFile, ParseError>,
    mut diagnostics: Diagnostics,
) -> Result<(WebConfig, Vec<ConfigWarning>), ConfigErrors> {
    match file {
        Ok(file) => {
            let config = resolve(file, &mut diagnostics);
            diagnostics.finish(config)
        }
        Err(error) => {
            diagnostics.error(error.span, error.path, error.message);
            Err(diagnostics.into_errors())
        }
    }
}

fn read(path: &Path) -> Result<WebFile, ParseError> {
    let bytes = read_file(path).map_err(|error| {
        let reason = io_reason(&error);
        let message = format!("the web configuration cannot be read ({reason})");
        ParseError::new(Span::Nowhere, message)
    })?;
    parse(bytes)
}

fn resolve(file: WebFile, diagnostics: &mut Diagnostics) -> WebConfig {
    unknown_keys("", &file.unknown, WebFile::KEYS, diagnostics);
    let http = file.http_server_config.unwrap_or_default();
    let section = "http_server_config";
    unknown_keys(section, &http.unknown, HttpSection::KEYS, diagnostics);
    let http2 = tls::boolean(http.http2.as_ref(), "http_server_config.http2", diagnostics);
    let section = file.tls_server_config.unwrap_or_default();
    let tls = tls::resolve(&section, http2, diagnostics);
    let users = file.basic_auth_users.unwrap_or_default();
    let config = WebConfig {
        http1_only: !http2,
        requires_certificates: tls.as_ref().is_some_and(|tls| tls.requires_certificates),
        verified_certificates: tls
            .as_ref()
            .map(|tls| tls.verified_certificates)
            .unwrap_or_default(),
        tls: tls.map(|tls| tls.config),
        headers: headers::resolve(&http.headers.unwrap_or_default(), diagnostics),
        users: users::resolve(&users, diagnostics),
        rate_limit: file
            .rate_limit
            .and_then(|section| rate_limit(&section, diagnostics)),
    };
    if let (true, None, Some((name, _))) = (config.users.is_some(), &config.tls, users.0.first()) {
        let message = "without TLS, passwords are sent unencrypted; add tls_server_config";
        diagnostics.warn(name.span, "basic_auth_users", message);
    }
    config
}

/// The files that a web configuration names, as far as it is valid.
pub(crate) fn referenced_files(path: &Path) -> Vec<PathBuf> {
    let base = path.parent().unwrap_or(Path::new(""));
    let section = read(path).ok().and_then(|file| file.tls_server_config);
    let section = section.unwrap_or_default();
    let files = [section.cert_file, section.key_file, section.client_ca_file];
    let named = files.into_iter().flatten();
    named.map(|text| base.join(text.value.trim())).collect()
}

/// `None` without an interval, as in the Go exporters.
fn rate_limit(section: &RateSection, diagnostics: &mut Diagnostics) -> Option<RateLimiter> {
    unknown_keys(
        "rate_limit",
        &section.unknown,
        RateSection::KEYS,
        diagnostics,
    );
    let (interval_text, burst_text) = (section.interval.as_ref(), section.burst.as_ref());
    let interval = interval_text.map(|text| (text, go_duration::parse(text.value.trim())));
    if let Some((text, None)) = interval {
        let message = "not a duration; write 1s, 500ms or 1m30s";
        diagnostics.error(text.span, "rate_limit.interval", message);
    }
    let burst = burst_text.map(|text: &Text| (text, text.value.trim().parse().ok()));
    if let Some((text, None)) = burst {
        let message = "not a whole number of requests; write 20";
        diagnostics.error(text.span, "rate_limit.burst", message);
    }
    let (text, Some(interval)) = interval? else {
        return None;
    };
    if interval.is_zero() {
        return None;
    }
    let burst: u32 = burst.and_then(|(_, burst)| burst).unwrap_or_default();
    if burst == 0 {
        let message = "a burst of 0 rejects every request; set burst";
        diagnostics.warn(text.span, "rate_limit", message);
    }
    Some(RateLimiter::new(interval, burst))
}
