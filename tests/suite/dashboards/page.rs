//! A dashboard as it is committed.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// One file of `dashboards`.
pub(super) struct Page {
    pub(super) file: PathBuf,
    pub(super) json: Value,
}

/// A query and its place.
pub(super) struct Query {
    pub(super) place: String,
    pub(super) expr: String,
    pub(super) instant: bool,
    /// The unit of what the panel shows, unless a column has its own.
    pub(super) unit: String,
}

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards")
}

impl Page {
    /// All of them, by name.
    pub(super) fn all() -> Vec<Self> {
        let files = fs::read_dir(folder()).expect("dashboards can be listed");
        let mut files: Vec<PathBuf> = files
            .map(|entry| entry.expect("it can be listed").path())
            .filter(|path| path.extension().is_some_and(|it| it == "json"))
            .collect();
        files.sort();
        assert_eq!(files.len(), 5, "{files:?}");
        files.into_iter().map(Self::read).collect()
    }

    fn read(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).expect("it can be read");
        let json = serde_json::from_str(&text).expect("it is JSON");
        Self { file, json }
    }

    pub(super) fn uid(&self) -> &str {
        text(&self.json["uid"])
    }

    /// The panels that show something: rows do not.
    pub(super) fn panels(&self) -> impl Iterator<Item = &Value> {
        list(&self.json["panels"])
            .iter()
            .filter(|panel| panel["type"] != "row")
    }

    pub(super) fn variables(&self) -> &[Value] {
        list(&self.json["templating"]["list"])
    }

    pub(super) fn annotations(&self) -> &[Value] {
        list(&self.json["annotations"]["list"])
    }

    /// The queries of all panels.
    pub(super) fn queries(&self) -> Vec<Query> {
        let of_panel = |panel: &Value| {
            let targets = list(&panel["targets"]).iter();
            let queries = targets.map(|target| Query {
                place: format!(
                    "{} / {} / {}",
                    self.uid(),
                    text(&panel["title"]),
                    text(&target["refId"])
                ),
                expr: text(&target["expr"]).to_owned(),
                instant: target["instant"] == true,
                unit: text(&panel["fieldConfig"]["defaults"]["unit"]).to_owned(),
            });
            queries.collect::<Vec<_>>()
        };
        self.panels().flat_map(of_panel).collect()
    }

    /// The same of its annotations.
    pub(super) fn marks(&self) -> Vec<Query> {
        let marks = self.annotations().iter();
        let query = |mark: &Value| Query {
            place: format!("{} / annotation {}", self.uid(), text(&mark["name"])),
            expr: text(&mark["expr"]).to_owned(),
            instant: false,
            unit: String::new(),
        };
        marks.map(query).collect()
    }

    /// Every address in it, wherever it stands.
    pub(super) fn links(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.json, "url", &mut found);
        found.retain(|url| !url.is_empty());
        found
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn collect(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == key && field.is_string() {
                    found.push(text(field).to_owned());
                }
                collect(field, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, key, found)),
        _ => {}
    }
}
