//! One tenant: its registration in Entra and its data.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Map, Value};

use crate::completion::Completion;
use crate::consent::Consent;
use crate::history::StateUpdate;
use crate::list::List;
use crate::organization_member::OrganizationMember;
use crate::partner::Partner;
use crate::rng::{draw, guid};
use crate::status_change::RecommendationEdit;
use crate::token::{RECOMMENDATIONS_ROLES, SECURE_SCORE_ROLES};

/// What a client needs to sign in to a tenant.
#[derive(Clone)]
pub struct TenantAccess {
    /// The short name, which the control API uses.
    pub name: String,
    /// The tenant's GUID.
    pub entra_id: String,
    /// The display name.
    pub display_name: String,
    /// A domain, which Entra accepts instead of the GUID.
    pub domain: String,
    /// The application's id.
    pub client_id: String,
    /// The application's current secret.
    pub client_secret: String,
}

/// Omits the secret.
impl fmt::Debug for TenantAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantAccess")
            .field("name", &self.name)
            .field("entra_id", &self.entra_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListPage {
    /// The members of a captured page besides the list.
    pub(crate) envelope: Map<String, Value>,
    pub(crate) elements: Vec<Value>,
    /// Where the next page starts.
    pub(crate) next: Option<usize>,
}

/// The data of one tenant, generated or captured.
///
/// Methods that return `bool` say whether the control exists.
pub(crate) trait TenantData: Send + fmt::Debug {
    /// A page of a list. `start` is that of [`ListPage::next`]; 0 for the first page.
    fn page(&self, list: List, start: usize, size: usize, now: Timestamp) -> ListPage;
    /// Whether an element has a property besides the documented ones.
    fn has_property(&self, list: List, name: &str) -> bool;
    /// The ids of the catalogue.
    fn controls(&self) -> Vec<String>;
    fn scored_controls(&self) -> Vec<String>;
    fn newest_change(&self, id: &str) -> Option<Timestamp>;
    fn append(&mut self, id: &str, update: StateUpdate);
    fn completion(&self, id: &str, now: Timestamp) -> Option<Completion>;
    fn set_completion(&mut self, id: &str, completion: Completion) -> bool;
    fn replace_profile(&mut self, id: &str, element: Value) -> bool;
    fn replace_score(&mut self, id: &str, element: Value) -> bool;
    /// The ids of the recommendations.
    fn recommendations(&self) -> Vec<String>;
    fn edit_recommendation(&mut self, id: &str, edit: RecommendationEdit);
    /// Sets the newest Identity Secure Score and its maximum, in points.
    fn set_identity_score(&mut self, score: u64, maximum: u64);
}

impl dyn TenantData {
    /// Every element of a list.
    pub(crate) fn elements(&self, list: List, now: Timestamp) -> Vec<Value> {
        let mut elements = Vec::new();
        let mut next = Some(0);
        while let Some(start) = next {
            let page = self.page(list, start, usize::MAX, now);
            elements.extend(page.elements);
            next = page.next;
        }
        elements
    }
}

/// A tenant.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) entra_id: String,
    pub(crate) domain: String,
    pub(crate) client_id: String,
    seed: u64,
    generations: Mutex<Generations>,
    /// Whether the application may read Entra's recommendations.
    grants_recommendations: AtomicBool,
    consent: Mutex<Consent>,
    /// Its customers and their relationships, if it is a partner's.
    partner: Option<Partner>,
    data: Mutex<Box<dyn TenantData>>,
}

/// How often the secret and the tokens were invalidated.
#[derive(Debug, Default)]
struct Generations {
    secret: u64,
    tokens: u64,
}

impl Tenant {
    pub(crate) fn new(
        name: String,
        display_name: String,
        entra_id: String,
        seed: u64,
        data: Box<dyn TenantData>,
    ) -> Self {
        Self {
            domain: format!("{name}.example"),
            client_id: guid(seed, "client", 0).to_string(),
            name,
            display_name,
            entra_id,
            seed,
            generations: Mutex::default(),
            grants_recommendations: AtomicBool::new(false),
            consent: Mutex::default(),
            partner: None,
            data: Mutex::new(data),
        }
    }

    /// The same tenant as a partner's.
    pub(crate) fn with_partner(mut self, partner: Partner) -> Self {
        self.partner = Some(partner);
        self
    }

    pub(crate) fn partner(&self) -> Option<&Partner> {
        self.partner.as_ref()
    }

    /// The application to which the customers consent; `None` if it is no partner's
    /// tenant.
    pub(crate) fn customers_application(&self) -> Option<String> {
        let id = || guid(self.seed, "customers client", 0).to_string();
        self.partner.as_ref().map(|_| id())
    }

    pub(crate) fn consent(&self) -> Consent {
        *self.consent.lock()
    }

    /// Changes the consent, for the tokens issued from now on.
    pub(crate) fn set_consent(&self, consent: Consent) {
        *self.consent.lock() = consent;
    }

    /// The tenant in a multitenant organization, with a state in Graph's word.
    pub(crate) fn member(&self, state: &str) -> OrganizationMember {
        OrganizationMember {
            tenant_id: self.entra_id.clone(),
            display_name: self.display_name.clone(),
            state: state.to_owned(),
        }
    }

    /// Every element of a list. A tenant that is no partner's has no customers.
    pub(crate) fn elements(&self, list: List, now: Timestamp) -> Vec<Value> {
        match (&self.partner, list.is_of_partner()) {
            (Some(partner), true) => partner.elements(list),
            (None, true) => Vec::new(),
            (_, false) => self.data().elements(list, now),
        }
    }

    /// The element of a list that has this id.
    pub(crate) fn element(&self, list: List, id: &str) -> Option<Value> {
        let mut elements = self.elements(list, Timestamp::now()).into_iter();
        elements.find(|it| it.get("id").and_then(Value::as_str) == Some(id))
    }

    pub(crate) fn data(&self) -> MutexGuard<'_, Box<dyn TenantData>> {
        self.data.lock()
    }

    pub(crate) fn access(&self) -> TenantAccess {
        TenantAccess {
            name: self.name.clone(),
            entra_id: self.entra_id.clone(),
            display_name: self.display_name.clone(),
            domain: self.domain.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.secret(),
        }
    }

    /// The current secret.
    pub(crate) fn secret(&self) -> String {
        let first = self.generations.lock().secret * 4;
        let words = (first..first + 4).map(|word| draw(self.seed, "secret", word).to_be_bytes());
        let text = URL_SAFE_NO_PAD.encode(words.collect::<Vec<_>>().concat());
        format!("sim~{}", text.get(..34).unwrap_or(&text))
    }

    /// Replaces the secret and returns the new one.
    pub(crate) fn rotate_secret(&self) -> String {
        self.generations.lock().secret += 1;
        self.secret()
    }

    /// The generation that a valid token carries.
    pub(crate) fn token_generation(&self) -> u64 {
        self.generations.lock().tokens
    }

    /// Invalidates every token issued so far.
    pub(crate) fn revoke_tokens(&self) {
        self.generations.lock().tokens += 1;
    }

    /// Grants or revokes the permission to read Entra's recommendations, for the
    /// tokens issued from now on.
    pub(crate) fn grant_recommendations(&self, is_granted: bool) {
        let grant = &self.grants_recommendations;
        grant.store(is_granted, Ordering::Relaxed);
    }

    /// The application permissions that the tenant granted.
    pub(crate) fn roles(&self) -> Vec<String> {
        let [secure_score, _] = SECURE_SCORE_ROLES;
        let [recommendations, _] = RECOMMENDATIONS_ROLES;
        let is_granted = self.grants_recommendations.load(Ordering::Relaxed);
        let granted = is_granted.then_some(recommendations);
        let partner = self.partner.iter().flat_map(Partner::roles);
        let roles = [secure_score].into_iter().chain(granted).chain(partner);
        roles.map(str::to_owned).collect()
    }

    /// The key of the skip tokens.
    pub(crate) fn skiptoken_key(&self) -> u64 {
        draw(self.seed, "marker", 0)
    }
}
