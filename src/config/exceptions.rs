//! Approved acceptances, each with a last day.

use std::sync::Arc;
use strict_yaml::{Diagnostics, Span, Spanned, Text, suggest};

use jiff::civil::Date;

use super::file::{FileException, OneOrMany};
use super::pattern::{BadPattern, Pattern};
use crate::config_values::day::{day, start_of_day};
use secure_score_model::Exception;

/// Stands for every tenant.
const ALL: &str = "all";

/// In bytes; labels and table cells are cut at this length.
const LONGEST_TEXT: usize = 128;

/// Approved acceptances, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exceptions(Vec<ApprovedException>);

/// An exception with the parsed pattern of its controls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApprovedException {
    pub(super) controls: Pattern,
    pub(super) exception: Arc<Exception>,
}

impl Exceptions {
    /// Exceptions that do not come from a file.
    pub fn of(exceptions: Vec<Exception>) -> Result<Self, BadPattern> {
        let approved = exceptions.into_iter().map(|exception| {
            Ok(ApprovedException {
                controls: Pattern::new(&exception.control)?,
                exception: Arc::new(exception),
            })
        });
        Ok(Self(approved.collect::<Result<_, _>>()?))
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

/// Resolves the list; `tenants` are the aliases as written, including invalid
/// ones.
pub(super) fn resolve(
    files: Vec<Spanned<FileException>>,
    tenants: &[String],
    diagnostics: &mut Diagnostics,
) -> Exceptions {
    let numbered = files.into_iter().enumerate();
    let resolved = numbered.filter_map(|(index, file)| {
        let mut resolver = Resolver {
            path: format!("risk_accepted.exceptions[{index}]"),
            span: file.span,
            aliases: tenants,
            diagnostics,
        };
        resolver.resolve(file.value)
    });
    Exceptions(resolved.collect())
}

/// Resolves one exception.
struct Resolver<'a> {
    path: String,
    span: Span,
    aliases: &'a [String],
    diagnostics: &'a mut Diagnostics,
}

impl Resolver<'_> {
    fn resolve(&mut self, file: FileException) -> Option<ApprovedException> {
        file.report_unknown_keys(&self.path, self.diagnostics);
        let controls = self.controls(file.control.as_ref());
        let tenants = self.tenants(file.tenants);
        let reference = self.reference(file.reference.as_ref());
        let approver = self.line("approver", file.approver.as_ref());
        let reason = self.line("reason", file.reason.as_ref());
        let accepted_by = self.line("accepted_by", file.accepted_by.as_ref());
        let approved_on = self.date("approved_on", file.approved_on.as_ref());
        let expires = self.expiry(file.expires.as_ref(), approved_on);
        let (controls, expires) = (controls?, expires?);
        Some(ApprovedException {
            exception: Arc::new(Exception {
                place: self.path.as_str().into(),
                control: file.control?.value.trim().into(),
                tenants: tenants?,
                reference: reference?,
                approver,
                reason,
                approved_on: approved_on.map(start_of_day),
                accepted_by,
                expires: start_of_day(expires.tomorrow().unwrap_or(expires)),
            }),
            controls,
        })
    }

    fn controls(&mut self, text: Option<&Text>) -> Option<Pattern> {
        let message = "missing; name the control whose risk may be accepted, or a pattern of ids";
        let text = self.required("control", text, message)?;
        match Pattern::new(text.value.trim()) {
            Ok(pattern) => Some(pattern),
            Err(error) => self.error(text.span, "control", &error.to_string()),
        }
    }

    /// Empty for all tenants.
    fn tenants(&mut self, tenants: Option<Spanned<OneOrMany>>) -> Option<Vec<Arc<str>>> {
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
            return self.error(span, "tenants", message);
        }
        let resolved: Vec<_> = names.iter().map(|name| self.tenant(name)).collect();
        resolved.into_iter().collect()
    }

    fn tenant(&mut self, name: &Text) -> Option<Arc<str>> {
        let alias = name.value.trim();
        if self.aliases.iter().any(|known| known == alias) {
            return Some(alias.into());
        }
        let known = self.aliases.iter().map(String::as_str);
        let message = match suggest::nearest(alias, known) {
            Some(near) => format!("no tenant has this name; did you mean `{near}`?"),
            None => "no tenant has this name; use the `name` of one, or `all`".to_owned(),
        };
        self.error(name.span, "tenants", &message)
    }

    fn reference(&mut self, text: Option<&Text>) -> Option<Arc<str>> {
        let message = "missing; name the ticket or decision, so that it can be looked up";
        let text = self.required("reference", text, message)?;
        self.line("reference", Some(text))
    }

    fn line(&mut self, key: &str, text: Option<&Text>) -> Option<Arc<str>> {
        let text = text?;
        let line = text.value.trim();
        let message = if line.is_empty() {
            "empty; write a text or omit the key"
        } else if line.contains(char::is_control) {
            "contains a control character or a line break; write one line"
        } else if line.len() > LONGEST_TEXT {
            "longer than 128 bytes; shorten it, and keep the details at the reference"
        } else {
            return Some(line.into());
        };
        self.error(text.span, key, message)
    }

    fn expiry(&mut self, text: Option<&Text>, approved_on: Option<Date>) -> Option<Date> {
        let message = "missing; every exception has a last day, such as 2027-03-31";
        let text = self.required("expires", text, message)?;
        let day = self.date("expires", Some(text))?;
        if approved_on.is_some_and(|approved| approved > day) {
            let message = "before approved_on, so it never applied; correct one of the two";
            return self.error(text.span, "expires", message);
        }
        Some(day)
    }

    fn date(&mut self, key: &str, text: Option<&Text>) -> Option<Date> {
        day(format_args!("{}.{key}", self.path), text?, self.diagnostics)
    }

    fn required<'t>(
        &mut self,
        key: &str,
        text: Option<&'t Text>,
        message: &str,
    ) -> Option<&'t Text> {
        match text {
            Some(text) => Some(text),
            None => self.error(self.span, key, message),
        }
    }

    fn error<T>(&mut self, span: Span, key: &str, message: &str) -> Option<T> {
        let path = format_args!("{}.{key}", self.path);
        self.diagnostics.error(span, path, message);
        None
    }
}
