//! The exporter's own metrics, a small tail of each scrape.
//!
//! Only these use the `prometheus` crate: its encoder takes twenty times as
//! long as sending bytes made before, which matters for a million series and
//! not for fifty.

use prometheus::core::Collector;
use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Gauge, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use secure_score_exposition::{Format, write_value};
use secure_score_model::{Api, Delivery, EventKind, Timestamp};
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

/// Bounds of the request durations, seconds: from an answer out of a cache to
/// the default time-out.
const REQUEST_BUCKETS: [f64; 8] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// Bounds of the refresh durations, seconds: some requests, and their pauses.
const REFRESH_BUCKETS: [f64; 8] = [0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];

/// The revision the binary was built from, where the build says so.
const REVISION: &str = match option_env!("SECURE_SCORE_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// What the exporter tells of itself.
#[derive(Debug)]
pub struct Telemetry {
    registry: Registry,
    graph_request_duration: HistogramVec,
    refresh_duration: HistogramVec,
    events: IntCounterVec,
    deliveries: IntCounterVec,
    tenants: IntGauge,
    shard: IntGauge,
    total_shards: IntGauge,
    config_successful: IntGauge,
    config_success_time: Gauge,
    config_hash: Gauge,
    state_write_failures: IntCounter,
    web_config_valid: IntGauge,
    external_url: OnceLock<IntGauge>,
}

/// A metric could not be set up: two of one name, or a bad name. A test sets
/// them all up, so that it is never seen elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("the exporter's own metrics cannot be set up")]
pub struct TelemetryError(#[from] prometheus::Error);

impl Telemetry {
    /// All families at their first value.
    pub fn new() -> Result<Self, TelemetryError> {
        let registry = Registry::new();
        let telemetry = Self {
            graph_request_duration: histogram(
                "secure_score_exporter_graph_request_duration_seconds",
                "How long requests to Graph took, by list, in seconds.",
                &REQUEST_BUCKETS,
            )?,
            refresh_duration: histogram(
                "secure_score_exporter_refresh_duration_seconds",
                "How long refreshes took from their turn to their end, by list, in seconds.",
                &REFRESH_BUCKETS,
            )?,
            shard: IntGauge::new(
                "secure_score_exporter_shard",
                "Which share of the tenants this exporter watches, counted from 0 (--shard).",
            )?,
            total_shards: IntGauge::new(
                "secure_score_exporter_total_shards",
                "Into how many shares the tenants are divided; 1 when one exporter watches all (--total-shards).",
            )?,
            events: counter(
                "secure_score_exporter_events_total",
                "Events told: changes of state, and signs of tampering.",
                "event",
            )?,
            deliveries: counter(
                "secure_score_exporter_webhook_deliveries_total",
                "Events for the webhook, by how they ended: delivered, failed for good, or dropped because too many waited or the process ended.",
                "outcome",
            )?,
            tenants: IntGauge::new(
                "secure_score_exporter_tenants",
                "Tenants this process watches.",
            )?,
            config_successful: IntGauge::new(
                "secure_score_exporter_config_last_reload_successful",
                "Whether the configuration was good when it was last read (1) or not (0).",
            )?,
            config_success_time: Gauge::new(
                "secure_score_exporter_config_last_reload_success_timestamp_seconds",
                "When a good configuration was last read, seconds since the epoch.",
            )?,
            config_hash: Gauge::new(
                "secure_score_exporter_config_hash",
                "A fingerprint of the configuration in use; replicas that agree have the same.",
            )?,
            state_write_failures: IntCounter::new(
                "secure_score_exporter_state_write_failures_total",
                "Times a tenant's state could not be written into --state.dir.",
            )?,
            web_config_valid: IntGauge::new(
                "secure_score_exporter_web_config_valid",
                "Whether the web configuration is good (1), or broken and soon nothing is answered (0); 1 without one.",
            )?,
            external_url: OnceLock::new(),
            registry,
        };
        telemetry.register()?;
        telemetry.set_shard(0, 1);
        telemetry.web_config(true);
        Ok(telemetry)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        let build = Opts::new(
            "secure_score_exporter_build_info",
            "The version and revision of the exporter.",
        )
        .const_label("version", env!("CARGO_PKG_VERSION"))
        .const_label("revision", REVISION);
        self.info(build)?;
        self.registry
            .register(Box::new(self.graph_request_duration.clone()))?;
        self.registry
            .register(Box::new(self.refresh_duration.clone()))?;
        self.registry.register(Box::new(self.events.clone()))?;
        self.registry.register(Box::new(self.deliveries.clone()))?;
        self.registry.register(Box::new(self.tenants.clone()))?;
        self.registry.register(Box::new(self.shard.clone()))?;
        self.registry
            .register(Box::new(self.total_shards.clone()))?;
        self.registry
            .register(Box::new(self.config_successful.clone()))?;
        self.registry
            .register(Box::new(self.config_success_time.clone()))?;
        self.registry.register(Box::new(self.config_hash.clone()))?;
        self.registry
            .register(Box::new(self.state_write_failures.clone()))?;
        self.registry
            .register(Box::new(self.web_config_valid.clone()))?;
        let process = prometheus::process_collector::ProcessCollector::for_self();
        self.registry.register(Box::new(process))?;
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
        }
        Ok(())
    }

    fn info(&self, opts: Opts) -> Result<IntGauge, prometheus::Error> {
        let info = IntGauge::with_opts(opts)?;
        info.set(1);
        self.registry.register(Box::new(info.clone()))?;
        Ok(info)
    }

    /// Notes how long a request to Graph took.
    pub fn graph_request(&self, api: Api, took: Duration) {
        let durations = &self.graph_request_duration;
        durations
            .with_label_values(&[api.as_str()])
            .observe(took.as_secs_f64());
    }

    /// Notes how long a refresh took.
    pub fn refresh(&self, api: Api, took: Duration) {
        let durations = &self.refresh_duration;
        durations
            .with_label_values(&[api.as_str()])
            .observe(took.as_secs_f64());
    }

    /// Notes that an event was told.
    pub fn event(&self, kind: EventKind) {
        self.events.with_label_values(&[kind.as_str()]).inc();
    }

    /// Notes how the deliveries of events to the webhook ended.
    pub fn delivery(&self, outcome: Delivery, events: usize) {
        let count = u64::try_from(events).unwrap_or(u64::MAX);
        let counter = self.deliveries.with_label_values(&[outcome.as_str()]);
        counter.inc_by(count);
    }

    /// Notes how many tenants are watched.
    pub fn set_tenants(&self, tenants: usize) {
        self.tenants.set(i64::try_from(tenants).unwrap_or(i64::MAX));
    }

    /// Notes which share of the tenants is watched; `index` counts from 0.
    pub fn set_shard(&self, index: u16, total: u16) {
        self.shard.set(i64::from(index));
        self.total_shards.set(i64::from(total));
    }

    /// Notes that a configuration was read that cannot be used.
    pub fn config_refused(&self) {
        self.config_successful.set(0);
    }

    /// Notes whether the web configuration can be used.
    pub fn web_config(&self, valid: bool) {
        self.web_config_valid.set(valid.into());
    }

    /// Notes that a tenant could not be written to disk.
    pub fn state_write_failed(&self) {
        self.state_write_failures.inc();
    }

    /// Notes that a good configuration was read.
    pub fn config_loaded(&self, hash: f64, now: Timestamp) {
        self.config_successful.set(1);
        self.config_success_time.set(now.as_seconds());
        self.config_hash.set(hash);
    }

    /// Tells under which URL others reach the exporter; alerts link to it.
    pub fn external_url(&self, url: &str) -> Result<(), TelemetryError> {
        let info = Opts::new(
            "secure_score_exporter_external_url_info",
            "The URL under which the exporter's pages are reached (--web.external-url).",
        )
        .const_label("url", url);
        let _told_before = self.external_url.set(self.info(info)?);
        Ok(())
    }

    /// The one family that belongs to each target of this process: alerts find
    /// the exporter's page by the job and instance of a tenant's series. Empty
    /// where no URL is told; without the trailer of the format.
    pub fn encode_external_url(&self, format: Format) -> Vec<u8> {
        let info = self.external_url.get();
        encode(format, &info.map(Collector::collect).unwrap_or_default())
    }

    /// The families as text, without the trailer of the format.
    pub fn encode(&self, format: Format) -> Vec<u8> {
        encode(format, &self.registry.gather())
    }

    /// Name, type, labels and meaning of each family, for the reference.
    pub fn describe(&self) -> Vec<(String, String, String, String)> {
        self.registry
            .gather()
            .iter()
            .map(|family| {
                let labels = family.get_metric().first().map(names).unwrap_or_default();
                (
                    family.name().to_owned(),
                    kind(family).to_owned(),
                    if labels.is_empty() {
                        "–".to_owned()
                    } else {
                        labels
                    },
                    family.help().to_owned(),
                )
            })
            .collect()
    }
}

fn names(metric: &Metric) -> String {
    let names = metric
        .get_label()
        .iter()
        .map(|label| format!("`{}`", label.name()));
    names.collect::<Vec<_>>().join(", ")
}

fn histogram(name: &str, help: &str, buckets: &[f64]) -> Result<HistogramVec, prometheus::Error> {
    let opts = prometheus::HistogramOpts::new(name, help).buckets(buckets.to_vec());
    HistogramVec::new(opts, &["api"])
}

fn counter(name: &str, help: &str, label: &str) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), &[label])
}

fn kind(family: &MetricFamily) -> &'static str {
    match family.get_field_type() {
        MetricType::COUNTER => "counter",
        MetricType::HISTOGRAM => "histogram",
        _ if family.name().ends_with("_info") => "info",
        _ => "gauge",
    }
}

fn encode(format: Format, families: &[MetricFamily]) -> Vec<u8> {
    let mut text = String::new();
    for family in families {
        // Writing to a string cannot fail.
        let _written = write_family(&mut text, format, family);
    }
    text.into_bytes()
}

fn write_family(text: &mut String, format: Format, family: &MetricFamily) -> std::fmt::Result {
    let name = family.name();
    let kind = kind(family);
    let (header, kind) = match (format, kind) {
        (Format::OpenMetrics, "counter") => (name.strip_suffix("_total").unwrap_or(name), kind),
        (Format::OpenMetrics, "info") => (name.strip_suffix("_info").unwrap_or(name), kind),
        (Format::Text, "info") => (name, "gauge"),
        _ => (name, kind),
    };
    writeln!(text, "# HELP {header} {}", family.help())?;
    writeln!(text, "# TYPE {header} {kind}")?;
    for metric in family.get_metric() {
        let labels = labels(metric.get_label());
        match kind {
            "histogram" => write_histogram(text, name, &labels, metric)?,
            "counter" => sample(text, name, &labels, metric.get_counter().get_value())?,
            _ => sample(text, name, &labels, metric.get_gauge().get_value())?,
        }
    }
    Ok(())
}

/// Bounds are written with a point, as OpenMetrics wants and the text format
/// does not mind.
fn write_histogram(
    text: &mut String,
    name: &str,
    labels: &[String],
    metric: &Metric,
) -> std::fmt::Result {
    let histogram = metric.get_histogram();
    let bucket = format!("{name}_bucket");
    let mut bounded = |bound: &str, count: u64| {
        let labels = [labels, &[format!("le=\"{bound}\"")]].concat();
        sample(text, &bucket, &labels, count as f64)
    };
    for bucket in histogram.get_bucket() {
        bounded(
            &format!("{:?}", bucket.upper_bound()),
            bucket.cumulative_count(),
        )?;
    }
    bounded("+Inf", histogram.get_sample_count())?;
    sample(
        text,
        &format!("{name}_sum"),
        labels,
        histogram.get_sample_sum(),
    )?;
    let count = histogram.get_sample_count();
    sample(text, &format!("{name}_count"), labels, count as f64)
}

fn sample(text: &mut String, name: &str, labels: &[String], value: f64) -> std::fmt::Result {
    if labels.is_empty() {
        writeln!(text, "{name} {value}")
    } else {
        writeln!(text, "{name}{{{}}} {value}", labels.join(","))
    }
}

fn labels(pairs: &[LabelPair]) -> Vec<String> {
    let written = |pair: &LabelPair| {
        let mut value = Vec::new();
        write_value(pair.value(), &mut value);
        format!("{}=\"{}\"", pair.name(), String::from_utf8_lossy(&value))
    };
    pairs.iter().map(written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(format: Format) -> String {
        let telemetry = Telemetry::new().unwrap();
        telemetry.graph_request(Api::Scores, Duration::from_millis(70));
        telemetry.external_url("https://example.org/score").unwrap();
        telemetry.config_loaded(12.0, Timestamp::from_seconds(1_700_000_000));
        String::from_utf8(telemetry.encode(format)).unwrap()
    }

    #[test]
    fn counters_and_infos_lose_their_suffix_in_openmetrics_headers_only() {
        let text = encoded(Format::Text);
        assert!(
            text.contains("# TYPE process_cpu_seconds_total counter"),
            "{text}"
        );
        assert!(text.contains("# TYPE secure_score_exporter_build_info gauge"));
        let open = encoded(Format::OpenMetrics);
        assert!(open.contains("# TYPE process_cpu_seconds counter"));
        assert!(open.contains("\nprocess_cpu_seconds_total "));
        assert!(open.contains("# TYPE secure_score_exporter_build info"));
        assert!(open.contains("\nsecure_score_exporter_build_info{"));
    }

    #[test]
    fn a_histogram_counts_upwards_to_infinity() {
        let text = encoded(Format::OpenMetrics);
        let name = "secure_score_exporter_graph_request_duration_seconds";
        for line in [
            format!("{name}_bucket{{api=\"scores\",le=\"0.05\"}} 0"),
            format!("{name}_bucket{{api=\"scores\",le=\"1.0\"}} 1"),
            format!("{name}_bucket{{api=\"scores\",le=\"+Inf\"}} 1"),
            format!("{name}_sum{{api=\"scores\"}} 0.07"),
            format!("{name}_count{{api=\"scores\"}} 1"),
        ] {
            assert!(text.contains(&line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn a_counter_is_there_before_it_counts() {
        let text = encoded(Format::Text);
        for kind in EventKind::ALL {
            let series = format!("_events_total{{event=\"{}\"}} 0", kind.as_str());
            assert!(text.contains(&series), "{series} is missing in\n{text}");
        }
        for outcome in Delivery::ALL {
            let outcome = outcome.as_str();
            let series = format!("_webhook_deliveries_total{{outcome=\"{outcome}\"}} 0");
            assert!(text.contains(&series), "{series} is missing in\n{text}");
        }
    }

    #[test]
    fn the_external_url_is_a_label() {
        let url = "secure_score_exporter_external_url_info{url=\"https://example.org/score\"} 1";
        assert!(encoded(Format::Text).contains(url));
    }
}
