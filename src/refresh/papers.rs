//! What lies on a tenant's desk.

use super::told::Told;
use crate::events::Seen;
use secure_score_exposition::Chunk;
use secure_score_model::{
    Catalogue, CategoryPins, PreviousScore, Report, TenantHealth, TenantIdentity, TenantSnapshot,
    Timestamp,
};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard};
use tokio::time::Instant;

/// One tenant's answers, and what was made of them.
#[derive(Clone)]
pub(super) struct Papers {
    pub(super) identity: TenantIdentity,
    pub(super) health: TenantHealth,
    pub(super) catalogue: Option<Kept<Arc<Catalogue>>>,
    pub(super) report: Option<Kept<Arc<Report>>>,
    pub(super) had_controls: bool,
    pub(super) had_report: bool,
    pub(super) pins: CategoryPins,
    pub(super) earlier: Option<PreviousScore>,
    pub(super) snapshot: Arc<TenantSnapshot>,
    /// Whether the snapshot shows what lies here.
    pub(super) joined: bool,
    /// Whether another desk has taken over, or none.
    pub(super) retired: bool,
    pub(super) data: Chunk,
    pub(super) told: Told,
    pub(super) seen: Seen,
}

/// Something Graph said, and until when it is believed.
#[derive(Clone)]
pub(super) struct Kept<T> {
    pub(super) value: T,
    /// When Graph last said so, by the wall clock.
    pub(super) confirmed: Timestamp,
    /// When it is too old to be true, by a clock nobody sets.
    pub(super) expires: Instant,
    /// Graph did not say that something is missing.
    pub(super) whole: bool,
}

impl Papers {
    pub(super) fn learn_id(&mut self, id: Option<&Arc<str>>) {
        let id = id.filter(|id| !id.is_empty());
        if self.identity.entra_tenant_id.is_none() {
            self.identity.entra_tenant_id = id.map(Arc::clone);
        }
    }

    /// Keeps where the tenant stood, when the report that comes is of a later
    /// day than the one that lies here. Within a day Microsoft corrects.
    pub(super) fn put_aside(&mut self, coming: &Report) {
        let lying = self.report.as_ref();
        let score = lying.and_then(|kept| PreviousScore::of(&kept.value));
        let later = |it: &PreviousScore| coming.as_of.is_some_and(|day| day > it.as_of);
        if let Some(score) = score.filter(later) {
            self.earlier = Some(score);
        }
    }
}

/// Papers that are being changed. A fault of ours in the middle of it puts them
/// back as they were: an answer that cannot be shown must neither replace what
/// can, nor be stumbled over again by whoever looks at the desk next.
pub(super) struct Draft<'a> {
    papers: MutexGuard<'a, Papers>,
    before: Option<Papers>,
}

impl<'a> Draft<'a> {
    pub(super) fn of(papers: MutexGuard<'a, Papers>) -> Self {
        let before = Some(papers.clone());
        Self { papers, before }
    }
}

impl Deref for Draft<'_> {
    type Target = Papers;

    fn deref(&self) -> &Papers {
        &self.papers
    }
}

impl DerefMut for Draft<'_> {
    fn deref_mut(&mut self) -> &mut Papers {
        &mut self.papers
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(before) = self.before.take()
        {
            *self.papers = before;
        }
    }
}
