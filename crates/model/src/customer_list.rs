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
}

impl SkippedCustomers {
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
        self.of(SkippedField::Id) > 0 || self.of(SkippedField::Element) > 0
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
    fn an_id_that_occurs_twice_is_no_customer_left_out() {
        for (field, lacks) in [
            (SkippedField::Element, true),
            (SkippedField::Id, true),
            (SkippedField::Duplicate, false),
            (SkippedField::Date, false),
        ] {
            let mut skipped = SkippedCustomers::default();
            skipped.count(field, 1);
            assert_eq!(skipped.lacks_customers(), lacks, "{field}");
        }
    }
}
