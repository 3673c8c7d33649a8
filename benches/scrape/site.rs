//! The exporter's site over many tenants.

use crate::large_fleet;
use secure_score_exporter::http::{ServerOptions, Site, SiteOptions, bind, serve};
use secure_score_exporter::store::Store;
use secure_score_exporter::telemetry::Telemetry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn store_of(tenants: u64) -> Arc<Store> {
    let store = Arc::new(Store::default());
    for number in 0..tenants {
        store.publish(large_fleet::tenant(number, 0, 0));
    }
    store
}

/// Serves until the process ends. Must be called on a runtime.
pub(crate) async fn start(store: &Arc<Store>) -> SocketAddr {
    let telemetry = Arc::new(Telemetry::new().unwrap());
    let site = Site::new(Arc::clone(store), telemetry, SiteOptions::default());
    let listeners = bind(&["127.0.0.1:0"]).await.unwrap();
    let address = listeners[0].local_addr().unwrap();
    let options = ServerOptions::default();
    tokio::spawn(serve(
        options,
        listeners,
        Arc::new(site),
        std::future::pending(),
    ));
    address
}

/// Serves tenants with `per_minute` refreshes in total, one of a hundred with new
/// scores.
pub(crate) fn serve_fleet(tenants: u64, per_minute: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = store_of(tenants);
        println!("listening on {}", start(&store).await);
        let Some(pause) = 60_000_u64.checked_div(per_minute) else {
            return std::future::pending().await;
        };
        let mut dice = fastrand::Rng::with_seed(1);
        for refreshes in 1.. {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let number = dice.u64(..tenants);
            let known = store.current();
            let known = known.find(&large_fleet::alias(number)).unwrap();
            store.publish(match refreshes % 100 {
                0 => large_fleet::tenant(number, refreshes, refreshes),
                _ => large_fleet::refreshed(known, number, refreshes),
            });
        }
    });
}
