//! How a scrape gets what is overdue refreshed.

use super::bell::{Bell, Ringing};
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The bells of all loops, where refreshes wait for scrapes.
///
/// This is all that the web server knows of refreshing: whoever is asked to
/// shows that somebody wants to see a tenant, and waits. What is due, and when
/// Graph may be asked, the loops decide. Where time starts the refreshes there
/// are no bells, and nobody waits.
#[derive(Debug, Default)]
pub struct OnDemandRefresh {
    bells: ArcSwap<BTreeMap<Arc<str>, Vec<Arc<Bell>>>>,
}

impl OnDemandRefresh {
    /// Starts the refreshes that are due of the tenants that are wanted, and
    /// waits until those under way have ended, however.
    pub async fn refreshed(&self, wanted: impl Fn(&str) -> bool) {
        for ringing in self.ring(wanted) {
            ringing.over().await;
        }
    }

    /// All of them ring before anybody waits for the first.
    fn ring(&self, wanted: impl Fn(&str) -> bool) -> Vec<Ringing> {
        let bells = self.bells.load();
        let wanted = bells.iter().filter(|(alias, _)| wanted(alias));
        wanted
            .flat_map(|(_, bells)| bells)
            .filter_map(|bell| bell.ring())
            .collect()
    }

    pub(super) fn set(&self, bells: BTreeMap<Arc<str>, Vec<Arc<Bell>>>) {
        self.bells.store(Arc::new(bells));
    }
}
