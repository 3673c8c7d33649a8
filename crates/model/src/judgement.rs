//! The declarations about a control or a recommendation, judged by decisions.

use crate::declaration::{DecisionState, Declaration};
use crate::{Approval, Decision, Timestamp};
use std::sync::Arc;

/// What was declared about a control or a recommendation, and the decisions that
/// name it.
#[derive(Debug, Clone)]
pub struct Judgement<'a> {
    declarations: Vec<Declaration<'a>>,
    /// The present state, if a decision can approve it.
    present: Option<DecisionState>,
    decisions: &'a [Arc<Decision>],
}

impl<'a> Judgement<'a> {
    /// The judgement of these declarations, of which the last may be the present one.
    pub const fn new(
        declarations: Vec<Declaration<'a>>,
        present: Option<DecisionState>,
        decisions: &'a [Arc<Decision>],
    ) -> Self {
        Self {
            declarations,
            present,
            decisions,
        }
    }

    /// The decisions that cover the newest acceptance, or would cover a first one,
    /// including expired ones.
    pub fn covering_acceptance(&self) -> impl Iterator<Item = &'a Arc<Decision>> {
        let covers = |it: &&Arc<Decision>| it.covers_acceptance(&self.declarations);
        self.decisions.iter().filter(covers)
    }

    /// The approval of the newest acceptance, or of a first one.
    pub fn acceptance_approval(&self, now: Timestamp) -> Approval<'a> {
        Approval::of(self.covering_acceptance().map(AsRef::as_ref), now)
    }

    /// The decisions that cover the present state, including expired ones.
    pub fn covering_present(&self) -> impl Iterator<Item = &'a Arc<Decision>> {
        let index = self.present_index();
        let covers = move |it: &&Arc<Decision>| {
            index.is_some_and(|index| it.covers(index, &self.declarations))
        };
        self.decisions.iter().filter(covers)
    }

    /// What is declared now, if a decision can approve it and its beginning is
    /// known.
    pub fn present(&self) -> Option<&Declaration<'a>> {
        self.declarations.get(self.present_index()?)
    }

    fn present_index(&self) -> Option<usize> {
        let last = self.declarations.len().checked_sub(1)?;
        let declaration = self.declarations.get(last)?;
        (Some(declaration.state) == self.present).then_some(last)
    }

    /// The approval of the present state; `None` where there is none to approve.
    pub fn present_approval(&self, now: Timestamp) -> Option<Approval<'a>> {
        self.present?;
        let covering = self.covering_present().map(AsRef::as_ref);
        Some(Approval::of(covering, now))
    }

    /// The unexpired decisions that name the present state, and that the person who
    /// declared it approved.
    pub fn self_approvals(&self, now: Timestamp) -> Vec<&'a Arc<Decision>> {
        let naming = self.naming_present(now);
        let present = self.present();
        let is_self =
            |it: &&Arc<Decision>| present.is_some_and(|present| it.is_self_approval_of(present));
        naming.filter(is_self).collect()
    }

    fn naming_present(&self, now: Timestamp) -> impl Iterator<Item = &'a Arc<Decision>> {
        let index = self.present_index();
        let names = move |it: &&Arc<Decision>| {
            index.is_some_and(|index| it.names(index, &self.declarations))
        };
        let valid = self.decisions.iter().filter(move |it| !it.is_expired(now));
        valid.filter(names)
    }

    /// Whether the person who declared the present state is the only one who
    /// approved it; `None` where no unexpired decision names it.
    pub fn is_self_approved(&self, now: Timestamp) -> Option<bool> {
        let present = self.present()?;
        let mut naming = self.naming_present(now).peekable();
        naming.peek()?;
        Some(naming.all(|it| it.is_self_approval_of(present)))
    }
}
