//! The query string of a request.
//!
//! Nothing is guessed: a misread filter shows the wrong rows, and the response
//! looks valid all the same.

use crate::acceptances::{Filter, Kinds};
use crate::store::Tenants;
use secure_score_model::{Category, Place, Timestamp};
use std::collections::BTreeMap;
use url::form_urlencoded;

/// The parameters of a filter of acceptances.
pub const FILTER_PARAMETERS: [&str; 8] = [
    "tenant", "control", "category", "since", "approved", "in_force", "where", "kind",
];

/// The most names suggested for an unknown one.
const MAX_SIMILAR: usize = 5;

/// A query string that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {remedy}")]
pub struct QueryError {
    /// Which parameter, and what is wrong with it.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

impl QueryError {
    /// What is wrong, and what would be right.
    pub fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// A parameter that this path does not have.
    pub fn unknown(name: &str, known: &[&str]) -> Self {
        let remedy = match known {
            [] => "this path takes no parameters".to_owned(),
            known => format!("the parameters are {}", known.join(", ")),
        };
        Self::new(format!("unknown parameter {name:?}"), remedy)
    }
}

/// The filter that some parameters make; others are ignored.
///
/// An empty parameter counts as absent: a browser sends a form's empty fields.
pub fn parse_filter(pairs: &[(String, String)], now: Timestamp) -> Result<Filter, QueryError> {
    let mut given = BTreeMap::new();
    for (name, value) in pairs {
        let known = FILTER_PARAMETERS.contains(&name.as_str());
        if known && given.insert(name.as_str(), value.as_str()).is_some() {
            let remedy = "give it once, or send several requests";
            return Err(QueryError::new(format!("{name} is given twice"), remedy));
        }
    }
    given.retain(|_, value| !value.is_empty());
    let get = |name| given.get(name).copied();
    let since = get("since").map(|it| parse_since(it, now));
    Ok(Filter {
        category: get("category").map(parse_category).transpose()?,
        since: since.transpose()?,
        approved: parse_bool("approved", &given)?,
        in_force: parse_bool("in_force", &given)?,
        tenant: get("tenant").map(str::to_owned),
        control: get("control").map(str::to_owned),
        place: get("where").map(parse_place).transpose()?,
        kinds: get("kind").map_or(Ok(Kinds::default()), parse_kinds)?,
    })
}

/// All parameters in their order.
pub fn parse_pairs(query: Option<&str>) -> Result<Vec<(String, String)>, QueryError> {
    let query = query.unwrap_or_default();
    check_encoding(query)?;
    Ok(form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect())
}

/// Rejects a parameter that is not known: a mistyped filter would show
/// everything.
pub fn allow_only(pairs: &[(String, String)], known: &[&str]) -> Result<(), QueryError> {
    let mut names = pairs.iter().map(|(name, _)| name.as_str());
    match names.find(|name| !known.contains(name)) {
        Some(unknown) => Err(QueryError::unknown(unknown, known)),
        None => Ok(()),
    }
}

/// Whether every percent-escape is valid and the decoded bytes are UTF-8. The
/// parser alone would insert replacement characters.
fn check_encoding(query: &str) -> Result<(), QueryError> {
    let mut pieces = query.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        // `from_str_radix` accepts a sign.
        let digits = piece.get(..2).filter(|it| !it.starts_with('+'));
        let byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(byte.ok_or_else(|| {
            let remedy = "write % and two hexadecimal digits, and %25 for a percent sign";
            QueryError::new("the query has a % without two hexadecimal digits", remedy)
        })?);
        bytes.extend_from_slice(piece.get(2..).unwrap_or_default().as_bytes());
    }
    match std::str::from_utf8(&bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(QueryError::new(
            "the query is not UTF-8",
            "escape each byte of a character's UTF-8 form",
        )),
    }
}

/// A category by its name, in any case.
pub fn parse_category(value: &str) -> Result<Category, QueryError> {
    value.parse().map_err(|_| {
        let known = Category::ALL.map(Category::as_str).join(", ");
        QueryError::new(
            format!("unknown category {value:?}"),
            format!("use one of {known}"),
        )
    })
}

fn parse_place(value: &str) -> Result<Place, QueryError> {
    let mut places = Place::ALL.into_iter();
    places.find(|it| it.as_str() == value).ok_or_else(|| {
        let known = Place::ALL.map(Place::as_str).join(" or ");
        QueryError::new(format!("unknown place {value:?}"), format!("use {known}"))
    })
}

fn parse_kinds(value: &str) -> Result<Kinds, QueryError> {
    let mut kinds = Kinds::ALL.into_iter();
    kinds.find(|it| it.as_str() == value).ok_or_else(|| {
        let known = Kinds::ALL.map(Kinds::as_str).join(", ");
        QueryError::new(
            format!("unknown kind {value:?}"),
            format!("use one of {known}"),
        )
    })
}

/// The aliases most similar to a name, as [`similar_names`].
pub fn similar_tenants<'a>(name: &str, tenants: &'a Tenants) -> Vec<&'a str> {
    let aliases = tenants.states.iter().map(|state| &*state.identity.alias);
    similar_names(name, aliases)
}

/// Those most similar to a name, a few, the most similar first.
pub fn similar_names<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut similar = strict_yaml::suggest::similar(name, known);
    similar.truncate(MAX_SIMILAR);
    similar
}

fn parse_bool(name: &str, given: &BTreeMap<&str, &str>) -> Result<Option<bool>, QueryError> {
    let parse = |value: &&str| parse_flag(name, value);
    given.get(name).map(parse).transpose()
}

/// The value of a parameter that is true or false.
pub fn parse_flag(name: &str, value: &str) -> Result<bool, QueryError> {
    let problem = format!("{name} {value:?} is neither true nor false");
    let error = QueryError::new(problem, "use one of the two");
    value.parse().map_err(|_| error)
}

/// A time, a day (its midnight in UTC), or a duration before now.
fn parse_since(value: &str, now: Timestamp) -> Result<Timestamp, QueryError> {
    parse_time(value)
        .or_else(|| parse_day(value))
        .or_else(|| parse_duration_before(value, now))
        .ok_or_else(|| {
            QueryError::new(
                format!("since {value:?} is not a time"),
                "use a time such as 2026-11-23T08:15:00Z, a day such as 2026-11-23, or a duration before now such as 24h or 7d",
            )
        })
}

/// A `+` in a query is decoded to a space, but in `+01:00` it is meant as a plus.
fn parse_time(value: &str) -> Option<Timestamp> {
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

/// The comparison with the written form is needed: jiff also reads a time
/// without an offset as a day, and drops the time.
fn parse_day(value: &str) -> Option<Timestamp> {
    let day = jiff::civil::Date::strptime("%Y-%m-%d", value).ok()?;
    parse_time(&format!("{day}T00:00:00Z")).filter(|_| day.to_string() == value)
}

fn parse_duration_before(value: &str, now: Timestamp) -> Option<Timestamp> {
    let back = humantime::parse_duration(value).ok()?;
    let nanos = i64::try_from(back.as_nanos()).unwrap_or(i64::MAX);
    Some(Timestamp::from_nanos(now.nanos().saturating_sub(nanos)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_421_700);

    fn parse(query: &str) -> Result<Filter, QueryError> {
        parse_filter(&parse_pairs(Some(query))?, NOW)
    }

    fn read(query: &str) -> Filter {
        parse(query).unwrap()
    }

    fn error(query: &str) -> String {
        parse(query).unwrap_err().to_string()
    }

    fn since_of(value: &str) -> i64 {
        let since = read(&format!("since={value}")).since.unwrap();
        since.nanos() / 1_000_000_000
    }

    #[test]
    fn every_parameter_is_parsed() {
        let all = "tenant=contoso&control=a%26b&category=identity&since=2026-11-23&approved=false&in_force=true&where=entra&kind=claim";
        assert_eq!(
            read(all),
            Filter {
                tenant: Some("contoso".to_owned()),
                control: Some("a&b".to_owned()),
                category: Some(Category::Identity),
                since: Some(Timestamp::from_seconds(1_795_392_000)),
                approved: Some(false),
                in_force: Some(true),
                place: Some(Place::Entra),
                kinds: Kinds::Claims,
            }
        );
    }

    #[test]
    fn an_empty_parameter_counts_as_absent() {
        let form = "tenant=&control=&category=&since=&approved=&in_force=&where=&kind=";
        for nothing in ["", "&&", form, "tenant"] {
            assert_eq!(read(nothing), Filter::default(), "{nothing}");
        }
        assert_eq!(parse_pairs(None), Ok(Vec::new()));
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
    fn an_invalid_time_is_rejected_with_valid_examples() {
        for odd in [
            "yesterday",
            "2026-11-31",
            "2026-11-23T08:15:00",
            "20261123",
            "7",
            "-7d",
        ] {
            let message = error(&format!("since={odd}"));
            assert!(message.contains("24h or 7d"), "{odd}: {message}");
            assert!(message.contains(odd), "{odd}: {message}");
        }
    }

    #[test]
    fn an_error_names_the_parameter_and_the_remedy() {
        for (query, parts) in [
            (
                "where=Entra",
                ["unknown place \"Entra\"", "secure_score or entra"],
            ),
            ("in_force=1", ["in_force \"1\"", "neither true nor false"]),
            ("tenant=a&tenant=", ["tenant is given twice", "once"]),
            ("tenant=%+1", ["% without two hexadecimal digits", "%25"]),
            ("tenant=100%", ["% without two hexadecimal digits", "%25"]),
        ] {
            let message = error(query);
            assert!(
                parts.iter().all(|part| message.contains(part)),
                "{query}: {message}"
            );
        }
    }

    #[test]
    fn parameters_of_no_filter_are_ignored_and_can_be_rejected() {
        let query = "sort=-points&page=2&sort=tenant";
        assert_eq!(read(query), Filter::default());
        let pairs = parse_pairs(Some(query)).unwrap();
        assert_eq!(allow_only(&pairs, &["page", "sort"]), Ok(()));
        let error = allow_only(&pairs, &["sort"]).unwrap_err().to_string();
        assert_eq!(error, "unknown parameter \"page\"; the parameters are sort");
    }

    proptest! {
        #[test]
        fn an_escaped_value_is_decoded(tenant in "\\PC{1,20}") {
            let query: String = form_urlencoded::Serializer::new(String::new())
                .append_pair("tenant", &tenant)
                .finish();
            prop_assert_eq!(read(&query).tenant, Some(tenant));
        }

        #[test]
        fn any_query_is_parsed_or_rejected(query in "\\PC{0,40}|(since|approved|tenant|%[0-9a-f]{0,2}|[=&+ ;]){0,12}") {
            if let Err(bad) = parse(&query) {
                prop_assert!(!bad.problem.is_empty() && !bad.remedy.is_empty());
            }
        }
    }
}
