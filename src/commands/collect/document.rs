//! The JSON document.

use super::View;
use crate::acceptances::control_record::ControlRecord;
use crate::acceptances::record::TenantRecord;
use crate::commands::{Failure, privacy};
use crate::serde_time::Rfc3339;
use anyhow::Context as _;
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    generated_at: Rfc3339,
    tenants: Vec<Tenant<'a>>,
}

/// A tenant as in the API, with its controls.
#[derive(Serialize)]
struct Tenant<'a> {
    #[serde(flatten)]
    tenant: TenantRecord<'a>,
    control_records: Vec<ControlRecord<'a>>,
}

pub(super) fn render(view: &View<'_>) -> Result<Vec<u8>, Failure> {
    let persons = privacy::in_events(view.config);
    let tenants = view.tenants.states.iter().map(|state| Tenant {
        tenant: TenantRecord::new(state, view.now),
        control_records: view
            .controls(state)
            .map(|it| ControlRecord::new(it, view.lookback(), &persons, view.now))
            .collect(),
    });
    let document = Document {
        generated_at: Rfc3339(view.now),
        tenants: tenants.collect(),
    };
    let mut bytes =
        serde_json::to_vec_pretty(&document).context("the JSON cannot be serialised")?;
    bytes.push(b'\n');
    Ok(bytes)
}
