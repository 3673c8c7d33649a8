//! The exporter's own metrics, the tail of each scrape.
//!
//! Only this module uses the `prometheus` crate. Its encoder takes twenty times
//! as long as sending rendered bytes, which matters for a million series and
//! not for fifty.

mod encode;
mod process;

use encode::{encode, kind};
use exporter_web_config::HandshakeRefusal;
use process::ProcessMetrics;
use prometheus::core::Collector;
use prometheus::proto::{Metric, MetricFamily};
use prometheus::{
    Error, Gauge, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    register_gauge_with_registry, register_histogram_vec_with_registry,
    register_int_counter_vec_with_registry, register_int_counter_with_registry,
    register_int_gauge_vec_with_registry, register_int_gauge_with_registry,
};
use secure_score_exposition::{Format, SeriesSet};
use secure_score_model::{Api, Delivery, EventKind, Timestamp};
use std::sync::OnceLock;
use std::time::Duration;

/// Bounds of request durations in seconds: from a cached response to the
/// default of `refresh.timeout`.
const REQUEST_BUCKETS: [f64; 8] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// Bounds of refresh durations in seconds: some requests and their delays.
const REFRESH_BUCKETS: [f64; 8] = [0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];

/// The revision of the build, where the build sets it.
const REVISION: &str = match option_env!("SECURE_SCORE_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// The metrics of this process.
#[derive(Debug)]
pub struct Telemetry {
    registry: Registry,
    graph_request_duration: HistogramVec,
    refresh_duration: HistogramVec,
    events: IntCounterVec,
    webhook_attempts: IntCounter,
    webhook_failures: IntCounterVec,
    deliveries: IntCounterVec,
    waiting_events: IntGauge,
    tenants: IntGauge,
    shard: IntGauge,
    total_shards: IntGauge,
    config_successful: IntGauge,
    config_success_time: Gauge,
    config_hash: Gauge,
    state_write_failures: IntCounter,
    web_config_valid: IntGauge,
    tls_handshakes_refused: IntCounterVec,
    build_info: IntGauge,
    series_info: IntGaugeVec,
    external_url: OnceLock<IntGauge>,
    access_denied: OnceLock<IntCounter>,
}

/// A metric is invalid or registered twice. The tests register all of them, so
/// that a release cannot return this.
#[derive(Debug, thiserror::Error)]
#[error("the exporter's own metrics cannot be registered")]
pub struct TelemetryError(#[from] Error);

impl Telemetry {
    /// All families with their initial values.
    pub fn new() -> Result<Self, TelemetryError> {
        let registry = Registry::new();
        registry.register(Box::new(ProcessMetrics::of_this_process()))?;
        let build = Opts::new(
            "secure_score_exporter_build_info",
            "Version and revision of the exporter.",
        )
        .const_label("version", env!("CARGO_PKG_VERSION"))
        .const_label("revision", REVISION);
        let build_info = register_int_gauge_with_registry!(build, registry)?;
        build_info.set(1);
        let telemetry = Self {
            graph_request_duration: register_histogram_vec_with_registry!(
                "secure_score_exporter_graph_request_duration_seconds",
                "Duration of requests to Graph by list, in seconds.",
                &["api"],
                REQUEST_BUCKETS.to_vec(),
                registry
            )?,
            refresh_duration: register_histogram_vec_with_registry!(
                "secure_score_exporter_refresh_duration_seconds",
                "Duration of refreshes by list, without the wait for a free slot, in seconds.",
                &["api"],
                REFRESH_BUCKETS.to_vec(),
                registry
            )?,
            events: register_int_counter_vec_with_registry!(
                "secure_score_exporter_events_total",
                "Events emitted: state changes, signs of tampering, and customers of partners that come and leave.",
                &["event"],
                registry
            )?,
            webhook_attempts: register_int_counter_with_registry!(
                "secure_score_exporter_webhook_attempts_total",
                "Events that the webhook accepted or that were given up; an event counts once, however often it was sent.",
                registry
            )?,
            webhook_failures: register_int_counter_vec_with_registry!(
                "secure_score_exporter_webhook_failures_total",
                "Events for the webhook that were given up, by reason: not_accepted by the receiver, or not_sent, because the queue was full, a file was damaged, no receiver was configured for days, or the process stopped without --state.dir.",
                &["reason"],
                registry
            )?,
            deliveries: register_int_counter_vec_with_registry!(
                "secure_score_exporter_webhook_deliveries_total",
                "Deprecated: use secure_score_exporter_webhook_attempts_total and secure_score_exporter_webhook_failures_total. Webhook events by outcome: delivered, failed (not_accepted) or dropped (not_sent).",
                &["outcome"],
                registry
            )?,
            waiting_events: register_int_gauge_with_registry!(
                "secure_score_exporter_webhook_waiting_events",
                "Events that wait for the webhook.",
                registry
            )?,
            tenants: register_int_gauge_with_registry!(
                "secure_score_exporter_tenants",
                "Number of tenants this process refreshes.",
                registry
            )?,
            shard: register_int_gauge_with_registry!(
                "secure_score_exporter_shard",
                "Index of the shard this process refreshes, counted from 0 (--shard).",
                registry
            )?,
            total_shards: register_int_gauge_with_registry!(
                "secure_score_exporter_total_shards",
                "Number of shards among which the tenants are divided; 1 without sharding (--total-shards).",
                registry
            )?,
            config_successful: register_int_gauge_with_registry!(
                "secure_score_exporter_config_last_reload_successful",
                "Whether the last configuration reload was successful (1) or not (0).",
                registry
            )?,
            config_success_time: register_gauge_with_registry!(
                "secure_score_exporter_config_last_reload_success_timestamp_seconds",
                "Time of the last successful configuration reload, seconds since the epoch.",
                registry
            )?,
            config_hash: register_gauge_with_registry!(
                "secure_score_exporter_config_hash",
                "Hash of the configuration in use; replicas with the same configuration have the same hash.",
                registry
            )?,
            state_write_failures: register_int_counter_with_registry!(
                "secure_score_exporter_state_write_failures_total",
                "Failed writes to --state.dir: of a tenant's state, or of events that wait for the webhook.",
                registry
            )?,
            web_config_valid: register_int_gauge_with_registry!(
                "secure_score_exporter_web_config_valid",
                "Whether the web configuration file is valid (1), or invalid and the server soon rejects all requests (0); 1 without a file.",
                registry
            )?,
            tls_handshakes_refused: register_int_counter_vec_with_registry!(
                "secure_score_exporter_tls_handshakes_refused_total",
                "Refused TLS handshakes by reason: the client's certificate, the client itself, or TLS versions and algorithms.",
                &["reason"],
                registry
            )?,
            build_info,
            series_info: register_int_gauge_vec_with_registry!(
                "secure_score_exporter_series_info",
                "The set of series that is exported of each tenant: full, controls or acceptances (series).",
                &["series"],
                registry
            )?,
            external_url: OnceLock::new(),
            access_denied: OnceLock::new(),
            registry,
        };
        telemetry.export_every_label();
        telemetry.set_shard(0, 1);
        telemetry.set_series(SeriesSet::default());
        telemetry.web_config(true);
        Ok(telemetry)
    }

    /// Creates the series of each label value, so that all are exported from the
    /// start.
    fn export_every_label(&self) {
        for api in Api::ALL {
            self.graph_request_duration
                .with_label_values(&[api.as_str()]);
            self.refresh_duration.with_label_values(&[api.as_str()]);
        }
        for kind in EventKind::ALL {
            self.events.with_label_values(&[kind.as_str()]);
        }
        for outcome in Delivery::ALL {
            self.deliveries.with_label_values(&[outcome.as_str()]);
            if let Some(reason) = failure_reason(outcome) {
                self.webhook_failures.with_label_values(&[reason]);
            }
        }
        for refusal in HandshakeRefusal::ALL {
            self.tls_handshakes_refused
                .with_label_values(&[refusal.as_str()]);
        }
    }

    /// Records the duration of a request to Graph for a list: an [`Api`], or the
    /// customers of a partner.
    pub fn graph_request(&self, list: &str, duration: Duration) {
        observe(&self.graph_request_duration, list, duration);
    }

    /// Records the duration of a refresh, likewise.
    pub fn refresh(&self, list: &str, duration: Duration) {
        observe(&self.refresh_duration, list, duration);
    }

    /// Counts an emitted event.
    pub fn event(&self, kind: EventKind) {
        self.events.with_label_values(&[kind.as_str()]).inc();
    }

    /// Counts webhook events by outcome.
    pub fn delivery(&self, outcome: Delivery, events: usize) {
        let count = u64::try_from(events).unwrap_or(u64::MAX);
        self.webhook_attempts.inc_by(count);
        if let Some(reason) = failure_reason(outcome) {
            let failures = self.webhook_failures.with_label_values(&[reason]);
            failures.inc_by(count);
        }
        let counter = self.deliveries.with_label_values(&[outcome.as_str()]);
        counter.inc_by(count);
    }

    /// Sets how many events wait for the webhook.
    pub fn set_waiting_events(&self, events: usize) {
        let events = i64::try_from(events).unwrap_or(i64::MAX);
        self.waiting_events.set(events);
    }

    /// Sets the number of tenants.
    pub fn set_tenants(&self, tenants: usize) {
        self.tenants.set(i64::try_from(tenants).unwrap_or(i64::MAX));
    }

    /// Sets the shard; `index` is counted from 0.
    pub fn set_shard(&self, index: u16, total: u16) {
        self.shard.set(i64::from(index));
        self.total_shards.set(i64::from(total));
    }

    /// Sets which series of each tenant are exported.
    pub fn set_series(&self, series: SeriesSet) {
        self.series_info.reset();
        self.series_info
            .with_label_values(&[series.as_str()])
            .set(1);
    }

    /// Records a failed reload of the configuration.
    pub fn config_refused(&self) {
        self.config_successful.set(0);
    }

    /// Records whether the web configuration file is valid.
    pub fn web_config(&self, valid: bool) {
        self.web_config_valid.set(valid.into());
    }

    /// Counts a refused TLS handshake.
    pub fn tls_handshake_refused(&self, refusal: HandshakeRefusal) {
        let counter = &self.tls_handshakes_refused;
        counter.with_label_values(&[refusal.as_str()]).inc();
    }

    /// Counts a failed write to the state directory.
    pub fn state_write_failed(&self) {
        self.state_write_failures.inc();
    }

    /// Records a successful load of the configuration.
    pub fn config_loaded(&self, hash: f64, now: Timestamp) {
        self.config_successful.set(1);
        self.config_success_time.set(now.as_seconds());
        self.config_hash.set(hash);
    }

    /// Sets the URL of the exporter's pages, to which alerts link.
    pub fn external_url(&self, url: &str) -> Result<(), TelemetryError> {
        let opts = Opts::new(
            "secure_score_exporter_external_url_info",
            "URL of the exporter's pages: --web.external-url, or else an address it listens on, with the name of its machine where it listens on all; absent with --web.disable-pages, unless that flag is given.",
        )
        .const_label("url", url);
        let info = register_int_gauge_with_registry!(opts, self.registry)?;
        info.set(1);
        let _already_set = self.external_url.set(info);
        Ok(())
    }

    /// The family that every target of this process exports: alerts find the
    /// exporter's page by the job and instance of a tenant's series. Without a
    /// URL it is only the trailer of the format.
    pub fn encode_external_url(&self, format: Format) -> Vec<u8> {
        let info = self.external_url.get();
        encode(format, &info.map(Collector::collect).unwrap_or_default())
    }

    /// Exports the counter of refused requests from now on: an exporter that grants
    /// every client all tenants refuses none.
    pub fn export_access_denied(&self) {
        if self.access_denied.get().is_some() {
            return;
        }
        let counter = register_int_counter_with_registry!(
            "secure_score_exporter_access_denied_total",
            "Requests that were refused because access grants their client no tenant, or not all that a reload concerns.",
            self.registry
        );
        if let Ok(counter) = counter {
            let _already_set = self.access_denied.set(counter);
        }
    }

    /// Counts a request that the access rules refuse.
    pub fn access_denied(&self) {
        if let Some(counter) = self.access_denied.get() {
            counter.inc();
        }
    }

    /// The families for a client that does not see every tenant: those that neither
    /// count nor depend on other tenants.
    pub fn encode_for_some_tenants(&self, format: Format) -> Vec<u8> {
        let mut families = self.build_info.collect();
        families.extend(self.series_info.collect());
        families.extend(
            self.external_url
                .get()
                .map(Collector::collect)
                .into_iter()
                .flatten(),
        );
        encode(format, &families)
    }

    /// All families, and the trailer of the format.
    pub fn encode(&self, format: Format) -> Vec<u8> {
        encode(format, &self.registry.gather())
    }

    /// Name, type, labels and HELP of each family, for the reference.
    pub fn describe(&self) -> Vec<(String, String, String, String)> {
        let describe = |family: &MetricFamily| {
            let labels = family.get_metric().first().map(Metric::get_label);
            let labels = labels.unwrap_or_default().iter();
            let labels: Vec<_> = labels.map(|it| format!("`{}`", it.name())).collect();
            let labels = match labels.is_empty() {
                true => "–".to_owned(),
                false => labels.join(", "),
            };
            let (name, help) = (family.name().to_owned(), family.help().to_owned());
            (name, kind(family).to_owned(), labels, help)
        };
        self.registry.gather().iter().map(describe).collect()
    }
}

/// Why a delivery failed, if it did.
const fn failure_reason(outcome: Delivery) -> Option<&'static str> {
    match outcome {
        Delivery::Delivered => None,
        Delivery::Failed => Some("not_accepted"),
        Delivery::Dropped => Some("not_sent"),
    }
}

fn observe(durations: &HistogramVec, list: &str, duration: Duration) {
    let durations = durations.with_label_values(&[list]);
    durations.observe(duration.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(format: Format) -> String {
        let telemetry = Telemetry::new().unwrap();
        telemetry.graph_request(Api::Scores.as_str(), Duration::from_millis(70));
        telemetry.external_url("https://example.org/score").unwrap();
        telemetry.config_loaded(12.0, Timestamp::from_seconds(1_700_000_000));
        String::from_utf8(telemetry.encode(format)).unwrap()
    }

    #[test]
    fn each_format_has_its_headers_and_series() {
        let graph = "secure_score_exporter_graph_request_duration_seconds";
        let url = "secure_score_exporter_external_url_info{url=\"https://example.org/score\"} 1";
        let both = [
            "\nprocess_cpu_seconds_total ".to_owned(),
            "\nsecure_score_exporter_build_info{".to_owned(),
            format!("{graph}_bucket{{api=\"scores\",le=\"0.05\"}} 0"),
            format!("{graph}_bucket{{api=\"scores\",le=\"1.0\"}} 1"),
            format!("{graph}_bucket{{api=\"scores\",le=\"+Inf\"}} 1"),
            format!("{graph}_sum{{api=\"scores\"}} 0.07"),
            format!("{graph}_count{{api=\"scores\"}} 1"),
            url.to_owned(),
            "\nsecure_score_exporter_series_info{series=\"full\"} 1".to_owned(),
            "\nsecure_score_exporter_webhook_attempts_total 0".to_owned(),
            "_webhook_failures_total{reason=\"not_accepted\"} 0".to_owned(),
            "_webhook_failures_total{reason=\"not_sent\"} 0".to_owned(),
        ];
        let events =
            EventKind::ALL.map(|it| format!("events_total{{event=\"{}\"}} 0", it.as_str()));
        let deliveries = Delivery::ALL
            .map(|it| format!("_webhook_deliveries_total{{outcome=\"{}\"}} 0", it.as_str()));
        for (format, headers) in [
            (
                Format::Text,
                [
                    "# TYPE process_cpu_seconds_total counter",
                    "# TYPE secure_score_exporter_build_info gauge",
                ],
            ),
            (
                Format::OpenMetrics,
                [
                    "# TYPE process_cpu_seconds counter",
                    "# TYPE secure_score_exporter_build info",
                ],
            ),
        ] {
            let text = encoded(format);
            let series = both.iter().chain(&events).chain(&deliveries);
            for part in series.map(String::as_str).chain(headers) {
                assert!(text.contains(part), "{part} is missing in\n{text}");
            }
        }
    }

    #[test]
    fn one_set_of_series_is_named() {
        let telemetry = Telemetry::new().unwrap();
        for set in SeriesSet::ALL {
            telemetry.set_series(set);
            let text = String::from_utf8(telemetry.encode_for_some_tenants(Format::Text)).unwrap();
            let named = text.lines().filter(|it| it.contains("_series_info{"));
            let info = "secure_score_exporter_series_info";
            let expected = format!("{info}{{series=\"{}\"}} 1", set.as_str());
            assert_eq!(named.collect::<Vec<_>>(), [expected]);
        }
    }

    #[test]
    fn a_delivery_is_an_attempt_and_may_be_a_failure() {
        let telemetry = Telemetry::new().unwrap();
        let counts = || {
            let text = String::from_utf8(telemetry.encode(Format::Text)).unwrap();
            [
                "attempts_total",
                "failures_total{reason=\"not_accepted\"}",
                "failures_total{reason=\"not_sent\"}",
            ]
            .map(|name| {
                let start = format!("secure_score_exporter_webhook_{name} ");
                let count = text.lines().find_map(|line| line.strip_prefix(&start));
                count.unwrap().parse::<u64>().unwrap()
            })
        };
        telemetry.delivery(Delivery::Delivered, 5);
        assert_eq!(counts(), [5, 0, 0]);
        telemetry.delivery(Delivery::Failed, 1);
        telemetry.delivery(Delivery::Dropped, 2);
        assert_eq!(counts(), [8, 1, 2]);
    }
}
