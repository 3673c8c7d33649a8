//! The Entra tenant of each alias, and which alias is served of each.

use crate::config::Tenant;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

/// The Entra tenants of the configured aliases.
///
/// A configuration may name one Entra tenant by its GUID and by a domain, which
/// only a response of Microsoft shows. Of such aliases the first in the
/// configuration that has data is served, so that no acceptance is counted
/// twice, the result does not depend on the order of the responses, and an alias
/// whose credential fails does not hide the tenant.
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
    /// Whether Graph has answered it, and the answer is not too old.
    has_data: bool,
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

/// Which alias of an Entra tenant is served.
pub(super) enum ServedAlias {
    /// The one in question, and the data of these are not.
    This(Vec<Arc<dyn Refusable>>),
    Other(Arc<str>),
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
            let (learned, has_data, data) =
                before.map_or((None, false, None), |it| (it.id, it.has_data, it.data));
            let id = tenant.entra_tenant_id().map(Arc::from).or(learned);
            let alias = Alias {
                position,
                directory,
                cloud: tenant.cloud.as_str(),
                id: None,
                has_data,
                data,
            };
            known.aliases.insert(Arc::clone(&name), alias);
            known.set_id(&name, id);
        }
    }

    /// Adds the data of an alias, which it may have of an earlier process.
    pub(super) fn attach(
        &self,
        alias: &str,
        id: Option<Arc<str>>,
        has_data: bool,
        data: Weak<dyn Refusable>,
    ) -> ServedAlias {
        let mut known = self.0.lock();
        if let Some(alias) = known.aliases.get_mut(alias) {
            alias.has_data |= has_data;
            alias.data = Some(data);
        }
        known.set_id(alias, id);
        known.served(alias)
    }

    /// Notes that Graph answered an alias, and its Entra id, if it is known now.
    pub(super) fn answered(&self, alias: &str, id: Option<Arc<str>>) -> ServedAlias {
        let mut known = self.0.lock();
        known.set_has_data(alias, true);
        known.set_id(alias, id);
        known.served(alias)
    }

    /// Notes that the data of an alias are too old.
    pub(super) fn has_no_data(&self, alias: &str) {
        self.0.lock().set_has_data(alias, false);
    }
}

impl Known {
    fn set_has_data(&mut self, name: &str, has_data: bool) {
        if let Some(alias) = self.aliases.get_mut(name) {
            alias.has_data = has_data;
        }
    }

    fn set_id(&mut self, name: &str, id: Option<Arc<str>>) {
        let Some(id) = id else {
            return;
        };
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

    fn served(&self, name: &str) -> ServedAlias {
        let alias = self.aliases.get(name);
        let key = alias.and_then(|it| Some((it.cloud, it.id.clone()?)));
        let same = key.and_then(|key| self.by_id.get(&key));
        let same = same.into_iter().flat_map(BTreeMap::values);
        let named = same.filter_map(|name| Some((name, self.aliases.get(name)?)));
        let mut with_data = named.filter(|(_, alias)| alias.has_data);
        match (with_data.next(), alias) {
            (Some((first, _)), _) if **first == *name => {
                let others = with_data.filter_map(|(_, other)| other.data.as_ref()?.upgrade());
                ServedAlias::This(others.collect())
            }
            (Some((first, served)), Some(alias)) if served.position < alias.position => {
                ServedAlias::Other(Arc::clone(first))
            }
            // It has no data itself, and so takes none from another.
            _ => ServedAlias::This(Vec::new()),
        }
    }
}
