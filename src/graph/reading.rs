//! From a body to the model, without any network.
//!
//! [`Client`](super::Client) reads every answer through here. The public
//! functions do the same with a body from anywhere: fuzzing and tests throw at
//! them what no server would send.

use super::elements::NoElements;
use super::error::{GraphError, Subject};
use super::observed::{Observed, UnknownWord};
use super::pages;
use super::refusal;
use super::translate::{self, CatalogueReader, ReadCatalogue};
use super::wire;
use super::{TokenFacts, error::Fault};
use secure_score_model::{Catalogue, Report, SkippedField};
use std::collections::BTreeSet;

/// Takes in one page of the catalogue, and tells where it leads.
pub(super) fn page(
    reader: &mut CatalogueReader,
    body: &[u8],
) -> Result<Option<String>, GraphError> {
    let subject = Subject::Catalogue;
    let page = pages::parse(subject, body)?;
    let profiles = pages::elements::<wire::Profile<'_>>(subject, &page)?;
    if pages::lacks_states(&profiles.read) {
        return Err(GraphError::new(subject, Fault::Stateless));
    }
    reader.page(&profiles);
    if reader.is_too_long() {
        return Err(GraphError::malformed(
            subject,
            NoElements::TooMany.to_string(),
        ));
    }
    Ok(page.next_link.map(|link| link.into_owned()))
}

/// The pages taken together. A catalogue of which most is lost is none.
pub(super) fn catalogue(reader: CatalogueReader) -> Result<ReadCatalogue, GraphError> {
    let read = reader.finish();
    let anomalies = &read.observed.anomalies;
    let lost =
        anomalies.count_skipped(SkippedField::Element) + anomalies.count_skipped(SkippedField::Id);
    if lost > read.entries.len() as u64 {
        let what = format!("{lost} of its elements cannot be read");
        return Err(GraphError::malformed(Subject::Catalogue, what));
    }
    Ok(read)
}

/// A report, and the words in it that nobody knows.
pub(super) type ReadReport = (Option<Report>, BTreeSet<UnknownWord>);

/// The newest report of a body; none where Graph has none yet.
pub(super) fn report(body: &[u8]) -> Result<ReadReport, GraphError> {
    let subject = Subject::Report;
    let page = pages::parse(subject, body)?;
    let scores = pages::elements::<wire::Score<'_>>(subject, &page)?;
    let mut observed = Observed::default();
    observed.skipped(SkippedField::Element, scores.unread);
    let newest = scores
        .read
        .iter()
        .max_by_key(|score| translate::as_of(score));
    if newest.is_none() && scores.unread > 0 {
        return Err(GraphError::malformed(subject, "no element can be read"));
    }
    let report = newest.map(|score| translate::report(score, &mut observed));
    let Observed { anomalies, words } = observed;
    Ok((
        report.map(|report| Report {
            anomalies,
            ..report
        }),
        words,
    ))
}

/// One page of the reports Graph keeps.
pub(super) struct ReportsPage {
    pub(super) reports: Vec<Report>,
    /// Elements that could not be read.
    pub(super) unread: usize,
    /// Where the list goes on.
    pub(super) next: Option<String>,
}

/// Every report of a page, in its order.
pub(super) fn reports(body: &[u8]) -> Result<ReportsPage, GraphError> {
    let subject = Subject::Report;
    let page = pages::parse(subject, body)?;
    let scores = pages::elements::<wire::Score<'_>>(subject, &page)?;
    let read = |score| {
        let mut observed = Observed::default();
        let report = translate::report(score, &mut observed);
        Report {
            anomalies: observed.anomalies,
            ..report
        }
    };
    Ok(ReportsPage {
        reports: scores.read.iter().map(read).collect(),
        unread: scores.unread,
        next: page.next_link.map(|link| link.into_owned()),
    })
}

/// A catalogue of one page.
pub fn read_catalogue(body: &[u8]) -> Result<Catalogue, GraphError> {
    let mut reader = CatalogueReader::default();
    page(&mut reader, body)?;
    let read = catalogue(reader)?;
    Ok(Catalogue {
        entra_tenant_id: read.tenants.first().map(|id| id.as_str().into()),
        entries: read.entries,
        anomalies: read.observed.anomalies,
    })
}

/// The newest report of a body; none where there is none.
pub fn read_report(body: &[u8]) -> Result<Option<Report>, GraphError> {
    report(body).map(|(report, _)| report)
}

/// What a token says of itself.
pub fn read_token(bearer: &str) -> TokenFacts {
    TokenFacts::of(bearer)
}

/// A refusal of Entra's with its status and body.
pub fn read_refusal(status: u16, body: &[u8]) -> GraphError {
    GraphError::new(Subject::Token, refusal::refused(status, body, &[]))
}
