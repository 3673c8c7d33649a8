//! To whom events are sent beside the log.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use strict_yaml::{Diagnostics, Span, Spanned, Text, unknown_keys};

use super::file::{FileEvents, FileWebhook};
use super::secret::Secret;
use super::secret_source;

/// A receiver that needs longer only to say that it has an event, is away.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Less no receiver beyond this machine keeps to; more holds up all that waits.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

const URL: &str = "events.webhook.url";
const URL_FILE: &str = "events.webhook.url_file";
const AUTHORIZATION_FILE: &str = "events.webhook.authorization_file";

/// A receiver of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where to post; a secret, since whoever knows it can post there too.
    pub url: Secret,
    /// A bearer token, or a whole `Authorization` header where there are two
    /// words.
    pub authorization: Option<Secret>,
    /// For one attempt.
    pub timeout: Duration,
}

pub(super) fn resolve(file: FileEvents, diagnostics: &mut Diagnostics) -> Option<Webhook> {
    unknown_keys("events", &file.unknown, FileEvents::KEYS, diagnostics);
    let Spanned { value: file, span } = file.webhook?;
    unknown_keys(
        "events.webhook",
        &file.unknown,
        FileWebhook::KEYS,
        diagnostics,
    );
    let url = match (&file.url, &file.url_file) {
        (Some(_), Some(_)) => {
            diagnostics.error(
                span,
                "events.webhook",
                "both url and url_file are set; keep one",
            );
            None
        }
        (Some(url), None) => plain_url(url, diagnostics),
        (None, Some(file)) => secret_url(file, diagnostics),
        (None, None) => {
            let key = match span {
                Span::Variable(_) => "SECURE_SCORE_EVENTS_WEBHOOK_URL_FILE",
                _ => "url_file",
            };
            let message = format!("no receiver; set {key} to a file that holds its URL");
            diagnostics.error(span, "events.webhook", message);
            None
        }
    };
    let authorization = file
        .authorization_file
        .and_then(|f| header(&f, diagnostics));
    let timeout = file.timeout.and_then(|text| timeout(&text, diagnostics));
    Some(Webhook {
        url: url?,
        authorization,
        timeout: timeout.unwrap_or(TIMEOUT),
    })
}

/// A URL in the open. What people write into queries are keys, so one with a
/// query has to come from a file.
fn plain_url(text: &Text, diagnostics: &mut Diagnostics) -> Option<Secret> {
    let url = text.value.trim();
    if url.contains('?') {
        diagnostics.error(
            text.span,
            URL,
            "the URL has a query, which may hold a key; put the URL into a file and set url_file in place of url",
        );
        return None;
    }
    match fault(url) {
        Some(fault) => {
            diagnostics.error(text.span, URL, fault.to_string());
            None
        }
        None => Some(Secret::new(url.to_owned())),
    }
}

fn secret_url(file: &Text, diagnostics: &mut Diagnostics) -> Option<Secret> {
    let secret = secret_source::from_file(URL_FILE, file, diagnostics)?;
    match fault(secret.expose().trim()) {
        Some(fault) => {
            diagnostics.error(
                file.span,
                URL_FILE,
                format!("in the file named here: {fault}"),
            );
            None
        }
        None => Some(secret),
    }
}

/// Why a text is no URL to send events to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum UrlFault {
    #[error("not a URL; write https://HOST/PATH")]
    Malformed,
    #[error(
        "a URL with a user or password; put them into a file and name that as authorization_file"
    )]
    User,
    #[error(
        "http beyond this machine would show names and comments to the network; write https://"
    )]
    Plain,
}

fn fault(url: &str) -> Option<UrlFault> {
    let is_odd = |c: char| !c.is_ascii_graphic() || matches!(c, '\\' | '#' | '"' | '<' | '>');
    let Some((scheme, rest)) = url.split_once("://").filter(|_| !url.contains(is_odd)) else {
        return Some(UrlFault::Malformed);
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some(UrlFault::User);
    }
    let Some(host) = host(authority) else {
        return Some(UrlFault::Malformed);
    };
    match scheme.to_ascii_lowercase().as_str() {
        "https" => None,
        "http" if is_this_machine(host) => None,
        "http" => Some(UrlFault::Plain),
        _ => Some(UrlFault::Malformed),
    }
}

/// The host, where it and its port are well formed.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_port = |port: &str| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    let is_name = |host: &str| {
        let mut labels = host.strip_suffix('.').unwrap_or(host).split('.');
        let is_good = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        labels.all(|label| !label.is_empty() && label.bytes().all(is_good))
    };
    let is_host = bracketed(host).is_some() || is_name(host);
    (is_host && port.is_none_or(is_port)).then_some(host)
}

fn bracketed(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
        || bracketed(host).is_some_and(|ip| ip.is_loopback())
}

fn header(file: &Text, diagnostics: &mut Diagnostics) -> Option<Secret> {
    let secret = secret_source::from_file(AUTHORIZATION_FILE, file, diagnostics)?;
    let is_sendable = |c: char| c.is_ascii_graphic() || c == ' ';
    if secret.expose().chars().all(is_sendable) {
        return Some(secret);
    }
    diagnostics.error(
        file.span,
        AUTHORIZATION_FILE,
        "the file named here holds characters no header may have; write a token, or a scheme and its value such as `Basic …`",
    );
    None
}

fn timeout(text: &Text, diagnostics: &mut Diagnostics) -> Option<Duration> {
    let (least, most) = TIMEOUTS;
    let timeout = humantime::parse_duration(text.value.trim()).ok();
    let timeout = timeout.filter(|timeout| (least..=most).contains(timeout));
    if timeout.is_none() {
        diagnostics.error(
            text.span,
            "events.webhook.timeout",
            "not a duration from 1s to 1m; write a number with its unit, such as 10s",
        );
    }
    timeout
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_goes_anywhere_and_http_stays_on_this_machine() {
        for good in [
            "https://hooks.example/a?key=b",
            "HTTPS://hooks.example:8443",
            "https://[2001:db8::1]/x",
            "http://127.0.0.1:9000/x",
            "http://[::1]:9000",
            "http://localhost/",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
        for plain in ["http://hooks.example/", "http://127.0.0.1.example/"] {
            assert_eq!(fault(plain), Some(UrlFault::Plain), "{plain}");
        }
    }

    #[test]
    fn nothing_that_reads_as_another_host_gets_through() {
        for user in [
            "https://a:b@hooks.example/",
            "http://127.0.0.1@evil.example/",
        ] {
            assert_eq!(fault(user), Some(UrlFault::User), "{user}");
        }
        for odd in [
            "",
            "hooks.example",
            "ftp://hooks.example",
            "https://",
            "https:///x",
            "https://a b/",
            "https://a:0/",
            "https://a:x/",
            "https://[::1/",
            "http://127.0.0.1\\@evil.example/",
            "https://a/#f",
            "https://ä.example/",
        ] {
            assert_eq!(fault(odd), Some(UrlFault::Malformed), "{odd}");
        }
    }
}
