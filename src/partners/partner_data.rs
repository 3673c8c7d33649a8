//! What is known of one partner.

use super::list_change::{SuspectList, check_not_emptied, check_not_shrunk, keep_unread};
use crate::config::{DisplayNames, Partner};
use crate::graph::{FetchedCustomers, GraphError};
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
    /// The customers once watched: they stay selected until the patterns change,
    /// since a customer chooses its name itself.
    selected: BTreeSet<Arc<str>>,
    /// The customers whose tenant was read with success.
    pub(super) read: BTreeSet<Arc<str>>,
    pub(super) health: RefreshHealth,
    /// An earlier partner that is the same tenant in Entra.
    pub(super) same_as: Option<String>,
    wait: Option<Wait>,
    /// A list that was not taken over.
    suspect: Option<SuspectList>,
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
            selected: BTreeSet::new(),
            read: BTreeSet::new(),
            health: RefreshHealth::default(),
            same_as: None,
            wait: None,
            suspect: None,
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
        self.unsaved = *saved.name != *self.config.name;
        // An alias stays with its customer, also under another tenant of the partner.
        if !is_saved_of(&saved, &self.config) {
            self.aliases = saved.aliases;
            tracing::warn!(
                partner = self.config.name,
                "the saved list of customers belongs to another tenant; it is fetched again"
            );
            return;
        }
        self.aliases = saved.aliases;
        self.entra_tenant_id = saved.entra_tenant_id;
        self.sources = saved.sources;
        self.list = saved.list.map(|list| list.not_later_than(now));
        self.left = saved.left;
        for left in self.left.values_mut() {
            left.at = left.at.min(now);
        }
        self.watched = saved.watched;
        if saved.patterns == self.config.patterns() {
            self.selected = saved.selected;
        }
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
            selected: self.selected.clone(),
            patterns: self.config.patterns(),
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
        if self.config.patterns() != config.patterns() {
            self.selected.clear();
            self.unsaved = true;
        }
        let identity = |partner: &Partner| (partner.name.clone(), directory(partner));
        self.unsaved |= identity(&self.config) != identity(&config);
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
        fetched: FetchedCustomers,
        now: Timestamp,
    ) -> Result<(), GraphError> {
        let FetchedCustomers { mut list, partial } = fetched;
        let before = self.list.as_ref();
        check_not_emptied(before.map(|it| &*it.value), &list)?;
        if let Some(subject) = partial.filter(|_| before.is_some_and(|it| it.complete)) {
            return Err(GraphError::partial(subject));
        }
        let is_comparable = partial.is_none() && self.sources == self.source_names();
        if let Some(before) = before.filter(|_| is_comparable) {
            keep_unread(&before.value, &mut list);
            check_not_shrunk(&before.value, &list, &mut self.suspect, now)?;
        }
        self.log_skipped(&list.skipped);
        if partial.is_none() {
            self.note_left(&list, now);
        }
        self.list = Some(SavedList {
            at: now,
            complete: partial.is_none(),
            has_evidence: false,
            value: Arc::new(list),
        });
        match partial {
            Some(subject) => Err(GraphError::partial(subject)),
            None => Ok(()),
        }
    }

    /// Notes the customers that a complete list lacks, and those that returned.
    fn note_left(&mut self, list: &CustomerList, now: Timestamp) {
        self.left.retain(|id, _| list.find(id).is_none());
        let sources = self.source_names();
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

    fn source_names(&self) -> Vec<String> {
        let sources = self.config.sources.iter();
        sources.map(|it| it.as_str().to_owned()).collect()
    }

    /// Whether the patterns select a customer, or selected it when it was watched.
    pub(super) fn selects(&self, customer: &Customer) -> bool {
        let Customer {
            tenant_id,
            display_name,
            ..
        } = customer;
        self.selected.contains(tenant_id) || self.config.selects(tenant_id, display_name)
    }

    /// Keeps the customers selected that are watched now.
    pub(super) fn keep_selected(&mut self, is_watched: impl Fn(&str) -> bool) {
        let left = self.left.values().map(|it| &it.customer);
        let customers = self.customers().iter().chain(left);
        let kept = customers.filter(|it| {
            self.selected.contains(&it.tenant_id) || (is_watched(&it.tenant_id) && self.selects(it))
        });
        let selected: BTreeSet<Arc<str>> = kept.map(|it| Arc::clone(&it.tenant_id)).collect();
        self.unsaved |= selected != self.selected;
        self.selected = selected;
    }

    /// Replaces the customers that are watched under an alias of the exporter. Those
    /// of `before` were watched already, for this partner or another.
    pub(super) fn set_watched(&mut self, watched: BTreeSet<Arc<str>>, before: &BTreeSet<Arc<str>>) {
        let new = watched.difference(before).cloned();
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
        let ids = skipped.invalid_ids.iter();
        let known: Vec<_> = self
            .logged
            .without_id
            .iter()
            .zip(&self.logged.invalid_ids)
            .collect();
        let customers = skipped.without_id.iter().zip(ids);
        for (name, id) in customers.filter(|it| !known.contains(it)) {
            // The name is in labels only with this setting.
            let is_shown = self.config.display_names == DisplayNames::Plain;
            let remedy = SkippedCustomers::REMEDY;
            let hint = match is_shown || name.is_empty() {
                true => remedy.to_owned(),
                false => format!("{remedy}; `secure-score-exporter discover` prints its name"),
            };
            let present = |text: &Arc<str>| Some(text.to_string()).filter(|it| !it.is_empty());
            tracing::warn!(
                partner,
                customer = present(name).filter(|_| is_shown),
                id = present(id),
                hint,
                "a customer has no GUID in the partner's list and is left out; until each element can be read, no customer counts as left"
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

/// Whether a saved state is that of a partner's tenant, under whatever name.
pub(super) fn is_saved_of(saved: &SavedPartner, partner: &Partner) -> bool {
    is_directory_of(&saved.directory, saved.entra_tenant_id.as_deref(), partner)
}

/// Whether a directory, of which the GUID may be known, is that of a partner, which
/// may have been configured by a domain before.
pub(super) fn is_directory_of(known: &str, id: Option<&str>, partner: &Partner) -> bool {
    let is_same_cloud = known.split('/').next() == Some(partner.cloud.as_str());
    known == directory(partner) || (is_same_cloud && id == Some(&*partner.tenant_id))
}

/// The cloud and tenant that a partner stands for, as configured.
pub(super) fn directory(partner: &Partner) -> String {
    format!("{}/{}", partner.cloud.as_str(), partner.tenant_id)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{config, customer};
    use super::*;
    use crate::graph::Subject;
    use crate::logged::log_of;
    use secure_score_model::{Reason, SkippedField};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const ORGANIZATION: &str = "source: [multitenant_organization]";

    fn partner(more: &str) -> Arc<Partner> {
        Arc::new(config(more).partners.remove(0))
    }

    fn data() -> PartnerData {
        PartnerData::new(partner(""), None, NOW)
    }

    fn list(ids: &[&str], is_partial: bool) -> FetchedCustomers {
        FetchedCustomers {
            list: CustomerList {
                customers: ids.iter().map(|id| customer(id)).collect(),
                ..CustomerList::default()
            },
            partial: is_partial.then_some(Subject::Customers),
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

    /// What the log says about two customers without a GUID.
    fn logged(more: &str) -> String {
        log_of(|| {
            let mut data = PartnerData::new(partner(more), None, NOW);
            let mut odd = list(&["a"], false);
            odd.list.skipped.without_id = vec!["Contoso".into(), "Fabrikam".into()];
            odd.list.skipped.invalid_ids = vec!["contoso-id".into(), "".into()];
            data.apply(odd, NOW).unwrap();
        })
    }

    #[test]
    fn the_log_has_names_of_customers_only_where_labels_have_them() {
        let plain = logged("display_names: plain");
        assert!(
            plain.contains("Contoso") && plain.contains("contoso-id"),
            "{plain}"
        );
        let without = logged("");
        assert_eq!(without.matches("no GUID").count(), 2, "{without}");
        assert!(without.contains("contoso-id"), "{without}");
        assert_eq!(without.matches("discover` prints its name").count(), 2);
        assert_eq!(without.matches(" id=").count(), 1, "not an empty one");
        assert!(
            !without.contains("Contoso") && !without.contains("Fabrikam"),
            "{without}"
        );
    }

    /// A list with elements that may be customers and cannot be read.
    fn unread(ids: &[&str]) -> FetchedCustomers {
        let mut list = list(ids, false);
        list.list.skipped.count_customers(SkippedField::Id, 1);
        list
    }

    #[test]
    fn no_customer_leaves_a_list_of_which_an_element_cannot_be_read() {
        let mut data = data();
        data.apply(list(&["a", "b", "c"], false), NOW).unwrap();
        data.apply(list(&["a", "b"], false), NOW).unwrap();
        data.apply(unread(&["b", "d"]), NOW).unwrap();
        let all = vec!["a", "b", "d"];
        assert_eq!((ids(&data), left(&data)), (all, vec!["c"]), "c left before");
        // Nor does a restart forget it.
        let saved = data.to_saved(NOW);
        let mut data = PartnerData::new(partner(""), Some(saved), NOW);
        data.apply(unread(&["b", "d"]), NOW).unwrap();
        assert_eq!((ids(&data).len(), left(&data)), (3, vec!["c"]));
        data.apply(list(&["b", "d"], false), NOW).unwrap();
        assert_eq!((ids(&data), left(&data)), (vec!["b", "d"], vec!["a", "c"]));
        // The list of another source says nothing of these customers.
        data.reconfigure(partner(ORGANIZATION));
        data.apply(unread(&["b"]), NOW).unwrap();
        assert_eq!(ids(&data), ["b"]);
    }

    #[test]
    fn an_empty_first_list_is_none() {
        let mut data = data();
        let emptied = data.apply(list(&[], false), NOW).unwrap_err();
        assert_eq!(emptied.reason(), Reason::Emptied);
        assert!(data.list.is_none());
    }

    #[test]
    fn a_source_without_customers_and_most_customers_at_once_do_not_leave() {
        let mut data = data();
        let ids: Vec<String> = (0..12).map(|it| format!("{it:02}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let of = |ids: &[&str], organization: usize| {
            let mut list = list(ids, false);
            let organization = ("multitenant_organization".to_owned(), organization);
            list.list.by_source = [organization].into();
            list
        };
        data.apply(of(&ids, 1), NOW).unwrap();
        let emptied = data.apply(of(&ids[1..], 0), NOW).unwrap_err();
        assert_eq!(emptied.reason(), Reason::Emptied);
        let shrunk = data.apply(of(&ids[..5], 1), NOW).unwrap_err();
        assert_eq!(shrunk.reason(), Reason::Emptied);
        assert_eq!((data.customers().len(), left(&data).len()), (12, 0));
        let later = NOW.plus(Duration::from_secs(30 * 60));
        data.apply(of(&ids[..5], 1), later).unwrap();
        assert_eq!((data.customers().len(), left(&data).len()), (5, 7));
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
    fn a_saved_tenant_is_the_same_under_its_guid() {
        let id = "99999999-9999-4999-8999-999999999999";
        let mut data = data();
        data.entra_tenant_id = Some(id.into());
        let saved = data.to_saved(NOW);
        let mut by_id = Partner::clone(&data.config);
        id.clone_into(&mut by_id.tenant_id);
        assert!(is_saved_of(&saved, &data.config) && is_saved_of(&saved, &by_id));
        by_id.tenant_id = "other.example".to_owned();
        assert!(!is_saved_of(&saved, &by_id));
    }

    #[test]
    fn events_of_customers_come_once() {
        let mut data = data();
        data.apply(list(&["a", "b"], false), NOW).unwrap();
        let watched = BTreeSet::from(["a".into(), "b".into()]);
        data.set_watched(watched.clone(), &BTreeSet::new());
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
        data.set_watched(watched.clone(), &data.watched.clone());
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
