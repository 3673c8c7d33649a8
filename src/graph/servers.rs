//! Microsoft's servers, each reached once to see whether it answers.

use super::endpoint::Endpoint;
use super::http_clients::HttpClients;
use crate::config::Cloud;
use crate::http_client::{HttpClient, TransportError};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap};
use reqwest::{Method, Url};

/// What a server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerRole {
    /// Entra, which gives tokens.
    Entra,
    /// Graph, which has the lists.
    Graph,
}

/// One of the servers of a cloud.
pub struct MicrosoftServer {
    /// Host and port.
    pub name: String,
    /// The proxy, without user and password.
    pub proxy: Option<String>,
    url: Url,
    http: HttpClient,
}

impl HttpClients {
    /// A server of a cloud.
    pub fn server(&self, cloud: Cloud, role: ServerRole) -> Option<MicrosoftServer> {
        let Endpoint { login, root, .. } = self.endpoint_of(cloud);
        // Both answer without a token.
        let url = match role {
            ServerRole::Entra => format!("{login}/common/v2.0/.well-known/openid-configuration"),
            ServerRole::Graph => format!("{}/v1.0/", root.0),
        };
        let url = Url::parse(&url).ok()?;
        let port = url.port_or_known_default().unwrap_or_default();
        let http = self.http_of(cloud).clone();
        Some(MicrosoftServer {
            name: format!("{}:{port}", url.host_str()?),
            proxy: http.proxy(&url),
            url,
            http,
        })
    }
}

impl MicrosoftServer {
    /// Sends a request without a token, whose response may have any status. Returns by
    /// how much this machine's clock is ahead of the server's, if it says the time.
    pub async fn reach(&self) -> Result<Option<SignedDuration>, TransportError> {
        let request = self.http.request(Method::GET, self.url.clone());
        let before = Timestamp::now();
        let response = self.http.send(request).await?;
        Ok(clock_difference(
            response.headers(),
            before,
            Timestamp::now(),
        ))
    }
}

/// By how much this machine's clock is ahead of the header `Date`, which has whole
/// seconds and is from some moment of the exchange. A difference that these explain is
/// zero.
fn clock_difference(
    headers: &HeaderMap,
    before: Timestamp,
    after: Timestamp,
) -> Option<SignedDuration> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let end_of_second = date.checked_add(SignedDuration::from_secs(1)).ok()?;
    Some(if before > end_of_second {
        before.duration_since(end_of_second)
    } else if after < date {
        after.duration_since(date)
    } else {
        SignedDuration::ZERO
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(before: &str, after: &str) -> Option<SignedDuration> {
        let mut headers = HeaderMap::new();
        let date = "Sun, 29 Nov 2026 22:00:00 GMT".parse().unwrap();
        headers.insert(DATE, date);
        let time = |text: &str| format!("2026-11-29T{text}Z").parse().unwrap();
        clock_difference(&headers, time(before), time(after))
    }

    #[test]
    fn a_difference_is_what_the_exchange_does_not_explain() {
        let seconds = |seconds| Some(SignedDuration::from_secs(seconds));
        assert_eq!(difference("21:59:58", "22:00:02"), seconds(0));
        assert_eq!(difference("22:00:00.9", "22:00:01"), seconds(0));
        assert_eq!(difference("22:07:01", "22:07:02"), seconds(420));
        assert_eq!(difference("21:50:00", "21:50:10"), seconds(-590));
        let none = clock_difference(&HeaderMap::new(), Timestamp::now(), Timestamp::now());
        assert_eq!(none, None);
    }
}
