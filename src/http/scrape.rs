//! `/metrics`: what Prometheus reads.

use super::compressor::Compressor;
use super::cpu_pool::CpuPool;
use super::metrics_filter::MetricsFilter;
use super::representation::Representation;
use crate::http_types::{Body, Response, length, response};
use crate::store::Store;
use crate::telemetry::Telemetry;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use secure_score_exposition::{BlockCache, Chunk, CompressedBody, Deflater, Format, assemble};
use std::sync::Arc;

/// An uncompressed body of some tenants' families.
///
/// Assembling copies pointers only: a millisecond for a thousand tenants, whose
/// body takes a hundred times as long to send. The list is not cached: it would
/// keep the bytes of tenants that have newer ones, all of them in the end.
pub(super) fn plain_body<'a>(
    format: Format,
    chunks: impl Iterator<Item = (&'a Chunk, &'a Chunk)> + Clone,
    tail: Vec<u8>,
) -> Body {
    let slices: Arc<[Bytes]> = Arc::from(assemble(format, chunks));
    let length = length(&slices);
    Body::shared(slices, length, vec![tail.into()])
}

/// A gzip body, compressed as far as its blocks are by now.
pub(super) fn gzip_body(compressed: &CompressedBody, tail: &[u8]) -> Body {
    let member = compressed.member();
    Body::shared(member.parts, member.length, vec![compressed.finish(tail)])
}

/// Answers a scrape of everything: the tenants' rendered bytes, and the
/// exporter's own families rendered now.
pub(super) async fn scrape(
    compressor: &Arc<Compressor>,
    store: &Arc<Store>,
    telemetry: &Telemetry,
    headers: &HeaderMap,
) -> Response {
    let representation = Representation::of(headers);
    let format = representation.format;
    let tail = tail(telemetry, format);
    let body = if representation.gzip {
        let compressed = compressor.current(store, format).await;
        gzip_body(&compressed, &tail)
    } else {
        let tenants = store.current();
        let chunks = tenants.states.iter().map(|s| (&s.data, &s.health_lines));
        plain_body(format, chunks, tail)
    };
    representation.response(body)
}

/// Answers a scrape with a filter.
///
/// Nothing is cached: there are as many results as sets of tenants and
/// categories. The work runs off the threads that serve requests.
pub(super) async fn filtered_scrape(
    cpu_pool: &CpuPool,
    filter: MetricsFilter,
    store: &Store,
    telemetry: &Telemetry,
    headers: &HeaderMap,
) -> Response {
    let representation = Representation::of(headers);
    let format = representation.format;
    let tail = tail(telemetry, format);
    let tenants = store.current();
    let body = cpu_pool.run(move || {
        let states = filter.states(&tenants);
        let data: Vec<_> = states.iter().map(|state| filter.data(state)).collect();
        let both = states.iter().zip(&data);
        let chunks =
            both.map(|(state, data)| (&state.identity.alias, &**data, &state.health_lines));
        if representation.gzip {
            let compressed = BlockCache::default().body(format, 0, chunks);
            compress(&compressed);
            gzip_body(&compressed, &tail)
        } else {
            plain_body(
                format,
                chunks.map(|(_, data, health_lines)| (data, health_lines)),
                tail,
            )
        }
    });
    match body.await {
        Some(body) => representation.response(body),
        None => response::text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}

/// Compresses the blocks that are not compressed yet.
pub(super) fn compress(body: &CompressedBody) {
    let mut deflater = Deflater::default();
    for block in body.blocks() {
        block.compress(&mut deflater);
    }
}

/// The exporter's own families, and the end of the exposition.
fn tail(telemetry: &Telemetry, format: Format) -> Vec<u8> {
    let mut tail = telemetry.encode(format);
    tail.extend_from_slice(format.trailer());
    tail
}
