//! The JSON Schema of the configuration, for editors.
//!
//! It describes the form of each value. References to credentials and files
//! are checked by `--config.check`.

use super::choices::spellings;
use super::file::SECTIONS;
use super::table::{Form, Key, REQUIRED, Section};
use serde_json::{Map, Value, json};

/// `docs/reference/config.schema.json`.
pub fn schema() -> Value {
    let (top, nested): (Vec<_>, Vec<_>) = SECTIONS.iter().partition(|it| it.path.is_empty());
    let mut schema = top.first().map(|it| it.schema()).unwrap_or_default();
    let definitions: Map<_, _> = nested
        .iter()
        .map(|section| (definition(section.path), section.schema()))
        .collect();
    if let Some(schema) = schema.as_object_mut() {
        // A file may have `tenant_files` instead of `tenants`.
        schema.remove("required");
        schema.insert("$defs".into(), definitions.into());
        let draft = "https://json-schema.org/draft/2020-12/schema";
        schema.insert("$schema".into(), draft.into());
        let title = "Configuration of secure-score-exporter";
        schema.insert("title".into(), title.into());
    }
    schema
}

/// The name of a section's definition: `tenants` for `tenants[]`.
fn definition(path: &str) -> String {
    path.replace("[]", "").replace(".NAME", "")
}

impl Section {
    fn schema(&self) -> Value {
        let keys = self.keys.iter();
        let properties: Map<_, _> = keys
            .clone()
            .filter(|key| !matches!(key.form, Form::Refused))
            .map(|key| (key.name.to_owned(), key.schema()))
            .collect();
        let required: Vec<_> = keys
            .filter(|key| key.default == REQUIRED)
            .map(|key| key.name)
            .collect();
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
}

impl Key {
    fn schema(&self) -> Value {
        let mut schema = self.form.schema();
        let description = match self.default {
            REQUIRED => self.meaning.to_owned(),
            default => format!("{}. Default: {default}.", self.meaning),
        };
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".into(), description.into());
        }
        schema
    }
}

impl Form {
    fn schema(&self) -> Value {
        match self {
            Self::Text(_) | Self::Refused => text(),
            Self::OneOf(words) => one_of(words),
            Self::Integer(range) => {
                json!({"type": "integer", "minimum": range.start(), "maximum": range.end()})
            }
            Self::Duration(..) => {
                json!({"type": "string", "pattern": "^[0-9]+ ?[a-z]+( ?[0-9]+ ?[a-z]+)*$"})
            }
            Self::Day(_) => json!({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}),
            Self::Ratio => json!({"anyOf": [
                {"type": "string", "pattern": r"^\s*[0-9.]+\s*%?\s*$"},
                {"type": "number", "minimum": 0, "maximum": 1},
            ]}),
            Self::ListOf(items) => json!({"type": "array", "items": items.schema()}),
            Self::MappingOf(_, values) => {
                json!({"type": "object", "additionalProperties": values.schema()})
            }
            Self::Section(path) => json!({"$ref": format!("#/$defs/{}", definition(path))}),
            Self::SectionOrList(path) => json!({"anyOf": [
                Self::Section(path).schema(),
                Self::SectionList(path).schema(),
            ]}),
            Self::SectionList(path) => {
                json!({"type": "array", "items": Self::Section(path).schema()})
            }
            Self::NamedSections(path) => {
                json!({"type": "object", "additionalProperties": Self::Section(path).schema()})
            }
            Self::TextOr(other, _) => json!({"anyOf": [text(), other.schema()]}),
        }
    }
}

/// The configuration reads numbers as text.
fn text() -> Value {
    json!({"type": ["string", "number"]})
}

/// These words, in any case; an editor proposes the words as given.
fn one_of(words: &[&str]) -> Value {
    let in_any_case = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!(
            "[{}{}]",
            letter.to_ascii_uppercase(),
            letter.to_ascii_lowercase()
        ),
        false => letter.to_string(),
    };
    let more = words.iter().flat_map(|word| spellings(word));
    let more = more.filter(|spelling| !words.contains(spelling));
    let patterns: Vec<String> = words
        .iter()
        .chain(more)
        .map(|word| word.chars().map(in_any_case).collect())
        .collect();
    let mut forms = vec![
        json!({"enum": words}),
        json!({"type": "string", "pattern": format!("^({})$", patterns.join("|"))}),
    ];
    // Editors that follow YAML 1.1 read a bare `off` as false.
    for boolean in [false, true] {
        let name = boolean.to_string();
        if words.iter().any(|word| spellings(word).contains(&&*name)) {
            forms.push(json!({"const": boolean}));
        }
    }
    json!({"anyOf": forms})
}
