//! The samples of a tenant's names and health.

use super::family::Samples;
use super::view::HealthView;
use secure_score_model::{Api, Code, Reason, RefreshHealth};

fn for_each_api(
    view: &HealthView<'_>,
    samples: &mut Samples<'_>,
    value: impl Fn(&RefreshHealth) -> Option<f64>,
) {
    for api in Api::ALL {
        samples.add_some(&[api.as_str()], value(view.health.of(api)));
    }
}

pub(super) fn tenant_info(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    let identity = view.identity;
    let id = identity.entra_tenant_id.as_deref().unwrap_or_default();
    samples.add(&[id, identity.cloud, &identity.display_name], 1.0);
}

pub(super) fn up(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    for_each_api(view, samples, |health| Some(f64::from(u8::from(health.up))));
}

pub(super) fn last_success(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    for_each_api(view, samples, |health| {
        health.last_success.map(|at| at.as_seconds())
    });
}

pub(super) fn next_refresh(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    for_each_api(view, samples, |health| {
        health.next_refresh.map(|at| at.as_seconds())
    });
}

pub(super) fn refreshes(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    for_each_api(view, samples, |health| Some(health.refreshes as f64));
}

pub(super) fn failures(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    for api in Api::ALL {
        let failures = &view.health.of(api).failures;
        for reason in Reason::ALL {
            let count = failures.get(&reason).copied().unwrap_or(0);
            samples.add(&[api.as_str(), reason.as_str()], count as f64);
        }
    }
}

pub(super) fn graph_requests(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    for ((api, code), count) in &view.health.traffic.graph {
        let status;
        let code = match code {
            Code::Status(number) => {
                status = number.to_string();
                status.as_str()
            }
            Code::NoAnswer => "none",
        };
        samples.add(&[api.as_str(), code], *count as f64);
    }
}

pub(super) fn throttled(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    samples.add(&[], view.health.traffic.throttled as f64);
}

pub(super) fn token_requests(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    let traffic = &view.health.traffic;
    samples.add(&["success"], traffic.tokens as f64);
    samples.add(&["failure"], traffic.token_failures as f64);
}

pub(super) fn credential_expiry(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    let expiry = view.identity.credential_expires;
    samples.add_some(&[], expiry.map(|at| at.as_seconds()));
}

pub(super) fn target(view: &HealthView<'_>, samples: &mut Samples<'_>) {
    samples.add_some(&[], view.identity.target);
}
