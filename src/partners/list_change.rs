//! What a new list of customers lacks that the last one had.

use crate::config::CustomerSource;
use crate::graph::{GraphError, Subject};
use secure_score_model::{Customer, CustomerList, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Fewer customers may well leave at once.
const MIN_MISSING: usize = 3;

/// Of many customers some leave every month; a failure of Graph loses a larger
/// share of them than one in so many.
const MISSING_SHARE: usize = 4;

/// How long a list that lacks many customers must stay the same. A failure of
/// Graph is mostly over by then, and the alert on a failing list has not fired.
const CONFIRMED_AFTER: Duration = Duration::from_secs(30 * 60);

/// A list that lacks many customers of the last one.
#[derive(Debug)]
pub(super) struct SuspectList {
    /// The GUIDs of those that are missing.
    missing: BTreeSet<Arc<str>>,
    /// When they were missing first.
    since: Timestamp,
}

/// Refuses a list without customers, one of which a source has none any more, and an
/// empty list of relationships of customers that had some.
pub(super) fn check_not_emptied(
    before: Option<&CustomerList>,
    list: &CustomerList,
) -> Result<(), GraphError> {
    let had_customers = before.is_some_and(|it| !it.customers.is_empty());
    match list.customers.is_empty() {
        true if had_customers => return Err(GraphError::emptied(Subject::Customers)),
        true => return Err(GraphError::no_customers()),
        false => {}
    }
    let counts = before.iter().flat_map(|it| &it.by_source);
    let mut filled = counts.filter(|(_, count)| **count > 0);
    match filled.find(|(source, _)| list.by_source.get(*source) == Some(&0)) {
        Some((source, _)) => Err(GraphError::emptied(subject(source))),
        None if has_lost_relationships(before, list) => {
            Err(GraphError::emptied(Subject::Relationships))
        }
        None => Ok(()),
    }
}

/// Whether the list of relationships is empty, and a customer that is still there had
/// one. In a list with others, such as those of Lighthouse, it may have ended.
fn has_lost_relationships(before: Option<&CustomerList>, list: &CustomerList) -> bool {
    let before = before.iter().flat_map(|it| &it.customers);
    let mut had = before.filter(|it| it.relationship.is_some());
    list.relationships == Some(0) && had.any(|it| list.find(&it.tenant_id).is_some())
}

/// Adds to a list what it may have and cannot be read: the customers of the last list
/// where an element of its lists of customers is left out, and their relationships
/// where one is.
pub(super) fn keep_unread(before: &CustomerList, list: &mut CustomerList) {
    if list.skipped.lacks_relationships() {
        for customer in &mut list.customers {
            let known = before.find(&customer.tenant_id);
            let known = known.and_then(|it| it.relationship);
            customer.relationship = customer.relationship.or(known);
        }
    }
    if list.skipped.lacks_customers() {
        let missing = before.customers.iter();
        let missing = missing.filter(|it| list.find(&it.tenant_id).is_none());
        let missing: Vec<Customer> = missing.cloned().collect();
        list.customers.extend(missing);
        list.customers.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
        for (source, count) in &mut list.by_source {
            let known = before.by_source.get(source).copied();
            *count = known.unwrap_or_default().max(*count);
        }
    }
}

/// Refuses a complete list that lacks three customers or more and at least a quarter,
/// of all or of one source, until the same ones have been missing for half an hour.
pub(super) fn check_not_shrunk(
    before: &CustomerList,
    list: &CustomerList,
    suspect: &mut Option<SuspectList>,
    now: Timestamp,
) -> Result<(), GraphError> {
    let ids = before.customers.iter().map(|it| &it.tenant_id);
    let missing: BTreeSet<Arc<str>> = ids.filter(|id| list.find(id).is_none()).cloned().collect();
    let all = before.customers.len();
    let has_shrunk = has_lost_many(all, all - missing.len())
        || before.by_source.iter().any(|(source, count)| {
            let left = list.by_source.get(source);
            left.is_some_and(|left| has_lost_many(*count, *left))
        });
    if missing.is_empty() || !has_shrunk {
        *suspect = None;
        return Ok(());
    }
    let count = missing.len();
    let since = match suspect.take() {
        Some(known) if known.missing == missing => known.since.min(now),
        _ => now,
    };
    if now.since(since) >= CONFIRMED_AFTER {
        return Ok(());
    }
    *suspect = Some(SuspectList { missing, since });
    Err(GraphError::shrunk(count, all))
}

const fn has_lost_many(before: usize, now: usize) -> bool {
    let missing = before.saturating_sub(now);
    missing >= MIN_MISSING && missing * MISSING_SHARE >= before
}

/// The list of a source.
fn subject(source: &str) -> Subject {
    match source == CustomerSource::MultitenantOrganization.as_str() {
        true => Subject::OrganizationMembers,
        false => Subject::Customers,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::customer;
    use super::*;
    use secure_score_model::{Reason, Relationship, SkippedField};

    const DELEGATED: &str = "delegated_admin_customers";
    const ORGANIZATION: &str = "multitenant_organization";

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(minutes * 60)
    }

    /// A list of these customers, so many of them of each source.
    fn list(ids: impl IntoIterator<Item = usize>, by_source: &[(&str, usize)]) -> CustomerList {
        let ids = ids.into_iter().map(|id| format!("{id:03}"));
        let by_source = by_source
            .iter()
            .map(|(it, count)| ((*it).to_owned(), *count));
        CustomerList {
            customers: ids.map(|id| customer(&id)).collect(),
            by_source: by_source.collect(),
            ..CustomerList::default()
        }
    }

    #[test]
    fn a_source_that_turns_empty_is_no_departure_of_its_customers() {
        let before = list(0..5, &[(DELEGATED, 3), (ORGANIZATION, 2)]);
        let after = list(0..3, &[(DELEGATED, 3), (ORGANIZATION, 0)]);
        let error = check_not_emptied(Some(&before), &after).unwrap_err();
        assert_eq!(error.reason(), Reason::Emptied);
        assert!(error.to_string().contains("organization"), "{error}");
        // One that is not read any more, and one that never had customers.
        let after = list(0..3, &[(DELEGATED, 3)]);
        check_not_emptied(Some(&before), &after).unwrap();
        let before = list(0..3, &[(DELEGATED, 3), (ORGANIZATION, 0)]);
        check_not_emptied(Some(&before), &before).unwrap();
    }

    #[test]
    fn a_first_list_without_customers_is_a_failure() {
        let empty = list(0..0, &[(DELEGATED, 0)]);
        for before in [None, Some(&empty)] {
            let error = check_not_emptied(before, &empty).unwrap_err();
            assert_eq!(error.reason(), Reason::Emptied);
            assert!(!error.to_string().contains("before"), "{error}");
        }
    }

    /// Whether a list with the first of so many customers is taken over.
    fn is_taken(
        before: usize,
        after: usize,
        suspect: &mut Option<SuspectList>,
        minutes: i64,
    ) -> bool {
        let list = |count| list(0..count, &[(DELEGATED, count)]);
        check_not_shrunk(&list(before), &list(after), suspect, at(minutes)).is_ok()
    }

    #[test]
    fn many_customers_leave_only_if_they_stay_missing() {
        let mut suspect = None;
        let mut check = |after, minutes| is_taken(10, after, &mut suspect, minutes);
        assert!(check(8, 0), "two of them");
        assert!(!check(4, 0));
        assert!(!check(4, 29));
        assert!(!check(3, 30), "others are missing");
        assert!(!check(3, 59));
        assert!(check(3, 60));
        assert!(!check(3, 120), "a confirmation counts once");
        assert!(check(9, 130));
        assert!(!check(3, 160), "they were there in between");
    }

    #[test]
    fn three_customers_and_a_quarter_of_them_are_many() {
        for (before, after, is_few) in [
            (9, 1, false),
            (11, 6, false),
            (12, 9, false),
            (13, 10, true),
            (3, 0, false),
            (4, 2, true),
            (200, 195, true),
            (200, 150, false),
            (200, 151, true),
        ] {
            let is_taken = is_taken(before, after, &mut None, 0);
            assert_eq!(is_taken, is_few, "{before} to {after}");
        }
    }

    #[test]
    fn many_customers_of_one_source_are_enough() {
        let before = list(0..50, &[(DELEGATED, 40), (ORGANIZATION, 10)]);
        let after = list(0..41, &[(DELEGATED, 40), (ORGANIZATION, 1)]);
        let error = check_not_shrunk(&before, &after, &mut None, at(0)).unwrap_err();
        assert!(error.to_string().contains("lacks 9 of 50"), "{error}");
        // Each of them stands in the other list too.
        let after = list(0..50, &[(DELEGATED, 50), (ORGANIZATION, 1)]);
        check_not_shrunk(&before, &after, &mut None, at(0)).unwrap();
    }

    /// The list, in which these customers have a relationship.
    fn related(mut list: CustomerList, ids: &[&str]) -> CustomerList {
        for customer in &mut list.customers {
            let has_one = ids.contains(&&*customer.tenant_id);
            customer.relationship = has_one.then_some(Relationship {
                ends: at(0),
                extends: false,
            });
        }
        list
    }

    #[test]
    fn relationships_that_all_vanish_are_an_emptied_list() {
        let of = |ids, relationships| CustomerList {
            relationships,
            ..list(ids, &[(DELEGATED, 3)])
        };
        let before = related(of(0..3, Some(2)), &["000", "001"]);
        let error = check_not_emptied(Some(&before), &of(0..3, Some(0))).unwrap_err();
        assert_eq!(error.reason(), Reason::Emptied);
        assert!(error.to_string().contains("relationships"), "{error}");
        // Others are there, as those of Lighthouse.
        check_not_emptied(Some(&before), &of(0..3, Some(1))).unwrap();
        // Those that had one left.
        check_not_emptied(Some(&before), &of(2..3, Some(0))).unwrap();
        // The list is not read any more.
        check_not_emptied(Some(&before), &of(0..3, None)).unwrap();
    }

    #[test]
    fn a_relationship_stays_while_one_cannot_be_read() {
        let of = || list(0..3, &[(DELEGATED, 3)]);
        let before = related(of(), &["000", "001"]);
        let relationships = |list: &CustomerList| -> Vec<bool> {
            let customers = list.customers.iter();
            customers.map(|it| it.relationship.is_some()).collect()
        };
        let mut complete = related(of(), &["001"]);
        keep_unread(&before, &mut complete);
        assert_eq!(relationships(&complete), [false, true, false]);
        let mut after = related(of(), &["001", "002"]);
        after.skipped.count_relationships(SkippedField::Id, 1);
        keep_unread(&before, &mut after);
        assert_eq!(relationships(&after), [true, true, true]);
    }
}
