//! `application/x-www-form-urlencoded`, in URLs and in bodies.

/// The decoded pairs of a query or form, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// The first value of a key. Keys are case-insensitive, as OData's are.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        Some(value)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

/// Decodes a segment of a path; invalid escapes stay as they are.
pub(crate) fn decode_segment(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_dollar_sign_names_the_same_option() {
        assert_eq!(Query::parse("%24top=1&$skip=2").value("$top"), Some("1"));
    }

    #[test]
    fn a_plus_decodes_to_a_space_and_an_encoded_plus_to_a_plus() {
        assert_eq!(Query::parse("a=b+c%2Bd").value("a"), Some("b c+d"));
    }

    #[test]
    fn an_invalid_escape_stays_as_it_is() {
        assert_eq!(decode_segment("100%"), "100%");
        assert_eq!(decode_segment("%zz%+1"), "%zz%+1");
        assert_eq!(decode_segment("%e2%82%ac"), "€");
    }
}
