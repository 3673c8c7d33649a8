//! # acceptances: every accepted risk of every tenant
//!
//! One list for the pages, the API and the table on a terminal: who accepted
//! the risk in Secure Score or in Entra, when and why, whether it is in force and
//! whether it is approved.
//! It is computed from the store for each request.

mod acceptance;
mod approvable;
pub(crate) mod control_record;
mod covered;
mod decision_finding;
mod decision_list;
mod decisions;
pub(crate) mod recommendation_record;
pub(crate) mod record;
mod register;
mod standing;
mod state_change;
mod subject;
mod undecided;
pub(crate) mod watched_matrix;

pub use acceptance::{Acceptance, Kind};
pub(crate) use acceptance::{control_changes, recommendation_changes, status_changes};
pub use decision_finding::{DecisionFinding, DecisionIssue};
pub use decision_list::{CoveredRecord, DecisionList, DecisionRecord, ListedPersons};
pub use decisions::{AuditedDecisions, audit_decisions};
pub use register::{Filter, Kinds, acceptances};
pub use standing::Standing;
pub use state_change::StateChange;
pub use subject::Subject;
pub use undecided::{Shared, UndecidedGroup, distinct};
