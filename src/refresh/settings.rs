//! What a desk is told: by the process, and by the configuration.

use super::{Clock, StateWriter};
use crate::events::Events;
use crate::store::Store;
use secure_score_exposition::Policy;
use secure_score_model::Interner;
use std::sync::Arc;
use std::time::Duration;

/// What all desks share, for as long as the process lives.
#[derive(Clone)]
pub(super) struct Surroundings {
    /// Where tenants are shown.
    pub(super) store: Arc<Store>,
    /// The wall clock.
    pub(super) clock: Clock,
    /// Who remembers tenants over a restart, if anybody.
    pub(super) keeper: Option<Arc<StateWriter>>,
    /// What tenants have in common.
    pub(super) commons: Arc<Interner>,
}

/// What the configuration says of a tenant's data, until the next one.
pub(super) struct Settings<R> {
    /// What it says of controls.
    pub(super) rules: R,
    /// Who and why in labels.
    pub(super) policy: Arc<Policy>,
    /// The age at which data are too old to be true.
    pub(super) max_staleness: Duration,
    /// Which directory the alias stands for, as configured.
    pub(super) directory: String,
    /// Where it is told what happened to a control, if anybody wants to know.
    pub(super) events: Option<Arc<Events>>,
}
