//! The pages of a list, and the links between them.

use super::Endpoint;
use super::elements::{self, Elements};
use super::error::{Fault, GraphError, Subject};
use super::loose::Raw;
use super::wire::{self, PROFILE_FIELDS, Page};
use reqwest::Url;
use serde::Deserialize;
use std::collections::HashSet;

/// Which fields of the catalogue are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// Those we read: a tenth of the bytes.
    Selected,
    /// All.
    All,
}

/// The first page of the catalogue.
pub(super) fn catalogue_url(endpoint: &Endpoint, fields: Fields) -> Option<Url> {
    let list = format!(
        "{}/v1.0/security/secureScoreControlProfiles",
        endpoint.graph
    );
    let mut url = Url::parse(&list).ok()?;
    if fields == Fields::Selected {
        url.set_query(Some(&format!("$select={PROFILE_FIELDS}")));
    }
    Some(url)
}

/// The newest report.
pub(super) fn report_url(endpoint: &Endpoint) -> Option<Url> {
    Url::parse(&format!(
        "{}/v1.0/security/secureScores?$top=1",
        endpoint.graph
    ))
    .ok()
}

/// The newest reports, so many a page. Without a size Graph sends all it keeps
/// in one answer: 90 days of 230 controls are some 10 MB.
pub(super) fn reports_url(endpoint: &Endpoint, size: usize) -> Option<Url> {
    Url::parse(&format!(
        "{}/v1.0/security/secureScores?$top={size}",
        endpoint.graph
    ))
    .ok()
}

/// Reads a page's frame.
pub(super) fn parse(subject: Subject, body: &[u8]) -> Result<Page<'_>, GraphError> {
    let text =
        std::str::from_utf8(body).map_err(|_| GraphError::malformed(subject, "it is not UTF-8"))?;
    if text.trim().is_empty() {
        return Err(GraphError::malformed(subject, "it is empty"));
    }
    serde_json::from_str(text).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "the JSON breaks off",
            serde_json::error::Category::Data => "it has no list of values",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
                "it is not JSON"
            }
        };
        let place = format!("{what} (line {}, column {})", error.line(), error.column());
        GraphError::malformed(subject, place)
    })
}

/// Reads a page's elements.
pub(super) fn elements<'a, T: Deserialize<'a>>(
    subject: Subject,
    page: &Page<'a>,
) -> Result<Elements<T>, GraphError> {
    elements::elements(page.value, elements::MOST)
        .map_err(|why| GraphError::malformed(subject, why.to_string()))
}

/// Whether a page's elements all lack the states that were selected. Without
/// this check a service that drops the field would make every accepted risk
/// look untouched.
pub(super) fn lacks_states(profiles: &[wire::Profile<'_>]) -> bool {
    !profiles.is_empty()
        && profiles
            .iter()
            .all(|profile| matches!(profile.control_state_updates, Raw::Missing))
}

/// Where a page leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Nowhere: it was the last.
    End,
    /// To the next one.
    Next(Url),
}

/// Follows the links of one list, never off the host and never in a circle.
pub(super) struct Links<'a> {
    endpoint: &'a Endpoint,
    subject: Subject,
    followed: HashSet<String>,
}

impl<'a> Links<'a> {
    pub(super) fn new(endpoint: &'a Endpoint, subject: Subject) -> Self {
        Self {
            endpoint,
            subject,
            followed: HashSet::new(),
        }
    }

    /// Judges a page's link.
    pub(super) fn follow(&mut self, link: Option<&str>) -> Result<Link, GraphError> {
        let Some(link) = link.filter(|link| !link.trim().is_empty()) else {
            return Ok(Link::End);
        };
        let url = Url::parse(link).map_err(|_| self.refused("link to something that is no URL"))?;
        if !self.endpoint.owns(&url) {
            let host = url.host_str().unwrap_or("nowhere");
            let host = super::text::printable(host, super::LONGEST_MESSAGE);
            return Err(self.refused(&format!(
                "link to {}://{host}, which is not the configured Graph",
                url.scheme()
            )));
        }
        if !self.followed.insert(url.to_string()) {
            return Err(self.refused("lead in a circle"));
        }
        Ok(Link::Next(url))
    }

    fn refused(&self, what: &str) -> GraphError {
        GraphError::new(self.subject, Fault::Paging(what.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Cloud;
    use secure_score_model::Reason;

    const NEXT: &str =
        "https://graph.microsoft.com/v1.0/security/secureScoreControlProfiles?$skiptoken=1";

    #[test]
    fn a_list_ends_where_no_link_is() {
        let endpoint = Endpoint::of(Cloud::Global, None);
        let mut links = Links::new(&endpoint, Subject::Catalogue);
        assert_eq!(links.follow(None).unwrap(), Link::End);
        assert_eq!(links.follow(Some("")).unwrap(), Link::End);
        assert!(matches!(links.follow(Some(NEXT)).unwrap(), Link::Next(_)));
    }

    #[test]
    fn circles_and_foreign_hosts_are_refused() {
        let endpoint = Endpoint::of(Cloud::Global, None);
        let mut links = Links::new(&endpoint, Subject::Catalogue);
        links.follow(Some(NEXT)).unwrap();
        for bad in [NEXT, "https://evil.example/x", "/v1.0/relative", "::"] {
            let error = links.follow(Some(bad)).unwrap_err();
            assert_eq!(error.reason(), Reason::Paging, "{bad}");
        }
    }

    #[test]
    fn a_body_that_is_no_page_says_what_it_is() {
        for (body, what) in [
            (&b""[..], "it is empty"),
            (b"<html>", "it is not JSON"),
            (b"{\"value\":[", "the JSON breaks off"),
            (b"{}", "it has no list"),
            (b"\xff", "it is not UTF-8"),
        ] {
            let error = parse(Subject::Report, body).err().unwrap().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
