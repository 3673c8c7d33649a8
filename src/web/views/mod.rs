//! HTML pages, rendered here: no script, no picture, nothing from elsewhere.

mod acceptances;
mod exceptions;
mod layout;
mod missing;
mod moment;
mod status;
mod tenants;

pub(super) use layout::{STYLE, STYLE_PATH};
pub(super) use missing::missing;
pub(super) use status::status;
