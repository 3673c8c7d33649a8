//! How much of who and why is shown, and where.

use super::file::{FileLabels, FilePrivacy};
use super::secret::Secret;
use super::secret_source;
use strict_yaml::{Diagnostics, Span, Text, suggest, unknown_keys};

/// A shorter salt can be guessed together with the few names it hides.
const SHORTEST_SALT: usize = 16;

/// The person who accepted, as a label.
///
/// Off by default: whoever can reach `/metrics` or Prometheus reads all labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcceptedBy {
    /// Not at all.
    #[default]
    Off,
    /// As a salted hash: the same person is the same word.
    Hash,
    /// As Graph gives it.
    Plain,
}

/// What may appear in labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LabelPolicy {
    /// The person.
    pub accepted_by: AcceptedBy,
    /// Whether the comment does.
    pub comment: bool,
}

/// Who and why in the API, on the pages and in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventDetail {
    /// As Graph gives them.
    #[default]
    Full,
    /// The person as a salted hash, no comment.
    Hash,
    /// Neither.
    Off,
}

/// The three answers that depend on one another.
#[derive(Debug, Clone, Default)]
pub(super) struct Privacy {
    pub(super) labels: LabelPolicy,
    pub(super) events: EventDetail,
    pub(super) salt: Option<Secret>,
}

pub(super) fn resolve(
    labels: FileLabels,
    privacy: FilePrivacy,
    diagnostics: &mut Diagnostics,
) -> Privacy {
    unknown_keys("labels", &labels.unknown, FileLabels::KEYS, diagnostics);
    unknown_keys("privacy", &privacy.unknown, FilePrivacy::KEYS, diagnostics);
    let accepted_by = accepted_by(labels.accepted_by.as_ref(), diagnostics);
    let events = events(privacy.events.as_ref(), diagnostics);
    let hashed = [
        (accepted_by == AcceptedBy::Hash).then_some(("labels.accepted_by", &labels.accepted_by)),
        (events == EventDetail::Hash).then_some(("privacy.events", &privacy.events)),
    ];
    let first_hashed = hashed.into_iter().flatten().next();
    Privacy {
        labels: LabelPolicy {
            accepted_by,
            comment: comment(labels.comment.as_ref(), diagnostics),
        },
        events,
        salt: salt(labels.salt_file.as_ref(), first_hashed, diagnostics),
    }
}

/// The word, where YAML's other spelling of `off` counts as `off`.
fn switch(text: &Text) -> &str {
    match text.value.trim() {
        word if word.eq_ignore_ascii_case("false") || word.eq_ignore_ascii_case("off") => "off",
        word => word,
    }
}

fn accepted_by(text: Option<&Text>, diagnostics: &mut Diagnostics) -> AcceptedBy {
    let words = [
        ("off", AcceptedBy::Off),
        ("hash", AcceptedBy::Hash),
        ("plain", AcceptedBy::Plain),
    ];
    choose("labels.accepted_by", text, &words, diagnostics)
}

fn comment(text: Option<&Text>, diagnostics: &mut Diagnostics) -> bool {
    choose(
        "labels.comment",
        text,
        &[("off", false), ("plain", true)],
        diagnostics,
    )
}

fn events(text: Option<&Text>, diagnostics: &mut Diagnostics) -> EventDetail {
    let words = [
        ("full", EventDetail::Full),
        ("hash", EventDetail::Hash),
        ("off", EventDetail::Off),
    ];
    choose("privacy.events", text, &words, diagnostics)
}

/// The value of the word that was written, or the default.
fn choose<T: Copy + Default>(
    path: &str,
    text: Option<&Text>,
    words: &[(&str, T)],
    diagnostics: &mut Diagnostics,
) -> T {
    let Some(text) = text else {
        return T::default();
    };
    let written = switch(text);
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == written) {
        return *value;
    }
    let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    diagnostics.error(text.span, path, suggest::unknown("choice", written, &known));
    T::default()
}

fn salt(
    file: Option<&Text>,
    hashed: Option<(&str, &Option<Text>)>,
    diagnostics: &mut Diagnostics,
) -> Option<Secret> {
    let Some(file) = file else {
        if let Some((path, word)) = hashed {
            let span = word.as_ref().map_or(Span::Nowhere, |word| word.span);
            let key = match span {
                Span::Variable(_) => "SECURE_SCORE_SALT_FILE",
                _ => "labels.salt_file",
            };
            let remedy = format!("run `openssl rand -base64 32 > salt` and set {key}");
            diagnostics.error(span, path, format!("hash needs a salt; {remedy}"));
        }
        return None;
    };
    let salt = secret_source::from_file("labels.salt_file", file, diagnostics)?;
    if salt.len() < SHORTEST_SALT {
        diagnostics.error(
            file.span,
            "labels.salt_file",
            "the salt is shorter than 16 bytes; run `openssl rand -base64 32 > salt`",
        );
    }
    if hashed.is_none() {
        diagnostics.warn(
            file.span,
            "labels.salt_file",
            "nothing is hashed, so the salt is not used",
        );
    }
    Some(salt)
}
