//! What is known of one partner.

use crate::config::Partner;
use crate::graph::{Fetched, GraphError, Subject};
use crate::refresh::{Wait, saved_refresh};
use crate::store::saved_partner::{LeftCustomer, SavedPartner};
use crate::store::saved_tenant::{SavedList, SavedRefresh};
use secure_score_model::{
    Customer, CustomerList, EventKind, RefreshHealth, SkippedCustomers, Timestamp, Trouble,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The last list of a partner's customers, and what followed from it.
pub(super) struct PartnerData {
    pub(super) config: Arc<Partner>,
    /// The GUID of its own tenant, once known.
    pub(super) entra_tenant_id: Option<Arc<str>>,
    pub(super) list: Option<SavedList<Arc<CustomerList>>>,
    /// The watched customers that the list no longer has, by GUID.
    pub(super) left: BTreeMap<Arc<str>, LeftCustomer>,
    /// The aliases that were given to customers, by GUID.
    pub(super) aliases: BTreeMap<String, String>,
    /// The customers that are watched under them.
    pub(super) watched: BTreeSet<Arc<str>>,
    /// The customers whose tenant was read with success.
    pub(super) read: BTreeSet<Arc<str>>,
    pub(super) health: RefreshHealth,
    wait: Option<Wait>,
    /// What the log says about the list already.
    logged: SkippedCustomers,
    /// The sources of the list: what is missing in the list of others did not leave.
    sources: Vec<String>,
    /// The customers that are watched and were not before, until the events.
    discovered: Vec<Arc<str>>,
    /// Whether something changed that is not saved yet.
    pub(super) unsaved: bool,
}

impl PartnerData {
    /// A partner with what an earlier process saved of it.
    pub(super) fn new(config: Arc<Partner>, saved: Option<SavedPartner>, now: Timestamp) -> Self {
        let mut data = Self {
            config,
            entra_tenant_id: None,
            list: None,
            left: BTreeMap::new(),
            aliases: BTreeMap::new(),
            watched: BTreeSet::new(),
            read: BTreeSet::new(),
            health: RefreshHealth::default(),
            wait: None,
            logged: SkippedCustomers::default(),
            sources: Vec::new(),
            discovered: Vec::new(),
            unsaved: false,
        };
        if let Some(saved) = saved {
            data.restore(saved, now);
        }
        data
    }

    fn restore(&mut self, saved: SavedPartner, now: Timestamp) {
        // An alias stays with its customer, also under another tenant of the partner.
        self.aliases = saved.aliases;
        if saved.directory != directory(&self.config) {
            tracing::warn!(
                partner = self.config.name,
                "the saved list of customers belongs to another tenant; it is fetched again"
            );
            return;
        }
        self.entra_tenant_id = saved.entra_tenant_id;
        self.sources = saved.sources;
        self.list = saved.list.map(|list| list.not_later_than(now));
        self.left = saved.left;
        for left in self.left.values_mut() {
            left.at = left.at.min(now);
        }
        self.watched = saved.watched;
        self.read = saved.read;
        if let Some(saved) = saved.refresh {
            self.restore_refresh(saved, now);
        }
    }

    /// Takes over the refreshes. A failing list is due at once, unless Microsoft
    /// asked for a delay.
    fn restore_refresh(&mut self, saved: SavedRefresh, now: Timestamp) {
        let (health, wait) = saved_refresh::restore(saved, self.config.interval, now);
        self.health = RefreshHealth {
            has_series: true,
            ..health
        };
        self.wait = Some(wait);
        self.retry_failed();
    }

    pub(super) fn to_saved(&self, now: Timestamp) -> SavedPartner {
        let (health, wait) = (&self.health, self.wait.as_ref());
        let next_refresh = health.next_refresh;
        let refresh = next_refresh.map(|at| saved_refresh::save(health, at, wait, now));
        SavedPartner {
            name: self.config.name.as_str().into(),
            directory: directory(&self.config),
            entra_tenant_id: self.entra_tenant_id.clone(),
            sources: self.sources.clone(),
            list: self.list.clone(),
            left: self.left.clone(),
            aliases: self.aliases.clone(),
            watched: self.watched.clone(),
            read: self.read.clone(),
            refresh,
        }
    }

    /// Makes a failing list due at once, as far as Microsoft allows it: an
    /// administrator may have fixed the cause.
    pub(super) fn retry_failed(&mut self) {
        if self.health.trouble.is_some() || self.list.is_none() {
            self.make_due();
        }
    }

    /// Applies another configuration of the same partner.
    pub(super) fn reconfigure(&mut self, config: Arc<Partner>) {
        let other_lists = self.config.sources != config.sources;
        let up = self.health.trouble.is_none();
        self.wait = self.wait.map(|it| it.capped(config.interval, up));
        self.config = config;
        match other_lists {
            true => self.make_due(),
            false => self.retry_failed(),
        }
    }

    /// Ends the wait, but for what Microsoft asked for.
    fn make_due(&mut self) {
        let requested = self.wait.filter(Wait::is_requested);
        self.wait = requested.map(Wait::shortened);
    }

    /// How long the list is not due.
    pub(super) fn not_due_for(&self) -> Duration {
        self.wait.map(|it| it.rest()).unwrap_or_default()
    }

    /// The customers of the last list; none before the first.
    pub(super) fn customers(&self) -> &[Customer] {
        let list = self.list.as_ref();
        list.map_or(&[], |list| &list.value.customers)
    }

    /// Takes over a list. An error is a failure of the refresh, although an
    /// incomplete list is taken over where there is no other.
    pub(super) fn apply(
        &mut self,
        fetched: Fetched<CustomerList>,
        now: Timestamp,
    ) -> Result<(), GraphError> {
        let Fetched { value, partial, .. } = fetched;
        let subject = Subject::Customers;
        if value.customers.is_empty() && !self.customers().is_empty() {
            return Err(GraphError::emptied(subject));
        }
        if partial && self.list.as_ref().is_some_and(|list| list.complete) {
            return Err(GraphError::partial(subject));
        }
        self.log_skipped(&value.skipped);
        if !partial {
            self.note_left(&value, now);
        }
        self.list = Some(SavedList {
            at: now,
            complete: !partial,
            has_evidence: false,
            value: Arc::new(value),
        });
        match partial {
            true => Err(GraphError::partial(subject)),
            false => Ok(()),
        }
    }

    /// Notes the customers that a complete list lacks, and those that returned.
    fn note_left(&mut self, list: &CustomerList, now: Timestamp) {
        self.left.retain(|id, _| list.find(id).is_none());
        let sources = self.config.sources.iter();
        let sources: Vec<String> = sources.map(|it| it.as_str().to_owned()).collect();
        let known = std::mem::replace(&mut self.sources, sources);
        let before = self.list.take().filter(|_| known == self.sources);
        let before = before.iter().flat_map(|list| &list.value.customers);
        for customer in before.filter(|it| list.find(&it.tenant_id).is_none()) {
            let left = LeftCustomer {
                customer: customer.clone(),
                at: now,
                reported: false,
            };
            self.left.insert(Arc::clone(&customer.tenant_id), left);
        }
    }

    /// Replaces the customers that are watched under an alias of the exporter.
    pub(super) fn set_watched(&mut self, watched: BTreeSet<Arc<str>>) {
        let new = watched.difference(&self.watched).cloned();
        self.discovered.extend(new);
        self.unsaved |= watched != self.watched;
        self.watched = watched;
    }

    /// The customers that are watched anew, and the watched ones that left, each
    /// once.
    pub(super) fn take_unreported(&mut self) -> Vec<(EventKind, Arc<str>)> {
        let discovered = std::mem::take(&mut self.discovered).into_iter();
        let discovered = discovered.map(|id| (EventKind::TenantDiscovered, id));
        let mut changes: Vec<_> = discovered.collect();
        for (id, left) in self.left.iter_mut().filter(|(_, it)| !it.reported) {
            left.reported = true;
            self.unsaved = true;
            changes.push((EventKind::TenantLeft, Arc::clone(id)));
        }
        changes
    }

    /// Names in the log, once, what is no customer.
    fn log_skipped(&mut self, skipped: &SkippedCustomers) {
        let partner = self.config.name.as_str();
        if skipped.own_tenant && !self.logged.own_tenant {
            tracing::info!(
                partner,
                hint = "watch it as a tenant of the configuration if you want its score",
                "the partner's own tenant is in its list of customers and does not count as one"
            );
        }
        let is_new = |name: &&Arc<str>| !self.logged.without_id.contains(name);
        for name in skipped.without_id.iter().filter(is_new) {
            tracing::warn!(
                partner,
                customer = %name,
                hint = "add the tenant to the configuration by its GUID or domain, and report the customer to Microsoft's support",
                "a customer has no GUID in the partner's list and is left out"
            );
        }
        if skipped.fields != self.logged.fields && !skipped.fields.is_empty() {
            let fields = skipped.fields.iter();
            let counts: Vec<_> = fields
                .map(|(field, count)| format!("{field}: {count}"))
                .collect();
            tracing::warn!(
                partner,
                left_out = counts.join(", "),
                "parts of the partner's lists cannot be used"
            );
        }
        self.logged = skipped.clone();
    }

    /// Records how a refresh ended and when the next one is due.
    pub(super) fn record_outcome(
        &mut self,
        outcome: &Result<(), GraphError>,
        next_in: Duration,
        now: Timestamp,
    ) {
        let error = outcome.as_ref().err();
        self.wait = Some(Wait::after_refresh(error, next_in, now));
        self.health.has_series = true;
        self.health
            .record(error.map(Trouble::from), now, now.plus(next_in));
        self.unsaved = true;
    }

    /// Records that a refresh was not started because Microsoft asked for a delay.
    pub(super) fn postpone(&mut self, delay: Duration, now: Timestamp) {
        self.wait = Some(Wait::new(delay, now, Some(delay)));
        self.health.next_refresh = Some(now.plus(delay));
        self.unsaved = true;
    }
}

/// The cloud and tenant that a partner stands for, as configured.
pub(super) fn directory(partner: &Partner) -> String {
    format!("{}/{}", partner.cloud.as_str(), partner.tenant_id)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{config, customer};
    use super::*;
    use secure_score_model::Reason;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const ORGANIZATION: &str = "source: [multitenant_organization]";

    fn partner(more: &str) -> Arc<Partner> {
        Arc::new(config(more).partners.remove(0))
    }

    fn data() -> PartnerData {
        PartnerData::new(partner(""), None, NOW)
    }

    fn list(ids: &[&str], partial: bool) -> Fetched<CustomerList> {
        Fetched {
            value: CustomerList {
                customers: ids.iter().map(|id| customer(id)).collect(),
                skipped: SkippedCustomers::default(),
            },
            partial,
            unknown_words: BTreeSet::new(),
        }
    }

    fn ids(data: &PartnerData) -> Vec<&str> {
        data.customers().iter().map(|it| &*it.tenant_id).collect()
    }

    fn left(data: &PartnerData) -> Vec<&str> {
        data.left.keys().map(|id| &**id).collect()
    }

    #[test]
    fn only_a_complete_list_shows_who_left() {
        let mut data = data();
        assert_eq!(
            data.apply(list(&["a"], true), NOW).unwrap_err().reason(),
            Reason::Partial
        );
        assert_eq!(ids(&data), ["a"], "better than none");
        data.apply(list(&["a", "b", "c"], false), NOW).unwrap();
        assert!(data.apply(list(&["a"], true), NOW).is_err());
        let emptied = data.apply(list(&[], false), NOW).unwrap_err();
        assert_eq!(emptied.reason(), Reason::Emptied);
        assert_eq!((ids(&data), left(&data)), (vec!["a", "b", "c"], vec![]));
        data.apply(list(&["a"], false), NOW).unwrap();
        assert_eq!((ids(&data), left(&data)), (vec!["a"], vec!["b", "c"]));
        data.apply(list(&["a", "c"], false), NOW).unwrap();
        assert_eq!(left(&data), ["b"], "the other returned");
    }

    #[test]
    fn other_sources_are_no_departure() {
        let mut data = data();
        data.apply(list(&["a", "b"], false), NOW).unwrap();
        data.reconfigure(partner(ORGANIZATION));
        data.apply(list(&["b"], false), NOW).unwrap();
        assert_eq!((ids(&data), left(&data)), (vec!["b"], vec![]));
        // The same where the exporter was restarted in between.
        let saved = data.to_saved(NOW);
        let mut data = PartnerData::new(partner(""), Some(saved), NOW);
        data.apply(list(&["c"], false), NOW).unwrap();
        assert!(data.left.is_empty());
    }

    #[test]
    fn another_tenant_of_the_partner_begins_anew_with_the_same_aliases() {
        let mut data = data();
        data.apply(list(&["a"], false), NOW).unwrap();
        data.aliases.insert("a".to_owned(), "contoso".to_owned());
        data.read.insert("a".into());
        let saved = data.to_saved(NOW);
        assert_eq!(
            serde_json::from_str::<SavedPartner>(&serde_json::to_string(&saved).unwrap()).unwrap(),
            saved
        );
        let same = PartnerData::new(partner(""), Some(saved.clone()), NOW);
        assert_eq!((ids(&same), same.read.len()), (vec!["a"], 1));
        let other = SavedPartner {
            directory: "global/other.example".to_owned(),
            ..saved
        };
        let other = PartnerData::new(partner(""), Some(other), NOW);
        assert!(ids(&other).is_empty() && other.read.is_empty());
        assert_eq!(other.aliases, same.aliases);
    }

    #[test]
    fn events_of_customers_come_once() {
        let mut data = data();
        data.apply(list(&["a", "b"], false), NOW).unwrap();
        data.set_watched(BTreeSet::from(["a".into(), "b".into()]));
        let kinds = |data: &mut PartnerData| -> Vec<String> {
            let changes = data.take_unreported().into_iter();
            changes.map(|(kind, id)| format!("{kind} {id}")).collect()
        };
        assert_eq!(
            kinds(&mut data),
            ["tenant_discovered a", "tenant_discovered b"]
        );
        data.apply(list(&["a"], false), NOW).unwrap();
        assert_eq!(kinds(&mut data), ["tenant_left b"]);
        let saved = data.to_saved(NOW);
        let mut data = PartnerData::new(partner(""), Some(saved), NOW);
        data.set_watched(BTreeSet::from(["a".into(), "b".into()]));
        assert!(kinds(&mut data).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_list_is_due_at_once_after_a_reload_unless_graph_asked_to_wait() {
        let mut data = data();
        let hour = Duration::from_secs(3_600);
        data.apply(list(&["a"], false), NOW).unwrap();
        data.record_outcome(&Ok(()), hour, NOW);
        data.reconfigure(partner(""));
        assert_eq!(data.not_due_for(), hour);
        let failed = Err(GraphError::emptied(Subject::Customers));
        data.record_outcome(&failed, hour, NOW);
        data.reconfigure(partner(""));
        assert_eq!(data.not_due_for(), Duration::ZERO);
        data.postpone(hour, NOW);
        data.reconfigure(partner(""));
        assert_eq!(data.not_due_for(), hour);
        assert_eq!(data.health.refreshes, 2);
    }
}
