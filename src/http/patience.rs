//! How long whoever scrapes will wait.

use hyper::header::HeaderMap;
use std::time::Duration;

/// Prometheus says in it after how many seconds it gives up.
const HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// What is left for the answer to be written, sent and read.
const OFFSET: Duration = Duration::from_millis(500);

/// For a person with `curl`: Prometheus' own default.
const USUAL: Duration = Duration::from_secs(10);

/// Whoever claims to wait longer is not believed: a connection would be held
/// for as long.
const LONGEST: Duration = Duration::from_secs(120);

/// How long a scrape may wait for fresher data: its time-out less what the
/// answer needs, which of a short time-out is half.
pub(super) fn patience(headers: &HeaderMap) -> Duration {
    let told = headers.get(HEADER).and_then(|it| it.to_str().ok());
    let seconds = told.and_then(|it| it.trim().parse::<f64>().ok());
    let told = seconds
        .filter(|it| *it > 0.0)
        .and_then(|it| Duration::try_from_secs_f64(it.min(LONGEST.as_secs_f64())).ok())
        .unwrap_or(USUAL);
    told.saturating_sub(OFFSET.min(told / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn seconds(told: &str) -> f64 {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(told).unwrap());
        patience(&headers).as_secs_f64()
    }

    #[test]
    fn something_is_left_for_the_answer() {
        for (told, waited) in [
            ("10", 9.5),
            ("1.5", 1.0),
            ("0.2", 0.1),
            ("1e9", 119.5),
            ("inf", 119.5),
        ] {
            assert!((seconds(told) - waited).abs() < 1e-9, "{told}");
        }
    }

    #[test]
    fn what_is_no_time_is_the_usual_one() {
        let usual = (USUAL - OFFSET).as_secs_f64();
        for told in ["", "-1", "0", "nan", "soon"] {
            assert!((seconds(told) - usual).abs() < 1e-9, "{told}");
        }
        assert_eq!(patience(&HeaderMap::new()), USUAL - OFFSET);
    }
}
