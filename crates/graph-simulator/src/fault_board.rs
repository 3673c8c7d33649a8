//! The board the injected faults hang on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fault::{Fault, FaultId, Injection, What};
use super::request_log::Api;

/// A request, as far as faults care.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) api: Api,
    pub(super) tenant: Option<&'a str>,
    pub(super) page: u32,
    pub(super) selects: bool,
}

/// All faults that are injected, oldest first.
#[derive(Debug, Default)]
pub(super) struct FaultBoard(Mutex<Board>);

#[derive(Debug, Default)]
struct Board {
    last_id: u64,
    injections: Vec<Injection>,
}

impl FaultBoard {
    pub(super) fn inject(&self, tenant: Option<String>, fault: Fault) -> FaultId {
        let mut board = self.board();
        board.last_id += 1;
        let id = FaultId(board.last_id);
        board.injections.push(Injection {
            id,
            tenant,
            fault,
            struck: 0,
        });
        id
    }

    pub(super) fn all(&self) -> Vec<Injection> {
        self.board().injections.clone()
    }

    pub(super) fn clear(&self) {
        self.board().injections.clear();
    }

    /// Whether there was such a fault.
    pub(super) fn remove(&self, id: FaultId) -> bool {
        let mut board = self.board();
        let before = board.injections.len();
        board.injections.retain(|injection| injection.id != id);
        board.injections.len() < before
    }

    /// The oldest fault that strikes a request; its count goes down by one.
    pub(super) fn strike(&self, target: Target<'_>) -> Option<What> {
        let mut board = self.board();
        let injection = board
            .injections
            .iter_mut()
            .find(|injection| injection.strikes(target))?;
        injection.struck += 1;
        let what = injection.fault.what.clone();
        let spent = injection.count_down();
        let id = injection.id;
        board
            .injections
            .retain(|injection| !(spent && injection.id == id));
        Some(what)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Injection {
    fn strikes(&self, target: Target<'_>) -> bool {
        let fault = &self.fault;
        fault.api == target.api
            && fault.page.is_none_or(|page| page == target.page)
            && self
                .tenant
                .as_deref()
                .is_none_or(|name| target.tenant == Some(name))
            && (target.selects || !matches!(fault.what, What::SelectUnsupported(_)))
    }

    /// Whether that was the last time.
    fn count_down(&mut self) -> bool {
        self.fault.times = self.fault.times.map(|times| times.saturating_sub(1));
        self.fault.times == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(api: Api, tenant: &str, page: u32) -> Target<'_> {
        Target {
            api,
            tenant: Some(tenant),
            page,
            selects: false,
        }
    }

    #[test]
    fn a_fault_strikes_its_tenant_and_page_so_often_and_no_more() {
        let board = FaultBoard::default();
        board.inject(
            Some("a".into()),
            Fault::new(Api::Profiles, What::Reset).on_page(2).times(1),
        );
        assert_eq!(board.strike(target(Api::Profiles, "a", 1)), None);
        assert_eq!(board.strike(target(Api::Profiles, "b", 2)), None);
        assert_eq!(board.strike(target(Api::Scores, "a", 2)), None);
        assert_eq!(
            board.strike(target(Api::Profiles, "a", 2)),
            Some(What::Reset)
        );
        assert_eq!(board.strike(target(Api::Profiles, "a", 2)), None);
    }

    #[test]
    fn a_refused_select_leaves_other_requests_alone() {
        let board = FaultBoard::default();
        board.inject(
            None,
            Fault::new(Api::Profiles, What::SelectUnsupported(501)),
        );
        assert_eq!(board.strike(target(Api::Profiles, "a", 1)), None);
        let selecting = Target {
            selects: true,
            ..target(Api::Profiles, "a", 1)
        };
        assert_eq!(board.strike(selecting), Some(What::SelectUnsupported(501)));
    }
}
