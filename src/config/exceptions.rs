//! Approved acceptances, each with a last day.

use std::sync::Arc;
use strict_yaml::{Diagnostics, Spanned, Text, suggest};

use super::file::{FileException, OneOrMany};
use super::tenant::is_alias;
use crate::config_values::day::{day, start_of_day};
use crate::config_values::pattern::Pattern;
use secure_score_model::Exception;

/// Stands for every tenant.
const ALL: &str = "all";

const NO_SUBJECT: &str = "neither control nor recommendation is set; name the control whose risk may be accepted, the recommendation of Entra that may be set aside, or both";

/// In bytes; labels and table cells are cut at this length.
const LONGEST_TEXT: usize = 128;

/// Approved acceptances, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exceptions(Vec<ApprovedException>);

/// An exception with its parsed patterns, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApprovedException {
    controls: Option<Pattern>,
    recommendations: Option<Pattern>,
    pub(super) exception: Arc<Exception>,
}

impl ApprovedException {
    fn new(exception: Exception) -> Result<Self, &'static str> {
        let pattern = |text: &Option<Arc<str>>| text.as_deref().map(Pattern::new).transpose();
        let controls = pattern(&exception.control)?;
        let recommendations = pattern(&exception.recommendation)?;
        if controls.is_none() && recommendations.is_none() {
            return Err(NO_SUBJECT);
        }
        Ok(Self {
            controls,
            recommendations,
            exception: Arc::new(exception),
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

impl Exceptions {
    /// Exceptions that do not come from a file.
    pub fn of(exceptions: Vec<Exception>) -> Result<Self, &'static str> {
        let approved = exceptions.into_iter().map(ApprovedException::new);
        approved.collect::<Result<_, _>>().map(Self)
    }

    /// The exceptions of one tenant.
    pub(super) fn of_tenant(&self, alias: &str) -> Vec<ApprovedException> {
        let applies = |approved: &&ApprovedException| {
            let tenants = &approved.exception.tenants;
            tenants.is_empty() || tenants.iter().any(|tenant| **tenant == *alias)
        };
        self.0.iter().filter(applies).cloned().collect()
    }
}

/// The tenants that an exception can name.
pub(super) struct Aliases {
    /// Those of the tenants as written, including invalid ones.
    pub(super) configured: Vec<String>,
    /// Whether customers of a partner get further ones.
    pub(super) may_grow: bool,
}

/// Resolves the list.
pub(super) fn resolve(
    files: Vec<Spanned<FileException>>,
    aliases: &Aliases,
    diagnostics: &mut Diagnostics,
) -> Exceptions {
    let numbered = files.into_iter().enumerate();
    let resolved = numbered.filter_map(|(index, file)| {
        let path = format!("risk_accepted.exceptions[{index}]");
        one(&path, file, aliases, diagnostics)
    });
    Exceptions(resolved.collect())
}

fn one(
    path: &str,
    file: Spanned<FileException>,
    aliases: &Aliases,
    diagnostics: &mut Diagnostics,
) -> Option<ApprovedException> {
    let Spanned { value: file, span } = file;
    file.report_unknown_keys(path, diagnostics);
    let at = |key: &str| format!("{path}.{key}");
    if file.control.is_none() && file.recommendation.is_none() {
        diagnostics.error(span, path, NO_SUBJECT);
    }
    let reference = "name the ticket or decision, so that it can be looked up";
    let expires = "every exception has a last day, such as 2027-03-31";
    for (key, text, fix) in [
        ("reference", &file.reference, reference),
        ("expires", &file.expires, expires),
    ] {
        diagnostics.require(span, at(key), text, &format!("missing; {fix}"));
    }
    let mut pattern_of = |key, text: &Option<Text>| {
        let pattern = diagnostics.check(at(key), text, Pattern::new);
        // `None` if it is set and invalid.
        (pattern.is_some() == text.is_some()).then_some(pattern)
    };
    let controls = pattern_of("control", &file.control);
    let recommendations = pattern_of("recommendation", &file.recommendation);
    let tenants = tenants(&at("tenants"), file.tenants, aliases, diagnostics);
    let mut line_of = |key, text| diagnostics.check(at(key), text, line);
    let reference = line_of("reference", &file.reference);
    let approver = line_of("approver", &file.approver);
    let reason = line_of("reason", &file.reason);
    let accepted_by = line_of("accepted_by", &file.accepted_by);
    let approved_on = diagnostics.check(at("approved_on"), &file.approved_on, day);
    let expires = diagnostics.check(at("expires"), &file.expires, |text| match day(text)? {
        expires if approved_on.is_some_and(|approved| approved > expires) => {
            Err("before approved_on, so it never applied; correct one of the two")
        }
        expires => Ok(expires),
    })?;
    let (controls, recommendations) = (controls?, recommendations?);
    let text = |pattern: &Option<Pattern>| Some(Arc::clone(pattern.as_ref()?.text()));
    Some(ApprovedException {
        exception: Arc::new(Exception {
            place: path.into(),
            control: text(&controls),
            recommendation: text(&recommendations),
            tenants: tenants?,
            reference: reference?,
            approver,
            reason,
            approved_on: approved_on.map(start_of_day),
            accepted_by,
            expires: start_of_day(expires.tomorrow().unwrap_or(expires)),
        }),
        controls,
        recommendations,
    })
}

/// Empty for all tenants.
fn tenants(
    path: &str,
    tenants: Option<Spanned<OneOrMany>>,
    aliases: &Aliases,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Arc<str>>> {
    let Some(Spanned { value, span }) = tenants else {
        return Some(Vec::new());
    };
    let names = match value {
        OneOrMany::One(name) if name.trim() == ALL => return Some(Vec::new()),
        OneOrMany::One(name) => vec![Text::new(name, span)],
        OneOrMany::Many(names) => names,
    };
    if names.is_empty() {
        let message =
            "the list is empty, which approves nothing; name tenants, or omit the key for all";
        diagnostics.error(span, path, message);
        return None;
    }
    let resolved = names
        .iter()
        .map(|name| diagnostics.check(path, name, |name| tenant(name, aliases)));
    let resolved: Vec<_> = resolved.collect();
    resolved.into_iter().collect()
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
