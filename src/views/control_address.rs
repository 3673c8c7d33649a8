//! The address of a control's page. A name may hold any character.

use super::context::ViewContext;
use std::borrow::Cow;
use url::form_urlencoded;

/// The address of a control's page, as a browser reaches it.
pub(super) fn control_href(name: &str, context: &ViewContext<'_>) -> String {
    context.page(&format!("/controls/{}", encoded(name)))
}

/// A name as a part of a path.
fn encoded(name: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    // A plus is a space in a query only.
    encoded.replace('+', "%20")
}

/// The name in a part of a path.
pub(super) fn decoded(part: &str) -> String {
    let query = part.replace('+', "%2B").replace('&', "%26");
    let query = format!("={query}");
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(_, name)| Cow::into_owned(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_readable_in_an_address() {
        assert_eq!(encoded("AdminMFAV2"), "AdminMFAV2");
        assert_eq!(encoded("a b/c?d"), "a%20b%2Fc%3Fd");
        assert_eq!(decoded("%FF"), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn any_name_returns_from_its_address(name in "\\PC{0,20}|[+&=%/?# ]{0,8}") {
            prop_assert_eq!(decoded(&encoded(&name)), name);
        }
    }
}
