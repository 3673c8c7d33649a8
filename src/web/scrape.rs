//! `/metrics`: what Prometheus reads.

use super::body::{Body, length};
use super::compressor::Compressor;
use super::negotiate::{representation, wants_gzip};
use super::reply::{Reply, reply, with};
use crate::exposition::{Format, assemble};
use crate::store::{Store, Tenants};
use crate::telemetry::Telemetry;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};
use std::sync::{Arc, Mutex, PoisonError};

/// The tenants' families of one generation in one format, as they are.
#[derive(Debug)]
struct Rendering {
    generation: u64,
    format: Format,
    parts: Arc<[Bytes]>,
    length: usize,
}

impl Rendering {
    fn new(tenants: &Tenants, format: Format) -> Self {
        let chunks = tenants.states.iter().map(|s| (&s.data, &s.vitals));
        let parts: Arc<[Bytes]> = Arc::from(assemble(format, chunks));
        Self {
            generation: tenants.generation,
            format,
            length: length(&parts),
            parts,
        }
    }
}

/// The tenants' families of the current generation, plain and compressed.
///
/// Plain renderings of an older one are dropped as soon as anybody asks for a
/// newer one, in whatever format: a format that somebody asked for once must
/// not keep a hundred megabytes of yesterday in memory.
#[derive(Debug, Default)]
pub(super) struct Renderings {
    plain: Mutex<Vec<Arc<Rendering>>>,
    compressor: Arc<Compressor>,
}

impl Renderings {
    /// Assembling is pointers only, a matter of a millisecond for a thousand
    /// tenants, so it is done under the lock: nobody does it twice, and nobody
    /// puts an older generation back.
    fn current(&self, store: &Store, format: Format) -> Arc<Rendering> {
        let mut kept = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        let tenants = store.current();
        kept.retain(|rendering| rendering.generation == tenants.generation);
        if let Some(known) = kept.iter().find(|known| known.format == format) {
            return Arc::clone(known);
        }
        let fresh = Arc::new(Rendering::new(&tenants, format));
        kept.push(Arc::clone(&fresh));
        fresh
    }

    fn plain(&self, store: &Store, format: Format, tail: Vec<u8>) -> Body {
        let rendering = self.current(store, format);
        let parts = Arc::clone(&rendering.parts);
        Body::shared(parts, rendering.length, vec![tail.into()])
    }

    async fn gzip(&self, store: &Arc<Store>, format: Format, tail: &[u8]) -> Body {
        let edition = self.compressor.edition(store, format).await;
        let member = edition.member();
        Body::shared(member.parts, member.length, vec![edition.finish(tail)])
    }
}

/// Answers a scrape: the tenants' bytes as they lie, and our own families
/// rendered afresh.
pub(super) async fn scrape(
    renderings: &Renderings,
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
        true => gzipped(answer(renderings.gzip(store, wanted.format, &tail).await)),
        false => answer(renderings.plain(store, wanted.format, tail)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_generation_is_assembled_once_per_format() {
        let (renderings, store) = (Renderings::default(), Store::default());
        let first = renderings.current(&store, Format::Text);
        let open = renderings.current(&store, Format::OpenMetrics);
        assert!(Arc::ptr_eq(
            &first,
            &renderings.current(&store, Format::Text)
        ));
        assert!(!Arc::ptr_eq(&first, &open));
    }

    #[test]
    fn a_new_generation_frees_the_old_one_in_every_format() {
        let (renderings, store) = (Renderings::default(), Store::default());
        let old = Arc::downgrade(&renderings.current(&store, Format::Text));
        store.remove("nobody");
        let new = renderings.current(&store, Format::OpenMetrics);
        assert_eq!(new.generation, 1);
        assert!(old.upgrade().is_none());
    }
}
