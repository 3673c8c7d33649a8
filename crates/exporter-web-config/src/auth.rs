use crate::password_checker::AuthResult;
use crate::{AccessControl, WebConfig};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The user who sent a request: an extension of each request that
/// [`guard`](AccessControl::guard) passes on after it checked a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedUser(Arc<str>);

impl AuthenticatedUser {
    /// The name, as in `basic_auth_users`.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// Why a request is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The web configuration is invalid, and the grace period is over.
    Closed,
    /// More requests than the rate limit allows.
    RateLimited,
    /// No valid user and password.
    Unauthenticated,
    /// Too many passwords are being checked.
    Busy,
}

impl Refusal {
    /// The status of the response.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Closed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The text of the response, one line.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Closed => "the web configuration is invalid; see the server's log\n",
            Self::RateLimited => "rate limit exceeded; see rate_limit of the web configuration\n",
            Self::Unauthenticated => {
                "authentication required; send user and password (basic auth)\n"
            }
            Self::Busy => "too many passwords are being checked; try again\n",
        }
    }

    /// The header that the response must have. `realm` is the name that
    /// browsers show when they ask for the password.
    pub fn header(self, realm: &str) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Closed | Self::RateLimited => None,
            Self::Unauthenticated => {
                let is_plain = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
                let realm: String = realm.chars().filter(is_plain).collect();
                let challenge = format!("Basic realm=\"{realm}\", charset=\"UTF-8\"");
                Some((WWW_AUTHENTICATE, HeaderValue::try_from(challenge).ok()?))
            }
            Self::Busy => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
        }
    }

    /// A plain-text response.
    pub fn response<B: From<&'static str>>(self, realm: &str) -> Response<B> {
        let mut response = Response::new(B::from(self.message()));
        *response.status_mut() = self.status();
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, plain);
        headers.extend(self.header(realm));
        response
    }
}

impl AccessControl {
    /// Answers a request with `respond` if it is allowed, else with `refuse`.
    ///
    /// The rate limit is checked first, then the password, as in the Go
    /// exporters. Password checks take turns by the address of the client. The
    /// request gets the user as an extension ([`AuthenticatedUser`]), and every
    /// response the headers of the file.
    pub async fn guard<B, R, F>(
        &self,
        mut request: Request<B>,
        client: IpAddr,
        refuse: impl FnOnce(Refusal) -> Response<R>,
        respond: impl FnOnce(Request<B>) -> F,
    ) -> Response<R>
    where
        F: Future<Output = Response<R>>,
    {
        let Some(config) = self.config() else {
            return refuse(Refusal::Closed);
        };
        let mut response = match self.admit(&config, request.headers(), client).await {
            Err(refusal) => refuse(refusal),
            Ok(user) => {
                request.extensions_mut().remove::<AuthenticatedUser>();
                if let Some(user) = user {
                    request.extensions_mut().insert(user);
                }
                respond(request).await
            }
        };
        for (name, value) in &config.headers {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }

    /// The user who sent the request; `None` if no password is required.
    async fn admit(
        &self,
        config: &WebConfig,
        headers: &HeaderMap,
        client: IpAddr,
    ) -> Result<Option<AuthenticatedUser>, Refusal> {
        let limit = config.rate_limit.as_ref();
        if limit.is_some_and(|limit| !limit.try_acquire()) {
            return Err(Refusal::RateLimited);
        }
        let Some(users) = config.users.as_ref() else {
            return Ok(None);
        };
        let pair = credentials(headers);
        let pair = pair.as_ref().and_then(|pair| pair.split_once(':'));
        let (user, password) = pair.ok_or(Refusal::Unauthenticated)?;
        match self
            .passwords
            .authenticate(users, user, password, client)
            .await
        {
            AuthResult::Authenticated => Ok(Some(AuthenticatedUser(user.into()))),
            AuthResult::Denied => Err(Refusal::Unauthenticated),
            AuthResult::Busy => Err(Refusal::Busy),
        }
    }
}

/// `user:password` of the request; `None` with several headers, of which a proxy in
/// between might have checked another one.
fn credentials(headers: &HeaderMap) -> Option<Zeroizing<String>> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (all.next(), all.next()) else {
        return None;
    };
    let header = header.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    String::from_utf8(decoded).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RateLimiter, Users};
    use std::net::Ipv4Addr;
    use std::time::Duration;

    async fn status(access: &AccessControl, authorization: Option<&str>) -> Response<String> {
        let mut request = Request::new(());
        if let Some(value) = authorization {
            let value = HeaderValue::try_from(value).unwrap();
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let refuse = |refusal: Refusal| refusal.response("a \"test\"");
        let respond = async |_| Response::new("allowed".to_owned());
        access
            .guard(request, Ipv4Addr::LOCALHOST.into(), refuse, respond)
            .await
    }

    fn config() -> WebConfig {
        let header = (
            http::header::X_FRAME_OPTIONS,
            HeaderValue::from_static("deny"),
        );
        WebConfig {
            users: Some(Users::for_tests(&[("alice", "one")])),
            headers: vec![header],
            ..WebConfig::default()
        }
    }

    #[tokio::test]
    async fn a_request_without_a_valid_password_is_challenged() {
        let access = AccessControl::new(config());
        let alice = STANDARD.encode("alice:one");
        let allowed = status(&access, Some(&format!("basic {alice}"))).await;
        assert_eq!(allowed.body(), "allowed");
        for wrong in [
            None,
            Some("Basic"),
            Some("Basic !!!"),
            Some(alice.as_str()),
            Some("Basic YWxpY2U6dHdv"),
        ] {
            let refused = status(&access, wrong).await;
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{wrong:?}");
            let challenge = &refused.headers()[WWW_AUTHENTICATE];
            assert_eq!(challenge, "Basic realm=\"a test\", charset=\"UTF-8\"");
            assert_eq!(refused.headers()["x-frame-options"], "deny");
        }
    }

    #[tokio::test]
    async fn several_headers_authenticate_no_user() {
        let access = AccessControl::new(config());
        let alice = format!("Basic {}", STANDARD.encode("alice:one"));
        let alice = HeaderValue::try_from(alice).unwrap();
        for (headers, expected) in [(1, 200), (2, 401)] {
            let mut request = Request::new(());
            for _ in 0..headers {
                request.headers_mut().append(AUTHORIZATION, alice.clone());
            }
            let refuse = |refusal: Refusal| refusal.response::<String>("test");
            let respond = async |_| Response::new("allowed".to_owned());
            let client = Ipv4Addr::LOCALHOST.into();
            let response = access.guard(request, client, refuse, respond).await;
            assert_eq!(response.status(), expected, "{headers}");
        }
    }

    #[tokio::test]
    async fn a_request_carries_the_user_whose_password_was_checked() {
        let named = async |access: &AccessControl, pair: &str| {
            let value = format!("Basic {}", STANDARD.encode(pair));
            let mut request = Request::new(());
            let forged = AuthenticatedUser("mallory".into());
            request.extensions_mut().insert(forged);
            let headers = request.headers_mut();
            headers.insert(AUTHORIZATION, HeaderValue::try_from(value).unwrap());
            let respond = async |request: Request<()>| {
                let user = request.extensions().get::<AuthenticatedUser>();
                Response::new(user.map(|user| user.name().to_owned()))
            };
            let client = Ipv4Addr::LOCALHOST.into();
            let refuse = |_| Response::new(Some("refused".to_owned()));
            let response = access.guard(request, client, refuse, respond);
            response.await.into_body()
        };
        let with_users = AccessControl::new(config());
        let alice = named(&with_users, "alice:one").await;
        assert_eq!(alice.as_deref(), Some("alice"));
        let wrong = named(&with_users, "alice:two").await;
        assert_eq!(wrong.as_deref(), Some("refused"));
        // Without users no password is checked, so a header names no user.
        assert_eq!(named(&AccessControl::default(), "alice:one").await, None);
    }

    #[tokio::test]
    async fn a_reload_forgets_no_right_password() {
        let users = Users::for_tests(&[("alice", "one")]);
        let with_users = || WebConfig {
            users: Some(users.clone()),
            ..config()
        };
        let access = AccessControl::new(with_users());
        let alice = format!("Basic {}", STANDARD.encode("alice:one"));
        assert_eq!(status(&access, Some(&alice)).await.status(), 200);
        access.replace(with_users());
        let wrong = format!("Basic {}", STANDARD.encode("alice:two"));
        let waiting = access.passwords.fill_queue(Ipv4Addr::LOCALHOST.into());
        assert_eq!(status(&access, Some(&wrong)).await.status(), 503);
        assert_eq!(status(&access, Some(&alice)).await.status(), 200);
        drop(waiting);
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_limit_comes_before_the_password() {
        let access = AccessControl::new(WebConfig {
            rate_limit: Some(RateLimiter::new(Duration::from_secs(1), 1)),
            ..config()
        });
        assert_eq!(status(&access, None).await.status(), 401);
        assert_eq!(status(&access, None).await.status(), 429);
    }

    #[tokio::test]
    async fn a_closed_server_rejects_every_request() {
        let access = AccessControl::default();
        assert_eq!(status(&access, None).await.status(), 200);
        access.close();
        assert_eq!(status(&access, None).await.status(), 500);
    }
}
