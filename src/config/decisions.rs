//! Decisions about what people declared, each with a last day.

use std::sync::Arc;
use strict_yaml::{Diagnostics, Spanned, Text, suggest};

use super::alternatives::OneOrMany;
use super::file::{FileDecision, FileException};
use super::list_files::FileList;
use super::tenant::is_alias;
use crate::config_values::day::{day, start_of_day};
use crate::config_values::pattern::Pattern;
use crate::text::web_url;
use secure_score_model::{Decision, DecisionPlace, DecisionSource, DecisionState};

/// Stands for every tenant.
const ALL: &str = "all";

const NO_SUBJECT: &str = "neither control nor recommendation is set; name the control whose risk may be accepted, the recommendation of Entra that may be set aside, or both";

/// In bytes; labels and table cells are cut at this length.
const LONGEST_TEXT: usize = 128;

/// Decisions, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decisions(Vec<ApprovedDecision>);

/// A decision with its parsed patterns, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApprovedDecision {
    controls: Option<Pattern>,
    recommendations: Option<Pattern>,
    pub(super) decision: Arc<Decision>,
}

impl ApprovedDecision {
    fn new(decision: Decision) -> Result<Self, &'static str> {
        let pattern = |text: &Option<Arc<str>>| text.as_deref().map(Pattern::new).transpose();
        let controls = pattern(&decision.control)?;
        let recommendations = pattern(&decision.recommendation)?;
        if controls.is_none() && recommendations.is_none() {
            return Err(NO_SUBJECT);
        }
        Ok(Self {
            controls,
            recommendations,
            decision: Arc::new(decision),
        })
    }

    pub(super) fn names_control(&self, id: &str) -> bool {
        let controls = self.controls.as_ref();
        controls.is_some_and(|it| it.matches(id))
    }

    pub(super) fn names_recommendation(&self, name: &str) -> bool {
        let recommendations = self.recommendations.as_ref();
        recommendations.is_some_and(|it| it.matches(name))
    }
}

impl Decisions {
    /// Decisions that do not come from a file.
    pub fn of(decisions: Vec<Decision>) -> Result<Self, &'static str> {
        let approved = decisions.into_iter().map(ApprovedDecision::new);
        approved.collect::<Result<_, _>>().map(Self)
    }

    /// All of them, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Decision>> {
        self.0.iter().map(|it| &it.decision)
    }

    /// The decisions of one tenant.
    pub(super) fn of_tenant(&self, alias: &str) -> Vec<ApprovedDecision> {
        let applies = |approved: &&ApprovedDecision| approved.decision.concerns(alias);
        self.0.iter().filter(applies).cloned().collect()
    }
}

/// The tenants that a decision can name.
pub(super) struct Aliases {
    /// Those of the tenants as written, including invalid ones.
    pub(super) configured: Vec<String>,
    /// Whether customers of a partner get further ones.
    pub(super) may_grow: bool,
}

/// What the lists are resolved with.
pub(super) struct DecisionRules {
    pub(super) aliases: Aliases,
    pub(super) needs_separate_approver: bool,
}

impl DecisionRules {
    /// Resolves the exceptions, then the decisions of the configuration, then those
    /// of files.
    pub(super) fn resolve(
        &self,
        exceptions: Vec<Spanned<FileException>>,
        lists: Vec<FileList<FileDecision>>,
        diagnostics: &mut Diagnostics,
    ) -> Decisions {
        let mut resolved = Vec::new();
        for (index, Spanned { value, span }) in exceptions.into_iter().enumerate() {
            let path = format!("risk_accepted.exceptions[{index}]");
            value.report_unknown_keys(&path, diagnostics);
            let of_exception = DecisionState::ACCEPTANCES.to_vec();
            let value = FileDecision::from(value);
            let (place, entry) = (
                DecisionSource::Exceptions.at(index),
                Spanned { value, span },
            );
            resolved.extend(self.one(place, &path, entry, Some(of_exception), diagnostics));
        }
        for FileList { file, entries } in lists {
            let mut all = |source: DecisionSource, list: &str, diagnostics: &mut Diagnostics| {
                for (index, entry) in entries.iter().enumerate() {
                    let path = format!("{list}[{index}]");
                    let place = source.clone().at(index);
                    entry.value.report_unknown_keys(&path, diagnostics);
                    resolved.extend(self.one(place, &path, entry.clone(), None, diagnostics));
                }
            };
            match file {
                None => all(DecisionSource::Decisions, "decisions", diagnostics),
                Some(file) => {
                    let shown = file.relative_to(diagnostics.base());
                    let source = DecisionSource::File(shown.into());
                    diagnostics.in_file(&file.name, &file.base, |diagnostics| {
                        all(source, "", diagnostics)
                    });
                }
            }
        }
        Decisions(resolved)
    }

    /// `states` where the list implies them.
    fn one(
        &self,
        place: DecisionPlace,
        path: &str,
        file: Spanned<FileDecision>,
        states: Option<Vec<DecisionState>>,
        diagnostics: &mut Diagnostics,
    ) -> Option<ApprovedDecision> {
        let Spanned { value: file, span } = file;
        let at = |key: &str| format!("{path}.{key}");
        if file.control.is_none() && file.recommendation.is_none() {
            diagnostics.error(span, path, NO_SUBJECT);
        }
        let reference = "name the ticket or decision, so that it can be looked up";
        let expires = match states {
            Some(_) => "every exception has a last day, such as 2027-03-31",
            None => "every decision has a last day, such as 2027-03-31",
        };
        for (key, text, fix) in [
            ("reference", &file.reference, reference),
            ("expires", &file.expires, expires),
        ] {
            diagnostics.require(span, at(key), text, &format!("missing; {fix}"));
        }
        for (key, text) in [
            ("reference", &file.reference),
            ("approver", &file.approver),
            ("reason", &file.reason),
            ("accepted_by", &file.accepted_by),
        ] {
            if let Some(text) = text.as_ref().filter(|it| is_placeholder(&it.value)) {
                diagnostics.warn(text.span, at(key), PLACEHOLDER);
            }
        }
        if self.needs_separate_approver && file.approver.is_none() {
            let message = "approves nothing without an approver, since risk_accepted.require_separate_approver is on; name the person";
            diagnostics.warn(span, at("approver"), message);
        }
        let mut pattern_of = |key, text: &Option<Text>| {
            let pattern = diagnostics.check(at(key), text, Pattern::new);
            // `None` if it is set and invalid.
            (pattern.is_some() == text.is_some()).then_some(pattern)
        };
        let controls = pattern_of("control", &file.control);
        let recommendations = pattern_of("recommendation", &file.recommendation);
        let tenants = tenants(&at("tenants"), file.tenants, &self.aliases, diagnostics);
        let states = states.or_else(|| {
            let has_recommendation = file.recommendation.is_some();
            self::states(&at("states"), file.states, has_recommendation, diagnostics)
        });
        let mut line_of = |key, text| diagnostics.check(at(key), text, line);
        let reference = line_of("reference", &file.reference);
        let approver = line_of("approver", &file.approver);
        let reason = line_of("reason", &file.reason);
        let accepted_by = line_of("accepted_by", &file.accepted_by);
        let evidence = diagnostics.check(at("evidence"), &file.evidence, address);
        let approved_on = diagnostics.check(at("approved_on"), &file.approved_on, day);
        let expires = diagnostics.check(at("expires"), &file.expires, |text| match day(text)? {
            expires if approved_on.is_some_and(|approved| approved > expires) => {
                Err("before approved_on, so it never applied; correct one of the two")
            }
            expires => Ok(expires),
        })?;
        let (controls, recommendations) = (controls?, recommendations?);
        let text = |pattern: &Option<Pattern>| Some(Arc::clone(pattern.as_ref()?.text()));
        Some(ApprovedDecision {
            decision: Arc::new(Decision {
                place,
                control: text(&controls),
                recommendation: text(&recommendations),
                tenants: tenants?,
                states: states?,
                reference: reference?,
                approver,
                reason,
                approved_on: approved_on.map(start_of_day),
                accepted_by,
                evidence,
                needs_separate_approver: self.needs_separate_approver,
                expires: start_of_day(expires.tomorrow().unwrap_or(expires)),
            }),
            controls,
            recommendations,
        })
    }
}

/// The states of a decision, by default the accepted risk.
fn states(
    path: &str,
    states: Option<Spanned<OneOrMany>>,
    has_recommendation: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<DecisionState>> {
    let Some(states) = states else {
        return Some(vec![DecisionState::RiskAccepted]);
    };
    let empty =
        "the list is empty, which approves nothing; name states, or omit the key for risk_accepted";
    let state = |word: &str| state(word, has_recommendation);
    members(path, states, empty, state, diagnostics)
}

/// The members of a list of at least one, or of a single word.
fn members<T>(
    path: &str,
    Spanned { value, span }: Spanned<OneOrMany>,
    empty: &str,
    parse: impl Fn(&str) -> Result<T, String>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<T>> {
    let words = match value {
        OneOrMany::One(word) => vec![Text::new(word, span)],
        OneOrMany::Many(words) => words,
    };
    if words.is_empty() {
        diagnostics.error(span, path, empty);
        return None;
    }
    let members = words
        .iter()
        .map(|word| diagnostics.check(path, word, &parse));
    let members: Vec<Option<T>> = members.collect();
    members.into_iter().collect()
}

fn state(word: &str, has_recommendation: bool) -> Result<DecisionState, String> {
    let state: DecisionState = word
        .to_ascii_lowercase()
        .parse()
        .map_err(|()| suggest::unknown("state", word, &DecisionState::WORDS))?;
    match state.is_of_controls() || has_recommendation {
        true => Ok(state),
        false => Err(format!(
            "a control is never {state}; name the recommendation of Entra that is"
        )),
    }
}

/// Empty for all tenants.
fn tenants(
    path: &str,
    tenants: Option<Spanned<OneOrMany>>,
    aliases: &Aliases,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Arc<str>>> {
    let Some(tenants) = tenants else {
        return Some(Vec::new());
    };
    if matches!(&tenants.value, OneOrMany::One(name) if name.trim() == ALL) {
        return Some(Vec::new());
    }
    let empty = "the list is empty, which approves nothing; name tenants, or omit the key for all";
    members(
        path,
        tenants,
        empty,
        |name| tenant(name, aliases),
        diagnostics,
    )
}

fn tenant(name: &str, aliases: &Aliases) -> Result<Arc<str>, String> {
    let configured = &aliases.configured;
    let is_known = configured.iter().any(|alias| alias == name);
    if is_known || (aliases.may_grow && is_alias(name)) {
        return Ok(name.into());
    }
    Err(
        match suggest::nearest(name, configured.iter().map(String::as_str)) {
            Some(near) => format!("no tenant has this name; did you mean `{near}`?"),
            None => "no tenant has this name; use the `name` of one, or `all`".to_owned(),
        },
    )
}

/// What the offered commands and entries have where a person fills in a value.
const PLACEHOLDERS: [&str; 3] = ["TICKET", "PERSON", "YYYY-MM-DD"];

const PLACEHOLDER: &str = "a placeholder of the offered command; write the real value, so that the decision can be looked up";

fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    PLACEHOLDERS.iter().any(|it| text.eq_ignore_ascii_case(it))
}

fn line(text: &str) -> Result<Arc<str>, &'static str> {
    if text.is_empty() {
        Err("empty; write a text or omit the key")
    } else if text.contains(char::is_control) {
        Err("contains a control character or a line break; write one line")
    } else if text.len() > LONGEST_TEXT {
        Err("longer than 128 bytes; shorten it, and keep the details at the reference")
    } else {
        Ok(text.into())
    }
}

/// A key of a decision whose value a command line can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionKey {
    /// One line: reference, approver, reason, accepted_by.
    Line,
    /// A day.
    Day,
    /// The address of the proof.
    Address,
}

impl DecisionKey {
    /// Checks a value as the configuration does, and refuses placeholders, of which the
    /// configuration warns. The error says what to write.
    pub fn check(self, text: &str) -> Result<(), &'static str> {
        match self {
            _ if is_placeholder(text) => Err(PLACEHOLDER),
            Self::Line => line(text).map(|_| ()),
            Self::Day => day(text).map(|_| ()),
            Self::Address => address(text).map(|_| ()),
        }
    }
}

/// A web address without a user.
fn address(text: &str) -> Result<Arc<str>, &'static str> {
    let text = line(text)?;
    match web_url(&text) {
        Some(_) => Ok(text),
        None => Err(
            "not a web address; write one such as https://tickets.example/SEC-1, without a user",
        ),
    }
}
