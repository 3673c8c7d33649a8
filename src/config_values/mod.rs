//! Values that the configuration and its credentials are made of.

pub(crate) mod day;
mod environment;
pub(crate) mod guid;
pub(crate) mod pattern;
mod secret;

pub use environment::Environment;
pub use secret::Secret;
pub(crate) use secret::{SecretError, secret_from_file, secret_from_variable};
