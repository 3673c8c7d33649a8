//! `/metrics`: what Prometheus reads.

use super::body::{Body, length};
use super::compressor::Compressor;
use super::negotiate::{representation, wants_gzip};
use super::reply::{Reply, reply, with};
use crate::exposition::{Format, assemble};
use crate::store::Store;
use crate::telemetry::Telemetry;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};
use std::sync::Arc;

/// The tenants' families as they are.
///
/// Putting them together is pointers only, a millisecond for a thousand
/// tenants, whose body takes a hundred times as long to send. Nothing of it is
/// kept: a list kept for the next scrape would hold on to the bytes of tenants
/// that have newer ones, all of them in the end, if there is no next scrape.
fn plain(store: &Store, format: Format, tail: Vec<u8>) -> Body {
    let tenants = store.current();
    let chunks = tenants.states.iter().map(|s| (&s.data, &s.vitals));
    let parts: Arc<[Bytes]> = Arc::from(assemble(format, chunks));
    let length = length(&parts);
    Body::shared(parts, length, vec![tail.into()])
}

/// The same compressed, as far as it is by now.
async fn gzip(
    compressor: &Arc<Compressor>,
    store: &Arc<Store>,
    format: Format,
    tail: &[u8],
) -> Body {
    let edition = compressor.edition(store, format).await;
    let member = edition.member();
    Body::shared(member.parts, member.length, vec![edition.finish(tail)])
}

/// Answers a scrape: the tenants' bytes as they lie, and our own families
/// rendered afresh.
pub(super) async fn scrape(
    compressor: &Arc<Compressor>,
    store: &Arc<Store>,
    telemetry: &Telemetry,
    headers: &HeaderMap,
) -> Reply {
    let wanted = representation(headers);
    let mut tail = telemetry.encode(wanted.format);
    tail.extend_from_slice(wanted.format.trailer());
    let content_type = HeaderValue::from_static(wanted.content_type);
    let answer = |body| vary(reply(StatusCode::OK, content_type, body));
    match wants_gzip(headers) {
        true => gzipped(answer(gzip(compressor, store, wanted.format, &tail).await)),
        false => answer(plain(store, wanted.format, tail)),
    }
}

fn gzipped(answer: Reply) -> Reply {
    let gzip = HeaderValue::from_static("gzip");
    with(answer, header::CONTENT_ENCODING, gzip)
}

/// What a cache in between must compare before it gives the answer away.
fn vary(answer: Reply) -> Reply {
    let names = HeaderValue::from_static("Accept, Accept-Encoding");
    with(answer, header::VARY, names)
}
