//! The acceptances somebody approved, each until a day.

use std::fmt;
use std::sync::Arc;
use strict_yaml::{Diagnostics, Span, Spanned, Text, suggest, unknown_keys};

use jiff::civil::Date;

use super::day::{beginning, day};
use super::file::{FileException, OneOrMany};
use super::pattern::{BadPattern, Pattern};
use secure_score_model::Exception;

/// Stands for every tenant.
const ALL: &str = "all";

/// What is shown in a label and a table cell: more would be cut there.
const LONGEST_TEXT: usize = 128;

/// Approved acceptances, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exceptions(Vec<Approved>);

/// One of them, and which controls it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Approved {
    pub(super) controls: Pattern,
    pub(super) exception: Arc<Exception>,
}

impl Exceptions {
    /// Exceptions made elsewhere; each names its controls by its pattern.
    pub fn of(exceptions: Vec<Exception>) -> Result<Self, BadPattern> {
        let approved = exceptions.into_iter().map(|exception| {
            Ok(Approved {
                controls: Pattern::new(&exception.control)?,
                exception: Arc::new(exception),
            })
        });
        Ok(Self(approved.collect::<Result<_, _>>()?))
    }

    /// Those of one tenant.
    pub(super) fn of_tenant(&self, alias: &str) -> Vec<Approved> {
        let concerns = |approved: &&Approved| {
            let tenants = &approved.exception.tenants;
            tenants.is_empty() || tenants.iter().any(|tenant| **tenant == *alias)
        };
        self.0.iter().filter(concerns).cloned().collect()
    }
}

/// Resolves the list; `tenants` are the aliases as written, good or bad.
pub(super) fn resolve(
    files: Vec<Spanned<FileException>>,
    tenants: &[String],
    diagnostics: &mut Diagnostics,
) -> Exceptions {
    let numbered = files.into_iter().enumerate();
    let resolved = numbered.filter_map(|(index, file)| {
        let entry = Entry {
            at: format!("risk_accepted.exceptions[{index}]"),
            span: file.span,
        };
        entry.resolve(file.value, tenants, diagnostics)
    });
    Exceptions(resolved.collect())
}

/// An entry of the list: where it is.
struct Entry {
    at: String,
    span: Span,
}

impl Entry {
    fn resolve(
        self,
        file: FileException,
        tenants: &[String],
        diagnostics: &mut Diagnostics,
    ) -> Option<Approved> {
        unknown_keys(&self.at, &file.unknown, FileException::KEYS, diagnostics);
        let controls = self.controls(file.control.as_ref(), diagnostics);
        let tenants = self.tenants(file.tenants, tenants, diagnostics);
        let reference = self.reference(file.reference.as_ref(), diagnostics);
        let approver = self.words("approver", file.approver.as_ref(), diagnostics);
        let reason = self.words("reason", file.reason.as_ref(), diagnostics);
        let accepted_by = self.words("accepted_by", file.accepted_by.as_ref(), diagnostics);
        let approved_on = file.approved_on.as_ref();
        let approved_on = approved_on.and_then(|text| self.date("approved_on", text, diagnostics));
        let expires = self.expiry(file.expires.as_ref(), approved_on, diagnostics);
        let (controls, expires) = (controls?, expires?);
        Some(Approved {
            exception: Arc::new(Exception {
                place: self.at.into(),
                control: file.control?.value.trim().into(),
                tenants: tenants?,
                reference: reference?,
                approver,
                reason,
                approved_on: approved_on.map(beginning),
                accepted_by,
                expires: beginning(expires.tomorrow().unwrap_or(expires)),
            }),
            controls,
        })
    }

    fn controls(&self, text: Option<&Text>, diagnostics: &mut Diagnostics) -> Option<Pattern> {
        let remedy = "missing; name the control whose risk may be accepted, or a pattern of ids";
        let text = self.required("control", text, remedy, diagnostics)?;
        match Pattern::new(text.value.trim()) {
            Ok(pattern) => Some(pattern),
            Err(bad) => {
                self.fault(text.span, "control", bad, diagnostics);
                None
            }
        }
    }

    /// Empty for all tenants.
    fn tenants(
        &self,
        written: Option<Spanned<OneOrMany>>,
        known: &[String],
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<Arc<str>>> {
        let Some(written) = written else {
            return Some(Vec::new());
        };
        let names = match written.value {
            OneOrMany::One(word) if word.trim() == ALL => return Some(Vec::new()),
            OneOrMany::One(name) => vec![Text::new(name, written.span)],
            OneOrMany::Many(names) => names,
        };
        if names.is_empty() {
            let message = "the list is empty, so nothing would be approved; name tenants, or leave the key out for all";
            self.fault(written.span, "tenants", message, diagnostics);
            return None;
        }
        let resolved = names
            .iter()
            .map(|name| self.tenant(name, known, diagnostics));
        resolved.collect::<Vec<_>>().into_iter().collect()
    }

    fn tenant(
        &self,
        name: &Text,
        known: &[String],
        diagnostics: &mut Diagnostics,
    ) -> Option<Arc<str>> {
        let alias = name.value.trim();
        if known.iter().any(|tenant| tenant == alias) {
            return Some(alias.into());
        }
        let message = match suggest::nearest(alias, known.iter().map(String::as_str)) {
            Some(near) => format!("no tenant has this name; did you mean `{near}`?"),
            None => "no tenant has this name; use the `name` of one, or `all`".to_owned(),
        };
        self.fault(name.span, "tenants", message, diagnostics);
        None
    }

    fn reference(&self, text: Option<&Text>, diagnostics: &mut Diagnostics) -> Option<Arc<str>> {
        let remedy = "missing; name the ticket or decision, so that it can be looked up";
        let text = self.required("reference", text, remedy, diagnostics)?;
        self.words("reference", Some(text), diagnostics)
    }

    /// Words for a person to read.
    fn words(
        &self,
        key: &str,
        text: Option<&Text>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Arc<str>> {
        let text = text?;
        let words = text.value.trim();
        let message = if words.is_empty() {
            "empty; write something or leave the key out"
        } else if words.contains(char::is_control) {
            "holds a control character or a line break; write one plain line"
        } else if words.len() > LONGEST_TEXT {
            "longer than 128 bytes; shorten it, and keep the rest where the reference leads"
        } else {
            return Some(words.into());
        };
        self.fault(text.span, key, message, diagnostics);
        None
    }

    fn expiry(
        &self,
        text: Option<&Text>,
        approved_on: Option<Date>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Date> {
        let remedy = "missing; write its last day, such as 2027-03-31: an exception that never ends is a rule";
        let text = self.required("expires", text, remedy, diagnostics)?;
        let day = self.date("expires", text, diagnostics)?;
        if approved_on.is_some_and(|approved| approved > day) {
            let message = "before approved_on, so it never held; correct one of the two";
            self.fault(text.span, "expires", message, diagnostics);
        }
        Some(day)
    }

    fn date(&self, key: &str, text: &Text, diagnostics: &mut Diagnostics) -> Option<Date> {
        day(format_args!("{}.{key}", self.at), text, diagnostics)
    }

    fn required<'a>(
        &self,
        key: &str,
        text: Option<&'a Text>,
        remedy: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'a Text> {
        if text.is_none() {
            self.fault(self.span, key, remedy, diagnostics);
        }
        text
    }

    fn fault(
        &self,
        span: Span,
        key: &str,
        message: impl fmt::Display,
        diagnostics: &mut Diagnostics,
    ) {
        diagnostics.error(span, format_args!("{}.{key}", self.at), message.to_string());
    }
}
