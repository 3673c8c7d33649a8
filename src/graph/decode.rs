//! Decodes the body of a response into the model, without a network.
//!
//! [`Client`](super::Client) decodes every response here. The public functions
//! decode any bytes, for tests and fuzzing.

use super::anomaly_counter::{AnomalyCounter, UnknownWord};
use super::customer_reader::CustomerReader;
use super::error::{ErrorKind, GraphError};
use super::lenient::{Element, LenientList, ListError};
use super::pages;
use super::plain_list::MAX_ELEMENTS;
use super::recommendation_reader::{self, RecommendationReader};
use super::subject::Subject;
use super::translate::{self, CatalogueReader};
use super::wire::{self, Page};
use secure_score_model::{
    Catalogue, DailyScore, IdentityScore, RecommendationList, Report, SkippedField, Timestamp,
};
use std::collections::BTreeSet;

/// Adds one page to the catalogue. Returns the link to the next one.
pub(super) fn page(reader: &mut CatalogueReader, page: &str) -> Result<Option<String>, GraphError> {
    let next_link = add_page(Subject::Catalogue, page, |it| reader.page(it))?;
    check_length(Subject::Catalogue, reader.entries.len())?;
    Ok(next_link)
}

/// Passes the elements of a page on. Returns the link to the next one.
fn add_page<'a, T: Element<'a>>(
    subject: Subject,
    page: &'a str,
    add: impl FnOnce(LenientList<T>),
) -> Result<Option<String>, GraphError> {
    let page = pages::parse(subject, page)?;
    add(page.value);
    Ok(page.next_link)
}

/// Refuses a catalogue without states, or of which most is unreadable. Updates of a history are not
/// counted: their control is there, with an unknown state.
pub(super) fn check_readable(reader: &CatalogueReader) -> Result<(), GraphError> {
    if reader.lacks_states() {
        return Err(GraphError::new(Subject::Catalogue, ErrorKind::NoStates));
    }
    let anomalies = &reader.counter.anomalies;
    let skipped =
        anomalies.count_skipped(SkippedField::Element) + anomalies.count_skipped(SkippedField::Id);
    check_share(Subject::Catalogue, skipped, reader.entries.len())
}

/// Refuses pages that add up to more elements than a page may list.
fn check_length(subject: Subject, elements: usize) -> Result<(), GraphError> {
    match elements > MAX_ELEMENTS {
        true => Err(GraphError::malformed(
            subject,
            ListError::TooLong.to_string(),
        )),
        false => Ok(()),
    }
}

/// Refuses a list of which more elements are unreadable than readable.
fn check_share(subject: Subject, unread: u64, read: usize) -> Result<(), GraphError> {
    match unread > read as u64 {
        true => {
            let what = format!("{unread} of its elements cannot be read");
            Err(GraphError::malformed(subject, what))
        }
        false => Ok(()),
    }
}

/// The newest report of a page, or `None` if Graph has none yet, and the words in it
/// that this version does not know.
type ReadReport = (Option<Report>, BTreeSet<UnknownWord>);

/// Decodes the newest report of a page.
pub(super) fn report(page: &str) -> Result<Page<ReadReport>, GraphError> {
    let page = pages::parse(Subject::Report, page)?;
    Ok(Page {
        next_link: page.next_link,
        value: newest_report(page.value)?,
    })
}

fn newest_report(scores: LenientList<wire::Score<'_>>) -> Result<ReadReport, GraphError> {
    let subject = Subject::Report;
    let scored = scores.elements.into_iter();
    let newest =
        scored.max_by_key(|score| AnomalyCounter::default().time(&score.created_date_time));
    match newest {
        Some(newest) => {
            let mut counter = AnomalyCounter::default();
            counter.skipped(SkippedField::Element, scores.unread);
            let (report, words) = translate::report(newest, counter);
            Ok((Some(report), words))
        }
        None if scores.unread == 0 => Ok(Default::default()),
        None => Err(GraphError::malformed(subject, "no element can be read")),
    }
}

/// One page of past days.
pub(super) struct DaysPage<T> {
    pub(super) elements: Vec<T>,
    /// The tenants that they are about.
    pub(super) tenants: BTreeSet<String>,
    /// How many elements could not be read.
    pub(super) unread: usize,
    pub(super) next_link: Option<String>,
}

/// Every report of a page, in its order.
pub(super) fn reports(page: &str) -> Result<DaysPage<Report>, GraphError> {
    days_page(page, |score| {
        Some(translate::report(score, AnomalyCounter::default()).0)
    })
}

/// The score of every report of a page that has a day and a maximum.
pub(super) fn daily_scores(page: &str) -> Result<DaysPage<DailyScore>, GraphError> {
    days_page(page, translate::daily_score)
}

fn days_page<T>(
    page: &str,
    translate: impl Fn(wire::Score<'_>) -> Option<T>,
) -> Result<DaysPage<T>, GraphError> {
    let page = pages::parse::<wire::Score<'_>>(Subject::Report, page)?;
    let scores = page.value;
    let tenants = scores.elements.iter();
    let tenants = tenants.filter_map(|score| score.azure_tenant_id.get());
    Ok(DaysPage {
        tenants: tenants.map(str::to_owned).collect(),
        elements: scores.elements.into_iter().filter_map(translate).collect(),
        unread: scores.unread,
        next_link: page.next_link,
    })
}

/// Adds one page to the recommendations. Returns the link to the next one.
pub(super) fn recommendations_page(
    reader: &mut RecommendationReader,
    page: &str,
) -> Result<Option<String>, GraphError> {
    let next_link = add_page(Subject::Recommendations, page, |it| reader.page(it))?;
    check_length(Subject::Recommendations, reader.len())?;
    Ok(next_link)
}

/// Refuses recommendations of which most are unreadable.
pub(super) fn check_recommendations(reader: &RecommendationReader) -> Result<(), GraphError> {
    check_share(Subject::Recommendations, reader.unread, reader.len())
}

/// The newest Identity Secure Score of a page, or `None` if Graph has none yet.
pub(super) fn identity_score(page: &str) -> Result<Option<IdentityScore>, GraphError> {
    let subject = Subject::IdentityScore;
    let scores = pages::parse::<wire::IdentityScore<'_>>(subject, page)?.value;
    let days = scores.elements.iter();
    // The first of equal ones: Graph sends the newest first.
    let newest = days
        .rev()
        .max_by_key(|it| AnomalyCounter::default().time(&it.create_date_time));
    match newest {
        Some(newest) => {
            let mut counter = AnomalyCounter::default();
            counter.skipped(SkippedField::Element, scores.unread);
            Ok(Some(recommendation_reader::identity_score(newest, counter)))
        }
        None if scores.unread == 0 => Ok(None),
        None => Err(GraphError::malformed(subject, "no element can be read")),
    }
}

/// Adds one page of a partner's list. Returns the link to the next one.
pub(super) fn customers_page(
    subject: Subject,
    reader: &mut CustomerReader,
    page: &str,
) -> Result<Option<String>, GraphError> {
    match subject {
        Subject::Relationships => add_page(subject, page, |it| reader.relationships(&it)),
        Subject::OrganizationMembers => add_page(subject, page, |it| reader.members(&it)),
        _ => add_page(subject, page, |it| reader.customers(&it)),
    }
}

/// Refuses a list of a partner of which most is unreadable.
pub(super) fn check_customers(reader: &CustomerReader, subject: Subject) -> Result<(), GraphError> {
    check_share(subject, reader.unread, reader.read)
}

/// A catalogue of one page.
pub fn read_catalogue(body: &[u8]) -> Result<Catalogue, GraphError> {
    let mut reader = CatalogueReader::new(Timestamp::from_nanos(i64::MAX));
    page(&mut reader, &pages::text(body))?;
    check_readable(&reader)?;
    let tenant = reader.tenants.first().map(|id| id.as_str().into());
    Ok(reader.finish(tenant).0)
}

/// Recommendations of one page.
pub fn read_recommendations(body: &[u8]) -> Result<RecommendationList, GraphError> {
    let mut reader = RecommendationReader::default();
    recommendations_page(&mut reader, &pages::text(body))?;
    check_recommendations(&reader)?;
    let tenant = reader.tenants.first().map(|id| id.as_str().into());
    Ok(reader.finish(tenant).0)
}

/// The newest Identity Secure Score of a body, or `None` if there is none.
pub fn read_identity_score(body: &[u8]) -> Result<Option<IdentityScore>, GraphError> {
    identity_score(&pages::text(body))
}

/// The newest report of a body, or `None` if there is none.
pub fn read_report(body: &[u8]) -> Result<Option<Report>, GraphError> {
    let (report, _) = report(&pages::text(body))?.value;
    Ok(report)
}
