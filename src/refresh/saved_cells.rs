//! The cells of tenants that are added, with what an earlier process saved of them.

use super::context::{Context, Settings};
use super::tenant_cell::TenantCell;
use crate::store::saved_tenant::SavedTenant;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use tokio::runtime::Handle;

/// Publishes a cell for each of these settings, with what `load` returns of its alias.
/// The cells are in the order of the settings.
///
/// All cores read and render the tenants: a thousand take one core seconds. One thread
/// attaches the cells in between, in the order of the configuration, so that the alias
/// that is served of an Entra tenant does not depend on which thread is faster.
pub(super) fn publish(
    settings: &[Arc<Settings>],
    context: &Context,
    load: impl Fn(&str) -> Option<SavedTenant> + Sync,
) -> Vec<Arc<TenantCell>> {
    let cells = map_on_all_cores(settings, |settings| {
        let saved = load(&settings.identity.alias);
        let cell = TenantCell::new(Arc::clone(settings), context.clone(), saved);
        Arc::new(cell)
    });
    for cell in &cells {
        cell.attach();
    }
    map_on_all_cores(&cells, |cell| cell.update().publish());
    cells
}

/// The results for these items, in their order. Each thread has a run of neighbours.
fn map_on_all_cores<T: Sync, R: Send>(items: &[T], map: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let length = items.len().div_ceil(cores).max(1);
    let (map, runtime) = (&map, &Handle::current());
    thread::scope(|scope| {
        let parts = items.chunks(length).map(|items| {
            scope.spawn(move || {
                // Ages are measured with the clock of the runtime.
                let _entered = runtime.enter();
                items.iter().map(map).collect::<Vec<R>>()
            })
        });
        let parts: Vec<_> = parts.collect();
        let results = parts.into_iter().map(|part| part.join());
        let results = results.map(|it| it.unwrap_or_else(|panic| resume_unwind(panic)));
        results.flatten().collect()
    })
}
