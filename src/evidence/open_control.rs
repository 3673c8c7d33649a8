//! A watched control that is still to be addressed.

use secure_score_model::{Control, ControlState, Points, TenantSnapshot};
use serde::Serialize;

/// A watched control without all its points, of which no risk is accepted.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OpenControl<'a> {
    /// Graph's id of the control.
    pub(crate) control: &'a str,
    /// The control's title in the portal.
    pub(crate) title: &'a str,
    pub(crate) category: &'static str,
    pub(crate) state: &'static str,
    /// Points to gain, where they are known.
    pub(crate) points_to_gain: Option<f64>,
}

impl<'a> OpenControl<'a> {
    /// Those of a tenant, by title.
    pub(super) fn all(snapshot: &'a TenantSnapshot) -> Vec<Self> {
        let watched = snapshot.controls.iter().filter(|it| it.watched);
        let mut open: Vec<Self> = watched.filter_map(Self::of).collect();
        open.sort_by_key(|it| it.title);
        open
    }

    fn of(control: &'a Control) -> Option<Self> {
        let entry = control.entry.as_deref()?;
        let state = entry.history.state();
        let is_open = matches!(state, ControlState::ToAddress | ControlState::Planned);
        let points_to_gain = control.points_to_gain().map(Points::get);
        let is_met = points_to_gain == Some(0.0);
        (is_open && !is_met).then_some(Self {
            control: &control.id,
            title: &entry.title,
            category: control.category.as_str(),
            state: state.as_str(),
            points_to_gain,
        })
    }
}
