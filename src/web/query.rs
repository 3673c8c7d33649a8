//! What the query of an address asks for, as a filter of the register.

use crate::model::{Category, Timestamp};
use crate::register::Filter;
use std::collections::HashSet;
use url::form_urlencoded;

/// The parameters of a filter.
pub(super) const PARAMETERS: [&str; 6] = [
    "tenant", "control", "category", "since", "approved", "in_force",
];

/// What stands in for bytes that are no UTF-8.
const REPLACEMENT: char = '\u{fffd}';

/// A query nobody can be sure to have understood: what is wrong, and what
/// would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadQuery(String);

/// The filter a query describes, and the parameters that are none of a
/// filter's. One without a value is as good as not there, as a form sends it.
pub(super) fn filter(
    query: Option<&str>,
    now: Timestamp,
) -> Result<(Filter, Vec<(String, String)>), BadQuery> {
    let mut filter = Filter::default();
    let mut others = Vec::new();
    let mut seen = HashSet::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        refuse_broken(&name, &value)?;
        if value.is_empty() {
            continue;
        }
        if !seen.insert(name.clone()) {
            return Err(BadQuery(format!("{name} is given twice; keep one")));
        }
        match &*name {
            "tenant" => filter.tenant = Some(value.into_owned()),
            "control" => filter.control = Some(value.into_owned()),
            "category" => filter.category = Some(category(&value)?),
            "since" => filter.since = Some(moment(&value, now)?),
            "approved" => filter.approved = Some(truth("approved", &value)?),
            "in_force" => filter.in_force = Some(truth("in_force", &value)?),
            _ => others.push((name.into_owned(), value.into_owned())),
        }
    }
    Ok((filter, others))
}

/// The name is repeated only where it can be read.
fn refuse_broken(name: &str, value: &str) -> Result<(), BadQuery> {
    let broken = |text: &str| text.contains([REPLACEMENT, '\0']);
    match (broken(name), broken(value)) {
        (false, false) => Ok(()),
        (true, _) => Err(BadQuery(
            "the name of a parameter is not UTF-8; encode it as such".to_owned(),
        )),
        (false, true) => Err(BadQuery(format!(
            "the value of {name} is not UTF-8; encode it as such"
        ))),
    }
}

fn category(value: &str) -> Result<Category, BadQuery> {
    let known = Category::ALL.map(Category::as_str).join(", ");
    value
        .parse()
        .map_err(|_| BadQuery(format!("category is none we know; write one of {known}")))
}

fn truth(name: &str, value: &str) -> Result<bool, BadQuery> {
    value.parse().map_err(|_| {
        BadQuery(format!(
            "{name} is neither true nor false; write one of them"
        ))
    })
}

/// A day, which begins at midnight UTC, a moment, or a time back from now.
fn moment(value: &str, now: Timestamp) -> Result<Timestamp, BadQuery> {
    let midnight = || {
        let day: jiff::civil::Date = value.parse().ok()?;
        let start = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(start.timestamp())
    };
    let written = value.parse::<jiff::Timestamp>().ok().or_else(midnight);
    let nanos = written.and_then(|at| i64::try_from(at.as_nanosecond()).ok());
    nanos
        .map(Timestamp::from_nanos)
        .or_else(|| ago(value, now))
        .ok_or_else(|| {
            BadQuery(
                "since is no date; write 2026-11-23, 2026-11-23T08:15:00Z or a time back such as 24h or 7d"
                    .to_owned(),
            )
        })
}

fn ago(value: &str, now: Timestamp) -> Option<Timestamp> {
    let back = humantime::parse_duration(value).ok()?;
    let nanos = i64::try_from(back.as_nanos()).ok()?;
    Some(Timestamp::from_nanos(now.nanos().checked_sub(nanos)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_421_700);

    fn read(query: &str) -> Result<Filter, String> {
        let (filter, others) = filter(Some(query), NOW).map_err(|bad| bad.to_string())?;
        assert_eq!(others, []);
        Ok(filter)
    }

    #[test]
    fn a_filter_is_read_whole() {
        let found = read(
            "tenant=contoso&control=AdminMFAV2&category=identity&since=2026-11-23&approved=false&in_force=true",
        );
        let expected = Filter {
            tenant: Some("contoso".to_owned()),
            control: Some("AdminMFAV2".to_owned()),
            category: Some(Category::Identity),
            since: Some(Timestamp::from_seconds(1_795_392_000)),
            approved: Some(false),
            in_force: Some(true),
        };
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn a_moment_is_written_in_three_ways() {
        for (written, seconds) in [
            ("2026-11-23", 1_795_392_000),
            ("2026-11-23T08:15:00Z", 1_795_421_700),
            ("1h", 1_795_421_700 - 3_600),
            ("7d", 1_795_421_700 - 7 * 86_400),
        ] {
            let found = read(&format!("since={written}")).unwrap().since;
            assert_eq!(found, Some(Timestamp::from_seconds(seconds)), "{written}");
        }
    }

    #[test]
    fn what_cannot_be_meant_says_what_could() {
        for (query, said) in [
            ("category=Identities", "write one of Identity"),
            ("since=yesterday", "2026-11-23"),
            ("approved=maybe", "approved is neither true nor false"),
            ("tenant=a&tenant=b", "tenant is given twice"),
            ("tenant=%ff", "the value of tenant is not UTF-8"),
            ("%ff=1", "not UTF-8"),
        ] {
            let complaint = read(query).unwrap_err();
            assert!(complaint.contains(said), "{query}: {complaint}");
        }
    }

    #[test]
    fn an_empty_field_of_a_form_is_no_wish() {
        assert_eq!(read("tenant=&category=&since="), Ok(Filter::default()));
        assert_eq!(filter(None, NOW).unwrap().0, Filter::default());
    }

    #[test]
    fn what_is_none_of_ours_is_handed_back() {
        let (_, others) = filter(Some("sort=-expires&tenant=a"), NOW).unwrap();
        assert_eq!(others, [("sort".to_owned(), "-expires".to_owned())]);
    }

    proptest! {
        #[test]
        fn any_query_is_understood_or_refused(query in "\\PC{0,80}") {
            let _ = filter(Some(&query), NOW);
        }
    }
}
