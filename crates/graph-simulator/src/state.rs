//! What the servers and handles of one simulator share.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::active_faults::ActiveFaults;
use crate::bounded_log::BoundedLog;
use crate::capture_files::ReplayError;
use crate::initial_customers;
use crate::options::Options;
use crate::recorded_request::RecordedRequest;
use crate::replay::{self, Replay};
use crate::rng::{draw, guid};
use crate::tenant::Tenant;
use crate::tenant_factory::TenantFactory;
use crate::tenant_table::TenantTable;
use crate::trusted_credentials::TrustedCredentials;

const MAX_RECORDED_REQUESTS: usize = 4096;
const MAX_RECORDED_SECRETS: usize = 1024;

/// The tenants, the faults, and the record of requests.
#[derive(Debug)]
pub(crate) struct SimulatorState {
    pub(crate) tenants: TenantTable,
    /// The tenants that the options name, without those of partners and their customers.
    pub(crate) own_tenants: Vec<Arc<Tenant>>,
    /// The names of the partners' tenants.
    partners: Vec<String>,
    pub(crate) factory: TenantFactory,
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
        let factory = TenantFactory::new(options);
        let own: Vec<Tenant> = match &options.replay {
            Some(directory) => replay::load(directory)?
                .into_iter()
                .map(|(name, replay)| replayed(name, replay, options.seed))
                .collect(),
            None => (0..options.tenants)
                .filter_map(|number| factory.numbered(number, now))
                .collect(),
        };
        let tenants = TenantTable::default();
        let own_tenants: Vec<_> = own.into_iter().map(|it| tenants.add(it)).collect();
        for partner in options.partners.iter().enumerate() {
            initial_customers::add_partner(&tenants, &factory, partner, &own_tenants, now);
        }
        let partners = options.partners.iter().map(|it| it.name.clone());
        Ok(Arc::new(Self {
            tenants,
            own_tenants,
            partners: partners.collect(),
            factory,
            faults: ActiveFaults::default(),
            requests: BoundedLog::new(MAX_RECORDED_REQUESTS),
            issued_secrets: BoundedLog::new(MAX_RECORDED_SECRETS),
            credentials: TrustedCredentials::default(),
            page_size: options.page_size,
            token_lifetime: options.token_lifetime,
            seed: options.seed,
        }))
    }

    /// A tenant by its name.
    pub(crate) fn tenant(&self, name: &str) -> Option<Arc<Tenant>> {
        self.tenants.find(name).filter(|tenant| tenant.name == name)
    }

    /// A tenant by its GUID or domain.
    pub(crate) fn tenant_by_entra_id(&self, id: &str) -> Option<Arc<Tenant>> {
        self.tenants.find(id).filter(|tenant| {
            tenant.entra_id.eq_ignore_ascii_case(id) || tenant.domain.eq_ignore_ascii_case(id)
        })
    }

    /// The tenants of the partners.
    pub(crate) fn partners(&self) -> Vec<Arc<Tenant>> {
        let names = self.partners.iter();
        names.filter_map(|name| self.tenant(name)).collect()
    }

    /// The tenant in which the application with a client id is registered, if a tenant
    /// accepts it: its own application, or one of a partner.
    pub(crate) fn registration(
        &self,
        tenant: &Arc<Tenant>,
        client_id: &str,
    ) -> Option<Arc<Tenant>> {
        let mut known = vec![Arc::clone(tenant)];
        if tenant.partner().is_none() {
            known.extend(self.partners());
        }
        let is_customer = tenant.partner().is_none();
        let is_meant = |it: &Arc<Tenant>| {
            let of_customers = it.customers_application().filter(|_| is_customer);
            let mut ids = [Some(it.client_id.as_str()), of_customers.as_deref()]
                .into_iter()
                .flatten();
            ids.any(|id| id.eq_ignore_ascii_case(client_id))
        };
        known.into_iter().find(is_meant)
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
