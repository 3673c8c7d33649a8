//! PromQL queries over a range of time.

use super::server::{Server, ServerError};
use serde::Deserialize;
use std::collections::BTreeMap;

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

/// A range query, in seconds since the epoch.
#[derive(Debug, Clone)]
pub struct RangeQuery {
    /// The expression.
    pub promql: String,
    /// The first time.
    pub start: i64,
    /// The last time.
    pub end: i64,
    /// The seconds between two times.
    pub step: i64,
}

/// One series of the result.
#[derive(Debug, Clone, PartialEq)]
pub struct QueriedSeries {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Times and values, in order.
    pub values: Vec<(i64, f64)>,
}

#[derive(Deserialize)]
struct QueryResponse {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

impl Server {
    /// Runs a query with Prometheus' HTTP API below the server's URL.
    pub async fn query(&self, query: &RangeQuery) -> Result<Vec<QueriedSeries>, ServerError> {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/api/v1/query_range"));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("query", &query.promql)
            .append_pair("start", &query.start.to_string())
            .append_pair("end", &query.end.to_string())
            .append_pair("step", &query.step.to_string())
            // VictoriaMetrics caches the empty result from before a backfill.
            // Prometheus ignores the option.
            .append_pair("nocache", "1")
            .finish();
        let body = self.post(&url, &FORM, body.into_bytes()).await?;
        let response: QueryResponse = serde_json::from_slice(&body)
            .map_err(|_| self.unreadable("it is no answer of Prometheus' API"))?;
        Ok(response.data.result.into_iter().map(series).collect())
    }
}

fn series(row: Row) -> QueriedSeries {
    let values = row.values.into_iter();
    QueriedSeries {
        labels: row.metric,
        values: values
            .filter_map(|(at, value)| Some((at.round() as i64, value.parse().ok()?)))
            .collect(),
    }
}
