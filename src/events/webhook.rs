//! One POST to the receiver of the webhook.

use super::Letter;
use super::delivery::{Absence, Answer, LONGEST_ASKED, Post};
use crate::config;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use std::time::Duration;

/// Connecting takes milliseconds; what drops packets must not use up the time
/// an answer has.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A receiver of events over HTTP.
///
/// Its URL may be a secret, so it appears in no text, and neither does any
/// text of the library's, which likes to name it.
pub struct Webhook {
    http: reqwest::Client,
    url: reqwest::Url,
    authorization: Option<HeaderValue>,
}

/// The webhook could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// What the configuration took for a URL is none.
    #[error("the URL of events.webhook cannot be used")]
    Url,
    /// What the configuration took for a header is none.
    #[error("the value of events.webhook.authorization_file cannot be sent as a header")]
    Authorization,
    /// The HTTP client could not be made.
    #[error("the client for events.webhook cannot be set up")]
    Client(#[source] reqwest::Error),
}

impl Webhook {
    /// Opens nothing yet. `roots` are trusted beside the system's authorities.
    pub fn new(
        webhook: &config::Webhook,
        roots: Option<&config::PemFile>,
    ) -> Result<Self, WebhookError> {
        let url: reqwest::Url = webhook
            .url
            .expose()
            .parse()
            .map_err(|_| WebhookError::Url)?;
        let authorization = webhook
            .authorization
            .as_ref()
            .map(|secret| authorization(secret.expose()))
            .transpose()?;
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(webhook.timeout))
            .timeout(webhook.timeout)
            .referer(false)
            .user_agent(concat!("secure-score-exporter/", env!("CARGO_PKG_VERSION")));
        let builder = match (url.scheme(), roots) {
            // On this machine: no proxy on the way, no authorities needed.
            ("http", _) => builder.no_proxy().tls_certs_only([]),
            (_, None) => builder.https_only(true),
            (_, Some(roots)) => {
                let roots = reqwest::Certificate::from_pem_bundle(&roots.pem);
                builder
                    .https_only(true)
                    .tls_certs_merge(roots.map_err(WebhookError::Client)?)
            }
        };
        Ok(Self {
            http: builder.build().map_err(WebhookError::Client)?,
            url,
            authorization,
        })
    }
}

/// A whole header where there are two words, a bearer token where there is one.
fn authorization(text: &str) -> Result<HeaderValue, WebhookError> {
    let text = text.trim();
    let header = match text.contains(' ') {
        true => text.to_owned(),
        false => format!("Bearer {text}"),
    };
    let mut value = HeaderValue::from_str(&header).map_err(|_| WebhookError::Authorization)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Post for Webhook {
    async fn post(&self, letter: &Letter) -> Answer {
        let mut request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", letter.key.to_string())
            .body(letter.body.clone());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        match request.send().await {
            // The body is never read: the status is the answer.
            Ok(response) => answer(
                response.status(),
                response
                    .headers()
                    .get(RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()),
            ),
            Err(error) => {
                let why = absence(&error);
                // Without its URL, the library's text says what we do not.
                tracing::debug!(
                    reason = %why,
                    cause = crate::diagnostics::chain(&error.without_url()),
                    "the webhook could not be reached"
                );
                Answer::Away { why, wait: None }
            }
        }
    }
}

fn absence(error: &reqwest::Error) -> Absence {
    if error.is_timeout() {
        Absence::Timeout
    } else if error.is_connect() {
        Absence::Connect
    } else {
        Absence::Interrupted
    }
}

/// What a status means. A redirect is not followed, since the event and the
/// authorization are for the configured receiver alone, and so is a refusal.
fn answer(status: StatusCode, retry_after: Option<&str>) -> Answer {
    let code = status.as_u16();
    match code {
        200..=299 => Answer::Taken,
        408 | 425 | 429 | 502 | 503 | 504 => Answer::Away {
            why: Absence::Status(code),
            wait: retry_after
                .filter(|_| matches!(code, 429 | 503))
                .and_then(asked),
        },
        500..=599 => Answer::Stumbled(code),
        _ => Answer::Refused(code),
    }
}

/// Reads a `Retry-After` header: seconds, or a date.
fn asked(header: &str) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(LONGEST_ASKED));
    }
    let at = jiff::fmt::rfc2822::parse(header).ok()?.timestamp();
    let wait = at.as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)).min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u16, retry_after: Option<&str>) -> Answer {
        answer(StatusCode::from_u16(code).unwrap(), retry_after)
    }

    fn away(code: u16, seconds: Option<u64>) -> Answer {
        Answer::Away {
            why: Absence::Status(code),
            wait: seconds.map(Duration::from_secs),
        }
    }

    #[test]
    fn a_refusal_is_final_and_an_absence_is_not() {
        assert_eq!(of(204, None), Answer::Taken);
        for code in [301, 307, 400, 401, 404, 410, 422] {
            assert_eq!(of(code, Some("5")), Answer::Refused(code));
        }
        for code in [408, 425, 502, 504] {
            assert_eq!(of(code, Some("5")), away(code, None));
        }
        for code in [500, 501, 599] {
            assert_eq!(of(code, None), Answer::Stumbled(code));
        }
    }

    #[test]
    fn who_is_overrun_says_how_long_within_reason() {
        assert_eq!(of(429, Some(" 7 ")), away(429, Some(7)));
        assert_eq!(of(503, Some("99999999")), away(503, Some(3_600)));
        assert_eq!(
            of(503, Some("Mon, 23 Nov 2015 08:01:30 GMT")),
            away(503, Some(0))
        );
        for garbage in ["", "soon", "-5"] {
            assert_eq!(of(503, Some(garbage)), away(503, None), "{garbage}");
        }
    }

    #[test]
    fn one_word_is_a_token_and_two_are_a_header() {
        assert_eq!(authorization("abc").unwrap(), "Bearer abc");
        let basic = authorization("Basic dXNlcg==\n").unwrap();
        assert_eq!(basic, "Basic dXNlcg==");
        assert!(basic.is_sensitive());
        assert!(authorization("a\u{7}b").is_err());
    }
}
