//! What the exporter knows about a tenant, free of Microsoft's and Prometheus' spelling.
//!
//! Pure: no I/O and no clock (`now` is an argument). The state file is the
//! serde form of these types: a renamed or removed field makes the files of
//! older versions unreadable, an added one needs `#[serde(default)]`.

mod anomaly;
mod category;
mod control;
mod customer;
mod customer_list;
mod decision;
mod decision_place;
mod declaration;
mod event;
mod future_dates;
mod health;
mod history;
mod interner;
mod judgement;
mod label_values;
mod level;
mod pairing;
mod partial;
mod partner;
mod persons;
mod place;
mod points;
mod projection;
mod recommendation;
mod recommendation_join;
mod recommendation_list;
mod report;
mod score_history;
mod snapshot;
mod state_update;
mod status_change;
mod status_histories;
mod status_history;
mod status_observation;
mod tenant;
mod timestamp;
mod update_order;

pub use anomaly::{Anomalies, SkippedField, UnknownField};
pub use category::Category;
pub use control::{
    ActionType, Catalogue, CatalogueEntry, CategoryPins, ControlRules, ControlScore, Recategorised,
    Tier,
};
pub use customer::{Customer, CustomerState, Relationship};
pub use customer_list::{CustomerList, SkippedCustomers};
pub use decision::{Approval, Decision};
pub use decision_place::{DecisionPlace, DecisionSource};
pub use declaration::{DecisionState, Declaration};
pub use event::{Delivery, EventKind};
pub use future_dates::FutureDates;
pub use health::{Api, Code, Reason, RefreshHealth, TenantHealth, Traffic, Trouble};
pub use history::History;
pub use interner::Interner;
pub use judgement::Judgement;
pub use level::Level;
pub use pairing::Pairing;
pub use partner::{CustomerStatus, PartnerSnapshot};
pub use persons::{Naming, Persons, names_person};
pub use place::Place;
pub use points::Points;
pub use projection::Projection;
pub use recommendation::Recommendation;
pub use recommendation_list::{
    IdentityScore, RecommendationCategory, RecommendationEntry, RecommendationList,
    RecommendationPriority, RecommendationStatus,
};
pub use report::{Basis, CategoryComparison, Comparison, Report, is_future_day};
pub use score_history::{DailyScore, ScoreHistory};
pub use snapshot::{CategoryTotal, Control, TenantSnapshot};
pub use state_update::{ControlState, MinimumReason, StateUpdate};
pub use status_change::StatusChange;
pub use status_histories::{NewStatus, StatusHistories};
pub use status_history::StatusHistory;
pub use tenant::TenantIdentity;
pub use timestamp::Timestamp;
