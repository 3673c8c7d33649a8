//! `/probe?tenant=NAME`: one tenant as a target of its own.
//!
//! A probe has the tenant's families only. The exporter's own stay at
//! `/metrics`: in a thousand probes they would be the same series under a
//! thousand instances. The external URL is the exception: alerts join it on the
//! instance of the tenant.

use super::cpu_pool::CpuPool;
use super::metrics_filter::unknown_tenants;
use super::representation::Representation;
use super::scrape::{gzip_body, plain_body};
use crate::http_types::{QueryError, Response, query, response};
use crate::store::{TenantState, VisibleStore};
use crate::telemetry::Telemetry;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use parking_lot::Mutex;
use secure_score_exposition::{Block, BlockCache, CompressedBody, FamilyHeaders, Format, Member};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Its path, below the prefix.
pub(super) const PATH: &str = "/probe";

/// How long a tenant's compressed blocks are kept for the next probe: longer
/// than any sensible scrape interval. Meanwhile they keep the tenant's bytes,
/// which may have newer ones.
const IDLE: Duration = Duration::from_secs(5 * 60);

/// How often idle blocks are looked for.
const EVICTION_INTERVAL: Duration = Duration::from_secs(60);

/// The tenant that a query names.
pub(super) fn tenant_parameter(query: Option<&str>) -> Result<String, QueryError> {
    let mut tenant = None;
    for (name, value) in query::parse_pairs(query)? {
        match (name.as_str(), &tenant) {
            ("tenant", None) => tenant = Some(value),
            ("tenant", Some(_)) => {
                return Err(QueryError::new(
                    "tenant is given twice",
                    "probe one tenant at a time, or filter /metrics with tenant[]",
                ));
            }
            _ => return Err(QueryError::unknown(&name, &["tenant"])),
        }
    }
    let tenant = tenant.filter(|name| !name.is_empty());
    tenant.ok_or_else(|| {
        QueryError::new(
            "no tenant is named",
            "request /probe?tenant=NAME with a name from the configuration",
        )
    })
}

/// The compressed blocks of each tenant that is probed.
///
/// A tenant takes some milliseconds to compress and changes a few times an hour,
/// while it is probed every minute. The first probe after a change compresses,
/// and later ones reuse the result.
#[derive(Debug, Default)]
pub(super) struct ProbeCache {
    headers: FamilyHeaders,
    cached: Mutex<CachedTenants>,
}

#[derive(Debug, Default)]
struct CachedTenants {
    tenants: BTreeMap<Arc<str>, CachedTenant>,
    /// Whether the task that evicts idle tenants runs.
    evicting: bool,
}

#[derive(Debug)]
struct CachedTenant {
    blocks: BlockCache,
    last_probe: Instant,
}

impl ProbeCache {
    /// Answers a probe of a tenant.
    pub(super) async fn respond(
        self: &Arc<Self>,
        alias: &str,
        visible: &VisibleStore,
        telemetry: &Telemetry,
        cpu_pool: &CpuPool,
        headers: &HeaderMap,
    ) -> Response {
        let tenants = visible.tenants_with_lines();
        let Some(state) = tenants.find(alias) else {
            let error = unknown_tenants(&[alias], &tenants);
            return response::text(StatusCode::NOT_FOUND, format!("{error}\n"));
        };
        let representation = Representation::of(headers);
        let format = representation.format;
        let tail = telemetry.encode_external_url(format);
        let none = Block::default();
        let member = match representation.gzip {
            true => compressed(self.current(state, tenants.generation, format), cpu_pool).await,
            false => None,
        };
        representation.response(match member {
            Some(member) => gzip_body(member, &none, &tail),
            None => {
                let chunks = std::iter::once((&state.data, &state.health_lines));
                plain_body(&self.headers, format, chunks, &none, tail)
            }
        })
    }

    fn current(
        self: &Arc<Self>,
        state: &TenantState,
        generation: u64,
        format: Format,
    ) -> Arc<CompressedBody> {
        let mut cached = self.cached.lock();
        if !cached.evicting {
            cached.evicting = true;
            tokio::spawn(evict_idle(Arc::downgrade(self)));
        }
        let alias = &state.identity.alias;
        let now = Instant::now();
        let tenant = cached.tenants.entry(Arc::clone(alias));
        let tenant = tenant.or_insert_with(|| CachedTenant {
            blocks: BlockCache::new(self.headers.clone()),
            last_probe: now,
        });
        tenant.last_probe = now;
        let one = std::iter::once((alias, &state.data, &state.health_lines));
        tenant.blocks.body(format, generation, one)
    }

    /// Evicts idle tenants, and says whether any is left.
    fn evict_idle(&self) -> bool {
        let mut cached = self.cached.lock();
        cached
            .tenants
            .retain(|_, it| it.last_probe.elapsed() < IDLE);
        cached.evicting = !cached.tenants.is_empty();
        cached.evicting
    }
}

/// A tenant's compressed lines; nothing where the process is ending.
async fn compressed(body: Arc<CompressedBody>, cpu_pool: &CpuPool) -> Option<Member> {
    if let Some(member) = body.member() {
        return Some(member);
    }
    cpu_pool.run(move || body.compressed()).await.flatten()
}

/// Runs until nothing is cached or the server is gone.
async fn evict_idle(cache: Weak<ProbeCache>) {
    loop {
        sleep(EVICTION_INTERVAL).await;
        match cache.upgrade() {
            Some(cache) if cache.evict_idle() => {}
            _ => return,
        }
    }
}
