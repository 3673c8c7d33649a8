//! The current state of the partners.

use secure_score_exposition::{Chunk, PartnerBlocks, render_partner, render_share};
use secure_score_model::PartnerSnapshot;
use std::sync::Arc;

/// Everything that is shown of one partner at one time.
#[derive(Debug, Clone)]
pub struct PartnerState {
    /// What is known of it.
    pub snapshot: Arc<PartnerSnapshot>,
    /// The snapshot, rendered as far as this process exports it: with shards, one
    /// exports all families, and each which of its own customers lack consent.
    lines: Chunk,
}

impl PartnerState {
    /// A partner, rendered as far as this process exports it.
    pub fn new(snapshot: PartnerSnapshot, is_exported: bool) -> Self {
        Self {
            lines: match is_exported {
                true => render_partner(&snapshot),
                false => render_share(&snapshot),
            },
            snapshot: Arc::new(snapshot),
        }
    }
}

/// All partners at one time, in the order of the configuration.
#[derive(Debug, Default)]
pub struct Partners {
    /// Their states.
    pub states: Vec<Arc<PartnerState>>,
    /// Their families in both formats.
    pub blocks: PartnerBlocks,
}

impl Partners {
    /// These partners; it compresses their families.
    pub fn new(states: Vec<Arc<PartnerState>>) -> Self {
        Self {
            blocks: PartnerBlocks::of(states.iter().map(|it| &it.lines)),
            states,
        }
    }

    /// The state of one partner.
    pub fn find(&self, name: &str) -> Option<&Arc<PartnerState>> {
        self.states.iter().find(|it| *it.snapshot.name == *name)
    }
}
