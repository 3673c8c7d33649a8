//! Microsoft's answers as they come: every field name of theirs lives here.
//!
//! Nothing is required but the shape of a list. Fields come as strings or
//! numbers, null or missing, in any order and with others beside them, and
//! one odd field must not cost its element, nor one odd element its page.
//!
//! Shapes: the resources `secureScore`, `controlScore`,
//! `secureScoreControlProfile` and `secureScoreControlStateUpdate` of
//! Microsoft Graph v1.0, and what real tenants answer beyond them.

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// The fields of a profile that we read, for `$select`.
pub(super) const PROFILE_FIELDS: &str = "id,azureTenantId,title,controlCategory,service,tier,\
    userImpact,implementationCost,actionType,actionUrl,maxScore,deprecated,controlStateUpdates";

/// One page of a list.
#[derive(Deserialize)]
pub(super) struct Page<'a> {
    #[serde(rename = "@odata.nextLink", borrow, default)]
    pub(super) next_link: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) value: &'a RawValue,
}

/// A `secureScoreControlProfile`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Profile<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) azure_tenant_id: Text<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) control_category: Text<'a>,
    #[serde(borrow)]
    pub(super) service: Text<'a>,
    #[serde(borrow)]
    pub(super) tier: Text<'a>,
    #[serde(borrow)]
    pub(super) user_impact: Text<'a>,
    #[serde(borrow)]
    pub(super) implementation_cost: Text<'a>,
    #[serde(borrow)]
    pub(super) action_type: Text<'a>,
    #[serde(borrow)]
    pub(super) action_url: Text<'a>,
    pub(super) max_score: Number,
    #[serde(borrow)]
    pub(super) deprecated: Text<'a>,
    #[serde(borrow)]
    pub(super) control_state_updates: List<StateUpdate<'a>>,
}

/// A `secureScoreControlStateUpdate`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct StateUpdate<'a> {
    #[serde(borrow)]
    pub(super) state: Text<'a>,
    #[serde(borrow)]
    pub(super) assigned_to: Text<'a>,
    #[serde(borrow)]
    pub(super) comment: Text<'a>,
    #[serde(borrow)]
    pub(super) updated_by: Text<'a>,
    #[serde(borrow)]
    pub(super) updated_date_time: Text<'a>,
}

/// A `secureScore`: one tenant, one day.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Score<'a> {
    #[serde(borrow)]
    pub(super) azure_tenant_id: Text<'a>,
    #[serde(borrow)]
    pub(super) created_date_time: Text<'a>,
    pub(super) current_score: Number,
    pub(super) max_score: Number,
    pub(super) active_user_count: Number,
    pub(super) licensed_user_count: Number,
    #[serde(borrow)]
    pub(super) average_comparative_scores: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) control_scores: Option<&'a RawValue>,
}

/// A `controlScore`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ControlScore<'a> {
    #[serde(borrow)]
    pub(super) control_name: Text<'a>,
    #[serde(borrow)]
    pub(super) control_category: Text<'a>,
    pub(super) score: Number,
    pub(super) score_in_percentage: Number,
    #[serde(borrow)]
    pub(super) last_synced: Text<'a>,
    #[serde(borrow)]
    pub(super) implementation_status: Text<'a>,
}

/// An `averageComparativeScore`, with the category fields the documentation
/// leaves out.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Comparison<'a> {
    #[serde(borrow)]
    pub(super) basis: Text<'a>,
    pub(super) average_score: Number,
    pub(super) identity_score: Number,
    pub(super) identity_score_max: Number,
    pub(super) data_score: Number,
    pub(super) data_score_max: Number,
    pub(super) device_score: Number,
    pub(super) device_score_max: Number,
    pub(super) apps_score: Number,
    pub(super) apps_score_max: Number,
    pub(super) infrastructure_score: Number,
    pub(super) infrastructure_score_max: Number,
}

/// The body of an error.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Failure<'a> {
    #[serde(borrow)]
    pub(super) error: FailureDetail<'a>,
}

/// What an error says of itself.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct FailureDetail<'a> {
    #[serde(borrow)]
    pub(super) code: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Text<'a>,
}

/// The elements of a list that could be read, and how many could not.
pub(super) struct Elements<T> {
    pub(super) read: Vec<T>,
    pub(super) unread: usize,
}

/// Reads a list; `None` when it is none.
///
/// All at once first; element by element, at twice the cost, only when one of
/// them is odd.
pub(super) fn elements<'a, T: Deserialize<'a>>(list: &'a RawValue) -> Option<Elements<T>> {
    if let Ok(objects) = serde_json::from_str::<Vec<Object<T>>>(list.get()) {
        let read = objects.into_iter().map(|Object(element)| element).collect();
        return Some(Elements { read, unread: 0 });
    }
    let raw: Vec<&RawValue> = serde_json::from_str(list.get()).ok()?;
    let read: Vec<T> = raw
        .iter()
        .filter_map(|element| serde_json::from_str(element.get()).ok())
        .map(|Object(element)| element)
        .collect();
    let unread = raw.len() - read.len();
    Some(Elements { read, unread })
}

/// An element that is an object. Left to itself, serde also reads a list as
/// one, field by field in order, and `["x"]` would become a control named x.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// The elements of a list inside an element; missing and null mean none.
pub(super) fn inner_elements<'a, T: Deserialize<'a>>(list: Option<&'a RawValue>) -> Elements<T> {
    let none = Elements {
        read: Vec::new(),
        unread: 0,
    };
    match list {
        None => none,
        Some(list) if list.get() == "null" => none,
        Some(list) => elements(list).unwrap_or(Elements { unread: 1, ..none }),
    }
}

/// A string; numbers and booleans are taken as they are written, since Graph
/// sends `"true"` and `true`, `"5"` and `5`.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Text<'a> {
    /// Missing, null, or empty.
    #[default]
    Nothing,
    /// Something.
    Some(Cow<'a, str>),
    /// An object or a list where a word was expected.
    Odd,
}

impl Text<'_> {
    /// The text without blanks around it.
    pub(super) fn get(&self) -> Option<&str> {
        match self {
            Self::Some(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Self::Nothing | Self::Odd => None,
        }
    }
}

/// A number, possibly written as a string.
#[derive(Debug, Default, PartialEq, Clone, Copy)]
pub(super) enum Number {
    /// Missing or null.
    #[default]
    Nothing,
    /// A number, sane or not.
    Some(f64),
    /// Something that is no number.
    Odd,
}

/// A list that may be null, or missing; the difference matters to `$select`.
#[derive(Debug, Default)]
pub(super) enum List<T> {
    /// The key is not there.
    #[default]
    Missing,
    /// Null or a list.
    Present(Vec<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Option::<Vec<T>>::deserialize(deserializer)?;
        Ok(Self::Present(list.unwrap_or_default()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Borrowed(if value {
            "true"
        } else {
            "false"
        })))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Owned(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Owned(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Text::Some(Cow::Owned(value.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        skip_seq(seq)?;
        Ok(Text::Odd)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        skip_map(map)?;
        Ok(Text::Odd)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Number, E> {
        Ok(Number::Some(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
        Ok(Number::Some(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
        Ok(Number::Some(value as f64))
    }

    fn visit_str<E>(self, text: &str) -> Result<Number, E> {
        let text = text.trim();
        Ok(match text.parse() {
            _ if text.is_empty() => Number::Nothing,
            Ok(value) => Number::Some(value),
            Err(_) => Number::Odd,
        })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
        Ok(Number::Odd)
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Number, A::Error> {
        skip_seq(seq)?;
        Ok(Number::Odd)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Number, A::Error> {
        skip_map(map)?;
        Ok(Number::Odd)
    }
}

fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// The claims of an access token that concern us. Microsoft calls the token
/// opaque, so each of them may be missing without consequence.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Claims {
    pub(super) tid: Option<String>,
    pub(super) roles: Option<Vec<String>>,
    pub(super) scp: Option<String>,
}

/// An error of Entra's token endpoint.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct EntraFailure {
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
    pub(super) error_codes: Vec<u32>,
}

/// Reads one small object whole.
pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_taken_for_numbers_and_numbers_for_strings() {
        let score: Score<'_> =
            serde_json::from_str(r#"{"currentScore":"815.22","maxScore":1376,"azureTenantId":7}"#)
                .unwrap();
        assert_eq!(score.current_score, Number::Some(815.22));
        assert_eq!(score.max_score, Number::Some(1376.0));
        assert_eq!(score.azure_tenant_id.get(), Some("7"));
    }

    #[test]
    fn an_odd_field_does_not_cost_its_element() {
        let profile: Profile<'_> = serde_json::from_str(
            r#"{"id":"A","maxScore":{"x":[1,{"y":2}]},"title":["a"],"tier":null,"deprecated":true}"#,
        )
        .unwrap();
        assert_eq!(profile.id.get(), Some("A"));
        assert_eq!(profile.max_score, Number::Odd);
        assert_eq!(profile.title, Text::Odd);
        assert_eq!(profile.tier, Text::Nothing);
        assert_eq!(profile.deprecated.get(), Some("true"));
    }

    #[test]
    fn an_odd_element_does_not_cost_its_page() {
        let raw = RawValue::from_string(r#"[{"id":"A"},7,["C"],{"id":"B"}]"#.to_owned()).unwrap();
        let list: Elements<Profile<'_>> = elements(&raw).unwrap();
        assert_eq!(list.read.len(), 2);
        assert_eq!(list.unread, 2);
    }

    #[test]
    fn null_updates_are_present_and_absent_updates_are_missing() {
        let null: Profile<'_> = serde_json::from_str(r#"{"controlStateUpdates":null}"#).unwrap();
        assert!(matches!(null.control_state_updates, List::Present(ref none) if none.is_empty()));
        let absent: Profile<'_> = serde_json::from_str("{}").unwrap();
        assert!(matches!(absent.control_state_updates, List::Missing));
    }

    #[test]
    fn escaped_strings_are_decoded() {
        let profile: Profile<'_> = serde_json::from_str(r#"{"title":" don\u0027t "}"#).unwrap();
        assert_eq!(profile.title.get(), Some("don't"));
    }
}
