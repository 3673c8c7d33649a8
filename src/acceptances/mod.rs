//! # acceptances: every accepted risk of every tenant
//!
//! One list for the pages, the API and the table on a terminal: who accepted
//! the risk, when and why, whether it is in force and whether it is approved.
//! It is computed from the store for each request.

mod acceptance;
pub(crate) mod control_record;
mod exceptions;
pub(crate) mod record;

pub use acceptance::{Acceptance, Filter, acceptances};
pub use exceptions::{AuditedExceptions, ExceptionFinding, ExceptionIssue, audit_exceptions};
