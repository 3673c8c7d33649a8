//! # access: which tenants each client sees
//!
//! Rules of the configuration grant tenants to users and to client certificates.
//! This module knows names only: the web configuration authenticates, the store
//! filters, and `http` refuses.

mod rules;
mod tenant_scope;

pub use rules::{AccessGrant, AccessRules, Grantee};
pub use tenant_scope::{GrantedTenants, TenantScope, grants_all};
