//! The exporter's site over a crowd of tenants.

use crate::crowd;
use secure_score_exporter::http::{Closed, Options, PersonDetail, Site, bind, serve};
use secure_score_exporter::store::Store;
use secure_score_exporter::telemetry::Telemetry;
use secure_score_model::Persons;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub(crate) fn crowded(tenants: u64) -> Arc<Store> {
    let store = Arc::new(Store::default());
    for number in 0..tenants {
        store.publish(crowd::tenant(number, 0, 0));
    }
    store
}

/// Serves until the process ends. Must be called on a runtime.
pub(crate) async fn start(store: &Arc<Store>) -> SocketAddr {
    let options = Options {
        telemetry_path: "/metrics".to_owned(),
        route_prefix: "/".to_owned(),
        external_url: None,
        persons: PersonDetail::Shown(Persons::Plain),
        exposed: false,
        access: Arc::default(),
        closed: Closed::default(),
        lifecycle: None,
        version: "bench".to_owned(),
        started: SystemTime::now(),
    };
    let telemetry = Arc::new(Telemetry::new().unwrap());
    let site = Site::new(Arc::clone(store), telemetry, options);
    let listeners = bind(&["127.0.0.1:0"]).await.unwrap();
    let address = listeners[0].local_addr().unwrap();
    tokio::spawn(serve(listeners, Arc::new(site), std::future::pending()));
    address
}

/// Serves a crowd whose tenants are refreshed `per_minute` times a minute, all
/// together, one of a hundred times with new scores.
pub(crate) fn serve_crowd(tenants: u64, per_minute: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = crowded(tenants);
        println!("listening on {}", start(&store).await);
        let Some(pause) = 60_000_u64.checked_div(per_minute) else {
            return std::future::pending().await;
        };
        let mut dice = fastrand::Rng::with_seed(1);
        for refreshes in 1.. {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let number = dice.u64(..tenants);
            let known = store.current();
            let known = known.find(&crowd::alias(number)).unwrap();
            store.publish(match refreshes % 100 {
                0 => crowd::tenant(number, refreshes, refreshes),
                _ => crowd::refreshed(known, number, refreshes),
            });
        }
    });
}
