//! What the log was told already, so that it is told once.

use crate::graph::UnknownWord;
use secure_score_model::{Api, Recategorised};
use std::collections::BTreeSet;

/// The oddities of one tenant that the log knows of. Each comes back with
/// every refresh, and a line each would drown everything else.
#[derive(Clone, Default)]
pub(super) struct Told {
    words: BTreeSet<UnknownWord>,
    moves: BTreeSet<Recategorised>,
}

/// So many different oddities are remembered; a tenant that makes up new words
/// with each answer must not take the memory, nor fill the log.
const MOST: usize = 1_000;

impl Told {
    /// Tells of words that this version does not know.
    pub(super) fn words(&mut self, tenant: &str, api: Api, words: BTreeSet<UnknownWord>) {
        for word in words {
            if self.words.len() >= MOST || self.words.contains(&word) {
                continue;
            }
            tracing::warn!(
                tenant,
                api = api.as_str(),
                field = word.field.as_str(),
                word = %word.word,
                "Graph used a word this version does not know; it is shown as unknown"
            );
            self.words.insert(word);
        }
    }

    /// Tells of controls that Microsoft moved.
    pub(super) fn moves(&mut self, tenant: &str, moves: Vec<Recategorised>) {
        for moved in moves {
            if self.moves.len() >= MOST || self.moves.contains(&moved) {
                continue;
            }
            tracing::info!(
                tenant,
                control = %moved.control,
                kept = %moved.kept,
                graph = %moved.seen,
                "Microsoft moved a control to another category; its series keep the first one"
            );
            self.moves.insert(moved);
        }
    }
}
