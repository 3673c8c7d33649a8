//! Each type of credential, against a simulated Entra that verifies it.
//!
//! openssl creates the keys, certificates and containers, independently of this
//! code.

mod answers;
mod assertions;
mod certificates;
mod federated;
mod hosts;
mod identities;
pub(crate) mod openssl;
mod remedies;
pub(crate) mod stage;
