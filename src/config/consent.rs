//! The page on which a tenant consents to an application.

use super::choices::Cloud;
use super::resolve::Config;
use crate::credentials::Credential;

/// The address of the page. `login` is the root of Entra's login server,
/// without a slash at the end; `tenant_id` is the tenant's GUID or a domain.
///
/// Source: "Admin consent on the Microsoft identity platform".
pub fn consent_url(login: &str, tenant_id: &str, application_id: &str) -> String {
    format!("{login}/{tenant_id}/adminconsent?client_id={application_id}")
}

impl Config {
    /// The address of the page on which an administrator of the tenant consents
    /// to the credential's application. `None` for a credential without one.
    pub fn consent_url(
        &self,
        cloud: Cloud,
        tenant_id: &str,
        credential: &Credential,
    ) -> Option<String> {
        let simulator = self.simulator.as_ref().map(|it| it.url.as_str());
        let login = cloud.login().or(simulator)?;
        Some(consent_url(login, tenant_id, credential.application_id()?))
    }
}
