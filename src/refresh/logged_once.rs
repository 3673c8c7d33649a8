//! Log lines that are written once per tenant.

use crate::graph::UnknownWord;
use parking_lot::Mutex;
use secure_score_model::{Api, Recategorised};
use std::collections::BTreeSet;

/// How many different findings are remembered, and so logged: a tenant that
/// sends new words with each response must fill neither the memory nor the log.
const MAX_LOGGED: usize = 1_000;

/// The findings of one tenant that are in the log already. Each returns with
/// every refresh, and would hide all other lines.
#[derive(Default)]
pub(super) struct LoggedOnce {
    words: Mutex<BTreeSet<UnknownWord>>,
    moves: Mutex<BTreeSet<Recategorised>>,
}

impl LoggedOnce {
    /// Logs words that this version does not know.
    pub(super) fn unknown_words(&self, tenant: &str, api: Api, words: BTreeSet<UnknownWord>) {
        for word in words.into_iter().filter(|it| is_first(&self.words, it)) {
            tracing::warn!(
                tenant,
                api = api.as_str(),
                field = word.field.as_str(),
                word = %word.word,
                "Graph used a word that this version does not know; it is exported as unknown"
            );
        }
    }

    /// Logs controls that Microsoft moved to another category.
    pub(super) fn moved_controls(&self, tenant: &str, moves: Vec<Recategorised>) {
        for moved in moves.into_iter().filter(|it| is_first(&self.moves, it)) {
            tracing::info!(
                tenant,
                control = %moved.control,
                kept = %moved.kept,
                graph = %moved.seen,
                "Microsoft moved a control to another category; its series keep the first one"
            );
        }
    }
}

fn is_first<T: Ord + Clone>(logged: &Mutex<BTreeSet<T>>, finding: &T) -> bool {
    let mut logged = logged.lock();
    logged.len() < MAX_LOGGED && logged.insert(finding.clone())
}
