//! A validator for the part of JSON Schema that the API's schema uses.
//!
//! A keyword that it does not check is rejected, so every promise of the schema
//! is tested. Objects are closed: a field that the schema does not name is
//! undocumented.

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;

pub(super) struct Schema(Value);

impl Schema {
    pub(super) fn read() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/api.schema.json");
        let text = std::fs::read_to_string(file).expect("the schema is there");
        Self(serde_json::from_str(&text).expect("the schema is JSON"))
    }

    /// The names of all fields.
    pub(super) fn fields(&self) -> BTreeSet<String> {
        let definitions = self.0["$defs"].as_object().unwrap().values();
        let fields = definitions.filter_map(|it| it["properties"].as_object());
        fields.flat_map(Map::keys).cloned().collect()
    }

    /// The words of an enumeration.
    pub(super) fn words(&self, definition: &str) -> BTreeSet<&str> {
        let words = self.0["$defs"][definition]["enum"].as_array().unwrap();
        words.iter().map(|it| it.as_str().unwrap()).collect()
    }

    /// Panics where a document does not match a definition.
    pub(super) fn check(&self, definition: &str, document: &Value) {
        let schema = &self.0["$defs"][definition];
        assert!(schema.is_object(), "no definition {definition}");
        let faults = self.faults(schema, document, definition);
        assert!(faults.is_empty(), "{faults:#?}\n{document:#}");
    }

    /// Whether the whole schema accepts a document.
    pub(super) fn accepts(&self, document: &Value) -> bool {
        self.faults(&self.0, document, "").is_empty()
    }

    fn faults(&self, schema: &Value, value: &Value, place: &str) -> Vec<String> {
        let keywords = schema.as_object().expect("a schema is an object");
        let mut faults = Vec::new();
        for (keyword, rule) in keywords {
            let fault = |what: String| vec![format!("{place}: {what}")];
            faults.extend(match keyword.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" | "required" => Vec::new(),
                "$ref" => self.faults(self.definition(rule), value, place),
                "oneOf" => {
                    let choices = rule.as_array().unwrap().iter();
                    let fitting = choices.filter(|it| self.faults(it, value, place).is_empty());
                    match fitting.count() {
                        1 => Vec::new(),
                        count => fault(format!("fits {count} of the choices")),
                    }
                }
                "type" if has_type(value, rule) => Vec::new(),
                "type" => fault(format!("{value} is not of type {rule}")),
                "enum" if rule.as_array().unwrap().contains(value) => Vec::new(),
                "enum" => fault(format!("{value} is not one of {rule}")),
                "minimum" if value.as_f64().is_none_or(|it| it >= rule.as_f64().unwrap()) => {
                    Vec::new()
                }
                "minimum" => fault(format!("{value} is below {rule}")),
                "format" if has_format(value, rule.as_str().unwrap()) => Vec::new(),
                "format" => fault(format!("{value} is not a {rule}")),
                "items" => {
                    let elements = value.as_array().into_iter().flatten().enumerate();
                    elements
                        .flat_map(|(n, it)| self.faults(rule, it, &format!("{place}[{n}]")))
                        .collect()
                }
                "properties" => self.object_faults(rule, &keywords["required"], value, place),
                unknown => panic!("{place}: the keyword {unknown} is not checked"),
            });
        }
        faults
    }

    fn object_faults(
        &self,
        fields: &Value,
        required: &Value,
        value: &Value,
        place: &str,
    ) -> Vec<String> {
        let fields = fields.as_object().unwrap();
        let Some(object) = value.as_object() else {
            return Vec::new();
        };
        let names: Vec<_> = fields.keys().map(|it| Value::from(it.as_str())).collect();
        let required = required.as_array().unwrap();
        let all = names.iter().all(|it| required.contains(it)) && names.len() == required.len();
        assert!(
            all,
            "{place}: every field is always present, so each is required"
        );
        let strange = object.keys().filter(|it| !fields.contains_key(*it));
        let mut faults: Vec<_> = strange
            .map(|it| format!("{place}.{it} is not documented"))
            .collect();
        for (name, schema) in fields {
            match object.get(name) {
                Some(value) => {
                    faults.extend(self.faults(schema, value, &format!("{place}.{name}")))
                }
                None => faults.push(format!("{place}.{name} is missing")),
            }
        }
        faults
    }

    fn definition(&self, reference: &Value) -> &Value {
        let name = reference
            .as_str()
            .and_then(|it| it.strip_prefix("#/$defs/"));
        let schema = &self.0["$defs"][name.expect("a reference names a definition")];
        assert!(schema.is_object(), "{reference} is not defined");
        schema
    }
}

fn has_type(value: &Value, rule: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    };
    match rule {
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        name => is(name.as_str().unwrap()),
    }
}

/// As in JSON Schema, a format applies to strings only.
fn has_format(value: &Value, format: &str) -> bool {
    let Some(text) = value.as_str() else {
        return true;
    };
    match format {
        "date-time" => text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "uri" => url::Url::parse(text).is_ok(),
        other => panic!("the format {other} is not checked"),
    }
}
