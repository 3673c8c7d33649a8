//! `/metrics`: what Prometheus reads.

use super::body::{Body, length};
use super::compressor::Compressor;
use super::negotiate::{representation, wants_gzip};
use super::press::Press;
use super::reply::{self, Reply, reply, with};
use super::scope::Scope;
use crate::store::Store;
use crate::telemetry::Telemetry;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};
use secure_score_exposition::{BlockCache, Chunk, CompressedBody, Deflater, Format, assemble};
use std::sync::Arc;

/// The form an answer is asked for in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// The format of the lines.
    pub(super) format: Format,
    /// Whether it is to be compressed.
    pub(super) gzip: bool,
    content_type: &'static str,
}

impl Form {
    /// What the headers of a request ask for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let wanted = representation(headers);
        Self {
            format: wanted.format,
            gzip: wants_gzip(headers),
            content_type: wanted.content_type,
        }
    }

    /// The answer with this body.
    pub(super) fn answer(self, body: Body) -> Reply {
        let content_type = HeaderValue::from_static(self.content_type);
        let answer = vary(reply(StatusCode::OK, content_type, body));
        match self.gzip {
            true => gzipped(answer),
            false => answer,
        }
    }
}

/// The tenants' families as they are.
///
/// Putting them together is pointers only, a millisecond for a thousand
/// tenants, whose body takes a hundred times as long to send. Nothing of it is
/// kept: a list kept for the next scrape would hold on to the bytes of tenants
/// that have newer ones, all of them in the end, if there is no next scrape.
pub(super) fn plain<'a>(
    format: Format,
    chunks: impl Iterator<Item = (&'a Chunk, &'a Chunk)> + Clone,
    tail: Vec<u8>,
) -> Body {
    let parts: Arc<[Bytes]> = Arc::from(assemble(format, chunks));
    let length = length(&parts);
    Body::shared(parts, length, vec![tail.into()])
}

/// An edition as far as it is compressed by now.
pub(super) fn packed(edition: &CompressedBody, tail: &[u8]) -> Body {
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
    let form = Form::of(headers);
    let tail = tail(telemetry, form.format);
    let body = match form.gzip {
        true => {
            let edition = compressor.edition(store, form.format).await;
            packed(&edition, &tail)
        }
        false => {
            let tenants = store.current();
            let chunks = tenants.states.iter().map(|s| (&s.data, &s.vitals));
            plain(form.format, chunks, tail)
        }
    };
    form.answer(body)
}

/// Answers a scrape of some of it.
///
/// Of this nothing is kept: there are as many of them as sets of tenants and
/// categories, and nobody would know which will be asked for again. So it
/// costs what it holds, and is done where it holds up nobody.
pub(super) async fn narrowed(
    press: &Press,
    scope: Scope,
    store: &Store,
    telemetry: &Telemetry,
    headers: &HeaderMap,
) -> Reply {
    let form = Form::of(headers);
    let tail = tail(telemetry, form.format);
    let tenants = store.current();
    let body = press.run(move || {
        let states = scope.states(&tenants);
        let data: Vec<_> = states.iter().map(|state| scope.data(state)).collect();
        let both = states.iter().zip(&data);
        let both = both.map(|(state, data)| (&state.identity.alias, &**data, &state.vitals));
        match form.gzip {
            false => plain(
                form.format,
                both.map(|(_, data, vitals)| (data, vitals)),
                tail,
            ),
            true => {
                let edition = BlockCache::default().body(form.format, 0, both);
                compress(&edition);
                packed(&edition, &tail)
            }
        }
    });
    match body.await {
        Some(body) => form.answer(body),
        None => reply::text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()),
    }
}

/// Compresses what of an edition is not compressed yet.
pub(super) fn compress(edition: &CompressedBody) {
    let mut deflater = Deflater::default();
    for block in edition.blocks() {
        block.compress(&mut deflater);
    }
}

/// The exporter's own families, and the end of the exposition.
fn tail(telemetry: &Telemetry, format: Format) -> Vec<u8> {
    let mut tail = telemetry.encode(format);
    tail.extend_from_slice(format.trailer());
    tail
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
