//! The JSON Schema of the configuration, for editors, made from the table of
//! the reference page.
//!
//! It knows the shape of what may be written, and completes and explains it
//! while somebody types. What it cannot say (that a credential exists, that a
//! file can be read) `--config.check` says.

use super::reference::{Key, SECTIONS, Section};
use serde_json::{Map, Value, json};

/// What `without it` says of a key that must be there.
const REQUIRED: &str = "required";
/// And of one that must not.
const REFUSED: &str = "refused";

/// `docs/reference/config.schema.json`.
pub fn schema() -> Value {
    let top = SECTIONS.iter().find(|section| section.path.is_empty());
    let mut schema = top.map(Section::schema).unwrap_or_default();
    let sections = SECTIONS.iter().filter(|section| !section.path.is_empty());
    let definitions: Map<_, _> = sections
        .map(|section| (name(section.path), section.schema()))
        .collect();
    if let Some(schema) = schema.as_object_mut() {
        // Some keep all of their tenants in files of their own.
        schema.remove("required");
        schema.insert("$defs".into(), definitions.into());
        let draft = "https://json-schema.org/draft/2020-12/schema";
        schema.insert("$schema".into(), draft.into());
        let title = "Configuration of secure-score-exporter";
        schema.insert("title".into(), title.into());
    }
    schema
}

/// `events.webhook` of `events.webhook`, `tenants` of `tenants[]`.
fn name(path: &str) -> String {
    path.replace("[]", "").replace(".NAME", "")
}

fn reference(path: &str) -> Value {
    json!({"$ref": format!("#/$defs/{}", name(path))})
}

impl Section {
    fn schema(&self) -> Value {
        let keys = self
            .keys
            .iter()
            .filter(|(_, _, without, _)| *without != REFUSED);
        let properties: Map<_, _> = keys
            .map(|key| (key.0.to_owned(), self.property(key)))
            .collect();
        let required = self.keys.iter().filter(|key| key.2 == REQUIRED);
        let required: Vec<_> = required.map(|key| key.0).collect();
        let mut schema = json!({
            "type": "object",
            "description": self.about,
            "additionalProperties": false,
            "properties": properties,
        });
        if let Some(schema) = schema.as_object_mut()
            && !required.is_empty()
        {
            schema.insert("required".into(), required.into());
        }
        schema
    }

    fn property(&self, key: &Key) -> Value {
        let (_, _, without, meaning) = key;
        let mut shape = self.shape(key);
        let description = match *without {
            REQUIRED => (*meaning).to_owned(),
            other => format!("{meaning}. Without it: {other}."),
        };
        if let Some(shape) = shape.as_object_mut() {
            shape.insert("description".into(), description.into());
        }
        shape
    }

    /// What may be written. The table says most of it; what it says in a
    /// sentence is said once more here.
    fn shape(&self, (key, value, ..): &Key) -> Value {
        match (self.path, *key) {
            ("", "tenants") => list(&reference("tenants[]")),
            ("", "credentials") => mapping(&reference("credentials.NAME")),
            ("tenants[]" | "defaults", "credential") => {
                json!({"anyOf": [text(), reference("credentials.NAME")]})
            }
            ("tenants[]" | "defaults", "target") => json!({"anyOf": [
                {"type": "string", "pattern": r"^\s*[0-9.]+\s*%?\s*$"},
                {"type": "number", "minimum": 0, "maximum": 1},
            ]}),
            ("tenants[]", "labels") => mapping(&text()),
            ("controls", "categories") => list(&words(value)),
            ("controls", "category_overrides") => mapping(&categories()),
            ("risk_accepted", "exceptions") => list(&reference("risk_accepted.exceptions[]")),
            ("risk_accepted.exceptions[]", "tenants") => {
                json!({"anyOf": [text(), list(&text())]})
            }
            ("events", "webhook") => reference("events.webhook"),
            ("", section) if SECTIONS.iter().any(|it| it.path == section) => reference(section),
            _ => told(value),
        }
    }
}

/// The shape of what the table describes in a form of its own.
fn told(value: &str) -> Value {
    let bounds = value.split_once(" to ");
    let numbers = bounds
        .and_then(|(least, most)| Some((least.parse::<u32>().ok()?, most.parse::<u32>().ok()?)));
    if let Some((least, most)) = numbers {
        return json!({"type": "integer", "minimum": least, "maximum": most});
    }
    if value.starts_with("list") {
        return list(&text());
    }
    if value.starts_with("a day") {
        return json!({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"});
    }
    // `10s` to `1d`; `three intervals to 30d`.
    if bounds.is_some_and(|(_, most)| most.ends_with("m`") || most.ends_with("d`")) {
        return json!({"type": "string", "pattern": "^[0-9]+ ?[a-z]+( ?[0-9]+ ?[a-z]+)*$"});
    }
    let is_choice = value.starts_with('`') && !value.contains(['%', '/']);
    match is_choice {
        true => words(value),
        false => text(),
    }
}

/// Each word between backticks, in any case: an editor proposes the first form.
///
/// `off` is a truth value to editors that follow YAML 1.1.
fn words(value: &str) -> Value {
    let words: Vec<_> = value.split('`').skip(1).step_by(2).collect();
    let either_case = |word: &&str| -> String {
        let letters = word
            .chars()
            .map(|letter| match letter.is_ascii_alphabetic() {
                true => format!(
                    "[{}{}]",
                    letter.to_ascii_uppercase(),
                    letter.to_ascii_lowercase()
                ),
                false => letter.to_string(),
            });
        letters.collect()
    };
    let pattern: Vec<_> = words.iter().map(either_case).collect();
    let mut forms = vec![
        json!({"enum": words}),
        json!({"type": "string", "pattern": format!("^({})$", pattern.join("|"))}),
    ];
    if words.contains(&"off") {
        forms.push(json!({"const": false}));
    }
    json!({"anyOf": forms})
}

fn categories() -> Value {
    let sections = SECTIONS.iter().flat_map(|section| section.keys);
    let categories = sections.filter(|key| key.0 == "categories");
    categories
        .map(|key| words(key.1))
        .next()
        .unwrap_or_default()
}

/// Numbers are read as the text they are written as.
fn text() -> Value {
    json!({"type": ["string", "number"]})
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn mapping(values: &Value) -> Value {
    json!({"type": "object", "additionalProperties": values})
}
