//! Reading the file: every fault there is, or rules.

use super::file::{HttpSection, RateSection, WebFile};
use super::flood::Flood;
use super::{Rules, header, interval, tls, users};
use std::path::{Path, PathBuf};
use strict_yaml::{ConfigErrors, ConfigWarning};
use strict_yaml::{Diagnostics, Span, Text, io_reason, parse, read_file, unknown_keys};

/// Good rules, and what was odd about them.
#[derive(Debug)]
pub struct Loaded {
    /// What was meant.
    pub rules: Rules,
    /// What works but is probably not meant.
    pub warnings: Vec<ConfigWarning>,
}

/// Loads a web configuration file. Names in it are relative to its directory.
pub fn load(path: &Path) -> Result<Loaded, ConfigErrors> {
    let name = path.display().to_string();
    let mut diagnostics = Diagnostics::new(name, path.parent().unwrap_or(Path::new("")));
    let Some(file) = written(path, &mut diagnostics) else {
        return Err(diagnostics.into_errors());
    };
    unknown_keys("", &file.unknown, WebFile::KEYS, &mut diagnostics);
    let http = file.http_server_config.unwrap_or_default();
    unknown_keys(
        "http_server_config",
        &http.unknown,
        HttpSection::KEYS,
        &mut diagnostics,
    );
    let http2 = tls::switch(
        http.http2.as_ref(),
        "http_server_config.http2",
        &mut diagnostics,
    );
    let section = file.tls_server_config.unwrap_or_default();
    let tls = tls::resolve(&section, http2, &mut diagnostics);
    let users = file.basic_auth_users.unwrap_or_default();
    let rules = Rules {
        http1_only: !http2,
        client_certificates: tls.as_ref().is_some_and(|tls| tls.client_certificates),
        tls: tls.map(|tls| tls.config),
        headers: header::resolve(&http.headers.unwrap_or_default(), &mut diagnostics),
        users: users::resolve(&users, &mut diagnostics),
        flood: file
            .rate_limit
            .and_then(|section| flood(&section, &mut diagnostics)),
    };
    if let (true, None, Some((name, _))) = (rules.users.is_some(), &rules.tls, users.0.first()) {
        let line = "without TLS the passwords can be read on the network; add tls_server_config";
        diagnostics.warn(name.span, "basic_auth_users", line);
    }
    let (rules, warnings) = diagnostics.finish(rules)?;
    Ok(Loaded { rules, warnings })
}

/// The file as written; complains where there is none to read.
fn written(path: &Path, diagnostics: &mut Diagnostics) -> Option<WebFile> {
    let bytes = read_file(path).map_err(|error| {
        let line = format!(
            "the web configuration cannot be read ({})",
            io_reason(&error)
        );
        (Span::Nowhere, line)
    });
    let text = bytes.and_then(|bytes| {
        let line = "the file is not UTF-8; save it as such".to_owned();
        String::from_utf8(bytes).map_err(|_| (Span::Nowhere, line))
    });
    let file = text.and_then(|text| {
        parse::<WebFile>(&text).map_err(|malformed| (malformed.span, malformed.message))
    });
    file.map_err(|(span, line)| diagnostics.error(span, "", line))
        .ok()
}

/// The files a web configuration names, as far as it can be read.
pub(super) fn named(path: &Path) -> Vec<PathBuf> {
    let base = path.parent().unwrap_or(Path::new(""));
    let text = read_file(path)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let file = text.and_then(|text| parse::<WebFile>(&text).ok());
    let section = file
        .and_then(|file| file.tls_server_config)
        .unwrap_or_default();
    let files = [section.cert_file, section.key_file, section.client_ca_file];
    let named = files.into_iter().flatten();
    named.map(|text| base.join(text.value.trim())).collect()
}

/// No interval means no limit, as in the family.
fn flood(section: &RateSection, diagnostics: &mut Diagnostics) -> Option<Flood> {
    unknown_keys(
        "rate_limit",
        &section.unknown,
        RateSection::KEYS,
        diagnostics,
    );
    let mut given = |text: Option<&Text>, key: &str, line: &str, is_good: &dyn Fn(&str) -> bool| {
        if let Some(text) = text.filter(|text| !is_good(text.value.trim())) {
            diagnostics.error(text.span, format!("rate_limit.{key}"), line);
        }
    };
    let is_duration = |text: &str| interval::parse(text).is_some();
    given(
        section.interval.as_ref(),
        "interval",
        "not a duration; write 1s, 500ms or 1m30s",
        &is_duration,
    );
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    given(
        section.burst.as_ref(),
        "burst",
        "not a whole number of requests; write 20",
        &is_number,
    );
    let interval = section
        .interval
        .as_ref()
        .and_then(|text| interval::parse(text.value.trim()))?;
    let burst = section
        .burst
        .as_ref()
        .and_then(|text| text.value.trim().parse().ok());
    let burst: u32 = burst.unwrap_or_default();
    if interval.is_zero() {
        return None;
    }
    if let (0, Some(text)) = (burst, &section.interval) {
        let line = "with a burst of 0 no request is ever answered; set burst";
        diagnostics.warn(text.span, "rate_limit", line);
    }
    Some(Flood::new(interval, burst))
}
