//! The generation of tenants, at the start and while the simulator runs.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use crate::catalogue::Catalogue;
use crate::generated_tenant::GeneratedTenant;
use crate::options::Options;
use crate::recommendations_access::RecommendationsAccess;
use crate::report_calendar::newest_day;
use crate::rng::{draw, guid};
use crate::tenant::Tenant;
use crate::tenant_profile::{TENANT_PROFILES, TenantProfile, tenant_name};

/// Generates tenants from a seed.
#[derive(Debug)]
pub(crate) struct TenantFactory {
    pub(crate) seed: u64,
    state_age: Duration,
    recommendations: RecommendationsAccess,
    catalogue: OnceLock<Arc<Catalogue>>,
}

impl TenantFactory {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            seed: options.seed,
            state_age: options.state_age,
            recommendations: options.recommendations.clone(),
            catalogue: OnceLock::new(),
        }
    }

    /// The tenant with a number, from 0.
    pub(crate) fn numbered(&self, number: usize, now: Timestamp) -> Option<Tenant> {
        let name = tenant_name(number);
        let profile = profile(number as u64)?;
        let display_name = match name == profile.name {
            true => profile.display_name.to_owned(),
            false => format!("Tenant {}", number + 1),
        };
        let seed = draw(self.seed, "tenant", number as u64);
        Some(self.generate(name, display_name, profile, seed, now))
    }

    /// The tenant with a name of its own.
    pub(crate) fn named(&self, name: &str, display_name: &str, now: Timestamp) -> Option<Tenant> {
        let seed = draw(self.seed, name, 1);
        let profile = profile(seed)?;
        Some(self.generate(name.to_owned(), display_name.to_owned(), profile, seed, now))
    }

    fn generate(
        &self,
        name: String,
        display_name: String,
        profile: &'static TenantProfile,
        seed: u64,
        now: Timestamp,
    ) -> Tenant {
        let entra_id = guid(seed, "entra", 0).to_string();
        // One that starts later, before the next report, has the same past.
        let newest_change = newest_day(now.saturating_sub(self.state_age).unwrap_or(now));
        let catalogue = self.catalogue.get_or_init(|| Arc::new(Catalogue::load()));
        let data = GeneratedTenant::new(
            &name,
            entra_id.clone(),
            profile,
            Arc::clone(catalogue),
            seed,
            (now, newest_change),
        );
        let is_granted = self.recommendations.is_granted(&name);
        let tenant = Tenant::new(name, display_name, entra_id, seed, Box::new(data));
        tenant.grant_recommendations(is_granted);
        tenant
    }
}

/// The profiles in turn.
fn profile(number: u64) -> Option<&'static TenantProfile> {
    let count = TENANT_PROFILES.len() as u64;
    TENANT_PROFILES.get(usize::try_from(number % count).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulator_that_starts_before_the_next_report_has_the_same_changes() {
        let factory = TenantFactory::new(&Options::default());
        let newest = |start: &str| {
            let tenant = factory.numbered(0, start.parse().unwrap()).unwrap();
            tenant.data().newest_change("IntegratedApps").unwrap()
        };
        assert_eq!(
            newest("2026-11-30T07:00:00Z"),
            newest("2026-11-30T23:00:00Z")
        );
        assert_ne!(
            newest("2026-11-30T07:00:00Z"),
            newest("2026-12-01T07:00:00Z")
        );
    }
}
