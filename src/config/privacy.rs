//! Where persons and comments appear.

use super::choices::{AcceptedBy, Choice as _, CommentLabel, EventDetail, PageAudience};
use super::file::{FileLabels, FilePrivacy};
use crate::config_values::{Secret, secret_from_file};
use strict_yaml::{Diagnostics, Span, Text};

/// A shorter salt can be guessed together with the few names it hides.
const SHORTEST_SALT: usize = 16;

const SALT_FILE: &str = "labels.salt_file";

/// What may appear in labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LabelPolicy {
    /// The person who accepted.
    pub accepted_by: AcceptedBy,
    /// Whether the comment appears.
    pub comment: bool,
}

/// What may appear everywhere but in labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrivacyPolicy {
    /// Persons and comments in the log, the webhook, the API and on pages.
    pub events: EventDetail,
    /// The clients of API and pages that see them.
    pub pages: PageAudience,
}

/// What may appear in labels and everywhere else, and the salt of both.
pub(super) fn resolve(
    labels: FileLabels,
    privacy: FilePrivacy,
    diagnostics: &mut Diagnostics,
) -> (LabelPolicy, PrivacyPolicy, Option<Secret>) {
    labels.report_unknown_keys("labels", diagnostics);
    privacy.report_unknown_keys("privacy", diagnostics);
    let accepted_by = diagnostics
        .check("labels.accepted_by", &labels.accepted_by, AcceptedBy::parse)
        .unwrap_or_default();
    let events = diagnostics
        .check("privacy.events", &privacy.events, EventDetail::parse)
        .unwrap_or_default();
    let pages = diagnostics
        .check("privacy.pages", &privacy.pages, PageAudience::parse)
        .unwrap_or_default();
    let comment = diagnostics.check("labels.comment", &labels.comment, CommentLabel::parse);
    let hashed = match (accepted_by, events) {
        (AcceptedBy::Hash, _) => Some(("labels.accepted_by", labels.accepted_by)),
        (_, EventDetail::Hash) => Some(("privacy.events", privacy.events)),
        _ => None,
    };
    let salt = salt(labels.salt_file.as_ref(), hashed, diagnostics);
    let comment = comment == Some(CommentLabel::Plain);
    let labels = LabelPolicy {
        accepted_by,
        comment,
    };
    (labels, PrivacyPolicy { events, pages }, salt)
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
            _ => SALT_FILE,
        };
        let fix = format!("run `openssl rand -base64 32 > salt` and set {key}");
        diagnostics.error(span, path, format!("hash needs a salt; {fix}"));
        return None;
    };
    let salt = secret_from_file(SALT_FILE, file, diagnostics)?;
    if salt.len() < SHORTEST_SALT {
        let message = "the salt is shorter than 16 bytes; run `openssl rand -base64 32 > salt`";
        diagnostics.error(file.span, SALT_FILE, message);
    }
    if hashed.is_none() {
        let message = "nothing is hashed, so the salt is not used";
        diagnostics.warn(file.span, SALT_FILE, message);
    }
    Some(salt)
}
