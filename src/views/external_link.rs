//! Links to addresses that Graph names.

use crate::acceptances::record::web_url;

/// A longer address is not linked: a page with hundreds of them would not load.
const MAX_LENGTH: usize = 2_000;

/// An address from Graph that a browser may follow, with its host. The link is
/// the parsed address, so the host that is shown is the host that is visited.
pub(super) fn external_link(address: &str) -> Option<(String, String)> {
    if address.len() > MAX_LENGTH {
        return None;
    }
    let url = web_url(address.trim())?;
    let host = url.host_str()?.to_owned();
    Some((url.into(), host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_host_that_is_shown() {
        for (address, link, host) in [
            (
                "https://Entra.Microsoft.com/#view",
                "https://entra.microsoft.com/#view",
                "entra.microsoft.com",
            ),
            (
                "https://good.example\\@evil.example",
                "https://good.example/@evil.example",
                "good.example",
            ),
        ] {
            let found = external_link(address).unwrap();
            assert_eq!((&*found.0, &*found.1), (link, host));
        }
    }

    #[test]
    fn other_addresses_are_not_linked() {
        let long = format!("https://x.example/{}", "a".repeat(2_000));
        for hostile in [
            "javascript:alert(1)",
            " java\nscript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "//evil.example",
            "/relative",
            "https://microsoft.com@evil.example/",
            "https://",
            "",
            "nonsense",
            &long,
        ] {
            assert_eq!(external_link(hostile), None, "{hostile:?}");
        }
    }
}
