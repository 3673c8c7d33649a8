//! A page's address: its path, its query, and the links derived from them.

use url::form_urlencoded;

/// A page's address, from which the links to its other orders and pages are made.
#[derive(Debug, Clone)]
pub(crate) struct PageQuery {
    path: String,
    /// Without the empty ones.
    pub(super) parameters: Vec<(String, String)>,
}

impl PageQuery {
    /// The address of a request. A form's empty field counts as absent.
    pub(crate) fn new(path: String, query: Option<&str>) -> Self {
        let parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(name, value)| (name.into_owned(), value.trim().to_owned()))
            .collect();
        Self { path, parameters }
    }

    /// The path alone, where a form is sent to.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The last value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().rfind(|(key, _)| key == name)?;
        Some(&found.1)
    }

    /// Another path, with those parameters that it understands.
    pub(super) fn link_to(&self, path: &str, names: &[&str]) -> String {
        let kept = encoded(self.pairs().filter(|(name, _)| names.contains(name)));
        match kept.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{kept}"),
        }
    }

    /// The same address with one parameter changed, from the first page on.
    pub(super) fn link_with(&self, name: &str, value: &str) -> String {
        let kept = self.pairs();
        let kept = kept.filter(|(key, _)| *key != name && *key != "page");
        format!("{}?{}", self.path, encoded(kept.chain([(name, value)])))
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (&**name, &**value))
    }
}

fn encoded<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(query: &str) -> PageQuery {
        PageQuery::new("/acceptances".to_owned(), Some(query))
    }

    #[test]
    fn a_link_keeps_the_filter_and_begins_at_the_first_page() {
        let here = query("tenant=contoso&category=&sort=points&page=7");
        assert_eq!(
            here.link_with("sort", "-points"),
            "/acceptances?tenant=contoso&sort=-points"
        );
        assert_eq!(
            here.link_with("page", "8"),
            "/acceptances?tenant=contoso&sort=points&page=8"
        );
        assert_eq!(encoded(here.pairs()), "tenant=contoso&sort=points&page=7");
        assert_eq!(here.link_to("/api", &["tenant"]), "/api?tenant=contoso");
        assert_eq!(here.link_to("/api", &[]), "/api");
    }

    #[test]
    fn a_parameter_is_encoded_in_a_link() {
        let here = query("control=a%26b%22%3Cscript%3E");
        assert_eq!(here.get("control"), Some("a&b\"<script>"));
        assert_eq!(
            here.link_with("page", "2"),
            "/acceptances?control=a%26b%22%3Cscript%3E&page=2"
        );
    }
}
