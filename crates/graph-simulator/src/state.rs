//! What the servers and handles of one simulator share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::active_faults::ActiveFaults;
use crate::bounded_log::BoundedLog;
use crate::capture_files::ReplayError;
use crate::catalogue::Catalogue;
use crate::generated_tenant::GeneratedTenant;
use crate::options::Options;
use crate::recorded_request::RecordedRequest;
use crate::replay::{self, Replay};
use crate::rng::{draw, guid};
use crate::tenant::Tenant;
use crate::tenant_profile::{TENANT_PROFILES, TenantProfile, tenant_name};
use crate::trusted_credentials::TrustedCredentials;

const MAX_RECORDED_REQUESTS: usize = 4096;
const MAX_RECORDED_SECRETS: usize = 1024;

/// The tenants, the faults, and the record of requests.
#[derive(Debug)]
pub(crate) struct SimulatorState {
    pub(crate) tenants: Vec<Tenant>,
    /// Indices of `tenants`, by name, Entra id and domain in lower case.
    indices: HashMap<String, usize>,
    pub(crate) faults: ActiveFaults,
    pub(crate) requests: BoundedLog<RecordedRequest>,
    /// Tokens that were issued and assertions that were received, so that
    /// tests can search for them where they must not occur.
    pub(crate) issued_secrets: BoundedLog<String>,
    pub(crate) credentials: TrustedCredentials,
    pub(crate) page_size: usize,
    pub(crate) token_lifetime: Duration,
    seed: u64,
}

impl SimulatorState {
    /// Generates the tenants, or loads the captured responses.
    pub(crate) fn new(options: &Options, now: Timestamp) -> Result<Arc<Self>, ReplayError> {
        let tenants: Vec<Tenant> = match &options.replay {
            Some(directory) => replay::load(directory)?
                .into_iter()
                .map(|(name, replay)| replayed(name, replay, options.seed))
                .collect(),
            None => {
                let catalogue = Arc::new(Catalogue::load());
                (0..options.tenants)
                    .zip(TENANT_PROFILES.iter().cycle())
                    .map(|(number, profile)| generated(number, profile, &catalogue, options, now))
                    .collect()
            }
        };
        Ok(Arc::new(Self {
            indices: indices(&tenants),
            tenants,
            faults: ActiveFaults::default(),
            requests: BoundedLog::new(MAX_RECORDED_REQUESTS),
            issued_secrets: BoundedLog::new(MAX_RECORDED_SECRETS),
            credentials: TrustedCredentials::default(),
            page_size: options.page_size,
            token_lifetime: options.token_lifetime,
            seed: options.seed,
        }))
    }

    fn find(&self, key: &str) -> Option<&Tenant> {
        self.tenants
            .get(*self.indices.get(&key.to_ascii_lowercase())?)
    }

    /// A tenant by its name.
    pub(crate) fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.find(name).filter(|tenant| tenant.name == name)
    }

    /// A tenant by its GUID or domain.
    pub(crate) fn tenant_by_entra_id(&self, id: &str) -> Option<&Tenant> {
        self.find(id).filter(|tenant| {
            tenant.entra_id.eq_ignore_ascii_case(id) || tenant.domain.eq_ignore_ascii_case(id)
        })
    }

    /// App Service's `IDENTITY_HEADER`.
    pub(crate) fn identity_header(&self) -> String {
        guid(self.seed, "identity header", 0).to_string()
    }

    /// The key of the access tokens' checksums.
    pub(crate) fn token_key(&self) -> u64 {
        draw(self.seed, "token", 0)
    }
}

fn generated(
    number: usize,
    profile: &'static TenantProfile,
    catalogue: &Arc<Catalogue>,
    options: &Options,
    now: Timestamp,
) -> Tenant {
    let name = tenant_name(number);
    let display_name = match name == profile.name {
        true => profile.display_name.to_owned(),
        false => format!("Tenant {}", number + 1),
    };
    let seed = draw(options.seed, "tenant", number as u64);
    let entra_id = guid(seed, "entra", 0).to_string();
    let newest_change = now.saturating_sub(options.state_age).unwrap_or(now);
    let data = GeneratedTenant::new(
        &name,
        entra_id.clone(),
        profile,
        Arc::clone(catalogue),
        seed,
        (now, newest_change),
    );
    let is_granted = options.recommendations.is_granted(&name);
    let tenant = Tenant::new(name, display_name, entra_id, seed, Box::new(data));
    tenant.grant_recommendations(is_granted);
    tenant
}

fn replayed(name: String, replay: Replay, seed: u64) -> Tenant {
    let seed = draw(seed, &name, 0);
    let is_granted = replay.has_recommendations();
    let tenant = Tenant::new(
        name,
        "Captured answers".to_owned(),
        replay.entra_id.clone(),
        seed,
        Box::new(replay),
    );
    tenant.grant_recommendations(is_granted);
    tenant
}

fn indices(tenants: &[Tenant]) -> HashMap<String, usize> {
    let keys = |(index, tenant): (usize, &Tenant)| {
        let keys = [&tenant.name, &tenant.entra_id, &tenant.domain];
        keys.map(|key| (key.to_ascii_lowercase(), index))
    };
    tenants.iter().enumerate().flat_map(keys).collect()
}
