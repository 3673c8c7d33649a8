//! Lists that are requested at the same time, and rendered together.

use secure_score_model::Api;
use std::time::Duration;
use tokio::time::Instant;

/// How long the first of the two waits for the other.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// The lists of Secure Score whose refresh is not over.
///
/// Both are requested together at first, and with `refresh.mode: scrape` where both are
/// overdue. Rendering takes longer than parsing, so the first that ends waits for the
/// other, a second at most. Its health and its saved state do not wait.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestedLists {
    requested: Vec<Api>,
    /// Set when the first of them ended.
    wait_ends: Option<Instant>,
}

impl RequestedLists {
    /// Those of a tenant without data.
    pub(super) fn first() -> Self {
        Self {
            requested: Api::SECURE_SCORE.to_vec(),
            wait_ends: None,
        }
    }

    /// Notes that the refresh of a list begins.
    pub(super) fn begin(&mut self, api: Api) {
        if Api::SECURE_SCORE.contains(&api) && !self.requested.contains(&api) {
            self.requested.push(api);
        }
    }

    /// Notes that a refresh ended.
    pub(super) fn end(&mut self, api: Api) {
        self.requested.retain(|it| *it != api);
        self.wait_ends = match self.requested.is_empty() {
            true => None,
            false => self.wait_ends.or(Some(Instant::now() + MAX_WAIT)),
        };
    }

    /// Whether rendering waits for one of them.
    pub(super) fn are_awaited(&self) -> bool {
        self.wait_ends.is_some_and(|end| Instant::now() < end)
    }

    /// When the list that is there is rendered without the other.
    pub(super) fn wait_ends(&self) -> Option<Instant> {
        self.wait_ends
    }
}
