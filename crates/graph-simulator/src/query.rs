//! Reading `application/x-www-form-urlencoded`, in addresses and in bodies.

/// The pairs of a query or form, decoded, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(pairs.map(pair).collect())
    }

    /// The first value of a key; option names are matched without case.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

fn pair(text: &str) -> (String, String) {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    (
        decode(&key.replace('+', " ")),
        decode(&value.replace('+', " ")),
    )
}

/// Undoes percent-encoding; what is not valid stays as it is.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let coded = after.split_at_checked(2).filter(|_| first == b'%');
        match coded.and_then(|(digits, after)| Some((hex(digits)?, after))) {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits)
        .ok()
        .filter(|t| !t.starts_with('+'))?;
    u8::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coded_dollar_names_the_same_option() {
        assert_eq!(Query::parse("%24top=1&$skip=2").value("$top"), Some("1"));
    }

    #[test]
    fn a_plus_is_a_blank_and_a_coded_plus_a_plus() {
        assert_eq!(Query::parse("a=b+c%2Bd").value("a"), Some("b c+d"));
    }

    #[test]
    fn broken_coding_is_left_alone() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%+1"), "%zz%+1");
        assert_eq!(decode("%e2%82%ac"), "€");
    }
}
