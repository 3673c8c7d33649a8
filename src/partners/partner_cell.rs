//! One partner's data, shared by its loop and the discovery.

use super::partner_data::{PartnerData, directory, is_directory_of, is_saved_of};
use crate::config::Partner;
use crate::refresh::{Clock, StateWriter};
use crate::store::saved_partner::SavedPartner;
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
    /// A cell with what an earlier process saved of the partner, one of `configured`.
    pub(super) fn new(partner: &Partner, configured: &[Partner], context: CellContext) -> Self {
        let writer = context.state_writer.as_ref();
        let saved = writer.and_then(|it| load(partner, configured, it));
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
        let is_same_name = self.data().config.name == partner.name;
        is_same_name && self.is_in_directory_of(partner)
    }

    /// Whether it is the cell of the same tenant, under whatever name.
    pub(super) fn is_in_directory_of(&self, partner: &Partner) -> bool {
        let data = self.data();
        let known = directory(&data.config);
        is_directory_of(&known, data.entra_tenant_id.as_deref(), partner)
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

/// What an earlier process saved of the partner, which may have had another name.
fn load(partner: &Partner, configured: &[Partner], writer: &StateWriter) -> Option<SavedPartner> {
    let own = writer.load_partner(&partner.name);
    if own.as_ref().is_some_and(|it| is_saved_of(it, partner)) {
        return own;
    }
    let is_of_another = |saved: &SavedPartner| {
        let mut others = configured.iter();
        others.any(|it| it.name == *saved.name && is_saved_of(saved, it))
    };
    let saved = writer.load_partners().into_iter();
    let renamed = saved.filter(|it| is_saved_of(it, partner) && !is_of_another(it));
    let renamed = renamed.max_by_key(|it| it.list.as_ref().map(|list| list.at));
    match (renamed, own) {
        (Some(mut renamed), Some(own)) => {
            for (id, alias) in own.aliases {
                renamed.aliases.entry(id).or_insert(alias);
            }
            Some(renamed)
        }
        (renamed, own) => renamed.or(own),
    }
}
