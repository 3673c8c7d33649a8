//! One exporter: its refreshes and its own metrics.

use crate::dice::{roll, roll_at};
use crate::partner::Partner;
use crate::story::{CHANGES, STATUS_CHANGES, failure, is_down};
use crate::tenant::Tenant;
use crate::{DAY, HEALTH, HOUR, START};
use secure_score_exporter::telemetry::{Telemetry, TelemetryError};
use secure_score_model::{
    Api, Code, Delivery, EventKind, Reason, RefreshHealth, TenantHealth, Timestamp,
};
use std::time::Duration;

/// Beyond this age data are no longer shown, as the exporter's default has it.
const MAX_STALENESS: Duration = Duration::from_secs(24 * 60 * 60);

/// Of a hundred events, those that the webhook's receiver does not accept.
const FAILING: u64 = 25;

/// How long such an event waits, in seconds, until the receiver rejects it.
const RETRIED: i64 = 6 * HOUR;

/// Pages of a catalogue.
const PAGES: u64 = 3;

pub(crate) struct Replica {
    pub(crate) instance: &'static str,
    /// How many seconds its reports are older than the newest.
    pub(crate) behind: i64,
    pub(crate) telemetry: Telemetry,
    pub(crate) health: Vec<TenantHealth>,
    pub(crate) partner: Partner,
    pub(crate) started: i64,
    pub(crate) up: bool,
    /// How many samples the newest scrape had that was written whole.
    pub(crate) samples: u32,
}

impl Replica {
    pub(crate) fn new(
        instance: &'static str,
        behind: i64,
        tenants: &[Tenant],
        now: i64,
    ) -> Result<Self, TelemetryError> {
        let telemetry = Telemetry::new()?;
        telemetry.config_loaded(281_474_976_710_597.0, Timestamp::from_seconds(now));
        telemetry.external_url("https://secure-score.example.org")?;
        telemetry.set_tenants(tenants.len());
        Ok(Self {
            instance,
            behind,
            telemetry,
            health: vec![TenantHealth::default(); tenants.len()],
            partner: Partner::new(),
            started: now,
            up: true,
            samples: 0,
        })
    }

    /// What happens between the sample before and this one.
    pub(crate) fn advance(&mut self, tenants: &[Tenant], now: i64) -> Result<(), TelemetryError> {
        if is_down(now) {
            self.up = false;
            return Ok(());
        }
        if !self.up {
            *self = Self::new(self.instance, self.behind, tenants, now)?;
        }
        for (tenant, health) in tenants.iter().zip(&mut self.health) {
            let name = tenant.organisation.name;
            for quarter in [now - HEALTH / 2, now] {
                refresh(&self.telemetry, health, name, Api::Profiles, quarter);
            }
            if now % HOUR == 0 || now == self.started {
                refresh(&self.telemetry, health, name, Api::Scores, now);
            }
            if !tenant.organisation.grants_entra {
                continue;
            }
            refresh(&self.telemetry, health, name, Api::Recommendations, now);
            if now % HOUR == 0 || now == self.started {
                refresh(&self.telemetry, health, name, Api::IdentityScores, now);
            }
        }
        self.partner.advance(&self.telemetry, now);
        self.count_events(now);
        Ok(())
    }

    /// Counts an event per change; some wait and fail.
    fn count_events(&self, now: i64) {
        let is_new = |at: i64, now: i64| (now - HEALTH..now).contains(&at);
        let news = |now: i64| {
            let states = CHANGES.iter().filter(move |it| is_new(it.at(), now));
            let statuses = STATUS_CHANGES.iter().filter(move |it| is_new(it.at(), now));
            let states = states.map(|it| [it.tenant, it.control]);
            let statuses = statuses.map(|it| [it.tenant, it.recommendation]);
            states.chain(statuses).map(|it| roll(&it) < FAILING)
        };
        for fails in news(now) {
            self.telemetry.event(EventKind::StateChanged);
            if !fails {
                self.telemetry.delivery(Delivery::Delivered, 1);
            }
        }
        for _ in news(now - RETRIED).filter(|fails| *fails) {
            self.telemetry.delivery(Delivery::Failed, 1);
        }
        let waits = (now - RETRIED + HEALTH..=now).step_by(HEALTH as usize);
        let waiting = waits.flat_map(news).filter(|fails| *fails).count();
        self.telemetry.set_waiting_events(waiting);
    }

    /// Whether a tenant's data are young enough to be shown.
    pub(crate) fn shows(&self, tenant: usize, now: i64) -> bool {
        let success = self
            .health
            .get(tenant)
            .and_then(|it| it.profiles.last_success);
        success.is_some_and(|at| Timestamp::from_seconds(now).since(at) <= MAX_STALENESS)
    }

    /// What a process of this age and load would show, in place of what the
    /// one that writes this would.
    pub(crate) fn process(&self, now: i64) -> [(&'static str, f64); 7] {
        let age = (now - self.started) as f64;
        let noise = roll_at(&[self.instance, "memory"], now) as f64;
        [
            (
                "process_cpu_seconds_total",
                (age * 0.0021 * 1e3).round() / 1e3,
            ),
            ("process_max_fds", 1_048_576.0),
            ("process_open_fds", 19.0 + (noise / 20.0).floor()),
            (
                "process_resident_memory_bytes",
                24e6 + noise * 32_768.0 + (age / DAY as f64).min(2.0) * 1e6,
            ),
            ("process_start_time_seconds", self.started as f64),
            ("process_threads", 5.0),
            ("process_virtual_memory_bytes", 312e6),
        ]
    }
}

fn refresh(telemetry: &Telemetry, health: &mut TenantHealth, tenant: &str, api: Api, now: i64) {
    let failed = failure(tenant, api, now);
    let requests = match (api, failed) {
        (Api::Profiles, None) => PAGES,
        _ => 1,
    };
    for request in 0..requests {
        let word = request.to_string();
        let luck = roll_at(&[tenant, api.as_str(), &word], now);
        let mut took = Duration::from_millis(90 + luck * luck / 12);
        if failed == Some(Reason::Timeout) {
            took = Duration::from_secs(30);
        }
        telemetry.graph_request(api.as_str(), took);
        *health.traffic.graph.entry((api, code(failed))).or_default() += 1;
    }
    // Now and then a request is throttled and tried again.
    if failed.is_none() && roll_at(&[tenant, "throttled"], now) < 2 {
        *health
            .traffic
            .graph
            .entry((api, Code::Status(429)))
            .or_default() += 1;
        health.traffic.throttled += 1;
    }
    health.traffic.throttled += u64::from(failed == Some(Reason::Throttled));
    health.traffic.tokens += u64::from(now % HOUR == 0 && api == Api::Scores || now == START);
    let luck = roll_at(&[tenant, api.as_str(), "refresh"], now);
    telemetry.refresh(
        api.as_str(),
        Duration::from_millis(200 + requests * (120 + luck * 4)),
    );
    // A refresh is some minutes old when it is scraped.
    let age = roll(&[tenant, api.as_str(), "age"]) as i64 * 8;
    note(health.of_mut(api), api, failed, now - age);
}

const fn code(failed: Option<Reason>) -> Code {
    match failed {
        None => Code::Status(200),
        Some(Reason::Permission) => Code::Status(403),
        Some(Reason::Throttled) => Code::Status(429),
        Some(Reason::Server) => Code::Status(503),
        Some(_) => Code::NoAnswer,
    }
}

fn note(health: &mut RefreshHealth, api: Api, failed: Option<Reason>, now: i64) {
    let interval = match api {
        Api::Profiles => HOUR / 4,
        Api::Recommendations => HOUR / 2,
        Api::Scores | Api::IdentityScores => HOUR,
    };
    health.has_series = api.is_of_entra();
    health.refreshes += 1;
    health.up = failed.is_none();
    health.next_refresh = Some(Timestamp::from_seconds(now + interval));
    match failed {
        Some(reason) => *health.failures.entry(reason).or_default() += 1,
        None => health.last_success = Some(Timestamp::from_seconds(now)),
    }
}
