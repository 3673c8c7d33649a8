//! Failed token requests.

use super::entra_codes;
use crate::http_client::{MAX_MESSAGE, TransportError};
use crate::text::{clean_line, redact};
use secure_score_model::Reason;
use serde_json::Value;
use std::time::Duration;

/// Why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct TokenError {
    kind: TokenErrorKind,
    retry_after: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenErrorKind {
    /// The exchange with Entra failed.
    #[error("no access token: {0}")]
    Transport(TransportError),
    /// Entra refused the request.
    #[error("Entra refused an access token with status {status}{}", suffix(.description))]
    Entra {
        status: u16,
        codes: Vec<u32>,
        description: String,
    },
    /// This machine has no endpoint for managed identities.
    #[error("no access token: no managed identity answers on this machine: {0}")]
    NoIdentity(TransportError),
    /// That endpoint refused the request.
    #[error("Azure gave no access token for the managed identity: status {status}{}", suffix(.description))]
    Identity { status: u16, description: String },
    /// The credential itself cannot be used.
    #[error("the credential cannot be used: {0}")]
    Unusable(String),
    /// The response contains no usable token.
    #[error("the access token is not as documented: {0}")]
    Malformed(&'static str),
}

/// The description of an error after its first words, if there is one.
fn suffix(description: &str) -> String {
    match description {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

use TokenErrorKind::{Entra, Identity, Malformed, NoIdentity, Transport, Unusable};

impl From<TokenErrorKind> for TokenError {
    fn from(kind: TokenErrorKind) -> Self {
        Self {
            kind,
            retry_after: None,
        }
    }
}

impl TokenError {
    /// Entra refused the request.
    pub(super) fn entra(status: u16, body: &[u8], secrets: &[&str]) -> Self {
        // The description names them too, also in a body that is cut off.
        let described = || entra_codes::codes_in(&String::from_utf8_lossy(body));
        let error = ErrorBody::parse(body);
        Self::from(Entra {
            status,
            codes: error.codes().unwrap_or_else(described),
            description: error.description(secrets),
        })
    }

    /// The endpoint for managed identities refused the request.
    pub(super) fn identity(status: u16, body: &[u8], secrets: &[&str]) -> Self {
        let description = ErrorBody::parse(body).description(secrets);
        Self::from(Identity {
            status,
            description,
        })
    }

    /// The credential itself cannot be used.
    pub(super) fn unusable(why: &str) -> Self {
        Unusable(clean_line(&redact(why, &[]), MAX_MESSAGE).into_owned()).into()
    }

    /// The same error with the delay that the server asked for.
    pub(super) fn with_retry_after(self, delay: Option<Duration>) -> Self {
        Self {
            retry_after: delay,
            ..self
        }
    }

    /// The delay before another request, if one is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The reason for labels.
    pub fn reason(&self) -> Reason {
        match &self.kind {
            Transport(error) | NoIdentity(error) => error.reason(),
            Entra { status, codes, .. } => entra_codes::reason(*status, codes),
            Identity { status, .. } => identity_reason(*status),
            Unusable(_) => Reason::Credential,
            Malformed(_) => Reason::Token,
        }
    }

    /// Whether a retry can succeed only after an administrator's change.
    pub fn needs_administrator(&self) -> bool {
        // Entra's refusal with an unlisted number is more likely an error of the
        // configuration than a temporary failure.
        if let Entra { status, .. } = self.kind
            && self.reason() == Reason::Token
        {
            return (400..500).contains(&status);
        }
        self.reason().needs_administrator()
    }

    /// Whether the tenant has not consented to the application.
    pub fn is_not_consented(&self) -> bool {
        matches!(&self.kind, Entra { codes, .. } if entra_codes::is_not_consented(codes))
    }

    /// The fix, if this error has one of its own.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.kind {
            Transport(error) => error.hint(),
            Entra { status, codes, .. } => entra_codes::hint(*status, codes),
            NoIdentity(_) => Some(
                "managed identities exist on Azure only (virtual machine, App Service, Container Apps, AKS): give this tenant another type of credential elsewhere",
            ),
            Identity {
                status: 400..=403, ..
            } => Some(
                "assign the identity to this machine or app, or correct its client id in the configuration; a new assignment takes some minutes",
            ),
            _ => None,
        }
    }
}

/// According to "How to use managed identities to acquire an access token",
/// error handling: 404 and 410 mean that the endpoint is being updated.
fn identity_reason(status: u16) -> Reason {
    match status {
        404 | 410 | 500..=599 => Reason::Server,
        429 => Reason::Throttled,
        400..=499 => Reason::Credential,
        _ => Reason::Token,
    }
}

/// The body of an error of Entra's token endpoint, or of the endpoint for
/// managed identities. A field of another type than documented costs only
/// itself.
struct ErrorBody(Value);

impl ErrorBody {
    fn parse(body: &[u8]) -> Self {
        Self(serde_json::from_slice(body).unwrap_or_default())
    }

    /// Entra's numbers, if one can be read.
    fn codes(&self) -> Option<Vec<u32>> {
        let codes = self.0.pointer("/error_codes")?.as_array()?.iter();
        let number = |code: &Value| match code {
            Value::String(text) => text.trim().parse().ok(),
            code => u32::try_from(code.as_u64()?).ok(),
        };
        let codes: Vec<u32> = codes.filter_map(number).collect();
        (!codes.is_empty()).then_some(codes)
    }

    fn text(&self) -> &str {
        // App Service calls the description `message`.
        let fields = [
            "/error_description",
            "/message",
            "/error",
            "/error/message",
            "/error/code",
        ];
        let mut fields = fields.iter();
        let text = fields.find_map(|field| self.0.pointer(field)?.as_str());
        text.unwrap_or_default()
    }

    /// The first line of the text. The others repeat ids and the time.
    fn description(&self, secrets: &[&str]) -> String {
        let first_line = self.text().lines().next().unwrap_or_default();
        clean_line(&redact(first_line, secrets), MAX_MESSAGE).into_owned()
    }
}

/// Reads an error of Entra's token endpoint, without a network.
pub fn read_entra_error(status: u16, body: &[u8]) -> TokenError {
    TokenError::entra(status, body, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entra_error_has_its_status_the_first_line_and_the_number() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired.\r\nTrace ID: x","error_codes":[7000222]}"#;
        for (status, body, codes, description) in [
            (401, body, vec![7_000_222], "AADSTS7000222: expired."),
            (503, "<html>", Vec::new(), ""),
            (400, "[]", Vec::new(), ""),
        ] {
            let expected = Entra {
                status,
                codes,
                description: description.to_owned(),
            };
            assert_eq!(read_entra_error(status, body.as_bytes()), expected.into());
        }
    }

    #[test]
    fn one_odd_field_of_an_error_costs_only_itself() {
        let text = "AADSTS7000222: expired.";
        for body in [
            json!({"error_description": text, "error_codes": null}),
            json!({"error_description": text, "error_codes": "7000222"}),
            json!({"error_description": text, "error_codes": ["7000222"]}),
            json!({"error_description": text, "error_codes": [7_000_222, "x", -1, 1e20]}),
            json!({"error_description": text, "error": {"code": "x"}, "error_codes": [7_000_222]}),
            json!({"error_description": 1, "error": {"code": "x", "message": text}}),
        ] {
            let expected = Entra {
                status: 400,
                codes: vec![7_000_222],
                description: text.to_owned(),
            };
            let read = read_entra_error(400, body.to_string().as_bytes());
            assert_eq!(read, expected.into(), "{body}");
        }
    }

    #[test]
    fn a_number_in_a_body_that_is_cut_off_is_read() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000222: exp"#;
        let error = read_entra_error(401, body);
        assert_eq!(error.reason(), Reason::Credential);
    }
}
