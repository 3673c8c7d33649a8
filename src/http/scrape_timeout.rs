//! How long a scrape may wait for a refresh.

use hyper::header::HeaderMap;
use std::time::Duration;

/// Prometheus sends the scrape timeout in this header.
const HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// Time kept for the response to be written, sent and read.
const OFFSET: Duration = Duration::from_millis(500);

/// For a person with `curl`: Prometheus' default.
const DEFAULT: Duration = Duration::from_secs(10);

/// A longer timeout is cut to this, since it holds a connection.
const MAX: Duration = Duration::from_secs(120);

/// How long a scrape may wait for newer data: its timeout less the time for
/// the response, which is half of a short timeout.
pub(super) fn scrape_timeout(headers: &HeaderMap) -> Duration {
    let header = headers.get(HEADER).and_then(|it| it.to_str().ok());
    let seconds = header.and_then(|it| it.trim().parse::<f64>().ok());
    let timeout = seconds
        .filter(|it| *it > 0.0)
        .and_then(|it| Duration::try_from_secs_f64(it.min(MAX.as_secs_f64())).ok())
        .unwrap_or(DEFAULT);
    timeout.saturating_sub(OFFSET.min(timeout / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn seconds(header: &'static str) -> f64 {
        let headers =
            HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_static(header))]);
        scrape_timeout(&headers).as_secs_f64()
    }

    #[test]
    fn time_is_left_for_the_response() {
        for (header, waits) in [
            ("10", 9.5),
            ("1.5", 1.0),
            ("0.2", 0.1),
            ("1e9", 119.5),
            ("inf", 119.5),
        ] {
            assert!((seconds(header) - waits).abs() < 1e-9, "{header}");
        }
    }

    #[test]
    fn an_invalid_timeout_is_replaced_by_the_default() {
        let default = (DEFAULT - OFFSET).as_secs_f64();
        for header in ["", "-1", "0", "nan", "soon"] {
            assert!((seconds(header) - default).abs() < 1e-9, "{header}");
        }
        assert_eq!(scrape_timeout(&HeaderMap::new()), DEFAULT - OFFSET);
    }
}
