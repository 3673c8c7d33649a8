//! Addresses of pages, and of what lies behind them.

use url::{Url, form_urlencoded};

/// The longest address from Graph that becomes a link; a page of hundreds of
/// longer ones would not load.
const LONGEST_LINK: usize = 2_000;

/// A page's path with what was asked of it, from which the links to its other
/// orders and pages are made.
#[derive(Debug, Clone)]
pub(in crate::http) struct Address {
    path: String,
    asked: Vec<(String, String)>,
}

impl Address {
    /// The address of a request. A field of a form that was left empty asks
    /// for nothing.
    pub(in crate::http) fn new(path: String, query: Option<&str>) -> Self {
        let asked = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(name, value)| (name.into_owned(), value.trim().to_owned()))
            .collect();
        Self { path, asked }
    }

    /// The path alone, where a form is sent to.
    pub(in crate::http) fn path(&self) -> &str {
        &self.path
    }

    /// What is asked under a name.
    pub(in crate::http) fn asked(&self, name: &str) -> Option<&str> {
        let found = self.asked.iter().rfind(|(key, _)| key == name)?;
        Some(&found.1)
    }

    /// The name of everything that is asked.
    pub(in crate::http) fn names(&self) -> impl Iterator<Item = &str> {
        self.asked.iter().map(|(key, _)| &**key)
    }

    /// Everything that is asked, as a query; empty fields are gone.
    pub(in crate::http) fn query(&self) -> String {
        encoded(self.asked.iter().map(|(key, value)| (&**key, &**value)))
    }

    /// As much of it as another path understands, on that path.
    pub(super) fn at(&self, path: &str, names: &[&str]) -> String {
        let kept = self.asked.iter().map(|(key, value)| (&**key, &**value));
        let kept = encoded(kept.filter(|(key, _)| names.contains(key)));
        match kept.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{kept}"),
        }
    }

    /// The same with one thing asked differently, from the first page on.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        let kept = self.asked.iter().map(|(key, value)| (&**key, &**value));
        let kept = kept.filter(|(key, _)| *key != name && *key != "page");
        format!("{}?{}", self.path, encoded(kept.chain([(name, value)])))
    }
}

fn encoded<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// An address of Graph's that may be followed, and the host it leads to.
///
/// It is foreign text: `javascript:` would run here, and a name before an `@`
/// would look like a host. What a browser is given is what was read here, so
/// the host that is shown is the host that is visited.
pub(super) fn outward(address: &str) -> Option<(String, String)> {
    if address.len() > LONGEST_LINK {
        return None;
    }
    let url = Url::parse(address.trim()).ok()?;
    let plain = matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none();
    let host = url.host_str().filter(|_| plain)?.to_owned();
    Some((url.into(), host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(query: &str) -> Address {
        Address::new("/acceptances".to_owned(), Some(query))
    }

    #[test]
    fn a_link_keeps_the_filter_and_begins_at_the_first_page() {
        let here = address("tenant=contoso&category=&sort=points&page=7");
        assert_eq!(
            here.with("sort", "-points"),
            "/acceptances?tenant=contoso&sort=-points"
        );
        assert_eq!(
            here.with("page", "8"),
            "/acceptances?tenant=contoso&sort=points&page=8"
        );
        assert_eq!(here.query(), "tenant=contoso&sort=points&page=7");
        assert_eq!(here.at("/api", &["tenant"]), "/api?tenant=contoso");
        assert_eq!(here.at("/api", &[]), "/api");
    }

    #[test]
    fn what_was_typed_cannot_leave_its_place_in_a_link() {
        let here = address("control=a%26b%22%3Cscript%3E");
        assert_eq!(here.asked("control"), Some("a&b\"<script>"));
        assert_eq!(
            here.with("page", "2"),
            "/acceptances?control=a%26b%22%3Cscript%3E&page=2"
        );
    }

    #[test]
    fn a_web_address_is_followed_to_the_host_that_is_shown() {
        let (link, host) = outward("https://Entra.Microsoft.com/#view").unwrap();
        assert_eq!(link, "https://entra.microsoft.com/#view");
        assert_eq!(host, "entra.microsoft.com");
        let (link, host) = outward("https://good.example\\@evil.example").unwrap();
        assert_eq!(link, "https://good.example/@evil.example");
        assert_eq!(host, "good.example");
    }

    #[test]
    fn whatever_else_is_no_link() {
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
        ] {
            assert_eq!(outward(hostile), None, "{hostile:?}");
        }
        assert_eq!(
            outward(&format!("https://x.example/{}", "a".repeat(2_000))),
            None
        );
    }
}
