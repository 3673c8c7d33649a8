//! The samples of a tenant's names and health.

use super::lines::Lines;
use super::view::HealthView;
use secure_score_model::{Api, Code, Reason, RefreshHealth};

fn for_each_api(
    view: &HealthView<'_>,
    lines: &mut Lines<'_>,
    value: impl Fn(&RefreshHealth) -> Option<f64>,
) {
    for api in Api::ALL {
        lines.sample_if(&[api.as_str()], value(view.health.of(api)));
    }
}

pub(super) fn tenant_info(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    let identity = view.identity;
    let id = identity.entra_tenant_id.as_deref().unwrap_or_default();
    lines.sample(&[id, identity.cloud, &identity.display_name], 1.0);
}

pub(super) fn up(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    for_each_api(view, lines, |health| Some(f64::from(u8::from(health.up))));
}

pub(super) fn last_success(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    for_each_api(view, lines, |health| {
        health.last_success.map(|at| at.as_seconds())
    });
}

pub(super) fn next_refresh(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    for_each_api(view, lines, |health| {
        health.next_refresh.map(|at| at.as_seconds())
    });
}

pub(super) fn refreshes(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    for_each_api(view, lines, |health| Some(health.refreshes as f64));
}

pub(super) fn failures(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    for api in Api::ALL {
        let failures = &view.health.of(api).failures;
        for reason in Reason::ALL {
            let count = failures.get(&reason).copied().unwrap_or(0);
            lines.sample(&[api.as_str(), reason.as_str()], count as f64);
        }
    }
}

pub(super) fn graph_requests(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    for ((api, code), count) in &view.health.traffic.graph {
        let status;
        let code = match code {
            Code::Status(number) => {
                status = number.to_string();
                status.as_str()
            }
            Code::NoAnswer => "none",
        };
        lines.sample(&[api.as_str(), code], *count as f64);
    }
}

pub(super) fn throttled(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    lines.sample(&[], view.health.traffic.throttled as f64);
}

pub(super) fn token_requests(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    let traffic = &view.health.traffic;
    lines.sample(&["success"], traffic.tokens as f64);
    lines.sample(&["failure"], traffic.token_failures as f64);
}

pub(super) fn credential_expiry(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    let expiry = view.identity.credential_expires;
    lines.sample_if(&[], expiry.map(|at| at.as_seconds()));
}

pub(super) fn target(view: &HealthView<'_>, lines: &mut Lines<'_>) {
    lines.sample_if(&[], view.identity.target);
}
