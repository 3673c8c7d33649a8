//! What the query of an address asks for, as a filter of the register.
//!
//! Nothing is guessed: a filter that was misread shows too much or, worse, too
//! little, and looks like an answer all the same.

use crate::acceptances::Filter;
use secure_score_model::{Category, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use url::form_urlencoded;

/// The parameters a filter is made of.
pub(super) const PARAMETERS: [&str; 6] = [
    "tenant", "control", "category", "since", "approved", "in_force",
];

/// A query that nobody can be sure to have understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadQuery {
    wrong: String,
    remedy: String,
}

impl BadQuery {
    pub(super) fn new(wrong: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            wrong: wrong.into(),
            remedy: remedy.into(),
        }
    }

    /// A parameter that means nothing here.
    pub(super) fn unknown(name: &str, known: &[&str]) -> Self {
        let remedy = match known {
            [] => "this address takes no parameters".to_owned(),
            known => format!("the parameters are {}", known.join(", ")),
        };
        Self::new(format!("unknown parameter {name:?}"), remedy)
    }

    /// Which parameter, and what is wrong with it.
    pub(super) fn wrong(&self) -> &str {
        &self.wrong
    }

    /// What would be right.
    pub(super) fn remedy(&self) -> &str {
        &self.remedy
    }
}

impl fmt::Display for BadQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.wrong, self.remedy)
    }
}

/// The filter a query describes, and the parameters that are none of a
/// filter's, in their order.
///
/// A parameter without a value is one that was not given: a form in a browser
/// sends its empty fields too.
pub(super) fn filter(
    query: Option<&str>,
    now: Timestamp,
) -> Result<(Filter, Vec<(String, String)>), BadQuery> {
    let query = query.unwrap_or_default();
    readable(query)?;
    let mut given = BTreeMap::new();
    let mut others = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match PARAMETERS.into_iter().find(|known| *known == name) {
            None => others.push((name.into_owned(), value.into_owned())),
            Some(known) if given.insert(known, value.into_owned()).is_some() => {
                let remedy = "give it once, or ask several times";
                return Err(BadQuery::new(format!("{known} is given twice"), remedy));
            }
            Some(_) => {}
        }
    }
    given.retain(|_, value| !value.is_empty());
    let filter = Filter {
        category: given.get("category").map(|it| category(it)).transpose()?,
        since: given.get("since").map(|it| since(it, now)).transpose()?,
        approved: truth("approved", &given)?,
        in_force: truth("in_force", &given)?,
        tenant: given.remove("tenant"),
        control: given.remove("control"),
    };
    Ok((filter, others))
}

/// All parameters in their order.
pub(super) fn pairs(query: Option<&str>) -> Result<Vec<(String, String)>, BadQuery> {
    let query = query.unwrap_or_default();
    readable(query)?;
    let pairs = form_urlencoded::parse(query.as_bytes());
    Ok(pairs
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect())
}

/// Refuses whatever is asked of an address that knows no parameters.
pub(super) fn none(query: Option<&str>) -> Result<(), BadQuery> {
    let query = query.unwrap_or_default();
    readable(query)?;
    match form_urlencoded::parse(query.as_bytes()).next() {
        Some((name, _)) => Err(BadQuery::unknown(&name, &[])),
        None => Ok(()),
    }
}

/// Whether every escape is one, and what they stand for is text. Parsing alone
/// would put replacement characters in place of what it cannot read.
fn readable(query: &str) -> Result<(), BadQuery> {
    let mut pieces = query.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).filter(|it| is_hexadecimal(it));
        let byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(byte.ok_or_else(|| {
            let remedy = "write % and two hexadecimal digits, and %25 for the sign itself";
            BadQuery::new("the query has a % that begins no escape", remedy)
        })?);
        bytes.extend_from_slice(piece.get(2..).unwrap_or_default().as_bytes());
    }
    match std::str::from_utf8(&bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(BadQuery::new(
            "the query is not UTF-8",
            "escape each byte of a character's UTF-8 form",
        )),
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn category(value: &str) -> Result<Category, BadQuery> {
    value.parse().map_err(|_| {
        let known = Category::ALL.map(Category::as_str).join(", ");
        BadQuery::new(
            format!("category {value:?} is none"),
            format!("write one of {known}"),
        )
    })
}

fn truth(name: &str, given: &BTreeMap<&str, String>) -> Result<Option<bool>, BadQuery> {
    let Some(value) = given.get(name) else {
        return Ok(None);
    };
    value.parse().map(Some).map_err(|_| {
        BadQuery::new(
            format!("{name} {value:?} is neither true nor false"),
            "write one of the two",
        )
    })
}

/// A moment, the beginning of a day of UTC, or a while ago.
fn since(value: &str, now: Timestamp) -> Result<Timestamp, BadQuery> {
    moment(value)
        .or_else(|| midnight(value))
        .or_else(|| ago(value, now))
        .ok_or_else(|| {
            BadQuery::new(
                format!("since {value:?} is no time"),
                "write a time such as 2026-11-23T08:15:00Z, a day such as 2026-11-23, or a while back such as 24h or 7d",
            )
        })
}

/// In a query `+` is a blank, and whoever writes `+01:00` there means the plus.
fn moment(value: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = match value.parse() {
        Ok(time) => time,
        Err(_) => {
            let (time, offset) = value.rsplit_once(' ')?;
            format!("{time}+{offset}").parse().ok()?
        }
    };
    let nanos = i64::try_from(time.as_nanosecond()).ok()?;
    Some(Timestamp::from_nanos(nanos))
}

/// jiff would read a time without an offset as a day too, and forget the time.
fn midnight(value: &str) -> Option<Timestamp> {
    let day = jiff::civil::Date::strptime("%Y-%m-%d", value).ok()?;
    moment(&format!("{day}T00:00:00Z")).filter(|_| day.to_string() == value)
}

fn ago(value: &str, now: Timestamp) -> Option<Timestamp> {
    let back = humantime::parse_duration(value).ok()?;
    let nanos = i64::try_from(back.as_nanos()).unwrap_or(i64::MAX);
    Some(Timestamp::from_nanos(now.nanos().saturating_sub(nanos)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_421_700);

    fn read(query: &str) -> Filter {
        let (filter, others) = filter(Some(query), NOW).unwrap();
        assert_eq!(others, []);
        filter
    }

    fn complaint(query: &str) -> String {
        filter(Some(query), NOW).unwrap_err().to_string()
    }

    fn since_of(value: &str) -> i64 {
        let since = read(&format!("since={value}")).since.unwrap();
        since.nanos() / 1_000_000_000
    }

    #[test]
    fn every_parameter_finds_its_place() {
        let all = "tenant=contoso&control=a%26b&category=identity&since=2026-11-23&approved=false&in_force=true";
        assert_eq!(
            read(all),
            Filter {
                tenant: Some("contoso".to_owned()),
                control: Some("a&b".to_owned()),
                category: Some(Category::Identity),
                since: Some(Timestamp::from_seconds(1_795_392_000)),
                approved: Some(false),
                in_force: Some(true),
            }
        );
    }

    #[test]
    fn what_is_empty_was_not_given() {
        let form = "tenant=&control=&category=&since=&approved=&in_force=";
        for nothing in ["", "&&", form, "tenant"] {
            assert_eq!(read(nothing), Filter::default(), "{nothing}");
        }
        assert_eq!(filter(None, NOW).unwrap().0, Filter::default());
    }

    #[test]
    fn a_time_may_be_written_in_three_ways() {
        let now = NOW.nanos() / 1_000_000_000;
        assert_eq!(since_of("2026-11-23T08:15:00Z"), now);
        assert_eq!(since_of("2026-11-23T09:15:00%2B01:00"), now);
        assert_eq!(since_of("2026-11-23T09:15:00+01:00"), now);
        assert_eq!(since_of("2026-11-23T07:15:00-01:00"), now);
        assert_eq!(since_of("24h"), now - 24 * 3_600);
        assert_eq!(since_of("7d"), now - 7 * 24 * 3_600);
        assert_eq!(
            read("since=9999y").since.unwrap().nanos(),
            NOW.nanos() - i64::MAX
        );
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_would_be() {
        for odd in [
            "yesterday",
            "2026-11-31",
            "2026-11-23T08:15:00",
            "20261123",
            "7",
            "-7d",
        ] {
            let said = complaint(&format!("since={odd}"));
            assert!(said.contains("24h or 7d"), "{odd}: {said}");
            assert!(said.contains(odd), "{odd}: {said}");
        }
    }

    #[test]
    fn a_complaint_names_the_parameter_and_the_remedy() {
        for (query, parts) in [
            (
                "category=Idenity",
                ["category \"Idenity\"", "Identity, Data"],
            ),
            (
                "approved=yes",
                ["approved \"yes\"", "neither true nor false"],
            ),
            ("in_force=1", ["in_force \"1\"", "neither true nor false"]),
            ("tenant=a&tenant=b", ["tenant is given twice", "once"]),
            ("tenant=a&tenant=", ["tenant is given twice", "once"]),
            ("tenant=%zz", ["% that begins no escape", "%25"]),
            ("tenant=%+1", ["% that begins no escape", "%25"]),
            ("tenant=100%", ["% that begins no escape", "%25"]),
            ("tenant=%ff", ["not UTF-8", "escape"]),
        ] {
            let said = complaint(query);
            assert!(
                parts.iter().all(|part| said.contains(part)),
                "{query}: {said}"
            );
        }
    }

    #[test]
    fn what_is_none_of_a_filter_s_is_handed_back() {
        let (_, others) = filter(Some("sort=-points&page=2&sort=tenant"), NOW).unwrap();
        let names: Vec<_> = others.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["sort", "page", "sort"]);
    }

    proptest! {
        #[test]
        fn what_is_well_escaped_comes_back_as_it_was(tenant in "\\PC{1,20}") {
            let query: String = form_urlencoded::Serializer::new(String::new())
                .append_pair("tenant", &tenant)
                .finish();
            prop_assert_eq!(read(&query).tenant, Some(tenant));
        }

        #[test]
        fn no_query_is_too_odd(query in "\\PC{0,40}|(since|approved|tenant|%[0-9a-f]{0,2}|[=&+ ;]){0,12}") {
            if let Err(bad) = filter(Some(&query), NOW) {
                prop_assert!(!bad.wrong().is_empty() && !bad.remedy().is_empty());
            }
        }
    }
}
