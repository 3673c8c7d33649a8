//! The HTTP client of the webhook.

use super::webhook_sender::UnavailableReason;
use super::{DeliveryResult, WebhookPayload, WebhookTransport};
use crate::config;
use crate::http_client::{HttpClient, USER_AGENT, connect_timeout, retry_after, trust};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use std::time::Duration;

/// Connecting takes milliseconds; a firewall that drops packets must not use up
/// the time of the whole request.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The receiver of events, over HTTP.
///
/// Its URL may hold a secret, so messages show its host and port only, and never
/// the HTTP library's own messages, which contain it.
pub struct Webhook {
    http: HttpClient,
    url: reqwest::Url,
    authorization: Option<HeaderValue>,
}

/// The webhook cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The configured URL is invalid.
    #[error("the URL of events.webhook cannot be used")]
    Url,
    /// The configured header is invalid.
    #[error("the value of events.webhook.authorization_file cannot be sent as a header")]
    Authorization,
    /// The HTTP client cannot be created.
    #[error("the client for events.webhook cannot be set up")]
    Client(#[source] reqwest::Error),
}

impl Webhook {
    /// The receiver that a configuration names, if it names one.
    pub fn of(config: &config::Config) -> Result<Option<Self>, WebhookError> {
        let roots = config.extra_roots.as_ref();
        let webhook = config.webhook.as_ref();
        webhook.map(|webhook| Self::new(webhook, roots)).transpose()
    }

    /// A client that trusts the system's authorities and `roots`. It does not
    /// connect yet.
    pub fn new(
        webhook: &config::Webhook,
        roots: Option<&config::PemFile>,
    ) -> Result<Self, WebhookError> {
        let url: Result<reqwest::Url, _> = webhook.url.expose().parse();
        let url = url.map_err(|_| WebhookError::Url)?;
        let secret = webhook.authorization.as_ref();
        let authorization = secret.map(|it| authorization(it.expose())).transpose()?;
        // Plain HTTP goes to this machine only: no proxy and no authorities.
        let is_plain = url.scheme() == "http";
        let timeout = webhook.timeout;
        let roots = roots.map_or_else(Vec::new, |roots| roots.certificates.clone());
        let http = HttpClient::new(!is_plain, move || {
            let builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(connect_timeout(CONNECT_TIMEOUT, timeout))
                .timeout(timeout)
                .referer(false)
                .user_agent(USER_AGENT);
            match is_plain {
                true => Ok(builder.tls_certs_only([])),
                false => Ok(trust(builder, &roots)?.https_only(true)),
            }
        });
        Ok(Self {
            http: http.map_err(WebhookError::Client)?,
            url,
            authorization,
        })
    }
}

/// The text as a header where it has two words, else as a bearer token.
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

impl WebhookTransport for Webhook {
    async fn send(&self, payload: &WebhookPayload) -> DeliveryResult {
        let mut request = self
            .http
            .request(Method::POST, self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", payload.id.to_string())
            .body(payload.body.clone());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        match self.http.send(request).await {
            // The body is not read: the status decides.
            Ok(response) => result(response.status(), response.headers()),
            Err(error) => DeliveryResult::Unavailable {
                reason: UnavailableReason::NoAnswer(error),
                retry_after: None,
            },
        }
    }
}

/// The meaning of a status. A redirect counts as a rejection: the event and the
/// authorization are for the configured receiver only. An expired token (401) is
/// no fault of the event, which waits for another one; a 403 may be the judgement
/// of a firewall about the event's text, and must not hold up the others.
fn result(status: StatusCode, headers: &HeaderMap) -> DeliveryResult {
    let code = status.as_u16();
    match code {
        200..=299 => DeliveryResult::Accepted,
        401 | 408 | 425 | 429 | 502 | 503 | 504 => DeliveryResult::Unavailable {
            reason: UnavailableReason::Status(code),
            retry_after: retry_after(headers).filter(|_| matches!(code, 429 | 503)),
        },
        500..=599 => DeliveryResult::ServerError(code),
        _ => DeliveryResult::Rejected(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::RETRY_AFTER;

    fn of(code: u16, retry_after: Option<&str>) -> DeliveryResult {
        let header = retry_after.map(|text| (RETRY_AFTER, HeaderValue::from_str(text).unwrap()));
        let headers = header.into_iter().collect();
        result(StatusCode::from_u16(code).unwrap(), &headers)
    }

    fn unavailable(code: u16, seconds: Option<u64>) -> DeliveryResult {
        DeliveryResult::Unavailable {
            reason: UnavailableReason::Status(code),
            retry_after: seconds.map(Duration::from_secs),
        }
    }

    #[test]
    fn a_rejection_is_final_and_an_unavailable_receiver_is_not() {
        assert_eq!(of(204, None), DeliveryResult::Accepted);
        for code in [301, 307, 400, 403, 404, 410, 422] {
            assert_eq!(of(code, Some("5")), DeliveryResult::Rejected(code));
        }
        for code in [401, 408, 425, 502, 504] {
            assert_eq!(of(code, Some("5")), unavailable(code, None));
        }
        for code in [429, 503] {
            assert_eq!(of(code, Some("5")), unavailable(code, Some(5)));
        }
        for code in [500, 501, 599] {
            assert_eq!(of(code, None), DeliveryResult::ServerError(code));
        }
    }

    #[test]
    fn one_word_is_a_token_and_two_words_are_a_header() {
        assert_eq!(authorization("abc").unwrap(), "Bearer abc");
        let basic = authorization("Basic dXNlcg==\n").unwrap();
        assert_eq!(basic, "Basic dXNlcg==");
        assert!(basic.is_sensitive());
        assert!(authorization("a\u{7}b").is_err());
    }
}
