//! Translates the lists of a partner into its customers.

use super::date;
use super::lenient::{LenientJson, LenientList, LenientText};
use super::translate::MAX_TEXT;
use super::wire;
use crate::text::clean_line;
use secure_score_model::{
    Customer, CustomerList, Relationship, SkippedCustomers, SkippedField, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// The state of a relationship, or of a member of an organization, that is in
/// effect.
const ACTIVE: &str = "active";

/// The beginning of the names of relationships that Microsoft 365 Lighthouse
/// manages beside the partner's own.
const LIGHTHOUSE: &str = "MLT_";

/// The state of a relationship that lasts until its end and not longer.
const EXPIRING: &str = "expiring";

/// The states of a relationship that is being ended or has ended.
const ENDED: [&str; 4] = [
    "expired",
    "terminationRequested",
    "terminating",
    "terminated",
];

/// Customers without an id that are named in the log.
const MAX_NAMED: usize = 20;

/// Collects the pages of a partner's lists.
#[derive(Default)]
pub(super) struct CustomerReader {
    customers: BTreeMap<Arc<str>, Customer>,
    /// The longest relationship of each customer that has one in effect.
    relationships: BTreeMap<Arc<str>, Relationship>,
    /// The last relationship of each customer that had one.
    ended: BTreeMap<Arc<str>, Relationship>,
    /// The ids of the list that is read now: one may stand in two lists.
    in_list: BTreeSet<Arc<str>>,
    /// The ids of each source.
    by_source: BTreeMap<&'static str, BTreeSet<Arc<str>>>,
    /// The elements of the list of relationships, once it is read.
    listed_relationships: Option<usize>,
    skipped: SkippedCustomers,
    /// The elements of the list that is read now.
    pub(super) read: usize,
    pub(super) unread: u64,
}

impl CustomerReader {
    /// Begins another list.
    pub(super) fn begin_list(&mut self) {
        self.in_list.clear();
        self.read = 0;
        self.unread = 0;
    }

    /// Counts the customers of the list that was read for this source.
    pub(super) fn end_source_list(&mut self, source: &'static str) {
        let ids = self.by_source.entry(source).or_default();
        ids.append(&mut self.in_list);
    }

    /// Adds a page of `delegatedAdminCustomers`.
    pub(super) fn customers(&mut self, page: &LenientList<wire::DelegatedAdminCustomer<'_>>) {
        self.unread_customers(page.unread);
        for element in &page.elements {
            let id = match element.tenant_id {
                LenientText::Missing => &element.id,
                _ => &element.tenant_id,
            };
            self.add(id, &element.display_name);
        }
    }

    /// Adds a page of the organization's `tenants`. One that was invited and has
    /// not joined, or was removed, is no member.
    pub(super) fn members(&mut self, page: &LenientList<wire::OrganizationMember<'_>>) {
        self.unread_customers(page.unread);
        for element in &page.elements {
            if is_active(&element.state) {
                self.add(&element.tenant_id, &element.display_name);
            } else {
                self.read += 1;
            }
        }
    }

    /// Adds a page of `delegatedAdminRelationships`.
    pub(super) fn relationships(
        &mut self,
        page: &LenientList<wire::DelegatedAdminRelationship<'_>>,
    ) {
        let elements = page.elements.len() + page.unread;
        *self.listed_relationships.get_or_insert(0) += elements;
        let unread = page.unread as u64;
        self.unread += unread;
        self.skipped
            .count_relationships(SkippedField::Element, unread);
        for element in &page.elements {
            let name = element.display_name.get().unwrap_or_default();
            if name.starts_with(LIGHTHOUSE) {
                self.read += 1;
            } else if is_active(&element.status) || is(&element.status, EXPIRING) {
                self.relationship(element);
            } else {
                self.read += 1;
                if ENDED.iter().any(|state| is(&element.status, state)) {
                    self.ended_relationship(element);
                }
            }
        }
    }

    /// Adds a relationship in effect. It has a customer, unlike one that no customer
    /// has approved.
    fn relationship(&mut self, element: &wire::DelegatedAdminRelationship<'_>) {
        let Some(id) = customer_id(&element.customer) else {
            self.unread += 1;
            self.skipped.count_relationships(SkippedField::Id, 1);
            return;
        };
        self.read += 1;
        let Some(ends) = time(&element.end_date_time) else {
            self.skipped.count(SkippedField::Date, 1);
            return;
        };
        let extends = is_active(&element.status) && is_extended(&element.auto_extend_duration);
        keep_longest(&mut self.relationships, id, Relationship { ends, extends });
    }

    /// Adds a relationship that has ended. One that was ended early keeps the date of
    /// its end, so it ended at its last change; one that never began has no date.
    fn ended_relationship(&mut self, element: &wire::DelegatedAdminRelationship<'_>) {
        let customer = customer_id(&element.customer);
        let (Some(id), Some(planned)) = (customer, time(&element.end_date_time)) else {
            return;
        };
        let changed = time(&element.last_modified_date_time);
        let relationship = Relationship {
            ends: changed.map_or(planned, |it| planned.min(it)),
            extends: false,
        };
        keep_longest(&mut self.ended, id, relationship);
    }

    fn unread_customers(&mut self, elements: usize) {
        let unread = elements as u64;
        self.unread += unread;
        self.skipped.count_customers(SkippedField::Element, unread);
    }

    fn add(&mut self, text: &LenientText<'_>, name: &LenientText<'_>) {
        let name = clean_line(name.get().unwrap_or_default(), MAX_TEXT);
        let Some(id) = guid(text) else {
            self.unread += 1;
            self.skipped.count_customers(SkippedField::Id, 1);
            if self.skipped.without_id.len() < MAX_NAMED {
                let text = clean_line(text.get().unwrap_or_default(), MAX_TEXT);
                self.skipped.without_id.push(name.into());
                self.skipped.invalid_ids.push(text.into());
            }
            return;
        };
        self.read += 1;
        if !self.in_list.insert(Arc::clone(&id)) {
            self.skipped.count(SkippedField::Duplicate, 1);
        }
        let customer = self.customers.entry(id).or_insert_with_key(|id| Customer {
            tenant_id: Arc::clone(id),
            display_name: "".into(),
            relationship: None,
        });
        if customer.display_name.is_empty() {
            customer.display_name = name.into();
        }
    }

    /// The customers of a partner with this GUID, which is not its own customer.
    pub(super) fn finish(mut self, partner: &str) -> CustomerList {
        self.skipped.own_tenant = self.customers.remove(partner).is_some();
        let (lasting, ended) = (self.relationships, self.ended);
        let customers = self.customers.into_values().map(|customer| {
            let id = &customer.tenant_id;
            let relationship = lasting.get(id).or_else(|| ended.get(id)).copied();
            Customer {
                relationship,
                ..customer
            }
        });
        let by_source = self.by_source.into_iter().map(|(source, ids)| {
            let others = ids.iter().filter(|id| ***id != *partner);
            (source.to_owned(), others.count())
        });
        CustomerList {
            customers: customers.collect(),
            by_source: by_source.collect(),
            relationships: self.listed_relationships,
            skipped: self.skipped,
        }
    }
}

/// Whether a state is the one in effect; where Graph sends none, it is.
fn is_active(state: &LenientText<'_>) -> bool {
    *state == LenientText::Missing || is(state, ACTIVE)
}

fn is(state: &LenientText<'_>, word: &str) -> bool {
    state.get().is_some_and(|it| it.eq_ignore_ascii_case(word))
}

fn time(text: &LenientText<'_>) -> Option<Timestamp> {
    text.get().and_then(|it| date::parse(it).time())
}

/// Whether an `autoExtendDuration` is longer than zero, which has several spellings.
fn is_extended(duration: &LenientText<'_>) -> bool {
    let duration = duration.get().map(str::parse::<jiff::Span>);
    duration.is_some_and(|it| it.is_ok_and(jiff::Span::is_positive))
}

fn keep_longest(
    relationships: &mut BTreeMap<Arc<str>, Relationship>,
    customer: Arc<str>,
    relationship: Relationship,
) {
    let longest = relationships.entry(customer).or_insert(relationship);
    *longest = longest.or_longer(relationship);
}

/// The customer of a relationship.
fn customer_id(customer: &LenientJson<'_>) -> Option<Arc<str>> {
    let LenientJson::Present(json) = customer else {
        return None;
    };
    let customer: wire::RelationshipCustomer<'_> = serde_json::from_str(json.get()).ok()?;
    guid(&customer.tenant_id)
}

/// A GUID in its usual form, in lower case.
fn guid(text: &LenientText<'_>) -> Option<Arc<str>> {
    let id = text.get().and_then(|text| Uuid::try_parse(text).ok());
    id.map(|id| id.hyphenated().to_string().into())
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::super::subject::Subject;
    use super::*;
    use serde_json::{Value, json};

    const A: &str = "aaaaaaaa-1111-4111-8111-111111111111";
    const B: &str = "bbbbbbbb-2222-4222-8222-222222222222";
    const PARTNER: &str = "99999999-9999-4999-8999-999999999999";

    fn add(subject: Subject, reader: &mut CustomerReader, elements: &Value) {
        let body = json!({"value": elements}).to_string();
        decode::customers_page(subject, reader, &body).unwrap();
    }

    fn read(customers: &Value, relationships: &Value) -> CustomerList {
        let mut reader = CustomerReader::default();
        add(Subject::Customers, &mut reader, customers);
        reader.begin_list();
        add(Subject::Relationships, &mut reader, relationships);
        reader.finish(PARTNER)
    }

    /// The end of the relationship of a customer, and whether it extends itself.
    fn only(relationships: &Value) -> Option<(u64, bool)> {
        let list = read(&json!([{"tenantId": A}]), relationships);
        let relationship = list.customers[0].relationship?;
        Some((relationship.ends.as_seconds() as u64, relationship.extends))
    }

    fn relationship(name: &str, end: &str, extends: &str) -> Value {
        json!({"displayName": name, "status": "active", "endDateTime": end,
            "autoExtendDuration": extends, "customer": {"tenantId": A, "displayName": "A"}})
    }

    #[test]
    fn a_relationship_that_extends_itself_outlasts_a_later_end() {
        let relationships = json!([
            relationship("extends", "2026-12-05T00:00:00Z", "P180D"),
            relationship("ends", "2026-12-19T00:00:00Z", "PT0S"),
        ]);
        assert_eq!(only(&relationships), Some((1_796_428_800, true)));
    }

    #[test]
    fn a_duration_of_zero_extends_nothing_however_it_is_written() {
        for (duration, extends) in [
            ("P0D", false),
            ("PT0S", false),
            ("PT0M", false),
            ("", false),
            ("P180D", true),
            ("P6M", true),
        ] {
            let all = json!([relationship("x", "2026-12-05T00:00:00Z", duration)]);
            assert_eq!(only(&all), Some((1_796_428_800, extends)), "{duration}");
        }
    }

    #[test]
    fn a_relationship_that_ends_or_has_ended_counts_while_none_is_active() {
        let with = |status: &str, changed: &str| {
            let mut all = relationship(status, "2026-12-05T00:00:00Z", "P180D");
            all["status"] = json!(status);
            all["lastModifiedDateTime"] = json!(changed);
            all
        };
        let (before, after) = ("2026-12-04T00:00:00Z", "2026-12-06T00:00:00Z");
        let planned = 1_796_428_800;
        for (status, changed, ends) in [
            ("expiring", before, Some(planned)),
            ("terminationRequested", before, Some(planned - 86_400)),
            ("terminating", before, Some(planned - 86_400)),
            ("terminated", before, Some(planned - 86_400)),
            ("expired", after, Some(planned)),
            ("expired", "never", Some(planned)),
            ("approvalPending", before, None),
            ("created", before, None),
        ] {
            let all = json!([with(status, changed)]);
            assert_eq!(only(&all), ends.map(|it| (it, false)), "{status}");
        }
        let mut active = relationship("new", "2026-11-01T00:00:00Z", "PT0S");
        let all = json!([with("expired", after), active]);
        assert_eq!(only(&all), Some((1_793_491_200, false)), "one is active");
        active["endDateTime"] = json!("0001-01-01T00:00:00Z");
        let mut never_began = with("terminated", after);
        never_began["endDateTime"] = json!(null);
        let list = read(&json!([{"tenantId": A}]), &json!([active, never_began]));
        assert_eq!(list.customers[0].relationship, None);
        assert_eq!(list.skipped.of(SkippedField::Date), 1, "of the active one");
    }

    #[test]
    fn a_customer_has_the_end_of_its_longest_active_relationship() {
        let customers =
            json!([{"id": A, "tenantId": A.to_uppercase(), "displayName": " Contoso\tLtd "}]);
        let mut ended = relationship("ended", "2032-01-01T00:00:00Z", "PT0S");
        ended["status"] = json!("terminated");
        let relationships = json!([
            relationship("short", "2026-12-24T00:00:00Z", "PT0S"),
            relationship("long", "2027-03-01T00:00:00Z", "PT0S"),
            relationship("MLT_long", "2031-01-01T00:00:00Z", "P180D"),
            ended,
        ]);
        let list = read(&customers, &relationships);
        let customer = &list.customers[0];
        assert_eq!(
            (&*customer.tenant_id, &*customer.display_name),
            (A, "Contoso Ltd")
        );
        let expected = Relationship {
            ends: Timestamp::from_seconds(1_803_859_200),
            extends: false,
        };
        assert_eq!(customer.relationship, Some(expected));
        assert_eq!(list.skipped, SkippedCustomers::default());
    }

    #[test]
    fn what_is_no_customer_is_counted_and_named() {
        let customers = json!([
            {"tenantId": A, "displayName": "A"},
            {"tenantId": A, "displayName": "A again"},
            {"tenantId": "contoso.com", "id": B, "displayName": "no GUID"},
            {"displayName": "without"},
            "text",
            {"tenantId": PARTNER, "displayName": "the partner"},
            {"id": B, "displayName": null},
        ]);
        let list = read(&customers, &json!([relationship("x", "tomorrow", "PT0S")]));
        let found: Vec<_> = list.customers.iter().map(|it| &*it.display_name).collect();
        assert_eq!(found, ["A", ""]);
        let counts = SkippedCustomers::FIELDS.map(|field| list.skipped.of(field));
        assert_eq!(counts, [1, 2, 1, 1], "element, id, duplicate, date");
        assert!(list.skipped.own_tenant);
        let named: Vec<_> = list.skipped.without_id.iter().map(|it| &**it).collect();
        assert_eq!(named, ["no GUID", "without"]);
        let ids: Vec<_> = list.skipped.invalid_ids.iter().map(|it| &**it).collect();
        assert_eq!(ids, ["contoso.com", ""]);
    }

    #[test]
    fn a_list_of_which_most_is_unreadable_is_refused() {
        let mut reader = CustomerReader::default();
        let elements = json!([{"tenantId": A}, {"displayName": "B"}, {"displayName": "C"}]);
        add(Subject::Customers, &mut reader, &elements);
        let error = decode::check_customers(&reader, crate::graph::Subject::Customers);
        assert!(error.unwrap_err().to_string().contains("2 of its elements"));
    }

    #[test]
    fn a_relationship_without_a_readable_customer_is_counted() {
        let mut without = relationship("without", "2026-12-05T00:00:00Z", "PT0S");
        without["customer"] = json!({"tenantId": 7});
        // No customer has approved it.
        let mut created = relationship("created", "2026-12-05T00:00:00Z", "PT0S");
        created["status"] = json!("created");
        created["customer"] = json!(null);
        let good = relationship("good", "2026-12-05T00:00:00Z", "PT0S");
        let all = json!([without, created, good]);
        let list = read(&json!([{"tenantId": A}]), &all);
        assert_eq!(list.skipped.of(SkippedField::Id), 1);
        assert!(list.skipped.lacks_relationships() && !list.skipped.lacks_customers());
        assert!(list.customers[0].relationship.is_some());
        assert_eq!(list.relationships, Some(3));
        let none = read(&json!([{"tenantId": A}]), &json!([]));
        assert_eq!(none.relationships, Some(0));

        let mut reader = CustomerReader::default();
        let only = json!([all[0]]);
        add(Subject::Relationships, &mut reader, &only);
        let error = decode::check_customers(&reader, Subject::Relationships).unwrap_err();
        assert!(error.to_string().contains("relationships"), "{error}");
    }

    #[test]
    fn a_tenant_that_was_only_invited_is_no_member() {
        let members = json!([
            {"tenantId": A, "displayName": "A", "state": "active", "role": "owner"},
            {"tenantId": B, "displayName": "B", "state": "pending"},
        ]);
        let mut reader = CustomerReader::default();
        add(Subject::OrganizationMembers, &mut reader, &members);
        let list = reader.finish(PARTNER);
        let found: Vec<_> = list.customers.iter().map(|it| &*it.tenant_id).collect();
        assert_eq!(found, [A]);
    }

    #[test]
    fn a_customer_of_two_lists_is_one_and_no_duplicate() {
        let mut reader = CustomerReader::default();
        let elements = json!([{"tenantId": A, "displayName": ""}]);
        add(Subject::Customers, &mut reader, &elements);
        reader.end_source_list("customers");
        reader.begin_list();
        let elements = json!([{"tenantId": A, "displayName": "A"}, {"tenantId": PARTNER}]);
        add(Subject::OrganizationMembers, &mut reader, &elements);
        reader.end_source_list("members");
        let list = reader.finish(PARTNER);
        assert_eq!(list.customers.len(), 1);
        assert_eq!(&*list.customers[0].display_name, "A");
        assert_eq!(list.skipped.fields, BTreeMap::new());
        let by_source: Vec<_> = list.by_source.into_iter().collect();
        let expected = [("customers".to_owned(), 1), ("members".to_owned(), 1)];
        assert_eq!(by_source, expected, "without the partner itself");
    }
}
