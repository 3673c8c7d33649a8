//! The injected faults.

use parking_lot::Mutex;

use crate::fault::{Fault, FaultId, FaultKind, InjectedFault};
use crate::recorded_request::Api;

/// The properties of a request that decide which fault affects it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FaultTarget<'a> {
    pub(crate) api: Api,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) page: u32,
    /// Whether the request has `$select`.
    pub(crate) selects: bool,
}

impl<'a> FaultTarget<'a> {
    /// A request to the CONNECT proxy, which does not know the tenant.
    pub(crate) fn proxy() -> Self {
        Self {
            api: Api::Proxy,
            ..Self::token(None)
        }
    }

    /// A request to a token endpoint.
    pub(crate) fn token(tenant: Option<&'a str>) -> Self {
        Self {
            api: Api::Token,
            tenant,
            page: 1,
            selects: false,
        }
    }
}

/// All injected faults, oldest first.
#[derive(Debug, Default)]
pub(crate) struct ActiveFaults(Mutex<Faults>);

#[derive(Debug, Default)]
struct Faults {
    last_id: u64,
    injected: Vec<InjectedFault>,
}

impl ActiveFaults {
    pub(crate) fn inject(&self, tenant: Option<String>, fault: Fault) -> FaultId {
        let mut faults = self.0.lock();
        faults.last_id += 1;
        let id = FaultId(faults.last_id);
        faults.injected.push(InjectedFault {
            id,
            tenant,
            fault,
            applied: 0,
        });
        id
    }

    pub(crate) fn all(&self) -> Vec<InjectedFault> {
        self.0.lock().injected.clone()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().injected.clear();
    }

    /// Whether the fault existed.
    pub(crate) fn remove(&self, id: FaultId) -> bool {
        let mut faults = self.0.lock();
        let before = faults.injected.len();
        faults.injected.retain(|injected| injected.id != id);
        faults.injected.len() < before
    }

    /// The oldest fault that affects a request; its count goes down by one.
    pub(crate) fn apply(&self, target: FaultTarget<'_>) -> Option<FaultKind> {
        let faults = &mut self.0.lock().injected;
        let index = faults.iter().position(|fault| fault.affects(target))?;
        let injected = faults.get_mut(index)?;
        injected.applied += 1;
        let kind = injected.fault.kind.clone();
        let times = &mut injected.fault.times;
        *times = times.map(|times| times.saturating_sub(1));
        if *times == Some(0) {
            faults.remove(index);
        }
        Some(kind)
    }
}

impl InjectedFault {
    fn affects(&self, target: FaultTarget<'_>) -> bool {
        let fault = &self.fault;
        fault.api == target.api
            && fault.page.is_none_or(|page| page == target.page)
            && (self.tenant.is_none() || self.tenant.as_deref() == target.tenant)
            && (target.selects || !matches!(fault.kind, FaultKind::SelectUnsupported(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(api: Api, tenant: &str, page: u32) -> FaultTarget<'_> {
        FaultTarget {
            api,
            page,
            ..FaultTarget::token(Some(tenant))
        }
    }

    #[test]
    fn a_fault_affects_its_tenant_and_page_and_ends_after_its_times() {
        let faults = ActiveFaults::default();
        let fault = Fault::new(Api::Profiles, FaultKind::Reset).on_page(2);
        faults.inject(Some("a".into()), fault.times(1));
        assert_eq!(faults.apply(target(Api::Profiles, "a", 1)), None);
        assert_eq!(faults.apply(target(Api::Profiles, "b", 2)), None);
        assert_eq!(faults.apply(target(Api::Scores, "a", 2)), None);
        let affected = target(Api::Profiles, "a", 2);
        assert_eq!(faults.apply(affected), Some(FaultKind::Reset));
        assert_eq!(faults.apply(affected), None);
    }

    #[test]
    fn an_unsupported_select_affects_requests_with_select_only() {
        let faults = ActiveFaults::default();
        let kind = FaultKind::SelectUnsupported(501);
        faults.inject(None, Fault::new(Api::Profiles, kind.clone()));
        let mut request = target(Api::Profiles, "a", 1);
        assert_eq!(faults.apply(request), None);
        request.selects = true;
        assert_eq!(faults.apply(request), Some(kind));
    }
}
