//! The lines of some categories only.

use super::catalogue::FAMILIES;
use super::chunk::Chunk;
use super::family::Family;
use secure_score_model::Category;
use std::collections::{BTreeSet, HashSet};

/// The family that has a line for every control of a catalogue: it tells the
/// category of those whose other lines do not.
const EVERY_CONTROL: &str = "secure_score_control_risk_accepted";

/// What decides whether a line stays.
enum Narrowing {
    /// The category it names.
    Category,
    /// That of the control it names.
    Control,
    /// It is of the tenant as a whole.
    None,
}

impl Narrowing {
    fn of(family: &Family) -> Self {
        match family.labels {
            labels if labels.contains(&"category") => Self::Category,
            labels if labels.contains(&"control") => Self::Control,
            _ => Self::None,
        }
    }
}

impl Chunk {
    /// The same without the lines of controls and categories that are not
    /// among these; what is of the tenant as a whole stays.
    ///
    /// This reads every line, 0.2 ms for a common tenant, so with many it is no
    /// work for a thread that answers others meanwhile.
    #[must_use]
    pub fn narrowed(&self, categories: &BTreeSet<Category>) -> Self {
        let controls = self.controls(categories);
        let families = FAMILIES.iter().enumerate().map(|(index, family)| {
            let lines = std::str::from_utf8(self.lines(index)).unwrap_or_default();
            let stays = |line: &str| match Narrowing::of(family) {
                Narrowing::Category => is_of(line, categories),
                Narrowing::Control => {
                    label(line, "control").is_some_and(|it| controls.contains(it))
                }
                Narrowing::None => true,
            };
            let kept = lines.split_inclusive('\n').filter(|line| stays(line));
            kept.collect::<String>().into_bytes()
        });
        Self::of(families)
    }

    /// The controls of these categories, as they stand in the lines.
    fn controls(&self, categories: &BTreeSet<Category>) -> HashSet<&str> {
        let index = FAMILIES.iter().position(|it| it.name == EVERY_CONTROL);
        let lines = index.map_or(&[][..], |index| self.lines(index));
        let lines = std::str::from_utf8(lines).unwrap_or_default();
        let lines = lines.lines().filter(|line| is_of(line, categories));
        lines.filter_map(|line| label(line, "control")).collect()
    }
}

fn is_of(line: &str, categories: &BTreeSet<Category>) -> bool {
    let category = label(line, "category").and_then(|word| word.parse().ok());
    category.is_some_and(|category| categories.contains(&category))
}

/// A label's value as it stands in a line, still escaped.
///
/// A quote inside a value has a backslash before it, so what looks like the
/// beginning of a label is one.
fn label<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let start = line
        .match_indices(name)
        .map(|(place, _)| place)
        .find(|place| {
            let before = line.get(..*place).unwrap_or_default();
            let after = line.get(place + name.len()..).unwrap_or_default();
            before.ends_with([',', '{']) && after.starts_with("=\"")
        })?;
    let value = line.get(start + name.len() + 2..)?;
    let mut escaped = false;
    let end = value.find(|character| {
        let ends = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    })?;
    value.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_found_whatever_stands_in_the_others() {
        let line = r#"x{tenant="a",control="\",category=\"Data\"\\",category="Apps"} 1"#;
        assert_eq!(label(line, "category"), Some("Apps"));
        assert_eq!(label(line, "control"), Some(r#"\",category=\"Data\"\\"#));
        assert_eq!(label(line, "tenant"), Some("a"));
        assert_eq!(label(line, "state"), None);
    }
}
