//! The customers of a partner.

use crate::{Customer, SkippedField};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The customers of a partner, as its lists have them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CustomerList {
    /// The customers, ordered by their GUID.
    pub customers: Vec<Customer>,
    /// How many of them each source has, by its name in the configuration. A list
    /// that an earlier version saved lacks it.
    #[serde(default)]
    pub by_source: BTreeMap<String, usize>,
    /// The elements of the list of relationships, those in no state of interest
    /// included; `None` where it was not read.
    #[serde(default)]
    pub relationships: Option<usize>,
    /// What the lists contain that is no customer, or could not be used.
    #[serde(default)]
    pub skipped: SkippedCustomers,
}

impl CustomerList {
    /// The customer with this GUID, in lower case.
    pub fn find(&self, tenant_id: &str) -> Option<&Customer> {
        let found = self
            .customers
            .binary_search_by(|it| (*it.tenant_id).cmp(tenant_id));
        self.customers.get(found.ok()?)
    }
}

/// What was left out of a list of customers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SkippedCustomers {
    /// How many elements or values were left out, by field.
    #[serde(default)]
    pub fields: BTreeMap<SkippedField, u64>,
    /// The customers without a usable id, by name, as far as they have one.
    #[serde(default)]
    pub without_id: Vec<Arc<str>>,
    /// What stands in the place of their ids, in the same order; empty where nothing
    /// does.
    #[serde(default)]
    pub invalid_ids: Vec<Arc<str>>,
    /// Whether the partner's own tenant is among its customers.
    #[serde(default)]
    pub own_tenant: bool,
    /// How many elements of the lists of customers were left out.
    #[serde(default)]
    pub customers: u64,
    /// How many elements of the list of relationships were left out.
    #[serde(default)]
    pub relationships: u64,
}

impl SkippedCustomers {
    /// The fix for a customer without a usable id.
    pub const REMEDY: &str = "add the tenant to the configuration by its GUID or domain, which the Partner Center shows, and report the customer to Microsoft's support";

    /// The fields because of which something can be left out.
    pub const FIELDS: [SkippedField; 4] = [
        SkippedField::Element,
        SkippedField::Id,
        SkippedField::Duplicate,
        SkippedField::Date,
    ];

    /// Whether a whole customer may have been left out: one without a usable id, or
    /// an element that cannot be read.
    pub fn lacks_customers(&self) -> bool {
        self.customers > 0
    }

    /// Whether a relationship may have been left out, because itself or its customer
    /// cannot be read.
    pub fn lacks_relationships(&self) -> bool {
        self.relationships > 0
    }

    /// The customers without a usable id in words: by name, with what stands in the
    /// place of the id.
    pub fn described(&self) -> impl Iterator<Item = String> {
        let ids = self.invalid_ids.iter().map(|it| &**it);
        let ids = ids.chain(std::iter::repeat(""));
        let customers = self.without_id.iter().zip(ids);
        customers.map(|(name, id)| match (&**name, id) {
            ("", "") => "one without name and id".to_owned(),
            ("", id) => format!("one without a name ({id})"),
            (name, "") => name.to_owned(),
            (name, id) => format!("{name} ({id})"),
        })
    }

    /// Counts elements of a list of customers.
    pub fn count_customers(&mut self, field: SkippedField, times: u64) {
        self.customers += times;
        self.count(field, times);
    }

    /// Counts elements of the list of relationships.
    pub fn count_relationships(&mut self, field: SkippedField, times: u64) {
        self.relationships += times;
        self.count(field, times);
    }

    /// Counts something left out.
    pub fn count(&mut self, field: SkippedField, times: u64) {
        if times > 0 {
            *self.fields.entry(field).or_default() += times;
        }
    }

    /// How much was left out because of a field.
    pub fn of(&self, field: SkippedField) -> u64 {
        self.fields.get(&field).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_found_by_its_id() {
        let customer = |id: &str| Customer {
            tenant_id: id.into(),
            display_name: "A".into(),
            relationship: None,
        };
        let list = CustomerList {
            customers: vec![customer("a"), customer("b"), customer("c")],
            ..CustomerList::default()
        };
        assert_eq!(list.find("b"), Some(&customer("b")));
        assert_eq!(list.find("d"), None);
    }

    #[test]
    fn nothing_left_out_is_not_counted() {
        let mut skipped = SkippedCustomers::default();
        skipped.count(SkippedField::Id, 0);
        assert_eq!(skipped, SkippedCustomers::default());
        skipped.count(SkippedField::Id, 2);
        skipped.count(SkippedField::Id, 1);
        let counts = SkippedCustomers::FIELDS.map(|field| skipped.of(field));
        assert_eq!(counts, [0, 3, 0, 0]);
    }

    #[test]
    fn a_customer_without_an_id_is_described_by_what_it_has() {
        let skipped = SkippedCustomers {
            without_id: ["A", "B", "", ""].map(Arc::from).into(),
            invalid_ids: ["", "b", "c"].map(Arc::from).into(),
            ..SkippedCustomers::default()
        };
        let described: Vec<String> = skipped.described().collect();
        let without_name = "one without a name (c)";
        let without_both = "one without name and id";
        assert_eq!(described, ["A", "B (b)", without_name, without_both]);
    }

    #[test]
    fn a_value_that_is_left_out_is_no_customer_and_no_relationship() {
        let mut skipped = SkippedCustomers::default();
        skipped.count(SkippedField::Duplicate, 1);
        skipped.count(SkippedField::Date, 1);
        assert!(!skipped.lacks_customers() && !skipped.lacks_relationships());
        skipped.count_customers(SkippedField::Id, 1);
        assert!(skipped.lacks_customers() && !skipped.lacks_relationships());
        skipped.count_relationships(SkippedField::Element, 1);
        assert!(skipped.lacks_relationships());
        assert_eq!(skipped.of(SkippedField::Id), 1);
    }
}
