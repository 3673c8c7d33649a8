//! Values that the configuration and its credentials are made of.

pub(crate) mod day;
mod environment;
pub(crate) mod guid;
mod secret;
pub(crate) mod secret_source;

pub use environment::Environment;
pub use secret::Secret;
pub(crate) use secret::SecretError;
