//! JSON that [`Value`] cannot hold: `1e400`, half of a surrogate pair, a key
//! written twice.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// The start of a string that stands for the JSON after it.
const MARK: &str = "\u{f8ff}json:";

/// A value that is written as this JSON, unchanged.
pub(crate) fn raw(json: &str) -> Value {
    Value::String(format!("{MARK}{json}"))
}

/// Parses JSON. What a `Value` cannot hold stays text, as deep as possible.
pub(crate) fn parse(json: &RawValue) -> Value {
    let text = json.get();
    let parsed = match text.as_bytes().first() {
        Some(b'{') => parse_object(text),
        Some(b'[') => parse_array(text),
        _ => serde_json::from_str(text).ok(),
    };
    let is_marked = |value: &Value| value.as_str().is_some_and(|text| text.starts_with(MARK));
    parsed
        .filter(|value| !is_marked(value))
        .unwrap_or_else(|| raw(text))
}

fn parse_object(text: &str) -> Option<Value> {
    let Members(members) = serde_json::from_str(text).ok()?;
    let keys: BTreeSet<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
    let is_unique = keys.len() == members.len();
    let members = members.iter();
    is_unique.then(|| {
        members
            .map(|(key, json)| (key.clone(), parse(json)))
            .collect()
    })
}

fn parse_array(text: &str) -> Option<Value> {
    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(items.into_iter().map(parse).collect())
}

/// The value as JSON.
pub(crate) fn to_text(value: &Value) -> String {
    serde_json::to_string(&Json(value)).unwrap_or_default()
}

/// The members of an object in order, repeated keys included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Serialises marked strings as the JSON that they stand for.
struct Json<'a>(&'a Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) => {
                let raw = text.strip_prefix(MARK);
                match raw.and_then(|raw| RawValue::from_string(raw.to_owned()).ok()) {
                    Some(raw) => raw.serialize(serializer),
                    None => serializer.serialize_str(text),
                }
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Json)),
            Value::Object(members) => {
                serializer.collect_map(members.iter().map(|(key, value)| (key, Json(value))))
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(json: &str) -> Value {
        parse(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn json_that_a_value_cannot_hold_is_written_as_it_was() {
        for json in [
            r#"{"a":[1e400,{"b":"\ud800"},null,true,1.0],"c":"d"}"#,
            r#"[{"a":1,"a":2},"x"]"#,
            r#"{"\ud800":1}"#,
            r#""json:[1]""#,
            "7",
        ] {
            assert_eq!(to_text(&parsed(json)), json);
        }
    }

    #[test]
    fn the_members_beside_an_odd_one_can_be_read() {
        let value = parsed(r#"{"id":"A","maxScore":1e400}"#);
        assert_eq!(value["id"], "A");
        assert!(parsed(r#"{"id":"A","id":"B"}"#).is_string());
    }

    #[test]
    fn a_marked_string_that_is_no_json_is_written_as_a_string() {
        let value = raw("no json");
        assert_eq!(to_text(&value), value.to_string());
    }
}
