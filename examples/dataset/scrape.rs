//! What Prometheus would have stored of a scrape.

use crate::dice::roll_at;
use crate::partner::{CUSTOMERS, PARTNER};
use crate::replica::Replica;
use crate::story::is_down;
use crate::tenant::Tenant;
use crate::{DATA, DAY, HOUR};
use secure_score_exposition::{
    Chunk, FamilyHeaders, Format, PartnerBlocks, Policy, assemble, render_data, render_health,
    render_partner,
};
use secure_score_model::{ControlState, CustomerState, Timestamp};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

const JOB: &str = "secure-score";

/// Writes all samples of one replica at one moment.
pub(crate) fn write(
    out: &mut impl Write,
    replica: &mut Replica,
    tenants: &[Tenant],
    now: i64,
) -> io::Result<()> {
    let target = format!("instance=\"{}\",job=\"{JOB}\"", replica.instance);
    let up = f64::from(u8::from(replica.up));
    writeln!(out, "up{{{target}}} {up} {now}")?;
    if !replica.up {
        return Ok(());
    }
    let mut samples = 0_u32;
    for line in exposition(replica, tenants, now).lines() {
        // The metrics of this process are not those of the exporter.
        if line.starts_with('#') || line.starts_with("process_") {
            continue;
        }
        samples += 1;
        writeln!(out, "{} {now}", with_target(line, &target))?;
    }
    for (name, value) in replica.process(now) {
        samples += 1;
        writeln!(out, "{name}{{{target}}} {value} {now}")?;
    }
    if now % DATA == 0 {
        replica.samples = samples;
    }
    let samples = replica.samples;
    let took = 0.009 + f64::from(samples) * 1e-6 + roll_at(&[replica.instance], now) as f64 * 2e-5;
    writeln!(out, "scrape_samples_scraped{{{target}}} {samples} {now}")?;
    writeln!(out, "scrape_duration_seconds{{{target}}} {took:.5} {now}")
}

/// Scores and controls only now and then, lest the file become gigabytes.
fn exposition(replica: &Replica, tenants: &[Tenant], now: i64) -> String {
    let policy = policy();
    let chunks: Vec<(Chunk, Chunk)> = tenants
        .iter()
        .zip(&replica.health)
        .enumerate()
        .map(|(number, (tenant, health))| {
            let shown = now % DATA == 0 && replica.shows(number, now);
            let data = shown.then(|| {
                let snapshot = tenant.snapshot(now, now - replica.behind);
                render_data(&tenant.identity, &snapshot, &policy)
            });
            (
                data.unwrap_or_default(),
                render_health(&tenant.identity, health, policy.series),
            )
        })
        .collect();
    let parts = assemble(
        &FamilyHeaders::default(),
        Format::OpenMetrics,
        chunks
            .iter()
            .map(|(data, health_lines)| (data, health_lines)),
    );
    let mut bytes = parts.concat();
    let partner = render_partner(replica.partner.snapshot());
    let partners = PartnerBlocks::of(std::iter::once(&partner));
    bytes.extend(partners.in_format(Format::OpenMetrics).parts().concat());
    bytes.extend(replica.telemetry.encode(Format::OpenMetrics));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Persons are generated, so everything is exported.
fn policy() -> Policy {
    Policy {
        lookback: NonZeroUsize::MIN.saturating_add(2),
        accepted_by: Some(Arc::new(str::to_owned)),
        comment: true,
        ..Policy::default()
    }
}

/// The labels a scrape adds, before those that are there.
fn with_target(line: &str, target: &str) -> String {
    match line.find(['{', ' ']).map(|at| line.split_at(at)) {
        Some((name, rest)) if rest.starts_with('{') => {
            let labels = rest.strip_prefix('{').unwrap_or(rest);
            format!("{name}{{{target},{labels}")
        }
        Some((name, rest)) => format!("{name}{{{target}}}{rest}"),
        None => line.to_owned(),
    }
}

/// What the shipped rules would have fired.
pub(crate) fn alerts(out: &mut impl Write, tenants: &[Tenant], now: i64) -> io::Result<()> {
    if now % HOUR != 0 {
        return Ok(());
    }
    if is_down(now) {
        let labels = format!(
            "alertname=\"SecureScoreExporterDown\",alertstate=\"firing\",job=\"{JOB}\",severity=\"critical\""
        );
        writeln!(out, "ALERTS{{{labels}}} 1 {now}")?;
    }
    customer_alerts(out, now)?;
    for tenant in tenants {
        let snapshot = tenant.snapshot(now, now);
        for it in snapshot
            .recommendations
            .iter()
            .filter(|it| it.is_set_aside())
        {
            if it.approval(Timestamp::from_seconds(now)).is_approved() {
                continue;
            }
            let severity = if it.watched { "critical" } else { "warning" };
            writeln!(
                out,
                "ALERTS{{alertname=\"SecureScoreRecommendationSetAside\",alertstate=\"firing\",recommendation=\"{}\",severity=\"{severity}\",tenant=\"{}\"}} 1 {now}",
                it.entry.name, tenant.organisation.name
            )?;
        }
        for control in snapshot.controls {
            let approved = control.approval(Timestamp::from_seconds(now)).is_approved();
            if control.state() != Some(ControlState::RiskAccepted) || approved {
                continue;
            }
            let category = control.category.as_str();
            let severity = if category == "Identity" {
                "critical"
            } else {
                "warning"
            };
            writeln!(
                out,
                "ALERTS{{alertname=\"SecureScoreRiskAccepted\",alertstate=\"firing\",category=\"{category}\",control=\"{}\",severity=\"{severity}\",tenant=\"{}\"}} 1 {now}",
                control.id, tenant.organisation.name
            )?;
        }
    }
    Ok(())
}

/// What they would have fired about customers.
fn customer_alerts(out: &mut impl Write, now: i64) -> io::Result<()> {
    for customer in CUSTOMERS {
        let Some((state, since)) = customer.state(now) else {
            continue;
        };
        let lasted = now - since;
        let of_state = match state {
            CustomerState::Unwatched if lasted > DAY => Some("SecureScoreCustomerUnwatched"),
            CustomerState::NotConsented if lasted > 3 * DAY => {
                Some("SecureScoreCustomerNotConsented")
            }
            CustomerState::Left => Some("SecureScoreCustomerLeft"),
            _ => None,
        };
        let counts = !matches!(state, CustomerState::Excluded | CustomerState::Left);
        let ends_soon = counts && customer.ends().is_some_and(|at| at - now < 30 * DAY);
        let of_relationship = ends_soon.then_some("SecureScoreRelationshipEnding");
        for alert in of_state.into_iter().chain(of_relationship) {
            writeln!(
                out,
                "ALERTS{{alertname=\"{alert}\",alertstate=\"firing\",entra_tenant_id=\"{}\",partner=\"{PARTNER}\",severity=\"warning\"}} 1 {now}",
                customer.entra_id
            )?;
        }
    }
    Ok(())
}
