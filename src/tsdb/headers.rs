//! Headers for a server that wants to know who asks.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

/// Headers from a file, one `Name: value` a line. Their values are secrets:
/// they are printed nowhere.
#[derive(Clone, Default)]
pub struct Headers {
    pub(super) map: HeaderMap,
    values: Vec<Zeroizing<String>>,
}

/// A line of the file that is no header; the line is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the header file is not of the form `Name: value`")]
pub struct HeaderError {
    /// The line's number, from 1.
    pub line: usize,
}

impl Headers {
    /// Reads a file's text; empty lines and those beginning with # are skipped.
    pub fn parse(text: &str) -> Result<Self, HeaderError> {
        let mut headers = Self::default();
        for (place, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let header = header(line).ok_or(HeaderError { line: place + 1 })?;
            let (name, value) = header;
            let told = line.split_once(':').map_or("", |(_, value)| value.trim());
            headers.values.push(Zeroizing::new(told.to_owned()));
            // What follows the scheme, such as Bearer, is a secret by itself.
            if let Some((_, word)) = told.split_once(' ') {
                headers.values.push(Zeroizing::new(word.trim().to_owned()));
            }
            headers.map.append(name, value);
        }
        Ok(headers)
    }

    /// A text of the server's without what we told it.
    pub(super) fn scrub(&self, text: &str) -> String {
        let values = self.values.iter().filter(|value| value.len() > 3);
        values.fold(text.to_owned(), |text, value| {
            text.replace(value.as_str(), "(hidden)")
        })
    }
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let name: HeaderName = name.trim().parse().ok()?;
    let mut value: HeaderValue = value.trim().parse().ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_nothing_of_a_bad_one_is_told() {
        let text = "# ours\nX-Scope-OrgID: anonymous\n\nAuthorization: Bearer hidden-word\n";
        let headers = Headers::parse(text).unwrap();
        assert_eq!(headers.map.len(), 2);
        assert!(headers.map["authorization"].is_sensitive());
        let Err(error) = Headers::parse("A: b\nhidden-word\n") else {
            panic!("that is no header");
        };
        assert_eq!(error.line, 2);
        assert!(!error.to_string().contains("hidden-word"));
    }

    #[test]
    fn what_a_server_repeats_of_a_secret_is_hidden() {
        let headers = Headers::parse("Authorization: Bearer hidden-word").unwrap();
        let scrubbed = headers.scrub("bad token hidden-word");
        assert_eq!(scrubbed, "bad token (hidden)");
    }
}
