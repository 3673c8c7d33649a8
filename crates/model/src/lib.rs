//! What the exporter knows about a tenant, free of Microsoft's and Prometheus' spelling.
//!
//! Pure: the standard library only, no I/O, no clock (`now` is an argument).

mod anomaly;
mod category;
mod commons;
mod control;
mod day_score;
mod event;
mod exception;
mod health;
mod history;
mod persons;
mod pins;
mod points;
mod report;
mod snapshot;
mod tenant;
mod timestamp;

pub use anomaly::{Anomalies, Field, SkippedField, UnknownField};
pub use category::{Category, NotACategory};
pub use commons::Interner;
pub use control::{ActionType, CatalogueEntry, ControlScore, ControlState, Level, Tier};
pub use day_score::PreviousScore;
pub use event::{Delivery, EventKind};
pub use exception::{Approval, Exception};
pub use health::{Api, Code, Reason, RefreshHealth, TenantHealth, Traffic, Trouble};
pub use history::{History, StateUpdate};
pub use persons::{Naming, Persons};
pub use pins::{CategoryPins, Recategorised};
pub use points::Points;
pub use report::{Basis, CategoryComparison, Comparison, Report};
pub use snapshot::{Catalogue, CategoryTotal, Control, ControlRules, TenantSnapshot};
pub use tenant::TenantIdentity;
pub use timestamp::Timestamp;
