//! Changes of recommendations and of the Identity Secure Score.

use jiff::Timestamp;
use serde_json::Value;

use crate::handle::{HandleError, Result, SimulatorHandle, suggestion};
use crate::history::time;
use crate::list::List;
use crate::status_change::{RecommendationEdit, StatusChange, is};
use crate::tenant::Tenant;

/// `recommendation` is an id, the part of it behind the tenant's GUID, or a type; its case
/// does not matter.
impl SimulatorHandle {
    /// Grants the permission to read a tenant's recommendations, for the tokens issued
    /// from now on.
    pub fn grant_recommendations(&self, tenant: &str) -> Result<()> {
        self.tenant(tenant)?.grant_recommendations(true);
        Ok(())
    }

    /// Revokes that permission. As at Entra, a token keeps it until it expires.
    pub fn revoke_recommendations(&self, tenant: &str) -> Result<()> {
        self.tenant(tenant)?.grant_recommendations(false);
        Ok(())
    }

    /// Sets the status of a recommendation.
    pub fn set_recommendation_status(
        &self,
        tenant: &str,
        recommendation: &str,
        change: StatusChange,
    ) -> Result<()> {
        let edit = RecommendationEdit::Status(dated(change));
        self.edit(tenant, recommendation, edit)
    }

    /// Sets the status of an impacted resource, by its id or display name.
    pub fn set_resource_status(
        &self,
        tenant: &str,
        recommendation: &str,
        resource: &str,
        change: StatusChange,
    ) -> Result<()> {
        let resources = self.resources(tenant, recommendation)?;
        if !resources.iter().any(|known| is(known, resource)) {
            return Err(HandleError::UnknownResource {
                recommendation: recommendation.to_owned(),
                id: resource.to_owned(),
            });
        }
        let edit = RecommendationEdit::ResourceStatus(resource.to_owned(), dated(change));
        self.edit(tenant, recommendation, edit)
    }

    /// When a recommendation was changed last.
    pub fn recommendation_changed_at(
        &self,
        tenant: &str,
        recommendation: &str,
    ) -> Result<Option<Timestamp>> {
        let element = self.recommendation(tenant, recommendation)?;
        Ok(element.and_then(|it| time(&it, "lastModifiedDateTime")))
    }

    /// The ids of a recommendation's impacted resources.
    pub fn impacted_resources(&self, tenant: &str, recommendation: &str) -> Result<Vec<String>> {
        let resources = self.resources(tenant, recommendation)?;
        let ids = resources.iter().filter_map(|it| it.get("id")?.as_str());
        Ok(ids.map(str::to_owned).collect())
    }

    /// Lets the service check a recommendation again, at a time or now, which moves
    /// `lastModifiedDateTime` only.
    pub fn check_recommendation(
        &self,
        tenant: &str,
        recommendation: &str,
        at: Option<Timestamp>,
    ) -> Result<()> {
        let edit = RecommendationEdit::Checked(at.unwrap_or_else(Timestamp::now));
        self.edit(tenant, recommendation, edit)
    }

    /// Replaces a recommendation by any JSON.
    pub fn set_recommendation_json(
        &self,
        tenant: &str,
        recommendation: &str,
        element: Value,
    ) -> Result<()> {
        let edit = RecommendationEdit::Replaced(element);
        self.edit(tenant, recommendation, edit)
    }

    /// Sets the newest Identity Secure Score and its maximum, in points.
    pub fn set_identity_score(&self, tenant: &str, score: u64, maximum: u64) -> Result<()> {
        let tenant = self.tenant(tenant)?;
        tenant.data().set_identity_score(score, maximum);
        Ok(())
    }

    fn edit(&self, tenant: &str, recommendation: &str, edit: RecommendationEdit) -> Result<()> {
        let tenant = self.tenant(tenant)?;
        let id = recommendation_id(&tenant, recommendation)?;
        tenant.data().edit_recommendation(&id, edit);
        Ok(())
    }

    fn resources(&self, tenant: &str, recommendation: &str) -> Result<Vec<Value>> {
        let element = self.recommendation(tenant, recommendation)?;
        let resources = element
            .as_ref()
            .and_then(|it| it.get("impactedResources")?.as_array());
        Ok(resources.cloned().unwrap_or_default())
    }

    fn recommendation(&self, tenant: &str, recommendation: &str) -> Result<Option<Value>> {
        let tenant = self.tenant(tenant)?;
        let id = recommendation_id(&tenant, recommendation)?;
        Ok(tenant.element(List::Recommendations, &id))
    }
}

fn dated(change: StatusChange) -> StatusChange {
    let at = change.at.unwrap_or_else(Timestamp::now);
    change.at(at)
}

/// A recommendation's id in the tenant's list.
fn recommendation_id(tenant: &Tenant, recommendation: &str) -> Result<String> {
    let ids = tenant.data().recommendations();
    let is_meant = |id: &&String| names(id).any(|name| name.eq_ignore_ascii_case(recommendation));
    if let Some(id) = ids.iter().find(is_meant) {
        return Ok(id.clone());
    }
    Err(HandleError::UnknownRecommendation {
        tenant: tenant.name.clone(),
        id: recommendation.to_owned(),
        suggestion: suggestion(recommendation, ids.iter().flat_map(|id| names(id))),
    })
}

/// The last part of an id, the part behind the tenant's GUID, and the id.
fn names(id: &str) -> impl Iterator<Item = &str> {
    let name = id.split_once('_').map_or(id, |(_, name)| name);
    let last = name.rsplit('.').next();
    last.into_iter().chain([name, id])
}
