//! Each way to a token, against an Entra that verifies what it is shown.
//!
//! Keys, certificates and containers are made by openssl, which knows nothing
//! of our code.

mod assertions;
mod certificates;
mod federated;
mod hosts;
mod identities;
pub(crate) mod openssl;
mod remedies;
pub(crate) mod stage;
