//! What a new list of customers lacks that the last one had.

use crate::config::CustomerSource;
use crate::graph::{GraphError, Subject};
use secure_score_model::{CustomerList, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Most customers of a partner with fewer of them may well leave at once.
const MIN_CUSTOMERS: usize = 10;

/// How long a list that lacks most customers must stay the same. A failure of
/// Graph is mostly over by then, and the alert on a failing list has not fired.
const CONFIRMED_AFTER: Duration = Duration::from_secs(30 * 60);

/// A list that lacks most customers of the last one.
#[derive(Debug)]
pub(super) struct SuspectList {
    /// The GUIDs of those that are missing.
    missing: BTreeSet<Arc<str>>,
    /// When they were missing first.
    since: Timestamp,
}

/// Refuses a list without customers, and one of which a source has none any more.
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
        None => Ok(()),
    }
}

/// Refuses a complete list that lacks more than half of the customers, of all or
/// of one source, until the same ones have been missing for half an hour.
pub(super) fn check_not_shrunk(
    before: &CustomerList,
    list: &CustomerList,
    suspect: &mut Option<SuspectList>,
    now: Timestamp,
) -> Result<(), GraphError> {
    let ids = before.customers.iter().map(|it| &it.tenant_id);
    let missing: BTreeSet<Arc<str>> = ids.filter(|id| list.find(id).is_none()).cloned().collect();
    let all = before.customers.len();
    let is_half_gone = has_lost_most(all, all - missing.len())
        || before.by_source.iter().any(|(source, count)| {
            let left = list.by_source.get(source);
            left.is_some_and(|left| has_lost_most(*count, *left))
        });
    if missing.is_empty() || !is_half_gone {
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

const fn has_lost_most(before: usize, now: usize) -> bool {
    before >= MIN_CUSTOMERS && now * 2 < before
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
    use secure_score_model::Reason;

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

    #[test]
    fn most_customers_leave_only_if_they_stay_missing() {
        let before = list(0..10, &[(DELEGATED, 10)]);
        let mut suspect = None;
        let mut check = |ids, minutes| {
            let after = list(0..ids, &[(DELEGATED, ids)]);
            check_not_shrunk(&before, &after, &mut suspect, at(minutes)).is_ok()
        };
        assert!(check(5, 0), "half of them");
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
    fn few_customers_may_leave_at_once() {
        let (before, after) = (list(0..9, &[]), list(0..1, &[]));
        check_not_shrunk(&before, &after, &mut None, at(0)).unwrap();
    }

    #[test]
    fn most_customers_of_one_source_are_enough() {
        let before = list(0..40, &[(DELEGATED, 30), (ORGANIZATION, 10)]);
        let after = list(0..31, &[(DELEGATED, 30), (ORGANIZATION, 1)]);
        let error = check_not_shrunk(&before, &after, &mut None, at(0)).unwrap_err();
        assert!(error.to_string().contains("lacks 9 of 40"), "{error}");
        // Each of them stands in the other list too.
        let after = list(0..40, &[(DELEGATED, 40), (ORGANIZATION, 1)]);
        check_not_shrunk(&before, &after, &mut None, at(0)).unwrap();
    }
}
