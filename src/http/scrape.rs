//! `/metrics`: what Prometheus reads.

use super::compressor::{Compressor, Freshness};
use super::cpu_pool::CpuPool;
use super::metrics_filter::MetricsFilter;
use super::representation::{EncodedBody, Representation};
use crate::http_types::{Body, Response, length, response};
use crate::store::{Tenants, VisibleStore};
use crate::telemetry::Telemetry;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use secure_score_exposition::{Block, BlockCache, Chunk, FamilyHeaders, Format, Member, assemble};
use std::sync::Arc;
use std::time::Duration;

/// Prometheus sends the scrape timeout in this header.
const TIMEOUT_HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// Time kept for the response to be written, sent and read.
const TIMEOUT_OFFSET: Duration = Duration::from_millis(500);

/// For a person with `curl`: Prometheus' default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// A longer timeout is cut to this, since it holds a connection.
const MAX_TIMEOUT: Duration = Duration::from_secs(120);

/// An uncompressed body of some tenants' families, and of the partners'.
///
/// Assembling copies pointers only: a millisecond for a thousand tenants, whose
/// body takes a hundred times as long to send. The list is not cached: it would
/// keep the bytes of tenants that have newer ones, all of them in the end.
pub(super) fn plain_body<'a>(
    headers: &FamilyHeaders,
    format: Format,
    chunks: impl Iterator<Item = (&'a Chunk, &'a Chunk)> + Clone,
    partners: &Block,
    tail: Vec<u8>,
) -> EncodedBody {
    let mut slices = assemble(headers, format, chunks);
    slices.extend_from_slice(partners.parts());
    let slices: Arc<[Bytes]> = Arc::from(slices);
    let length = length(&slices);
    EncodedBody {
        body: Body::shared(slices, length, vec![tail.into()]),
        is_gzip: false,
    }
}

/// A gzip body of the compressed families, the partners' and the exporter's own.
pub(super) fn gzip_body(member: Member, partners: &Block, tail: &[u8]) -> EncodedBody {
    let end = member.finish(partners, tail);
    EncodedBody {
        body: Body::shared(member.parts, member.length, end),
        is_gzip: true,
    }
}

/// What is scraped, and by whom.
pub(super) struct Scrape<'a> {
    pub(super) filter: MetricsFilter,
    pub(super) visible: &'a VisibleStore,
    pub(super) freshness: Freshness,
    pub(super) headers: &'a HeaderMap,
}

/// Answers a scrape: the visible tenants' rendered bytes, and the exporter's own
/// families rendered now.
///
/// The blocks that are compressed in the background hold lines of all tenants, so
/// they are for clients that see all.
pub(super) async fn respond(
    scrape: Scrape<'_>,
    family_headers: &FamilyHeaders,
    compressor: &Arc<Compressor>,
    cpu_pool: &CpuPool,
    telemetry: &Telemetry,
) -> Response {
    let Scrape {
        filter,
        visible,
        freshness,
        headers,
    } = scrape;
    let representation = Representation::of(headers);
    let format = representation.format;
    let tail = match visible.whole() {
        Some(_) => telemetry.encode(format),
        None => telemetry.encode_for_some_tenants(format),
    };
    let partners = Arc::clone(visible.partners().blocks.in_format(format));
    let everything = visible.whole().filter(|_| filter.is_everything());
    let body = match everything {
        None => {
            let (tenants, gzip) = (visible.tenants_with_lines(), representation.gzip);
            let family_headers = family_headers.clone();
            let own = (partners, tail);
            let render =
                move || filtered_body(&family_headers, &filter, &tenants, format, gzip, own);
            cpu_pool.run(render).await
        }
        Some(store) => {
            // The other half suffices for a body that is not compressed.
            let wait = scrape_timeout(headers) / 2;
            let member = match representation.gzip {
                true => {
                    compressor
                        .member(store, representation, freshness, wait, cpu_pool)
                        .await
                }
                false => None,
            };
            Some(match member {
                Some(member) => gzip_body(member, &partners, &tail),
                None => {
                    let tenants = store.current();
                    let chunks = tenants.states.iter().map(|s| (&s.data, &s.health_lines));
                    plain_body(family_headers, format, chunks, &partners, tail)
                }
            })
        }
    };
    match body {
        Some(body) => representation.response(body),
        None => response::text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}

/// The body of a scrape of some tenants or categories. The families of the partners
/// and the exporter's `own` ones are not filtered.
///
/// Nothing is cached: there are as many results as sets of tenants and
/// categories.
fn filtered_body(
    headers: &FamilyHeaders,
    filter: &MetricsFilter,
    tenants: &Tenants,
    format: Format,
    gzip: bool,
    own: (Arc<Block>, Vec<u8>),
) -> EncodedBody {
    let (partners, tail) = own;
    let states = filter.states(tenants);
    let data: Vec<_> = states.iter().map(|state| filter.data(state)).collect();
    let both = states.iter().zip(&data);
    if gzip {
        let chunks = both.clone();
        let chunks = chunks.map(|(it, data)| (&it.identity.alias, &**data, &it.health_lines));
        let body = BlockCache::new(headers.clone()).body(format, 0, chunks);
        if let Some(member) = body.compressed() {
            return gzip_body(member, &partners, &tail);
        }
    }
    let chunks = both.map(|(state, data)| (&**data, &state.health_lines));
    plain_body(headers, format, chunks, &partners, tail)
}

/// How long a scrape may wait for newer data: its timeout less the time for
/// the response, which is half of a short timeout.
pub(super) fn scrape_timeout(headers: &HeaderMap) -> Duration {
    let header = headers.get(TIMEOUT_HEADER).and_then(|it| it.to_str().ok());
    let seconds = header.and_then(|it| it.trim().parse::<f64>().ok());
    let timeout = seconds
        .filter(|it| *it > 0.0)
        .and_then(|it| Duration::try_from_secs_f64(it.min(MAX_TIMEOUT.as_secs_f64())).ok())
        .unwrap_or(DEFAULT_TIMEOUT);
    timeout.saturating_sub(TIMEOUT_OFFSET.min(timeout / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn seconds(header: &'static str) -> f64 {
        let headers = HeaderMap::from_iter([(
            TIMEOUT_HEADER.parse().unwrap(),
            HeaderValue::from_static(header),
        )]);
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
        let default = (DEFAULT_TIMEOUT - TIMEOUT_OFFSET).as_secs_f64();
        for header in ["", "-1", "0", "nan", "soon"] {
            assert!((seconds(header) - default).abs() < 1e-9, "{header}");
        }
        assert_eq!(
            scrape_timeout(&HeaderMap::new()),
            DEFAULT_TIMEOUT - TIMEOUT_OFFSET
        );
    }
}
