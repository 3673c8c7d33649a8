//! What the query of an address asks for, as a filter of the register.

use crate::model::{Category, Timestamp};
use crate::register::Filter;
use std::fmt;
use url::form_urlencoded;

/// A query nobody can be sure to have understood: what is wrong, and what
/// would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadQuery(String);

impl fmt::Display for BadQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The filter a query describes, and the parameters that are none of a
/// filter's.
pub(super) fn filter(query: Option<&str>) -> Result<(Filter, Vec<(String, String)>), BadQuery> {
    let mut filter = Filter::default();
    let mut others = Vec::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "tenant" => filter.tenant = Some(value.into_owned()),
            "control" => filter.control = Some(value.into_owned()),
            "category" => filter.category = Some(category(&value)?),
            "since" => filter.since = Some(moment(&value)?),
            "approved" => filter.approved = Some(truth("approved", &value)?),
            "in_force" => filter.in_force = Some(truth("in_force", &value)?),
            _ => others.push((name.into_owned(), value.into_owned())),
        }
    }
    Ok((filter, others))
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

/// A day, which begins at midnight UTC, or a moment.
fn moment(value: &str) -> Result<Timestamp, BadQuery> {
    let midnight = || {
        let day: jiff::civil::Date = value.parse().ok()?;
        let zoned = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(zoned.timestamp())
    };
    let at = value.parse::<jiff::Timestamp>().ok().or_else(midnight);
    let nanos = at.and_then(|at| i64::try_from(at.as_nanosecond()).ok());
    nanos.map(Timestamp::from_nanos).ok_or_else(|| {
        BadQuery("since is no date; write 2026-11-23 or 2026-11-23T08:15:00Z".to_owned())
    })
}
