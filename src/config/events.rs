//! The webhook that receives events.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::Duration;
use strict_yaml::{Diagnostics, Span, Spanned};

use super::authority;
use super::file::FileEvents;
use super::number;
use crate::config_values::{Secret, secret_from_file};

/// A receiver only has to acknowledge the event, which takes less time.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Receivers on other machines need more; a longer wait delays queued events.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60);

const URL_FILE: &str = "events.webhook.url_file";
const AUTHORIZATION_FILE: &str = "events.webhook.authorization_file";

/// A receiver of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where to post; a secret, because everyone who knows it can post there.
    pub url: Secret,
    /// A bearer token, or a scheme and its value for the `Authorization` header.
    pub authorization: Option<Secret>,
    /// The timeout of one attempt.
    pub timeout: Duration,
}

pub(super) fn resolve(file: FileEvents, diagnostics: &mut Diagnostics) -> Option<Webhook> {
    file.report_unknown_keys("events", diagnostics);
    let Spanned { value: file, span } = file.webhook?;
    file.report_unknown_keys("events.webhook", diagnostics);
    let url = match (&file.url, &file.url_file) {
        (Some(_), Some(_)) => {
            let message = "both url and url_file are set; keep one";
            diagnostics.error(span, "events.webhook", message);
            None
        }
        (Some(url), None) => diagnostics.check("events.webhook.url", url, plain_url),
        (None, Some(file)) => {
            let secret = secret_from_file(URL_FILE, file, diagnostics);
            secret.and_then(|secret| diagnostics.check(URL_FILE, file, |_| secret_url(secret)))
        }
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
    let authorization = file.authorization_file.and_then(|file| {
        let secret = secret_from_file(AUTHORIZATION_FILE, &file, diagnostics)?;
        diagnostics.check(AUTHORIZATION_FILE, &file, |_| header(secret))
    });
    let timeout = diagnostics.check("events.webhook.timeout", &file.timeout, |text| {
        number::timeout(text, TIMEOUTS)
    });
    Some(Webhook {
        url: url?,
        authorization,
        timeout: timeout.unwrap_or(TIMEOUT),
    })
}

/// A URL in the configuration itself. A query often contains a key, so a URL
/// with a query must come from a file.
fn plain_url(url: &str) -> Result<Secret, &'static str> {
    if url.contains('?') {
        return Err(
            "the URL has a query, which may hold a key; put the URL into a file and set url_file in place of url",
        );
    }
    check_url(url)?;
    Ok(Secret::new(url.to_owned()))
}

fn secret_url(secret: Secret) -> Result<Secret, String> {
    match check_url(secret.expose().trim()) {
        Err(error) => Err(format!("in the file named here: {error}")),
        Ok(()) => Ok(secret),
    }
}

const MALFORMED: &str = "not a URL; write https://HOST/PATH";
const USER: &str =
    "a URL with a user or password; put them into a file and name that as authorization_file";
const PLAIN: &str =
    "http to another machine sends names and comments in clear text; write https://";

/// Why events cannot be sent to a URL, if they cannot.
fn check_url(url: &str) -> Result<(), &'static str> {
    let is_forbidden = |c: char| !c.is_ascii_graphic() || matches!(c, '\\' | '#' | '"' | '<' | '>');
    let Some((scheme, rest)) = url
        .split_once("://")
        .filter(|_| !url.contains(is_forbidden))
    else {
        return Err(MALFORMED);
    };
    let host_and_port = rest.split(['/', '?']).next().unwrap_or_default();
    if host_and_port.contains('@') {
        return Err(USER);
    }
    let host = authority::host(host_and_port).ok_or(MALFORMED)?;
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(()),
        "http" if is_this_machine(host) => Ok(()),
        "http" => Err(PLAIN),
        _ => Err(MALFORMED),
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
        || authority::ipv6(host).is_some_and(|ip| ip.is_loopback())
}

fn header(secret: Secret) -> Result<Secret, &'static str> {
    let is_sendable = |c: char| c.is_ascii_graphic() || c == ' ';
    match secret.expose().chars().all(is_sendable) {
        true => Ok(secret),
        false => Err(
            "the file named here contains characters that a header cannot contain; write a token, or a scheme and its value such as `Basic …`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_reaches_any_host_and_http_only_this_machine() {
        let texts = "https://hooks.example/a?key=b HTTPS://hooks.example:8443 \
            https://[2001:db8::1]/x http://127.0.0.1:9000/x http://[::1]:9000 \
            http://localhost/";
        for good in texts.split(' ') {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for plain in ["http://hooks.example/", "http://127.0.0.1.example/"] {
            assert_eq!(check_url(plain), Err(PLAIN), "{plain}");
        }
    }

    #[test]
    fn a_url_with_an_ambiguous_host_is_refused() {
        for user in [
            "https://a:b@hooks.example/",
            "http://127.0.0.1@evil.example/",
        ] {
            assert_eq!(check_url(user), Err(USER), "{user}");
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
            assert_eq!(check_url(odd), Err(MALFORMED), "{odd}");
        }
    }
}
