//! The forms of the ids of tenants and applications in Entra.

use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// Whether the text is a GUID in its usual form of 8-4-4-4-12 hex digits.
pub(crate) fn is_guid(text: &str) -> bool {
    // `uuid` also parses forms of other lengths.
    text.len() == Hyphenated::LENGTH && Uuid::try_parse(text).is_ok()
}

/// Whether the text is a domain name with at least one dot.
pub(crate) fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(is_label)
        && !text
            .rsplit('.')
            .next()
            .is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_has_five_groups_of_hex_digits() {
        assert!(is_guid("11111111-2222-3333-4444-55555555555F"));
        assert!(!is_guid("11111111-2222-3333-4444-5555555555"));
        assert!(!is_guid("11111111-2222-3333-4444-55555555555F-1"));
        assert!(!is_guid("g1111111-2222-3333-4444-555555555555"));
    }

    #[test]
    fn an_ip_address_is_not_a_domain() {
        assert!(is_domain("contoso.onmicrosoft.com"));
        assert!(!is_domain("10.0.0.1") && !is_domain("contoso") && !is_domain("a..b"));
        assert!(!is_domain("-a.com") && !is_domain("a b.com"));
    }
}
