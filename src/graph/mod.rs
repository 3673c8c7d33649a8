//! # graph: reads the lists of Microsoft Graph into the model
//!
//! It only reads, with the permission
//! [`PERMISSION`](crate::credentials::PERMISSION), and where it is granted
//! [`RECOMMENDATIONS_PERMISSION`](crate::credentials::RECOMMENDATIONS_PERMISSION).
//! Microsoft's field names and state words occur in this module only.

mod anomaly_counter;
mod answer_reader;
mod client;
mod customer_lists;
mod customer_reader;
mod date;
mod decode;
mod endpoint;
mod entra_lists;
mod error;
mod http_clients;
mod inner_list;
mod lenient;
mod pages;
mod past_days;
mod plain_list;
mod recommendation_reader;
mod refresh_permit;
mod remedy;
mod request_history;
mod requests;
mod sent_page;
mod servers;
mod subject;
mod throttle;
mod translate;
mod wire;

pub use anomaly_counter::UnknownWord;
#[cfg(test)]
pub(crate) use answer_reader::testing as answer_testing;
pub use answer_reader::{AnswerDigest, KnownList};
pub use client::{Client, Fetched, ListAnswer};
pub use customer_lists::FetchedCustomers;
pub use decode::{read_catalogue, read_identity_score, read_recommendations, read_report};
pub use error::{GraphError, Retry};
pub use http_clients::HttpClients;
pub use past_days::PastScores;
pub use refresh_permit::{RefreshPermit, RefreshPermits};
pub use servers::{MicrosoftServer, ServerRole};
pub use subject::{CUSTOMERS, Subject};
