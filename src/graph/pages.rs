//! The pages of a list, and the links between them.

use super::endpoint::GraphRoot;
use super::error::{ErrorKind, GraphError};
use super::lenient::{self, Element, LenientList};
use super::plain_list::{MAX_ELEMENTS, PlainList};
use super::subject::Subject;
use super::wire::{PROFILE_FIELDS, Page, SCORE_FIELDS};
use crate::http_client::{MAX_MESSAGE, TransportError};
use crate::text::{clean_line, is_plain_name};
use reqwest::Url;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;

/// The requested fields of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// Those that the exporter reads: a tenth of the bytes.
    Selected,
    All,
}

/// The days that Graph keeps, and some more.
const PAST_DAYS: usize = 100;

/// Daily reports per page: some megabytes.
const REPORTS_PER_PAGE: usize = 15;

/// The first page of the catalogue.
pub(super) fn catalogue_url(root: &GraphRoot, fields: Fields) -> Result<Url, GraphError> {
    let query = match fields {
        Fields::Selected => &format!("?$select={PROFILE_FIELDS}"),
        Fields::All => "",
    };
    let list = format!("v1.0/security/secureScoreControlProfiles{query}");
    url(Subject::Catalogue, root, &list)
}

/// The newest report.
pub(super) fn newest_report_url(root: &GraphRoot) -> Result<Url, GraphError> {
    reports_url(root, 1)
}

/// The newest reports. Without a page size Graph sends all reports in one
/// response: 90 days of 230 controls are some 10 MB.
fn reports_url(root: &GraphRoot, page_size: usize) -> Result<Url, GraphError> {
    let list = format!("v1.0/security/secureScores?$top={page_size}");
    url(Subject::Report, root, &list)
}

/// The scores of the past days.
pub(super) fn past_scores_url(root: &GraphRoot, fields: Fields) -> Result<Url, GraphError> {
    match fields {
        Fields::Selected => {
            let list =
                format!("v1.0/security/secureScores?$top={PAST_DAYS}&$select={SCORE_FIELDS}");
            url(Subject::Report, root, &list)
        }
        Fields::All => reports_url(root, REPORTS_PER_PAGE),
    }
}

/// The first page of the recommendations, of which `$expand` adds the resources
/// that they concern. They are in the beta API only.
pub(super) fn recommendations_url(root: &GraphRoot, resources: bool) -> Result<Url, GraphError> {
    let query = if resources {
        "?$expand=impactedResources"
    } else {
        ""
    };
    let list = format!("beta/directory/recommendations{query}");
    url(Subject::Recommendations, root, &list)
}

/// The Identity Secure Score, a day each, the newest first.
pub(super) fn identity_scores_url(root: &GraphRoot) -> Result<Url, GraphError> {
    let list = "beta/directory/recommendations/tenantSecureScores";
    url(Subject::IdentityScore, root, list)
}

/// The first page of a list of a partner.
pub(super) fn customer_list_url(subject: Subject, root: &GraphRoot) -> Result<Url, GraphError> {
    let list = match subject {
        // Not by status: one that has ended is the sign that a customer lost it.
        Subject::Relationships => "delegatedAdminRelationships?$top=300",
        Subject::OrganizationMembers => "multiTenantOrganization/tenants",
        _ => "delegatedAdminCustomers?$top=300",
    };
    url(subject, root, &format!("v1.0/tenantRelationships/{list}"))
}

fn url(subject: Subject, root: &GraphRoot, list: &str) -> Result<Url, GraphError> {
    let url = Url::parse(&format!("{}/{list}", root.0));
    let kind = ErrorKind::Transport(TransportError::Request);
    url.map_err(|_| GraphError::new(subject, kind))
}

/// A body as text. What is not UTF-8 is replaced, which the standard library looks for
/// ten times slower than it confirms that there is none.
pub(super) fn text(body: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

/// The longest body that is parsed in one pass, with the lists inside its elements:
/// they need up to a hundred times its bytes. A page of 200 controls has 300 kB.
pub(super) const MAX_ONE_PASS: usize = 512 * 1024;

/// Parses a page with its elements: in one pass, if all of them can be read.
pub(super) fn parse<'a, T: Element<'a>>(
    subject: Subject,
    body: &'a str,
) -> Result<Page<LenientList<T>>, GraphError> {
    if body.len() <= MAX_ONE_PASS
        && let Ok(page) = serde_json::from_str::<Page<PlainList<T>>>(body)
    {
        return Ok(Page {
            next_link: page.next_link,
            value: page.value.into(),
        });
    }
    let page = parse_envelope(subject, body)?;
    let elements = lenient::list(page.value, MAX_ELEMENTS);
    Ok(Page {
        next_link: page.next_link,
        value: elements.map_err(|error| GraphError::malformed(subject, error.to_string()))?,
    })
}

/// Parses a page, but not its elements.
fn parse_envelope(subject: Subject, body: &str) -> Result<Page<&RawValue>, GraphError> {
    if body.trim().is_empty() {
        return Err(GraphError::malformed(subject, "it is empty"));
    }
    serde_json::from_str(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "the JSON breaks off",
            serde_json::error::Category::Data => "it has no list of values",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
                "it is not JSON"
            }
        };
        let (line, column) = (error.line(), error.column());
        GraphError::malformed(subject, format!("{what} (line {line}, column {column})"))
    })
}

/// The links of one list. They stay on the same server and are not circular.
pub(super) struct Links<'a> {
    root: &'a GraphRoot,
    subject: Subject,
    followed: HashSet<String>,
}

impl<'a> Links<'a> {
    pub(super) fn new(root: &'a GraphRoot, subject: Subject) -> Self {
        Self {
            root,
            subject,
            followed: HashSet::new(),
        }
    }

    /// The next page, or `None` after the last one.
    pub(super) fn follow(&mut self, link: Option<&str>) -> Result<Option<Url>, GraphError> {
        let Some(link) = link.filter(|link| !link.trim().is_empty()) else {
            return Ok(None);
        };
        let url = Url::parse(link).map_err(|_| self.refused("link to something that is no URL"))?;
        if !self.root.contains(&url) {
            // The host is shown only where it cannot be an echo of the token.
            let place = match (url.scheme(), url.host_str()) {
                (scheme @ ("http" | "https"), Some(host)) if is_plain_name(host) => {
                    clean_line(&format!("{scheme}://{host}"), MAX_MESSAGE).into_owned()
                }
                _ => "another host".to_owned(),
            };
            return Err(self.refused(&format!(
                "link to {place}, which is not the configured Graph"
            )));
        }
        if !self.followed.insert(url.to_string()) {
            return Err(self.refused("lead in a circle"));
        }
        Ok(Some(url))
    }

    fn refused(&self, what: &str) -> GraphError {
        GraphError::new(self.subject, ErrorKind::Paging(what.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::wire::Score;
    use secure_score_model::Reason;

    const NEXT: &str =
        "https://graph.microsoft.com/v1.0/security/secureScoreControlProfiles?$skiptoken=1";

    fn root() -> GraphRoot {
        GraphRoot("https://graph.microsoft.com".to_owned())
    }

    #[test]
    fn a_list_ends_without_a_link() {
        let root = root();
        let mut links = Links::new(&root, Subject::Catalogue);
        assert_eq!(links.follow(None).unwrap(), None);
        assert_eq!(links.follow(Some("")).unwrap(), None);
        assert!(links.follow(Some(NEXT)).unwrap().is_some());
    }

    #[test]
    fn circles_and_foreign_hosts_are_refused() {
        let root = root();
        let mut links = Links::new(&root, Subject::Catalogue);
        links.follow(Some(NEXT)).unwrap();
        for bad in [NEXT, "https://evil.example/x", "/v1.0/relative", "::"] {
            let error = links.follow(Some(bad)).unwrap_err();
            assert_eq!(error.reason(), Reason::Paging, "{bad}");
        }
    }

    #[test]
    fn the_error_says_why_a_body_is_no_page() {
        for (body, what) in [
            ("", "it is empty"),
            ("<html>", "it is not JSON"),
            ("{\"value\":[", "the JSON breaks off"),
            ("{}", "it has no list"),
        ] {
            let error = parse::<Score<'_>>(Subject::Report, body).err().unwrap();
            let error = error.to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
