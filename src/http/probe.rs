//! `/probe?tenant=NAME`: one tenant as a target of its own.
//!
//! The tenant's families. The exporter's own are of the process and stay at
//! `/metrics`, as with other exporters of many targets: in each of a thousand
//! answers they would be a thousand times the same, under a thousand instances.
//! The exception is the external URL, which alerts look for at the instance of
//! the tenant.

use super::press::Press;
use super::query::{self, BadQuery};
use super::reply::{self, Reply};
use super::scope::no_tenant;
use super::scrape::{Form, compress, packed, plain};
use crate::store::{Store, TenantState};
use crate::telemetry::Telemetry;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use secure_score_exposition::{BlockCache, CompressedBody, Format};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Where it is, below the prefix.
pub(super) const PATH: &str = "/probe";

/// How long what was compressed of a tenant is kept for the next probe. Longer
/// than any sensible scrape interval; meanwhile it holds on to the tenant's
/// bytes, which may have newer ones.
const IDLE: Duration = Duration::from_secs(5 * 60);

/// How often what is kept too long is looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// The tenant a query names.
pub(super) fn asked(query: Option<&str>) -> Result<String, BadQuery> {
    let mut tenant = None;
    for (name, value) in query::pairs(query)? {
        match (name.as_str(), &tenant) {
            ("tenant", None) => tenant = Some(value),
            ("tenant", Some(_)) => {
                return Err(BadQuery::new(
                    "tenant is given twice",
                    "probe one tenant at a time, or filter /metrics with tenant[]",
                ));
            }
            _ => return Err(BadQuery::unknown(&name, &["tenant"])),
        }
    }
    let tenant = tenant.filter(|name| !name.is_empty());
    tenant.ok_or_else(|| {
        BadQuery::new(
            "no tenant is named",
            "ask /probe?tenant=NAME with a name out of the configuration",
        )
    })
}

/// What was compressed of each tenant that is probed.
///
/// One tenant takes some milliseconds to compress, and changes a few times an
/// hour, while it is probed every minute. So the first who asks after a change
/// waits for it, and those after have it.
#[derive(Debug, Default)]
pub(super) struct Probes {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    tenants: BTreeMap<Arc<str>, Shelved>,
    /// Whether somebody lets go what nobody asks for.
    swept: bool,
}

#[derive(Debug)]
struct Shelved {
    shelf: BlockCache,
    asked: Instant,
}

impl Probes {
    /// Answers a probe of a tenant.
    pub(super) async fn answer(
        self: &Arc<Self>,
        alias: &String,
        store: &Store,
        telemetry: &Telemetry,
        press: &Press,
        headers: &HeaderMap,
    ) -> Reply {
        let tenants = store.current();
        let Some(state) = tenants.find(alias) else {
            let line = no_tenant(&[alias], alias, &tenants);
            return reply::text(StatusCode::NOT_FOUND, format!("{line}\n"));
        };
        let form = Form::of(headers);
        let mut end = telemetry.encode_external_url(form.format);
        end.extend_from_slice(form.format.trailer());
        if !form.gzip {
            let chunks = std::iter::once((&state.data, &state.vitals));
            return form.answer(plain(form.format, chunks, end));
        }
        let edition = self.edition(state, tenants.generation, form.format);
        if edition.blocks().any(|block| !block.is_compressed()) {
            let missing = Arc::clone(&edition);
            // Where nothing comes of it, the answer is only larger.
            let _done = press.run(move || compress(&missing)).await;
        }
        form.answer(packed(&edition, &end))
    }

    fn edition(
        self: &Arc<Self>,
        state: &TenantState,
        generation: u64,
        format: Format,
    ) -> Arc<CompressedBody> {
        let mut kept = self.kept();
        if !kept.swept {
            kept.swept = true;
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
        let alias = &state.identity.alias;
        let shelved = kept.tenants.entry(Arc::clone(alias));
        let shelved = shelved.or_insert_with(|| Shelved {
            shelf: BlockCache::default(),
            asked: Instant::now(),
        });
        shelved.asked = Instant::now();
        let one = std::iter::once((alias, &state.data, &state.vitals));
        shelved.shelf.body(format, generation, one)
    }

    /// Lets go what nobody asked for lately. Whether something is left.
    fn sweep(&self) -> bool {
        let mut kept = self.kept();
        kept.tenants.retain(|_, it| it.asked.elapsed() < IDLE);
        kept.swept = !kept.tenants.is_empty();
        kept.swept
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Round after round, until nothing is kept or the server is gone.
async fn sweep(probes: Weak<Probes>) {
    loop {
        sleep(SWEEP).await;
        match probes.upgrade() {
            Some(probes) if probes.sweep() => {}
            _ => return,
        }
    }
}
