//! What the exporter knows about a tenant, free of Microsoft's and Prometheus' spelling.
//!
//! Pure: no I/O and no clock (`now` is an argument). The state file is the
//! serde form of these types: a renamed or removed field makes the files of
//! older versions unreadable, an added one needs `#[serde(default)]`.

mod anomaly;
mod category;
mod control;
mod event;
mod exception;
mod future_dates;
mod health;
mod history;
mod interner;
mod label_values;
mod pairing;
mod partial;
mod persons;
mod points;
mod report;
mod snapshot;
mod tenant;
mod timestamp;

pub use anomaly::{Anomalies, SkippedField, UnknownField};
pub use category::Category;
pub use control::{
    ActionType, Catalogue, CatalogueEntry, CategoryPins, ControlRules, ControlScore, Level,
    Recategorised, Tier,
};
pub use event::{Delivery, EventKind};
pub use exception::{Approval, Exception};
pub use future_dates::FutureDates;
pub use health::{Api, Code, Reason, RefreshHealth, TenantHealth, Traffic, Trouble};
pub use history::{ControlState, History, StateUpdate};
pub use interner::Interner;
pub use pairing::Pairing;
pub use persons::{Naming, Persons};
pub use points::Points;
pub use report::{Basis, CategoryComparison, Comparison, PreviousScore, Report, is_future_day};
pub use snapshot::{CategoryTotal, Control, TenantSnapshot};
pub use tenant::TenantIdentity;
pub use timestamp::Timestamp;
