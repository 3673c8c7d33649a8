//! Decodes the body of a response into the model, without a network.
//!
//! [`Client`](super::Client) decodes every response here. The public functions
//! decode any bytes, for tests and fuzzing.

use super::anomaly_counter::{AnomalyCounter, UnknownWord};
use super::error::{ErrorKind, GraphError, Subject};
use super::lenient_list::{LenientList, ListError};
use super::pages;
use super::translate::{self, CatalogueReader, ReadCatalogue};
use super::wire;
use secure_score_model::{Catalogue, Report, SkippedField};
use std::collections::BTreeSet;

/// Adds one page to the catalogue. Returns the link to the next one.
pub(super) fn page(
    reader: &mut CatalogueReader,
    body: &[u8],
) -> Result<Option<String>, GraphError> {
    let subject = Subject::Catalogue;
    let page = pages::parse(subject, body)?;
    let profiles = pages::elements::<wire::Profile<'_>>(subject, &page)?;
    if pages::lack_states(&profiles.elements) {
        return Err(GraphError::new(subject, ErrorKind::NoStates));
    }
    reader.page(&profiles);
    if reader.is_too_long() {
        let error = ListError::TooLong.to_string();
        return Err(GraphError::malformed(subject, error));
    }
    Ok(page.next_link.map(|link| link.into_owned()))
}

/// The catalogue after its last page. It is an error if most of it is
/// unreadable.
pub(super) fn catalogue(reader: CatalogueReader) -> Result<ReadCatalogue, GraphError> {
    let read = reader.finish();
    let anomalies = &read.counter.anomalies;
    let skipped =
        anomalies.count_skipped(SkippedField::Element) + anomalies.count_skipped(SkippedField::Id);
    if skipped > read.entries.len() as u64 {
        let what = format!("{skipped} of its elements cannot be read");
        return Err(GraphError::malformed(Subject::Catalogue, what));
    }
    Ok(read)
}

fn scores<'a>(page: &wire::Page<'a>) -> Result<LenientList<wire::Score<'a>>, GraphError> {
    pages::elements(Subject::Report, page)
}

fn decode_report(score: &wire::Score<'_>, mut counter: AnomalyCounter) -> ReadReport {
    let report = translate::report(score, &mut counter);
    let AnomalyCounter { anomalies, words } = counter;
    (
        Report {
            anomalies,
            ..report
        },
        words,
    )
}

/// A report, and the words in it that this version does not know.
type ReadReport = (Report, BTreeSet<UnknownWord>);

/// The newest report of a body, or `None` if Graph has none yet.
pub(super) fn report(body: &[u8]) -> Result<(Option<Report>, BTreeSet<UnknownWord>), GraphError> {
    let page = pages::parse(Subject::Report, body)?;
    let scores = scores(&page)?;
    let newest = scores
        .elements
        .iter()
        .max_by_key(|score| translate::as_of(score));
    let Some(newest) = newest else {
        return match scores.unread {
            0 => Ok(Default::default()),
            _ => Err(GraphError::malformed(
                Subject::Report,
                "no element can be read",
            )),
        };
    };
    let mut counter = AnomalyCounter::default();
    counter.skipped(SkippedField::Element, scores.unread);
    let (report, words) = decode_report(newest, counter);
    Ok((Some(report), words))
}

/// One page of the daily reports.
pub(super) struct ReportsPage {
    pub(super) reports: Vec<Report>,
    /// How many elements could not be read.
    pub(super) unread: usize,
    /// The link to the next page.
    pub(super) next: Option<String>,
}

/// Every report of a page, in its order.
pub(super) fn reports(body: &[u8]) -> Result<ReportsPage, GraphError> {
    let page = pages::parse(Subject::Report, body)?;
    let scores = scores(&page)?;
    let reports = scores.elements.iter();
    let reports = reports.map(|score| decode_report(score, AnomalyCounter::default()).0);
    Ok(ReportsPage {
        reports: reports.collect(),
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
        anomalies: read.counter.anomalies,
    })
}

/// The newest report of a body, or `None` if there is none.
pub fn read_report(body: &[u8]) -> Result<Option<Report>, GraphError> {
    report(body).map(|(report, _)| report)
}
