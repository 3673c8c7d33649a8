//! One partner's data, shared by its loop and the discovery.

use super::partner_data::{PartnerData, directory};
use crate::config::Partner;
use crate::refresh::{Clock, StateWriter};
use parking_lot::{Mutex, MutexGuard};
use secure_score_model::Timestamp;
use std::sync::Arc;
use tokio::sync::Notify;

/// What the cells of all partners share, for the life of the process.
#[derive(Clone)]
pub(super) struct CellContext {
    pub(super) clock: Clock,
    /// Writes the state directory, where there is one.
    pub(super) state_writer: Option<Arc<StateWriter>>,
    /// Wakes the discovery after a refresh.
    pub(super) refreshed: Arc<Notify>,
}

/// One partner's data.
pub(super) struct PartnerCell {
    context: CellContext,
    data: Mutex<PartnerData>,
}

impl PartnerCell {
    /// A cell with what an earlier process saved of the partner.
    pub(super) fn new(partner: &Partner, context: CellContext) -> Self {
        let writer = context.state_writer.as_ref();
        let saved = writer.and_then(|it| it.load_partner(&partner.name));
        let now = (context.clock)();
        let data = PartnerData::new(Arc::new(partner.clone()), saved, now);
        Self {
            data: Mutex::new(data),
            context,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.context.clock)()
    }

    pub(super) fn data(&self) -> MutexGuard<'_, PartnerData> {
        self.data.lock()
    }

    /// Whether it is the cell of this partner, whose settings may differ.
    pub(super) fn is_of(&self, partner: &Partner) -> bool {
        let data = self.data();
        data.config.name == partner.name && directory(&data.config) == directory(partner)
    }

    /// Wakes the discovery.
    pub(super) fn notify(&self) {
        self.context.refreshed.notify_one();
    }

    /// Saves what changed since it was saved last.
    pub(super) fn save(&self) {
        let mut data = self.data();
        if !std::mem::take(&mut data.unsaved) {
            return;
        }
        if let Some(writer) = &self.context.state_writer {
            writer.save_partner(data.to_saved(self.now()));
        }
    }
}
