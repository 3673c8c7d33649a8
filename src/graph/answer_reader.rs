//! Reads the pages of a list, and recognises an answer that was decoded before.

use super::error::GraphError;
use super::pages;
use super::requests::GraphResponse;
use super::sent_page::{PageDigest, SentPage};
use super::subject::Subject;
use std::sync::Arc;

/// The bytes of known pages that a refresh holds until it is certain that the rest of
/// the answer is known too. A catalogue has three pages of 300 kB.
const MAX_HELD: usize = 2 * 1024 * 1024;

/// The digest of each page as sent, see [`SentPage::digest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerDigest(Arc<[PageDigest]>);

/// A list that an answer was decoded to, exactly.
#[derive(Debug)]
pub struct KnownList<T> {
    /// The list.
    pub value: Arc<T>,
    /// The digest of the answer.
    pub digest: AnswerDigest,
}

impl<T> Clone for KnownList<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            digest: self.digest.clone(),
        }
    }
}

/// The pages of one answer as they arrive.
///
/// Pages that the known answer has are held. The first other page shows that the answer
/// is another one: those held are decoded then, and each further page at once.
pub(super) struct AnswerReader<'a> {
    pub(super) subject: Subject,
    known: Option<&'a [PageDigest]>,
    held: Vec<GraphResponse>,
    digests: Vec<PageDigest>,
    /// Whether decoding each page found the same link as its [`SentPage`].
    has_found_links: bool,
    /// Whether Graph marked a page as incomplete.
    pub(super) partial: bool,
}

impl<'a> AnswerReader<'a> {
    pub(super) fn new(subject: Subject, known: Option<&'a AnswerDigest>) -> Self {
        Self {
            subject,
            known: known.map(|it| &*it.0),
            held: Vec::new(),
            digests: Vec::new(),
            has_found_links: true,
            partial: false,
        }
    }

    /// Adds a page, and decodes it with `read`, which returns the link to the next page,
    /// unless it is held. Returns the link.
    pub(super) fn add(
        &mut self,
        response: GraphResponse,
        read: &mut impl FnMut(&str) -> Result<Option<String>, GraphError>,
    ) -> Result<Option<String>, GraphError> {
        self.partial |= response.partial;
        let text = pages::text(response.not_searched());
        let page = SentPage::new(&text);
        let digest = page.digest();
        let found = page.link;
        let link = if self.is_known_page(&digest, text.len()) {
            drop(text);
            self.held.push(response);
            found
        } else {
            self.read_held(read)?;
            response.searched()?;
            let link = read(&text)?;
            self.has_found_links &= link == found;
            link
        };
        self.digests.push(digest);
        Ok(link)
    }

    /// Ends the list.
    pub(super) fn end(
        &mut self,
        read: &mut impl FnMut(&str) -> Result<Option<String>, GraphError>,
    ) -> Result<(), GraphError> {
        match self.is_known() {
            true => Ok(()),
            false => self.read_held(read),
        }
    }

    /// Whether the answer is the known one, of which nothing was decoded.
    pub(super) fn is_known(&self) -> bool {
        self.known.is_some_and(|it| *it == *self.digests)
    }

    /// The digest of a complete answer that can be recognised.
    pub(super) fn digest(self) -> Option<AnswerDigest> {
        let can_be_known = !self.partial && self.has_found_links;
        can_be_known.then(|| AnswerDigest(self.digests.into()))
    }

    /// How many pages were added.
    pub(super) fn len(&self) -> usize {
        self.digests.len()
    }

    fn is_known_page(&self, digest: &PageDigest, length: usize) -> bool {
        let held = self.held.iter().map(|it| it.not_searched().len());
        let fits = held.sum::<usize>() + length <= MAX_HELD;
        let known = self.known.and_then(|it| it.get(self.digests.len()));
        known == Some(digest) && fits && !self.partial
    }

    /// Decodes the pages that are held. The answer is not the known one.
    fn read_held(
        &mut self,
        read: &mut impl FnMut(&str) -> Result<Option<String>, GraphError>,
    ) -> Result<(), GraphError> {
        self.known = None;
        for response in std::mem::take(&mut self.held) {
            read(&pages::text(response.searched()?))?;
        }
        Ok(())
    }
}

/// Decodes answers as [`Client`](super::Client) does, without a network.
#[cfg(test)]
pub(crate) mod testing {
    use super::super::client::{Fetched, ListAnswer};
    use super::super::decode;
    use super::super::recommendation_reader::RecommendationReader;
    use super::super::translate::CatalogueReader;
    use super::*;
    use secure_score_model::{Catalogue, RecommendationList, Report, Timestamp};

    /// A page, and whether Graph marked it as incomplete.
    pub(crate) type TestPage = (String, bool);

    fn read(
        reader: &mut AnswerReader<'_>,
        sent: &[TestPage],
        mut decode: impl FnMut(&str) -> Result<Option<String>, GraphError>,
    ) -> Result<(), GraphError> {
        for (body, partial) in sent {
            let response = GraphResponse::for_test(reader.subject, body, *partial);
            reader.add(response, &mut decode)?;
        }
        reader.end(&mut decode)
    }

    /// The answer to a client that knows its tenant's id.
    pub(crate) fn catalogue(
        sent: &[TestPage],
        (tenant, now): (&str, Timestamp),
        known: Option<&KnownList<Catalogue>>,
    ) -> Result<ListAnswer<Catalogue>, GraphError> {
        let known = known.filter(|it| it.value.entra_tenant_id.as_deref() == Some(tenant));
        let mut pages = AnswerReader::new(Subject::Catalogue, known.map(|it| &it.digest));
        let mut reader = CatalogueReader::new(now);
        read(&mut pages, sent, |page| decode::page(&mut reader, page))?;
        if let Some(known) = known.filter(|_| pages.is_known()) {
            assert_eq!(reader.pages, 0, "it was not decoded");
            return Ok(ListAnswer::Same(known.clone()));
        }
        decode::check_readable(&reader)?;
        let (value, unknown_words) = reader.finish(Some(tenant.into()));
        Ok(ListAnswer::Other(Fetched::of(pages, value, unknown_words)))
    }

    /// The same for the report.
    pub(crate) fn report(
        sent: &TestPage,
        tenant: &str,
        known: Option<&KnownList<Report>>,
    ) -> Result<ListAnswer<Option<Report>, Report>, GraphError> {
        let known = known.filter(|it| *it.value.entra_tenant_id == *tenant);
        let mut pages = AnswerReader::new(Subject::Report, known.map(|it| &it.digest));
        let mut decoded = Default::default();
        read(&mut pages, std::slice::from_ref(sent), |page| {
            let page = decode::report(page)?;
            decoded = page.value;
            Ok(page.next_link)
        })?;
        if let Some(known) = known.filter(|_| pages.is_known()) {
            return Ok(ListAnswer::Same(known.clone()));
        }
        let (mut value, unknown_words) = decoded;
        if let Some(report) = &mut value {
            report.entra_tenant_id = tenant.into();
        }
        Ok(ListAnswer::Other(Fetched::of(pages, value, unknown_words)))
    }

    /// The same for Entra's recommendations.
    pub(crate) fn recommendations(
        sent: &[TestPage],
        tenant: &str,
        known: Option<&KnownList<RecommendationList>>,
    ) -> Result<ListAnswer<RecommendationList>, GraphError> {
        let known = known.filter(|it| it.value.entra_tenant_id.as_deref() == Some(tenant));
        let mut pages = AnswerReader::new(Subject::Recommendations, known.map(|it| &it.digest));
        let mut reader = RecommendationReader::default();
        let mut decoded = 0;
        read(&mut pages, sent, |page| {
            decoded += 1;
            decode::recommendations_page(&mut reader, page)
        })?;
        if let Some(known) = known.filter(|_| pages.is_known()) {
            assert_eq!(decoded, 0, "it was not decoded");
            return Ok(ListAnswer::Same(known.clone()));
        }
        decode::check_recommendations(&reader)?;
        let (value, unknown_words) = reader.finish(Some(tenant.into()));
        Ok(ListAnswer::Other(Fetched::of(pages, value, unknown_words)))
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{TestPage, catalogue};
    use super::*;
    use crate::graph::ListAnswer;
    use secure_score_model::{Catalogue, Reason, Timestamp};

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn page(ids: &[&str], link: &str) -> TestPage {
        let element = |id: &&str| format!(r#"{{"id":"{id}","controlStateUpdates":[]}}"#);
        let elements: Vec<_> = ids.iter().map(element).collect();
        let elements = elements.join(",");
        let body = format!(r#"{{"@odata.nextLink":"{link}","value":[{elements}]}}"#);
        (body, false)
    }

    fn answer(
        pages: &[TestPage],
        known: Option<&KnownList<Catalogue>>,
    ) -> Result<ListAnswer<Catalogue>, GraphError> {
        catalogue(pages, ("guid", NOW), known)
    }

    fn known(pages: &[TestPage]) -> KnownList<Catalogue> {
        let fetched = answer(pages, None).unwrap().into_fetched();
        KnownList {
            value: Arc::new(fetched.value),
            digest: fetched.digest.unwrap(),
        }
    }

    #[test]
    fn an_answer_with_other_links_is_recognised_without_decoding_it() {
        let known = known(&[page(&["A", "B"], "one"), page(&["C"], "")]);
        let again = [page(&["A", "B"], "another"), page(&["C"], "")];
        let again = answer(&again, Some(&known)).unwrap();
        assert!(matches!(again, ListAnswer::Same(it) if Arc::ptr_eq(&it.value, &known.value)));
    }

    #[test]
    fn every_change_of_a_page_or_of_their_number_is_decoded_whole() {
        let first = || page(&["A", "B"], "one");
        let known = known(&[first(), page(&["C"], "two"), page(&["D"], "")]);
        let partial = (page(&["D"], "").0, true);
        for (pages, ids) in [
            (vec![first(), page(&["C"], "two"), page(&["E"], "")], "ABCE"),
            (vec![first(), page(&["E"], "two"), page(&["D"], "")], "ABED"),
            (
                vec![
                    page(&["B", "A"], "one"),
                    page(&["C"], "two"),
                    page(&["D"], ""),
                ],
                "BACD",
            ),
            (vec![first(), page(&["C"], "two")], "ABC"),
            (vec![first()], "AB"),
            (
                vec![
                    first(),
                    page(&["C"], "two"),
                    page(&["D"], "x"),
                    page(&["E"], ""),
                ],
                "ABCDE",
            ),
            (vec![first(), page(&["C"], "two"), partial], "ABCD"),
        ] {
            let ListAnswer::Other(fetched) = answer(&pages, Some(&known)).unwrap() else {
                panic!("{ids} was taken for the known answer");
            };
            let found: String = fetched.value.entries.iter().map(|it| &*it.id).collect();
            assert_eq!(found, ids);
            assert_eq!(fetched.digest.is_none(), fetched.partial);
        }
    }

    #[test]
    fn a_known_page_that_is_decoded_after_all_is_searched_for_the_token() {
        let with_token = || page(&["A", "a token"], "one");
        let digest = |(body, _): &TestPage| SentPage::new(body).digest();
        let digests = [with_token(), page(&["B"], "")]
            .iter()
            .map(digest)
            .collect();
        let known = KnownList {
            value: Arc::new(Catalogue {
                entra_tenant_id: Some("guid".into()),
                ..Catalogue::default()
            }),
            digest: AnswerDigest(digests),
        };
        let same = answer(&[with_token(), page(&["B"], "")], Some(&known)).unwrap();
        assert!(matches!(same, ListAnswer::Same(_)));
        let other = answer(&[with_token(), page(&["C"], "")], Some(&known)).unwrap_err();
        assert_eq!(other.reason(), Reason::Malformed);
        assert!(
            other.to_string().contains("it repeats the token"),
            "{other}"
        );
    }

    #[test]
    fn an_answer_of_which_a_link_is_not_certain_is_never_recognised() {
        let nested = r#"{"id":"A","controlStateUpdates":[],"@odata.nextLink":"one"}"#;
        let first = format!(r#"{{"value":[{nested}],"@odata.nextLink":"one"}}"#);
        let answer = answer(&[(first, false), page(&["B"], "")], None).unwrap();
        let fetched = answer.into_fetched();
        assert_eq!(fetched.value.entries.len(), 2);
        assert!(fetched.digest.is_none());
    }

    #[test]
    fn known_pages_that_exceed_the_limit_are_decoded() {
        let long = "x".repeat(MAX_HELD);
        let pages = [page(&["A"], ""), page(&["B", &long], "")];
        let known = known(&pages);
        let again = answer(&pages, Some(&known)).unwrap();
        assert!(matches!(again, ListAnswer::Other(_)));
    }
}
