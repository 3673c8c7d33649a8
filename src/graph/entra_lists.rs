//! The client's lists of Entra, in the beta API.

use super::answer_reader::{AnswerReader, KnownList};
use super::client::{Client, Fetched, ListAnswer, MAX_CATALOGUE_PAGES, wrong_tenant};
use super::decode;
use super::error::GraphError;
use super::pages;
use super::recommendation_reader::RecommendationReader;
use super::refresh_permit::RefreshPermit;
use super::subject::Subject;
use secure_score_model::{IdentityScore, Reason, RecommendationList};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

impl Client {
    /// Entra's recommendations, complete or an error; with the resources that
    /// they concern, if wanted and Graph sends them.
    ///
    /// Without the permission in the token nothing is requested. If Graph refuses
    /// to list the resources, or they exceed the size limit, the client requests
    /// the recommendations without them for a day.
    pub async fn recommendations(
        &self,
        resources: bool,
        known: Option<&KnownList<RecommendationList>>,
        permit: &mut RefreshPermit,
    ) -> Result<ListAnswer<RecommendationList>, GraphError> {
        let is_granted = self.check_granted(Subject::Recommendations).await?;
        let resources = resources && self.resources_refused.is_over();
        let mut read = self.recommendation_pages(resources, known, permit).await;
        let is_refused =
            |error: &GraphError| error.refuses_option() || error.reason() == Reason::TooLarge;
        if resources && read.as_ref().is_err_and(is_refused) {
            read = self.recommendation_pages(false, known, permit).await;
            if read.is_ok() {
                self.resources_refused.begin();
            }
        }
        read.map_err(|error| error.with_grant(is_granted))
    }

    async fn recommendation_pages(
        &self,
        resources: bool,
        known: Option<&KnownList<RecommendationList>>,
        permit: &mut RefreshPermit,
    ) -> Result<ListAnswer<RecommendationList>, GraphError> {
        let tenant = self.entra_tenant_id();
        let known = known.filter(|it| it.value.entra_tenant_id.as_deref() == tenant);
        let subject = Subject::Recommendations;
        let first = pages::recommendations_url(&self.root, resources)?;
        let mut reader = RecommendationReader::default();
        let mut pages = AnswerReader::new(subject, known.map(|it| &it.digest));
        let read = |page: &str| decode::recommendations_page(&mut reader, page);
        self.read_pages(first, MAX_CATALOGUE_PAGES, &mut pages, permit, read)
            .await?;
        if let Some(known) = known.filter(|_| pages.is_known()) {
            return Ok(ListAnswer::Same(known.clone()));
        }
        decode::check_recommendations(&reader)?;
        let is_none = |tenant: &&String| Uuid::try_parse(tenant).is_err();
        if let Some(none) = reader.tenants.iter().find(is_none) {
            let expected = self.entra_tenant_id().unwrap_or("a GUID");
            return Err(wrong_tenant(subject, expected, none));
        }
        self.check_tenants(subject, &reader.tenants)?;
        let (value, unknown_words) = reader.finish(self.entra_tenant_id().map(Arc::from));
        Ok(ListAnswer::Other(Fetched::of(pages, value, unknown_words)))
    }

    /// The newest Identity Secure Score, or `None` if Graph has none yet.
    ///
    /// Without the permission in the token nothing is requested.
    pub async fn identity_score(
        &self,
        permit: &mut RefreshPermit,
    ) -> Result<Fetched<Option<IdentityScore>>, GraphError> {
        let subject = Subject::IdentityScore;
        let is_granted = self.check_granted(subject).await?;
        let url = pages::identity_scores_url(&self.root)?;
        let response = self.get(subject, &url, permit).await;
        let response = response.map_err(|error| error.with_grant(is_granted))?;
        Ok(Fetched {
            value: decode::identity_score(&pages::text(response.searched()?))?,
            partial: response.partial,
            unknown_words: BTreeSet::new(),
            digest: None,
        })
    }

    /// Refuses a list of Entra for which the token lacks the permission. Returns
    /// whether it has it: where a token cannot be read, Graph decides.
    async fn check_granted(&self, subject: Subject) -> Result<bool, GraphError> {
        match self.token().await?.facts.may_read_recommendations() {
            Some(false) => Err(GraphError::not_granted(subject)),
            granted => Ok(granted.is_some()),
        }
    }
}
