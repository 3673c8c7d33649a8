//! Families of the `prometheus` crate in the formats of a scrape.

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};
use secure_score_exposition::{Format, write_value};
use std::fmt::Write as _;

/// The type of a family, as the formats name it.
pub(super) fn kind(family: &MetricFamily) -> &'static str {
    match family.get_field_type() {
        MetricType::COUNTER => "counter",
        MetricType::HISTOGRAM => "histogram",
        _ if family.name().ends_with("_info") => "info",
        _ => "gauge",
    }
}

/// Families, and the trailer of the format.
pub(super) fn encode(format: Format, families: &[MetricFamily]) -> Vec<u8> {
    let mut text = String::new();
    for family in families {
        // A string accepts every write.
        let _written = write_family(&mut text, format, family);
    }
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(format.trailer());
    bytes
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

/// Bounds have a decimal point, which OpenMetrics requires and the text format
/// accepts.
fn write_histogram(
    text: &mut String,
    name: &str,
    labels: &[String],
    metric: &Metric,
) -> std::fmt::Result {
    let histogram = metric.get_histogram();
    let count = histogram.get_sample_count();
    let buckets = histogram.get_bucket().iter();
    let buckets = buckets.map(|it| (format!("{:?}", it.upper_bound()), it.cumulative_count()));
    for (bound, count) in buckets.chain([("+Inf".to_owned(), count)]) {
        let labels = [labels, &[format!("le=\"{bound}\"")]].concat();
        sample(text, &format!("{name}_bucket"), &labels, count as f64)?;
    }
    sample(
        text,
        &format!("{name}_sum"),
        labels,
        histogram.get_sample_sum(),
    )?;
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
    let encoded = |pair: &LabelPair| {
        let mut value = Vec::new();
        write_value(pair.value(), &mut value);
        format!("{}=\"{}\"", pair.name(), String::from_utf8_lossy(&value))
    };
    pairs.iter().map(encoded).collect()
}
