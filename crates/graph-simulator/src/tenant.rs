//! One tenant: who it is to Entra, and its data.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::dice::{guid, roll};
use super::history::Update;
use super::measure::Share;

/// What a client needs to know to sign in to a tenant.
#[derive(Clone)]
pub struct TenantAccess {
    /// The short name, which the control API uses.
    pub name: String,
    /// The tenant's GUID.
    pub entra_id: String,
    /// The name for people.
    pub display_name: String,
    /// A domain, which Entra takes in place of the GUID.
    pub domain: String,
    /// The application's id.
    pub client_id: String,
    /// The application's present secret.
    pub client_secret: String,
}

impl fmt::Debug for TenantAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantAccess")
            .field("name", &self.name)
            .field("entra_id", &self.entra_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A part of the catalogue.
pub(super) struct ProfilesPage {
    /// What else stood beside the list, where the page was captured.
    pub(super) rest: Map<String, Value>,
    pub(super) elements: Vec<Value>,
    /// Where the next page starts.
    pub(super) next: Option<usize>,
}

/// The data behind the two lists of one tenant, invented or captured.
pub(super) trait Records: Send + fmt::Debug {
    fn profiles(&self, start: usize, size: usize) -> ProfilesPage;
    fn report_count(&self) -> usize;
    /// The report of a place in the list, newest first.
    fn report(&self, place: usize, now: Timestamp) -> Option<Value>;
    /// The exact spelling of a control the catalogue holds.
    fn control(&self, id: &str) -> Option<String>;
    fn scored_controls(&self) -> Vec<String>;
    fn newest_change(&self, id: &str) -> Option<Timestamp>;
    fn append(&mut self, id: &str, update: Update);
    /// Whether the control has a score to set.
    fn set_share(&mut self, id: &str, share: Share) -> bool;
    fn share_now(&self, id: &str, now: Timestamp) -> Option<Share>;
    fn replace_profile(&mut self, id: &str, element: Value) -> bool;
    fn replace_score(&mut self, id: &str, element: Value) -> bool;
}

/// A tenant as both interfaces see it.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) entra_id: String,
    pub(super) domain: String,
    pub(super) client_id: String,
    seed: u64,
    credentials: Mutex<Generations>,
    records: Mutex<Box<dyn Records>>,
}

/// How often secret and tokens were made void.
#[derive(Debug, Clone, Copy, Default)]
struct Generations {
    secret: u64,
    tokens: u64,
}

impl Tenant {
    pub(super) fn new(
        (name, display_name): (String, String),
        entra_id: String,
        seed: u64,
        records: Box<dyn Records>,
    ) -> Self {
        Self {
            domain: format!("{name}.example"),
            client_id: guid(seed, "client", 0).to_string(),
            name,
            display_name,
            entra_id,
            seed,
            credentials: Mutex::default(),
            records: Mutex::new(records),
        }
    }

    pub(super) fn records(&self) -> MutexGuard<'_, Box<dyn Records>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn access(&self) -> TenantAccess {
        TenantAccess {
            name: self.name.clone(),
            entra_id: self.entra_id.clone(),
            display_name: self.display_name.clone(),
            domain: self.domain.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.secret(),
        }
    }

    /// The secret that is good now.
    pub(super) fn secret(&self) -> String {
        let generation = self.generations().secret;
        let words =
            (0..4).map(|word| roll(self.seed, "secret", generation * 4 + word).to_be_bytes());
        let text = URL_SAFE_NO_PAD.encode(words.collect::<Vec<_>>().concat());
        format!("sim~{}", text.get(..34).unwrap_or(&text))
    }

    /// Puts a new secret in place of the present one.
    pub(super) fn rotate_secret(&self) -> String {
        self.generations().secret += 1;
        self.secret()
    }

    /// The number a token must carry to be taken.
    pub(super) fn token_generation(&self) -> u64 {
        self.generations().tokens
    }

    /// Makes every token void that was handed out so far.
    pub(super) fn revoke_tokens(&self) {
        self.generations().tokens += 1;
    }

    /// The key of its place markers.
    pub(super) fn marker_key(&self) -> u64 {
        roll(self.seed, "marker", 0)
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
