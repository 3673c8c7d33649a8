//! What a template of an alert says where no query has an answer: the series with
//! names are missing, or the server of the rules has no `query`.

use std::collections::BTreeSet;
use std::slice::Iter;

/// What templates say where a query has no answer. Where nothing can ask, it would be
/// a guess.
const NO_ANSWER: [&str; 10] = [
    " (list unknown; reason: unknown)",
    " (list unknown)",
    " (reason: unknown)",
    " (field unknown)",
    " No data are exported.",
    " No data of Entra are exported.",
    " There is no list.",
    ": instance unknown",
    ": none of those that answer now",
    ": score unknown, maximum unknown",
];

/// A part of a template.
enum Part<'t> {
    Text(String),
    Action(&'t str),
}

/// The text without what queries add. Labels become their names in capitals,
/// values `N`.
pub(super) fn without_queries(template: &str) -> String {
    read(template, shown, false)
}

/// The template without its queries and what depends on them.
pub(super) fn template_without_queries(template: &str) -> String {
    without_guesses(read(
        template,
        |action| format!("{{{{ {action} }}}}"),
        false,
    ))
}

fn without_guesses(text: String) -> String {
    let remove = |text: String, guess: &&str| text.replace(guess, "");
    NO_ANSWER.iter().fold(text, remove)
}

/// The template without its queries, for a rule whose query is called A: the value
/// of the alert, and the conditions on it, stay.
pub(super) fn template_of_query_a(template: &str) -> String {
    let shown = |action: &str| {
        let action = action.replace("$value", "$values.A.Value");
        format!("{{{{ {action} }}}}")
    };
    without_guesses(read(template, shown, true))
}

fn read(template: &str, shown: fn(&str) -> String, keeps_value: bool) -> String {
    let parts = parts(template);
    let mut reader = Reader {
        shown,
        keeps_value,
        empty: BTreeSet::new(),
    };
    let mut said = String::new();
    let end = reader.block(&mut parts.iter(), true, &mut said);
    assert_eq!(end, None, "{template}");
    said.trim().to_owned()
}

/// Texts and actions, with the space removed that `{{-` and `-}}` remove.
fn parts(template: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = template;
    let mut trims = false;
    while let Some((text, after)) = rest.split_once("{{") {
        let (action, after) = after.split_once("}}").expect("an action ends");
        let mut text = if trims { text.trim_start() } else { text };
        let action = match action.strip_prefix("- ") {
            None => action,
            Some(action) => {
                text = text.trim_end();
                action
            }
        };
        trims = action.ends_with(" -");
        parts.push(Part::Text(text.to_owned()));
        parts.push(Part::Action(action.trim_end_matches(" -").trim()));
        rest = after;
    }
    let text = if trims { rest.trim_start() } else { rest };
    parts.push(Part::Text(text.to_owned()));
    parts
}

/// Follows the branches that are taken without an answer.
struct Reader<'t> {
    /// What stands for the value of an action.
    shown: fn(&str) -> String,
    /// Whether conditions on the alert's value are kept.
    keeps_value: bool,
    /// The variables that hold nothing.
    empty: BTreeSet<&'t str>,
}

impl<'t> Reader<'t> {
    /// Reads until the end of a block and returns what ended it.
    fn block(
        &mut self,
        parts: &mut Iter<'_, Part<'t>>,
        is_taken: bool,
        said: &mut String,
    ) -> Option<&'t str> {
        while let Some(part) = parts.next() {
            let action = match part {
                Part::Text(text) if is_taken => {
                    said.push_str(text);
                    continue;
                }
                Part::Text(_) => continue,
                Part::Action(action) => *action,
            };
            let word = action.split(' ').next().unwrap_or_default();
            match word {
                "end" | "else" => return Some(action),
                "if" if is_taken && self.keeps_value && action.contains("$value") => {
                    said.push_str(&(self.shown)(action));
                    loop {
                        let ended = self.block(parts, true, said).expect("it has an end");
                        said.push_str(&(self.shown)(ended));
                        if ended == "end" {
                            break;
                        }
                    }
                }
                "if" | "with" | "range" => {
                    let mut is_open = is_taken;
                    let mut condition = action;
                    loop {
                        let is_true = is_open && self.is_true(condition);
                        is_open &= !is_true;
                        match self.block(parts, is_true, said) {
                            Some("end") => break,
                            Some("else") => condition = "else",
                            Some(other) => condition = other.trim_start_matches("else "),
                            None => panic!("{action} has no end"),
                        }
                    }
                }
                _ if !is_taken => {}
                variable if variable.starts_with('$') && action.contains('=') => {
                    let (_, value) = action.split_once('=').expect("a value");
                    let value = value.trim();
                    if value == "\"\"" || value.starts_with("query ") {
                        self.empty.insert(variable);
                    }
                }
                _ => said.push_str(&(self.shown)(action)),
            }
        }
        None
    }

    fn is_true(&self, condition: &str) -> bool {
        let is_empty = |text: &str| {
            let words = text.split([' ', '(', ')', '|']);
            words.into_iter().any(|word| self.empty.contains(word))
        };
        let (word, rest) = condition.split_once(' ').unwrap_or((condition, ""));
        match word {
            "else" => true,
            "with" | "range" => !rest.contains("query ") && !is_empty(rest),
            _ => match rest.split_once(' ') {
                Some(("not", negated)) => is_empty(negated),
                Some(("eq" | "and" | "or", _)) => !is_empty(rest) && !rest.contains("$value"),
                Some(("gt", _)) => true,
                _ => !is_empty(rest),
            },
        }
    }
}

/// A value in words.
fn shown(action: &str) -> String {
    let label = action.split("$labels.").nth(1);
    match label.and_then(|rest| rest.split(' ').next()) {
        Some(label) => label.replace('_', " ").to_uppercase(),
        None => "N".to_owned(),
    }
}

#[test]
fn templates_are_read_as_prometheus_reads_them_without_answers() {
    for (template, said) in [
        ("a {{ $labels.tenant }} b", "a TENANT b"),
        ("a {{- with query \"x\" }} {{ . }}{{ end }}.", "a."),
        (
            "{{ with query \"x\" -}} a {{- else -}} b {{- end }} c",
            "b c",
        ),
        (
            "{{- $who := query \"x\" -}} {{ if eq (len $who) 1 }}a{{ else }}b{{ end }}",
            "b",
        ),
        (
            "{{ $p := \"\" }}{{ if $p }}a{{ else if not $p }}b{{ else }}c{{ end }}",
            "b",
        ),
        (
            "{{ range $i, $r := query \"x\" }}a{{ else }}b{{ end }}",
            "b",
        ),
        ("{{ if gt $value 0.0 }}a{{ else }}b{{ end }}", "a"),
    ] {
        assert_eq!(without_queries(template), said, "{template}");
    }
}

#[test]
fn the_value_and_its_conditions_stay_where_the_query_has_a_name() {
    let template = "{{ if gt $value 0.0 }}ends {{ with query \"x\" }}on {{ . }}{{ else }}soon{{ end }}{{ else }}has ended{{ end }}: {{ $value | humanizePercentage }}";
    assert_eq!(
        template_of_query_a(template),
        "{{ if gt $values.A.Value 0.0 }}ends soon{{ else }}has ended{{ end }}: {{ $values.A.Value | humanizePercentage }}"
    );
}

#[test]
fn every_guess_is_one_of_an_alerts_text() {
    let alerts = super::rules::alerts();
    let texts = alerts.iter().flat_map(|alert| alert.annotations.values());
    let texts: Vec<String> = texts.map(|text| without_queries(text)).collect();
    for guess in NO_ANSWER {
        assert!(texts.iter().any(|text| text.contains(guess)), "{guess}");
    }
}
