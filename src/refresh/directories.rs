//! The Entra tenant of each alias, and which alias is served of each.

use crate::config::Tenant;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

/// The Entra tenants of the configured aliases.
///
/// A configuration may name one Entra tenant by its GUID and by a domain, which
/// only a response of Microsoft shows. Of such aliases the first in the
/// configuration is served, so that no acceptance is counted twice and the
/// result does not depend on the order of the responses.
#[derive(Default)]
pub(super) struct Directories(Mutex<Known>);

#[derive(Default)]
struct Known {
    aliases: HashMap<Arc<str>, Alias>,
    by_id: HashMap<(&'static str, Arc<str>), AliasesByPosition>,
}

/// The aliases of one cloud and Entra id, in the order of the configuration.
type AliasesByPosition = BTreeMap<usize, Arc<str>>;

struct Alias {
    /// Its position in the configuration.
    position: usize,
    /// The cloud and directory as configured.
    directory: String,
    cloud: &'static str,
    /// The Entra id, once known.
    id: Option<Arc<str>>,
    data: Option<Weak<dyn Refusable>>,
}

/// The data of an alias, which another alias may replace.
pub(super) trait Refusable: Send + Sync {
    /// Publishes nothing more, because this other alias is served.
    fn refuse(&self, served: &str);
}

/// The cloud and directory that an alias stands for, as configured.
pub(super) fn directory(tenant: &Tenant) -> String {
    format!("{}/{}", tenant.cloud.as_str(), tenant.tenant_id)
}

/// What an alias is, among those of one Entra tenant.
pub(super) enum Standing {
    /// It is served, and the data of these are not.
    Served(Vec<Arc<dyn Refusable>>),
    /// This other alias is served.
    Duplicate(Arc<str>),
}

impl Directories {
    /// Applies a configuration. An alias of the same domain as before keeps the
    /// id that was learned.
    pub(super) fn configure(&self, tenants: &[Tenant]) {
        let mut known = self.0.lock();
        let mut before = std::mem::take(&mut *known).aliases;
        for (position, tenant) in tenants.iter().enumerate() {
            let name: Arc<str> = tenant.alias.as_str().into();
            let directory = directory(tenant);
            let before = before.remove(&name).filter(|it| it.directory == directory);
            let (learned, data) = before.map_or((None, None), |it| (it.id, it.data));
            let id = tenant.entra_tenant_id().map(Arc::from).or(learned);
            let alias = Alias {
                position,
                directory,
                cloud: tenant.cloud.as_str(),
                id: None,
                data,
            };
            known.aliases.insert(Arc::clone(&name), alias);
            if let Some(id) = id {
                known.set_id(&name, id);
            }
        }
    }

    /// Adds the data of an alias.
    pub(super) fn attach(&self, alias: &str, data: Weak<dyn Refusable>) {
        if let Some(alias) = self.0.lock().aliases.get_mut(alias) {
            alias.data = Some(data);
        }
    }

    /// Notes the Entra id of an alias, if it is known now.
    pub(super) fn learn(&self, alias: &str, id: Option<Arc<str>>) -> Standing {
        let mut known = self.0.lock();
        if let Some(id) = id {
            known.set_id(alias, id);
        }
        known.standing(alias)
    }
}

impl Known {
    fn set_id(&mut self, name: &str, id: Arc<str>) {
        let Some((name, _)) = self.aliases.get_key_value(name) else {
            return;
        };
        let name = Arc::clone(name);
        let Some(alias) = self.aliases.get_mut(&name) else {
            return;
        };
        let before = alias.id.replace(Arc::clone(&id));
        if let Some(aliases) = before.and_then(|id| self.by_id.get_mut(&(alias.cloud, id))) {
            aliases.remove(&alias.position);
        }
        let aliases = self.by_id.entry((alias.cloud, id)).or_default();
        aliases.insert(alias.position, name);
    }

    fn standing(&self, name: &str) -> Standing {
        let alias = self.aliases.get(name);
        let key = alias.and_then(|it| Some((it.cloud, it.id.clone()?)));
        let same = key.and_then(|key| self.by_id.get(&key));
        let mut same = same.into_iter().flat_map(BTreeMap::values);
        match same.next() {
            Some(first) if **first != *name => Standing::Duplicate(Arc::clone(first)),
            _ => {
                let others =
                    same.filter_map(|name| self.aliases.get(name)?.data.as_ref()?.upgrade());
                Standing::Served(others.collect())
            }
        }
    }
}
