//! Where persons and comments appear.

use super::choices::{AcceptedBy, CommentLabel, EventDetail, choose};
use super::file::{FileLabels, FilePrivacy};
use crate::config_values::{Secret, secret_source};
use strict_yaml::{Diagnostics, Span, Text};

/// A shorter salt can be guessed together with the few names it hides.
const SHORTEST_SALT: usize = 16;

/// What may appear in labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LabelPolicy {
    /// The person who accepted.
    pub accepted_by: AcceptedBy,
    /// Whether the comment appears.
    pub comment: bool,
}

/// The settings that share the salt.
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
    labels.report_unknown_keys("labels", diagnostics);
    privacy.report_unknown_keys("privacy", diagnostics);
    let accepted_by = choose("labels.accepted_by", &labels.accepted_by, diagnostics);
    let events = choose("privacy.events", &privacy.events, diagnostics);
    let comment: CommentLabel = choose("labels.comment", &labels.comment, diagnostics);
    let hashed = match (accepted_by, events) {
        (AcceptedBy::Hash, _) => Some(("labels.accepted_by", labels.accepted_by)),
        (_, EventDetail::Hash) => Some(("privacy.events", privacy.events)),
        _ => None,
    };
    Privacy {
        labels: LabelPolicy {
            accepted_by,
            comment: comment == CommentLabel::Plain,
        },
        events,
        salt: salt(labels.salt_file.as_ref(), hashed, diagnostics),
    }
}

/// `hashed` is the first key that needs the salt.
fn salt(
    file: Option<&Text>,
    hashed: Option<(&str, Option<Text>)>,
    diagnostics: &mut Diagnostics,
) -> Option<Secret> {
    let Some(file) = file else {
        let (path, text) = hashed?;
        let span = text.map_or(Span::Nowhere, |text| text.span);
        let key = match span {
            Span::Variable(_) => "SECURE_SCORE_SALT_FILE",
            _ => "labels.salt_file",
        };
        let fix = format!("run `openssl rand -base64 32 > salt` and set {key}");
        diagnostics.error(span, path, format!("hash needs a salt; {fix}"));
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
