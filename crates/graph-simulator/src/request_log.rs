//! What clients asked, for tests and for the curious.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// How many requests are remembered; older ones are forgotten.
const REMEMBERED: usize = 4096;

/// Which of the served interfaces a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// Entra's token endpoint.
    Token,
    /// The daily reports.
    Scores,
    /// The catalogue with the states.
    Profiles,
}

/// One request and how it was answered.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedRequest {
    /// When it was answered.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// From when to when it was under way, by a clock nobody sets.
    #[serde(skip)]
    pub under_way: (Instant, Instant),
    /// Whose data it was for, as far as that could be told.
    pub tenant: Option<String>,
    /// The interface, `None` for paths that do not exist.
    pub api: Option<Api>,
    /// Path and query as the client sent them.
    pub path_and_query: String,
    /// The page, from 1.
    pub page: u32,
    /// The status, 0 where the connection was dropped without one.
    pub status: u16,
}

/// A bounded ring of requests.
#[derive(Debug, Default)]
pub(super) struct RequestLog(Mutex<VecDeque<RecordedRequest>>);

impl RequestLog {
    pub(super) fn record(&self, request: RecordedRequest) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == REMEMBERED {
            ring.pop_front();
        }
        ring.push_back(request);
    }

    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.iter().cloned().collect()
    }
}

fn as_text<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_requests_are_forgotten() {
        let log = RequestLog::default();
        for page in 0..=REMEMBERED as u32 {
            log.record(RecordedRequest {
                at: Timestamp::UNIX_EPOCH,
                under_way: (Instant::now(), Instant::now()),
                tenant: None,
                api: None,
                path_and_query: "/".into(),
                page,
                status: 404,
            });
        }
        assert_eq!(log.all().len(), REMEMBERED);
        assert_eq!(log.all().first().map(|r| r.page), Some(1));
    }
}
