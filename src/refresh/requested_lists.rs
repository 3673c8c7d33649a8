//! The first refresh of a tenant, whose catalogue and report are rendered together.

use secure_score_model::Api;
use std::time::Duration;
use tokio::time::Instant;

/// How long the first of the two waits for the other.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// The lists of Secure Score whose first refresh is not over.
///
/// They are requested at the same time. Rendering takes longer than parsing, so they
/// are rendered once, unless one is slow.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstLists {
    awaited: Vec<Api>,
    /// Set when the first of them ended.
    wait_ends: Option<Instant>,
}

impl FirstLists {
    /// Those of a tenant without data.
    pub(super) fn requested() -> Self {
        Self {
            awaited: Api::SECURE_SCORE.to_vec(),
            wait_ends: None,
        }
    }

    /// Notes that a refresh ended.
    pub(super) fn end(&mut self, api: Api) {
        self.awaited.retain(|it| *it != api);
        self.wait_ends = match self.awaited.is_empty() {
            true => None,
            false => self.wait_ends.or(Some(Instant::now() + MAX_WAIT)),
        };
    }

    /// Whether rendering waits for one of them.
    pub(super) fn are_awaited(&self) -> bool {
        let is_waiting = self.wait_ends.is_none_or(|end| Instant::now() < end);
        !self.awaited.is_empty() && is_waiting
    }

    /// When the list that is there is rendered without the other.
    pub(super) fn wait_ends(&self) -> Option<Instant> {
        self.wait_ends
    }
}
