//! Questions in PromQL, over a stretch of time.

use super::server::{Server, ServerError};
use serde::Deserialize;
use std::collections::BTreeMap;

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

/// A question over a stretch of time; seconds since the epoch.
#[derive(Debug, Clone)]
pub struct Question {
    /// The expression.
    pub promql: String,
    /// The first moment.
    pub start: i64,
    /// The last moment.
    pub end: i64,
    /// From one to the next.
    pub step: i64,
}

/// One series of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Moments and values, in order.
    pub values: Vec<(i64, f64)>,
}

#[derive(Deserialize)]
struct Reply {
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
    /// Asks, at the address of the server with the path of Prometheus' API.
    pub async fn query(&self, question: &Question) -> Result<Vec<Answer>, ServerError> {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/api/v1/query_range"));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("query", &question.promql)
            .append_pair("start", &question.start.to_string())
            .append_pair("end", &question.end.to_string())
            .append_pair("step", &question.step.to_string())
            // VictoriaMetrics remembers that there was nothing before a
            // backfill; Prometheus does not know the option.
            .append_pair("nocache", "1")
            .finish();
        let answer = self.post(&url, &FORM, body.into_bytes()).await?;
        let reply: Reply = serde_json::from_slice(&answer)
            .map_err(|_| self.unreadable("it is no answer of Prometheus' API"))?;
        Ok(reply.data.result.into_iter().map(read).collect())
    }
}

fn read(row: Row) -> Answer {
    let values = row.values.into_iter();
    Answer {
        labels: row.metric,
        values: values
            .filter_map(|(at, value)| Some((at.round() as i64, value.parse().ok()?)))
            .collect(),
    }
}
