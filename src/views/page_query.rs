//! A page's address: its path, its query, and the links derived from them.

use crate::http_types::QueryError;
use crate::http_types::query::allow_only;
use url::form_urlencoded;

/// The parameter that switches a page's refresh on or off.
const REFRESH: &str = "refresh";

/// The parameter for the table of a page as CSV.
const FORMAT: &str = "format";

/// Parameters of a page that its form does not set.
const NOT_OF_FORMS: [&str; 2] = ["sort", "page"];

/// A page's address, from which the links to its other orders and pages are made.
#[derive(Debug, Clone)]
pub(crate) struct PageQuery {
    path: String,
    /// Where on the page links and forms lead, as `#controls`.
    anchor: &'static str,
    /// Without the empty ones, and those that every page has.
    pub(super) parameters: Vec<(String, String)>,
    /// Whether the browser requests the page again and again; `None` unless given.
    refresh: Option<String>,
    /// The format of the page's table; `None` for the page itself.
    format: Option<String>,
}

impl PageQuery {
    /// The address of a request. A form's empty field counts as absent.
    pub(crate) fn new(path: String, query: Option<&str>) -> Self {
        let parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(name, value)| (name.into_owned(), value.trim().to_owned()));
        let mut query = Self {
            path,
            anchor: "",
            parameters: Vec::new(),
            refresh: None,
            format: None,
        };
        for (name, value) in parameters {
            match name.as_str() {
                REFRESH => query.refresh = Some(value),
                FORMAT => query.format = Some(value),
                _ => query.parameters.push((name, value)),
            }
        }
        query
    }

    /// The same address, whose links and forms lead to a part of the page.
    pub(super) fn at(&self, anchor: &'static str) -> Self {
        Self {
            anchor,
            ..self.clone()
        }
    }

    /// The path alone.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Where a form is sent to.
    pub(super) fn action(&self) -> String {
        format!("{}{}", self.path, self.anchor)
    }

    /// The page without its filter.
    pub(super) fn unfiltered(&self) -> String {
        format!("{}{}", self.keeping_refresh(&self.path), self.anchor)
    }

    /// What the address says about refreshing.
    pub(super) fn refresh(&self) -> Option<&str> {
        self.refresh.as_deref()
    }

    /// Whether the browser is to request this page again and again: unless it is
    /// switched off, and not while someone works with the form.
    pub(super) fn refreshes(&self) -> bool {
        let is_of_form = |name: &str| !NOT_OF_FORMS.contains(&name);
        match self.refresh() {
            Some(word) => word == "on",
            None => !self.pairs().any(|(name, _)| is_of_form(name)),
        }
    }

    /// Whether the table of the page is requested as CSV.
    pub(crate) fn wants_csv(&self) -> bool {
        self.format.as_deref() == Some("csv")
    }

    /// Whether data are requested, and not a page.
    pub(crate) fn wants_data(&self) -> bool {
        self.wants_csv() || self.format.as_deref() == Some("json")
    }

    /// Rejects parameters that are neither known nor those that every page has.
    pub(super) fn allow_only(&self, known: &[&str]) -> Result<(), QueryError> {
        allow_only(&self.parameters, &[known, &[FORMAT, REFRESH]].concat())
    }

    /// Rejects invalid values of the parameters that every page has.
    pub(super) fn check(&self) -> Result<(), QueryError> {
        if let Some(word) = self.refresh().filter(|it| !["on", "off"].contains(it)) {
            let problem = format!("refresh {word:?} is neither on nor off");
            return Err(QueryError::new(problem, "use one of the two"));
        }
        match self.format.as_deref() {
            None | Some("html" | "csv") => Ok(()),
            Some(word) => {
                let problem = format!("format {word:?} does not exist");
                Err(QueryError::new(problem, "the formats are html and csv"))
            }
        }
    }

    /// The address of another page, where the switch of the refresh stays as it is.
    pub(super) fn keeping_refresh(&self, address: &str) -> String {
        let Some(word) = self.refresh() else {
            return address.to_owned();
        };
        let word = encoded([(REFRESH, word)]);
        let (page, fragment) = match address.find('#') {
            Some(at) => address.split_at(at),
            None => (address, ""),
        };
        let separator = if page.contains('?') { '&' } else { '?' };
        format!("{page}{separator}{word}{fragment}")
    }

    /// This page with its refresh switched.
    pub(super) fn switching_refresh(&self, word: &str) -> String {
        format!(
            "{}?{}",
            self.path,
            encoded(self.pairs().chain([(REFRESH, word)]))
        )
    }

    /// The table of this page as CSV: all its rows.
    pub(super) fn csv(&self) -> String {
        let kept = self
            .pairs()
            .filter(|(name, _)| !NOT_OF_FORMS.contains(name));
        format!("{}?{}", self.path, encoded(kept.chain([(FORMAT, "csv")])))
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
        let refresh = self.refresh().map(|word| (REFRESH, word));
        let all = encoded(kept.chain([(name, value)]).chain(refresh));
        format!("{}?{all}{}", self.path, self.anchor)
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (&**name, &**value))
    }
}

/// Parameters as a query.
pub(super) fn encoded<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
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
    fn links_keep_the_switch_of_the_refresh_and_a_filter_stops_it() {
        let off = query("sort=points&refresh=off").at("#controls");
        assert_eq!(
            off.link_with("page", "2"),
            "/acceptances?sort=points&page=2&refresh=off#controls"
        );
        for (address, kept) in [
            ("/x?a=b", "/x?a=b&refresh=off"),
            ("/x?a=b#c", "/x?a=b&refresh=off#c"),
            ("/#c", "/?refresh=off#c"),
            ("/#c?", "/?refresh=off#c?"),
        ] {
            assert_eq!(off.keeping_refresh(address), kept);
            assert_eq!(query("").keeping_refresh(address), address);
        }
        assert_eq!(
            off.switching_refresh("on"),
            "/acceptances?sort=points&refresh=on"
        );
        assert_eq!(off.csv(), "/acceptances?format=csv");
        for (address, refreshes) in [
            ("", true),
            ("sort=points&page=2", true),
            ("tenant=contoso", false),
            ("tenant=contoso&refresh=on", true),
            ("refresh=off", false),
        ] {
            assert_eq!(query(address).refreshes(), refreshes, "{address}");
        }
    }

    #[test]
    fn other_values_of_the_parameters_of_every_page_are_rejected() {
        for (address, words) in [
            ("refresh=60", "neither on nor off"),
            ("format=pdf", "html and csv"),
        ] {
            let error = query(address).check().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(query("refresh=on&format=csv").check(), Ok(()));
    }

    #[test]
    fn a_link_can_lead_to_a_part_of_the_page() {
        let here = query("sort=points").at("#tenants");
        assert_eq!(
            here.link_with("page", "2"),
            "/acceptances?sort=points&page=2#tenants"
        );
        assert_eq!(here.action(), "/acceptances#tenants");
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
