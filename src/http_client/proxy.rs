//! The proxy of a request, for errors.

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::Url;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// The timeout of the request for a proxy's status.
const STATUS_TIMEOUT: Duration = Duration::from_secs(5);

/// A longer status line is none.
const MAX_STATUS_LINE: usize = 1024;

/// The variables of a proxy for URLs of `https` and `http`, in the HTTP library's
/// order: the first that is set counts.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const NO: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxies of the environment (`HTTPS_PROXY` and the like), by the rules of
/// the HTTP library.
#[derive(Debug, Clone)]
pub(super) struct Proxies(Arc<Variables>);

#[derive(Debug)]
struct Variables {
    matcher: Matcher,
    /// Finds a proxy for each URL that `NO_PROXY` does not except.
    not_excepted: Matcher,
    unreadable_https: Option<UnreadableProxy>,
    unreadable_http: Option<UnreadableProxy>,
}

/// The variable of a proxy that cannot be read. The HTTP library ignores it and
/// would connect directly, past the proxy that the administrator meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnreadableProxy(pub(super) &'static str);

impl Proxies {
    pub(super) fn from_env() -> Self {
        Self::of(Matcher::from_system(), |name| std::env::var_os(name))
    }

    fn of(matcher: Matcher, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        // The first that is set counts, unless it is empty.
        let first = |names: [&'static str; 2]| {
            let mut set = names.into_iter().filter_map(|it| Some((it, variable(it)?)));
            set.next().filter(|(_, value)| !value.is_empty())
        };
        let unreadable = |names| {
            let (name, value) = first(names).or_else(|| first(ALL))?;
            (!is_proxy(&value)).then_some(UnreadableProxy(name))
        };
        let no = first(NO).map(|(_, value)| value.into_string().unwrap_or_default());
        let everywhere = Matcher::builder().all("http://any");
        Self(Arc::new(Variables {
            matcher,
            not_excepted: everywhere.no(no.unwrap_or_default()).build(),
            unreadable_https: unreadable(HTTPS),
            unreadable_http: unreadable(HTTP),
        }))
    }

    /// The proxy for a URL.
    pub(super) fn find(&self, url: &Url) -> Result<Option<Proxy>, UnreadableProxy> {
        let Ok(uri) = url.as_str().parse() else {
            return Ok(None);
        };
        let unreadable = match url.scheme() {
            "http" => self.0.unreadable_http,
            _ => self.0.unreadable_https,
        };
        match unreadable {
            Some(variable) if self.0.not_excepted.intercept(&uri).is_some() => Err(variable),
            _ => Ok(self.0.matcher.intercept(&uri).map(Proxy)),
        }
    }
}

/// Whether a variable holds the address of a proxy. The library takes the
/// scheme's port in place of one that is no number.
fn is_proxy(value: &OsStr) -> bool {
    let matcher = value.to_str().map(|it| Matcher::builder().all(it).build());
    let any = Uri::from_static("http://any");
    let proxy = matcher.and_then(|it| it.intercept(&any));
    proxy.is_some_and(|it| {
        let authority = it.uri().authority();
        authority.is_some_and(|it| it.host() == it.as_str() || it.port_u16().is_some())
    })
}

/// A proxy. It prints without user and password.
pub(super) struct Proxy(Intercept);

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.0.uri();
        let scheme = uri.scheme_str().unwrap_or("http");
        write!(f, "{scheme}://{}", uri.host().unwrap_or_default())?;
        match uri.port_u16() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// ` through the proxy http://…` in messages; nothing without one.
pub(crate) fn through(proxy: Option<&str>) -> String {
    proxy.map_or_else(String::new, |it| format!(" through the proxy {it}"))
}

impl Proxy {
    fn has_scheme(&self, start: &str) -> bool {
        let scheme = self.0.uri().scheme_str();
        scheme.is_some_and(|scheme| scheme.starts_with(start))
    }

    pub(super) fn is_socks(&self) -> bool {
        self.has_scheme("socks")
    }

    /// The status with which the proxy refuses a connection to `target`. The
    /// HTTP library drops it, so it is requested again.
    pub(super) async fn refusal(&self, target: &str) -> Option<u16> {
        if self.has_scheme("https") {
            return None;
        }
        let status = tokio::time::timeout(STATUS_TIMEOUT, self.connect_status(target)).await;
        status.ok()?.filter(|status| !(200..300).contains(status))
    }

    async fn connect_status(&self, target: &str) -> Option<u16> {
        let uri = self.0.uri();
        let host = uri.host()?.trim_matches(['[', ']']);
        let address = (host, uri.port_u16().unwrap_or(80));
        let mut stream = TcpStream::connect(address).await.ok()?;
        let user = self.0.basic_auth().and_then(|value| value.to_str().ok());
        let user = user.map_or_else(String::new, |user| {
            format!("Proxy-Authorization: {user}\r\n")
        });
        let user = Zeroizing::new(user);
        let request = format!(
            "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n",
            *user
        );
        let request = Zeroizing::new(request);
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut line = Vec::new();
        while !line.contains(&b'\n') && line.len() < MAX_STATUS_LINE {
            if stream.read_buf(&mut line).await.ok()? == 0 {
                return None;
            }
        }
        let line = String::from_utf8_lossy(&line);
        let mut words = line.split_whitespace();
        words.next()?.strip_prefix("HTTP/1.")?;
        words.next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variable that cannot be read, where one is set and counts for the URL.
    fn unreadable(variables: &[(&str, &str)], url: &str) -> Option<&'static str> {
        let value = |name: &str| variables.iter().find(|it| it.0 == name);
        let proxies = Proxies::of(Matcher::builder().build(), |name| {
            value(name).map(|(_, value)| value.into())
        });
        let found = proxies.find(&url.parse().unwrap());
        found.err().map(|UnreadableProxy(name)| name)
    }

    #[test]
    fn what_is_no_address_cannot_be_read() {
        for value in [
            "http://[::1",
            "http://user:p ss@proxy.example",
            "http://proxy.example\n",
            "ftp://proxy.example",
            "proxy.example:31280000",
            "http://proxy.example:port",
            "http://",
            " ",
        ] {
            let variables = [("HTTPS_PROXY", value)];
            let found = unreadable(&variables, "https://graph.example");
            assert_eq!(found, Some("HTTPS_PROXY"), "{value:?}");
        }
        for value in [
            "",
            "proxy",
            "proxy.example:3128",
            "http://user:p%20ss@[::1]:3128/",
            "https://proxy.example",
            "socks5://proxy.example:1080",
        ] {
            let variables = [("HTTPS_PROXY", value)];
            let found = unreadable(&variables, "https://graph.example");
            assert_eq!(found, None, "{value:?}");
        }
    }

    #[test]
    fn only_the_variable_that_counts_must_be_read() {
        let broken = "http://[::1";
        let (good, https, http) = ("proxy", "https://a.example", "http://a.example");
        for (variables, url, found) in [
            (&[("HTTP_PROXY", broken)][..], https, None),
            (&[("HTTP_PROXY", broken)], http, Some("HTTP_PROXY")),
            (&[("https_proxy", broken)], https, Some("https_proxy")),
            (
                &[("HTTPS_PROXY", good), ("https_proxy", broken)],
                https,
                None,
            ),
            (&[("ALL_PROXY", broken)], https, Some("ALL_PROXY")),
            (&[("ALL_PROXY", broken)], http, Some("ALL_PROXY")),
            (&[("HTTPS_PROXY", good), ("ALL_PROXY", broken)], https, None),
            (
                &[("HTTPS_PROXY", ""), ("all_proxy", broken)],
                https,
                Some("all_proxy"),
            ),
            (
                &[("HTTPS_PROXY", broken), ("NO_PROXY", "a.example")],
                https,
                None,
            ),
            (
                &[("HTTPS_PROXY", broken), ("no_proxy", "b.example")],
                https,
                Some("HTTPS_PROXY"),
            ),
        ] {
            assert_eq!(unreadable(variables, url), found, "{variables:?} {url}");
        }
    }
}
