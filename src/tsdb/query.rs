//! PromQL queries over a range of time.

use super::server::{Server, ServerError};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

#[derive(Deserialize)]
struct QueryResponse {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<QueriedSeries>,
}

/// One series of the result.
#[derive(Deserialize)]
pub struct QueriedSeries {
    /// Its labels.
    #[serde(rename = "metric")]
    pub labels: BTreeMap<String, String>,
    /// Times in seconds since the epoch and values, in order.
    #[serde(default, deserialize_with = "samples")]
    pub values: Vec<(i64, f64)>,
}

fn samples<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(i64, f64)>, D::Error> {
    let samples: Vec<(f64, String)> = Vec::deserialize(deserializer)?;
    let samples = samples.into_iter();
    Ok(samples
        .filter_map(|(at, value)| Some((at.round() as i64, value.parse().ok()?)))
        .collect())
}

impl Server {
    /// Runs a query with Prometheus' HTTP API below the server's URL, at times
    /// that are `step` seconds apart.
    pub async fn query(
        &self,
        promql: &str,
        times: RangeInclusive<i64>,
        step: i64,
    ) -> Result<Vec<QueriedSeries>, ServerError> {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/api/v1/query_range"));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("query", promql)
            .append_pair("start", &times.start().to_string())
            .append_pair("end", &times.end().to_string())
            .append_pair("step", &step.to_string())
            // VictoriaMetrics caches the empty result from before a backfill.
            // Prometheus ignores the option.
            .append_pair("nocache", "1")
            .finish();
        let body = self.post(&url, &FORM, body.into_bytes()).await?;
        let response: QueryResponse = serde_json::from_slice(&body)
            .map_err(|_| self.unreadable("it is no answer of Prometheus' API"))?;
        Ok(response.data.result)
    }
}
