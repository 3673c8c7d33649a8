//! # partners: the customers of a provider, and which of them are watched
//!
//! A loop per partner reads the list of its customers (`partner_loop`); the last
//! list stays in memory and in the state directory. [`Discovery`] compares it with
//! the tenants: it adds customers to the [`Fleet`](crate::refresh::Fleet) where the
//! configuration says so, and publishes the state of each customer.
//!
//! No list drops a tenant: one that Graph sends incomplete, empty or with invalid
//! elements changes nothing about the customers that it lacks, and neither does one
//! that lacks most of them, until it is confirmed.
//!
//! [`alias`] gives customers the aliases under which they can be watched, and
//! [`tenant_file`] adds them to a file of tenants.

pub mod alias;
mod customer_states;
mod discovery;
mod known_tenants;
mod latin;
mod list_change;
mod partner_cell;
mod partner_data;
mod partner_loop;
mod saved_customers;
pub mod tenant_file;
#[cfg(test)]
mod testing;
mod watch_list;

pub use discovery::Discovery;
pub use saved_customers::saved_customers;
