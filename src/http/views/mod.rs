//! HTML pages, rendered here: no script, no picture, nothing from elsewhere.

mod acceptance;
mod address;
mod approval;
mod changes;
mod choice;
mod controls;
mod exceptions;
mod figures;
mod layout;
mod missing;
mod moment;
mod order;
mod paging;
mod persons;
mod reader;
mod register;
mod status;
mod tenant;
mod tenants;
mod trend;

pub(super) use address::Address;
pub(super) use controls::ControlColumn;
pub(super) use layout::{STYLE, STYLE_PATH};
pub(super) use missing::{missing, no_tenant, refused};
pub(super) use order::Order;
pub(super) use paging::Page;
pub(super) use reader::Reader;
pub(super) use register::{By, register};
pub(super) use status::status;
pub(super) use tenant::tenant;
