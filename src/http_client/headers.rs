//! Headers that authenticate the client.

use crate::text::{redact, single_line, truncate};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

/// The maximum length of a text of the server, in characters.
const MAX_SHOWN: usize = 300;

/// Headers from a file with one `Name: value` per line. The values are secrets
/// and appear in no message.
#[derive(Clone, Default)]
pub struct Headers {
    pub(crate) map: HeaderMap,
    secrets: Vec<Zeroizing<String>>,
}

/// A line of the file that is not a header. The message does not contain it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the header file is not of the form `Name: value`")]
pub struct HeaderError {
    line: usize,
}

impl Headers {
    /// Parses the text of a file. Empty lines and those with # are skipped.
    pub fn parse(text: &str) -> Result<Self, HeaderError> {
        let mut headers = Self::default();
        for (place, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let error = HeaderError { line: place + 1 };
            let (name, secret) = line.split_once(':').ok_or(error.clone())?;
            let (name, value) = header(name, secret).ok_or(error)?;
            headers.map.append(name, value);
            let secret = secret.trim();
            headers.secrets.push(Zeroizing::new(secret.to_owned()));
            // The part after a scheme such as Bearer is a secret by itself.
            if let Some((_, token)) = secret.split_once(' ') {
                let token = token.trim().to_owned();
                headers.secrets.push(Zeroizing::new(token));
            }
        }
        Ok(headers)
    }

    /// A text of the server for an error: without these secrets, on one line, and
    /// truncated.
    pub(crate) fn shown(&self, text: &str) -> String {
        truncate(&single_line(&self.redact(text)), MAX_SHOWN)
    }

    /// A text of the server without these secrets.
    fn redact(&self, text: &str) -> String {
        let secrets = self.secrets.iter().map(|secret| secret.as_str());
        let secrets: Vec<&str> = secrets.filter(|secret| secret.len() > 3).collect();
        redact(text, &secrets)
    }
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name: HeaderName = name.trim().parse().ok()?;
    let mut value: HeaderValue = value.trim().parse().ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_contain_the_line() {
        let text = "# ours\nX-Scope-OrgID: anonymous\n\nAuthorization: Bearer hidden-word\n";
        let headers = Headers::parse(text).unwrap();
        assert_eq!(headers.map.len(), 2);
        assert!(headers.map["authorization"].is_sensitive());
        let Err(error) = Headers::parse("A: b\nhidden-word\n") else {
            panic!("that is not a header");
        };
        assert_eq!(error.line, 2);
        assert!(!error.to_string().contains("hidden-word"));
    }

    #[test]
    fn a_secret_in_a_message_is_hidden() {
        let headers = Headers::parse("Authorization: Bearer hidden-word").unwrap();
        assert_eq!(headers.redact("bad token hidden-word"), "bad token …");
    }
}
