//! Whether the tenant has what a decision names.

use crate::commands::Failure;
use crate::config::Pattern;
use crate::decision_file::NewDecision;
use crate::diagnostics;
use crate::store::TenantState;
use anyhow::anyhow;
use secure_score_model::Api;
use strict_yaml::suggest;

/// Refuses a decision that names nothing on its tenant, unless `allow_unknown`. Warns
/// where it is not known what the tenant has, with the reason.
pub(super) fn check(
    new: &NewDecision,
    state: Option<&TenantState>,
    allow_unknown: bool,
) -> Result<(), Failure> {
    let NewDecision {
        tenant, subject, ..
    } = new;
    let (kind, kinds, list) = match new.is_recommendation {
        true => ("recommendation", "recommendations", Api::Recommendations),
        false => ("control", "controls", Api::Profiles),
    };
    let Some(known) = state.and_then(|state| known(new, state)) else {
        diagnostics::warning_of_unknown(
            format_args!(
                "the {kinds} of {tenant} are not known here, so it is not checked whether {subject} is one"
            ),
            state.and_then(|state| state.health.of(list).trouble.as_ref()),
        );
        return Ok(());
    };
    let is_known = match Pattern::new(subject) {
        Ok(pattern) => known.iter().any(|name| pattern.matches(name)),
        Err(_) => false,
    };
    if is_known {
        return Ok(());
    }
    let problem = format!("{tenant} has no {kind} {subject}");
    if allow_unknown {
        diagnostics::warning(format_args!("{problem} now"));
        return Ok(());
    }
    let hint = match suggest::nearest(subject, known.iter().copied()) {
        Some(near) => format!("did you mean {near}? --allow-unknown writes it all the same"),
        None => format!(
            "take the {kind} from the page /acceptances or /tenants/{tenant}; --allow-unknown writes it all the same"
        ),
    };
    Err(Failure::with_hint(anyhow!(problem), hint))
}

/// The names that the decision may have; `None` where they are not known.
pub(super) fn known<'a>(new: &NewDecision, state: &'a TenantState) -> Option<Vec<&'a str>> {
    let snapshot = &state.snapshot;
    Some(match new.is_recommendation {
        true => {
            snapshot.recommendation_anomalies.as_ref()?;
            let all = snapshot.recommendations.iter();
            all.map(|it| &*it.entry.name).collect()
        }
        false => {
            snapshot.catalogue_anomalies.as_ref()?;
            snapshot.controls.iter().map(|it| &*it.id).collect()
        }
    })
}
