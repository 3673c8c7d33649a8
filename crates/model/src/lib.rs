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
mod level;
mod pairing;
mod partial;
mod persons;
mod place;
mod points;
mod recommendation;
mod recommendation_join;
mod recommendation_list;
mod report;
mod snapshot;
mod status_history;
mod tenant;
mod timestamp;

pub use anomaly::{Anomalies, SkippedField, UnknownField};
pub use category::Category;
pub use control::{
    ActionType, Catalogue, CatalogueEntry, CategoryPins, ControlRules, ControlScore, Recategorised,
    Tier,
};
pub use event::{Delivery, EventKind};
pub use exception::{Approval, Exception};
pub use future_dates::FutureDates;
pub use health::{Api, Code, Reason, RefreshHealth, TenantHealth, Traffic, Trouble};
pub use history::{ControlState, History, StateUpdate};
pub use interner::Interner;
pub use level::Level;
pub use pairing::Pairing;
pub use persons::{Naming, Persons};
pub use place::Place;
pub use points::Points;
pub use recommendation::Recommendation;
pub use recommendation_list::{
    IdentityScore, RecommendationCategory, RecommendationEntry, RecommendationList,
    RecommendationPriority, RecommendationStatus,
};
pub use report::{Basis, CategoryComparison, Comparison, PreviousScore, Report, is_future_day};
pub use snapshot::{CategoryTotal, Control, TenantSnapshot};
pub use status_history::{NewStatus, StatusChange, StatusHistories, StatusHistory};
pub use tenant::TenantIdentity;
pub use timestamp::Timestamp;
