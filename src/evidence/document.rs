//! The document.

use super::Period;
use super::course::{self, ScoreOfDay};
use super::declared::{Declared, DeclaredRecord, Shown};
use super::gaps::gaps;
use super::open_control::OpenControl;
use crate::serde_time::{Day, Rfc3339};
use crate::store::TenantState;
use aws_lc_rs::digest::{SHA256, digest};
use secure_score_model::{Api, DailyScore, Persons, TenantHealth, Timestamp};
use serde::Serialize;
use std::fmt::Write as _;

/// What is known of a tenant's decisions in a period.
#[derive(Debug, Serialize)]
pub(crate) struct Evidence<'a> {
    /// The tenant's alias.
    pub(crate) tenant: &'a str,
    pub(crate) display_name: &'a str,
    pub(crate) entra_tenant_id: Option<&'a str>,
    /// The first and the last day, UTC.
    pub(crate) since: Day,
    pub(crate) until: Day,
    pub(crate) generated_at: Rfc3339,
    pub(crate) exporter_version: &'a str,
    /// When each list was last read.
    pub(crate) read_at: ReadAt,
    /// What is not known, in sentences.
    pub(crate) gaps: Vec<String>,
    /// The score of each known day, from the oldest to the newest.
    pub(crate) scores: Vec<ScoreOfDay>,
    /// The same days as they are kept.
    #[serde(skip)]
    pub(crate) days: &'a [DailyScore],
    /// What was declared in the period, the newest first.
    pub(crate) decided: Vec<DeclaredRecord<'a>>,
    /// The acceptances and claims that another state replaced in the period.
    pub(crate) withdrawn: Vec<DeclaredRecord<'a>>,
    /// What was declared before the period and in force at its end.
    pub(crate) standing: Vec<DeclaredRecord<'a>>,
    /// What is to be addressed on watched controls now.
    pub(crate) open: Vec<OpenControl<'a>>,
}

/// When each list was last read; null where it never was.
#[derive(Debug, Serialize)]
pub(crate) struct ReadAt {
    pub(crate) controls: Option<Rfc3339>,
    pub(crate) scores: Option<Rfc3339>,
    pub(crate) recommendations: Option<Rfc3339>,
}

impl ReadAt {
    fn of(health: &TenantHealth) -> Self {
        let at = |api: Api| health.of(api).last_success.map(Rfc3339);
        Self {
            controls: at(Api::Profiles),
            scores: at(Api::Scores),
            recommendations: at(Api::Recommendations),
        }
    }
}

/// Evidence with the digest of its data.
#[derive(Debug)]
pub(crate) struct DigestedEvidence<'a> {
    pub(crate) evidence: Evidence<'a>,
    /// The data as JSON.
    data: String,
    /// The SHA-256 of that text, in hexadecimal. It shows damage, not who made the
    /// document.
    pub(crate) sha256: String,
}

impl<'a> Evidence<'a> {
    /// The evidence about a tenant.
    pub(crate) fn new(
        state: &'a TenantState,
        period: Period,
        persons: &Persons,
        version: &'a str,
        now: Timestamp,
    ) -> Self {
        let snapshot = &state.snapshot;
        let days = course::days_of(&snapshot.score_history, &period);
        let shown = Shown {
            period: &period,
            persons,
            now,
        };
        let Declared {
            decided,
            withdrawn,
            standing,
        } = Declared::of(snapshot, &shown);
        Self {
            tenant: &state.identity.alias,
            display_name: &state.identity.display_name,
            entra_tenant_id: state.identity.entra_tenant_id.as_deref(),
            since: period.first(),
            until: period.last(),
            generated_at: Rfc3339(now),
            exporter_version: version,
            read_at: ReadAt::of(&state.health),
            gaps: gaps(state, days, &period, persons, now),
            scores: days.iter().map(ScoreOfDay::from).collect(),
            days,
            decided,
            withdrawn,
            standing,
            open: OpenControl::all(snapshot),
        }
    }

    /// The same with its digest.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub(crate) fn with_digest(self) -> Result<DigestedEvidence<'a>, serde_json::Error> {
        let data = serde_json::to_string(&self)?;
        let digest = digest(&SHA256, data.as_bytes());
        let mut sha256 = String::new();
        for byte in digest.as_ref() {
            // Writing to a text cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        Ok(DigestedEvidence {
            evidence: self,
            data,
            sha256,
        })
    }
}

impl DigestedEvidence<'_> {
    /// `data`, and the SHA-256 of its text as it stands there.
    pub(crate) fn json(&self) -> String {
        let Self { data, sha256, .. } = self;
        format!("{{\"data\":{data},\"sha256\":\"{sha256}\"}}\n")
    }
}
