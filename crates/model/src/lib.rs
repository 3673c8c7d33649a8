//! What the exporter knows about a tenant, free of Microsoft's and Prometheus' spelling.
//!
//! Pure: no I/O and no clock (`now` is an argument). The state file is the
//! serde form of these types: a renamed or removed field makes the files of
//! older versions unreadable, an added one needs `#[serde(default)]`.

mod anomaly;
mod catalogue;
mod category;
mod control;
mod control_state;
mod event;
mod exception;
mod health;
mod history;
mod interner;
mod label_values;
mod persons;
mod pins;
mod points;
mod previous_score;
mod report;
mod snapshot;
mod tenant;
mod timestamp;

pub use anomaly::{Anomalies, Field, SkippedField, UnknownField};
pub use catalogue::{Catalogue, ControlRules};
pub use category::{Category, NotACategory};
pub use control::{ActionType, CatalogueEntry, ControlScore, Level, Tier};
pub use control_state::ControlState;
pub use event::{Delivery, EventKind};
pub use exception::{Approval, Exception};
pub use health::{Api, Code, Reason, RefreshHealth, TenantHealth, Traffic, Trouble};
pub use history::{History, StateUpdate};
pub use interner::Interner;
pub use persons::{Naming, Persons};
pub use pins::{CategoryPins, Recategorised};
pub use points::Points;
pub use previous_score::PreviousScore;
pub use report::{Basis, CategoryComparison, Comparison, Report};
pub use snapshot::{CategoryTotal, Control, TenantSnapshot};
pub use tenant::TenantIdentity;
pub use timestamp::Timestamp;
