//! The customers as JSON.

use super::consent::Consent;
use super::coverage::{Row, State};
use crate::commands::Failure;
use crate::serde_time::Rfc3339;
use anyhow::Context as _;
use secure_score_model::Timestamp;
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    generated_at: Rfc3339,
    customers: Vec<Customer<'a>>,
}

#[derive(Serialize)]
struct Customer<'a> {
    /// Null for a configured tenant that is in no list.
    partner: Option<&'a str>,
    entra_tenant_id: &'a str,
    display_name: &'a str,
    state: &'static str,
    /// Its alias in the configuration or the file.
    tenant: Option<&'a str>,
    /// The alias that `--write` gives.
    proposed_tenant: Option<&'a str>,
    /// Null where no token was requested.
    consent: Option<&'static str>,
    /// Why the consent is unknown.
    consent_error: Option<&'a str>,
    consent_url: Option<&'a str>,
    relationship_end: Option<Rfc3339>,
    relationship_extends: Option<bool>,
}

/// The document.
pub(super) fn render(rows: &[Row], now: Timestamp) -> Result<Vec<u8>, Failure> {
    let document = Document {
        generated_at: Rfc3339(now),
        customers: rows.iter().map(Customer::from).collect(),
    };
    let mut bytes =
        serde_json::to_vec_pretty(&document).context("the JSON cannot be serialised")?;
    bytes.push(b'\n');
    Ok(bytes)
}

impl<'a> From<&'a Row> for Customer<'a> {
    fn from(row: &'a Row) -> Self {
        let alias = row.alias.as_deref();
        let is_proposed = row.state == State::Unwatched && !row.is_listed;
        let consent = Some(row.consent.word());
        Self {
            partner: Some(row.partner.as_str()).filter(|name| !name.is_empty()),
            entra_tenant_id: &row.entra_tenant_id,
            display_name: &row.display_name,
            state: row.state.word(),
            tenant: alias.filter(|_| !is_proposed),
            proposed_tenant: alias.filter(|_| is_proposed),
            consent: consent.filter(|word| !word.is_empty()),
            consent_error: match &row.consent {
                Consent::Unknown(trouble) => Some(&trouble.message),
                _ => None,
            },
            consent_url: row.consent_url.as_deref(),
            relationship_end: row.relationship.map(|it| Rfc3339(it.ends)),
            relationship_extends: row.relationship.map(|it| it.extends),
        }
    }
}
