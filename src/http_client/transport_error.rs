//! Exchanges without a complete response, and the cause of each.

use super::{MAX_BODY, through};
use crate::text::clean_line;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;
use secure_score_model::Reason;
use std::error::Error;
use std::fmt;
use std::io;

/// Texts of the system and of certificates are truncated to this many bytes.
const MAX_DETAIL: usize = 150;

/// How the HTTP library's errors about a proxy's tunnel begin. It has no public
/// type for them.
const TUNNEL_ERROR: &str = "tunnel error: ";

/// Its error for a proxy that cannot be reached.
const PROXY_UNREACHABLE: &str = "tunnel error: failed to create underlying connection";

/// Its error for a proxy's status 407.
const PROXY_AUTHENTICATION: &str = "tunnel error: proxy authorization required";

/// A hint with the variable that names the proxy, which depends on the URL's
/// scheme.
macro_rules! naming_variable {
    ($failed:expr, $before:literal, $after:literal) => {
        match $failed.is_plain {
            true => concat!($before, "HTTP_PROXY", $after),
            false => concat!($before, "HTTPS_PROXY", $after),
        }
    };
}

/// An exchange without a complete response.
///
/// The library's own messages are not used: they may contain URLs with
/// queries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection, or no TLS on it.
    #[error("could not connect to {0}")]
    Connect(Box<FailedConnection>),
    /// The response is late or incomplete.
    #[error("no whole answer in time")]
    Timeout,
    /// The response ended early.
    #[error("the answer broke off")]
    Interrupted,
    /// The response is not one of HTTP, for example the alert of a TLS server.
    #[error("the answer is not HTTP")]
    NotHttp,
    /// The response does not have the encoding that it declares.
    #[error("the answer is not compressed as it claims")]
    Encoding,
    /// The response is larger than the limit.
    #[error("the answer is larger than {MAX_BODY} bytes")]
    TooLarge,
    /// The request is invalid.
    #[error("the request could not be made")]
    Request,
}

/// A connection that was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedConnection {
    /// Host and port.
    pub(super) target: String,
    /// The proxy, without user and password.
    pub(super) proxy: Option<String>,
    /// Whether the URL is `http`: another variable names its proxy.
    pub(super) is_plain: bool,
    pub(super) cause: ConnectCause,
}

/// Why a connection was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ConnectCause {
    /// The name has no address; the resolver's text.
    Dns(String),
    Refused,
    Late,
    /// Another error of the network; its text.
    Network(String),
    /// The proxy made its connection, which then broke; the text of the error.
    BehindProxy(String),
    /// SOCKS is not supported.
    Socks,
    /// This variable names a proxy that cannot be read.
    UnreadableProxy(&'static str),
    /// The proxy refuses, with a status if it can be read.
    Proxy(Option<u16>),
    /// The certificate is not signed by a trusted authority.
    UnknownAuthority,
    /// The server's certificate is that of an authority.
    AuthorityAsServer,
    /// The certificate expired; the day.
    Expired(String),
    /// The certificate is not valid yet; from which day it is.
    NotYetValid(String),
    /// The certificate is for these names.
    WrongName(String),
    /// The server does not speak TLS.
    NotTls,
    /// Another error of TLS; its text.
    Tls(String),
}

use ConnectCause::{
    AuthorityAsServer, BehindProxy, Dns, Expired, Late, Network, NotTls, NotYetValid, Refused,
    Socks, Tls, UnknownAuthority, UnreadableProxy, WrongName,
};

impl fmt::Display for FailedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: ", self.target, through(self.proxy.as_deref()))?;
        let peer = self.proxy.as_ref().map_or("the host", |_| "the proxy");
        match &self.cause {
            Dns(text) => write!(f, "the name of {peer} has no address (DNS: {text})"),
            Refused => write!(f, "{peer} refused the connection"),
            Late => f.write_str("no connection in time"),
            Network(text) => write!(f, "{text}"),
            BehindProxy(text) => write!(f, "after the proxy connected, {text}"),
            Socks => f.write_str("SOCKS is not supported"),
            UnreadableProxy(variable) => write!(f, "the proxy in {variable} cannot be read"),
            ConnectCause::Proxy(Some(407)) => {
                f.write_str("the proxy wants a user and password (407)")
            }
            ConnectCause::Proxy(Some(status)) => {
                write!(f, "the proxy refused the connection ({status})")
            }
            ConnectCause::Proxy(None) => f.write_str("the proxy made no connection"),
            UnknownAuthority => {
                f.write_str("TLS: the certificate is from an authority that is not trusted here")
            }
            AuthorityAsServer => f.write_str(
                "TLS: the certificate is that of an authority (CA:TRUE), which a server cannot use",
            ),
            Expired(day) => write!(f, "TLS: the certificate expired{day}"),
            NotYetValid(day) => write!(f, "TLS: the certificate is not valid yet{day}"),
            WrongName(names) => write!(f, "TLS: the certificate is not for this name{names}"),
            NotTls => f.write_str("TLS: the answer is not TLS"),
            Tls(text) => write!(f, "TLS: {text}"),
        }
    }
}

impl FailedConnection {
    fn reason(&self) -> Reason {
        match self.cause {
            Dns(_)
            | Refused
            | Network(_)
            | BehindProxy(_)
            | Socks
            | UnreadableProxy(_)
            | ConnectCause::Proxy(_) => Reason::Connection,
            Late => Reason::Timeout,
            UnknownAuthority | AuthorityAsServer | Expired(_) | NotYetValid(_) | WrongName(_)
            | NotTls | Tls(_) => Reason::Tls,
        }
    }

    fn hint(&self) -> &'static str {
        match &self.cause {
            Socks => naming_variable!(
                self,
                "name an HTTP proxy, ",
                "=http://HOST:PORT, and unset ALL_PROXY"
            ),
            UnreadableProxy(_) => {
                "write it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with characters such as @ and / of user and password percent-encoded, or name the host in NO_PROXY if it is reached directly"
            }
            ConnectCause::Proxy(Some(407)) => naming_variable!(
                self,
                "write them into the variable: ",
                "=http://USER:PASSWORD@HOST:PORT"
            ),
            ConnectCause::Proxy(_) => {
                "let the proxy allow CONNECT to this host and port, or name the host in NO_PROXY if it is reached directly"
            }
            BehindProxy(_) => {
                "let the proxy, and any firewall behind it, pass TLS to this host: one of them blocks or inspects it"
            }
            UnknownAuthority => {
                "name the certificate of the authority in graph.ca_file: the proxy's, if one inspects TLS, or the one that issued the server's certificate"
            }
            AuthorityAsServer => {
                "make one for the server: `openssl req -x509 -newkey rsa:3072 -nodes -keyout KEY -out CERT -days 365 -subj /CN=HOST -addext subjectAltName=DNS:HOST -addext basicConstraints=critical,CA:FALSE`"
            }
            Expired(_) | NotYetValid(_) => {
                "check this machine's clock; if it is right, the server needs another certificate"
            }
            WrongName(_) => {
                "use a name of the certificate, or issue it for this name (subjectAltName); if the server is Microsoft's, look for a proxy or DNS entry that leads elsewhere"
            }
            NotTls => "check the port, and look for a proxy or login page that answers instead",
            Tls(_) => {
                "check the server's TLS settings; if it is Microsoft's, look for a proxy that inspects TLS"
            }
            Late if self.proxy.is_some() => naming_variable!(
                self,
                "check the proxy's address in ",
                ", that it runs, and that it reaches this host and port"
            ),
            Dns(_) | Refused | Network(_) if self.proxy.is_some() => {
                naming_variable!(self, "check the proxy's address in ", ", and that it runs")
            }
            Dns(_) => naming_variable!(
                self,
                "check this machine's name resolution; where only a proxy reaches the internet, name it in ",
                ""
            ),
            Refused | Late | Network(_) => naming_variable!(
                self,
                "check that the server runs and the firewall lets this host and port pass, or name the network's proxy in ",
                ""
            ),
        }
    }
}

impl TransportError {
    /// The reason for labels.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Connect(failed) => failed.reason(),
            Self::Interrupted => Reason::Connection,
            Self::Timeout => Reason::Timeout,
            Self::NotHttp | Self::Encoding => Reason::Malformed,
            Self::TooLarge => Reason::TooLarge,
            Self::Request => Reason::Internal,
        }
    }

    /// The fix, if this error has one of its own.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Connect(failed) => Some(failed.hint()),
            Self::NotHttp => {
                Some("write https:// if the port is one of TLS, and check host and port")
            }
            _ => None,
        }
    }

    /// Whether only a change of the settings helps, so that a retry fails too.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::Connect(failed) => matches!(failed.cause, Socks | UnreadableProxy(_)),
            Self::Request => true,
            _ => false,
        }
    }
}

/// An error after the connection was made.
impl From<reqwest::Error> for TransportError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_builder() {
            Self::Request
        } else if is_not_http(&error) {
            Self::NotHttp
        } else if error.is_decode() && !is_interrupted(&error) {
            Self::Encoding
        } else {
            Self::Interrupted
        }
    }
}

/// Why there is no connection, if that is the error. `Proxy(None)` stands for
/// a proxy that refused with an unknown status, or ended the connection.
///
/// In a proxy's tunnel, only the library's errors about the tunnel concern the
/// proxy itself.
pub(super) fn connect_cause(error: &reqwest::Error, is_tunnelled: bool) -> Option<ConnectCause> {
    if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref()) {
        return Some(tls_cause(tls));
    }
    if !error.is_connect() {
        return None;
    }
    if error.is_timeout() {
        return Some(Late);
    }
    let mut texts = causes(error).map(ToString::to_string);
    let tunnel_error = texts.find(|text| text.starts_with(TUNNEL_ERROR));
    let io = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    let io = io.last();
    if error.is_dns() {
        return Some(Dns(io.map_or_else(|| "no answer".to_owned(), detail)));
    }
    Some(match tunnel_error.as_deref() {
        Some(PROXY_AUTHENTICATION) => ConnectCause::Proxy(Some(407)),
        Some(text) if text != PROXY_UNREACHABLE => ConnectCause::Proxy(None),
        None if is_tunnelled => BehindProxy(broken(error, io)),
        _ if io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) => Refused,
        _ => Network(broken(error, io)),
    })
}

/// How a connection broke. The innermost error is not one of the HTTP library.
fn broken(error: &reqwest::Error, io: Option<&io::Error>) -> String {
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset) => "the connection was reset".to_owned(),
        Some(io::ErrorKind::UnexpectedEof) => "the connection ended before it was ready".to_owned(),
        _ => causes(error).last().map(detail).unwrap_or_default(),
    }
}

fn tls_cause(error: &rustls::Error) -> ConnectCause {
    use CertificateError as Fault;
    match error {
        rustls::Error::InvalidMessage(_) => NotTls,
        rustls::Error::InvalidCertificate(fault) => match fault {
            // The second one: another authority of the same name is trusted.
            Fault::UnknownIssuer | Fault::BadSignature => UnknownAuthority,
            Fault::Expired => Expired(String::new()),
            Fault::ExpiredContext { not_after, .. } => Expired(day(" on ", *not_after)),
            Fault::NotValidYet => NotYetValid(String::new()),
            Fault::NotValidYetContext { not_before, .. } => {
                NotYetValid(day("; it is from ", *not_before))
            }
            Fault::NotValidForName => WrongName(String::new()),
            Fault::NotValidForNameContext { presented, .. } => {
                // The library writes `DnsName("other.example")`.
                let plain = |it: &String| it.split('"').nth(1).unwrap_or(it).to_owned();
                let names: Vec<String> = presented.iter().map(plain).collect();
                let names = names.join(", ");
                let names = clean_line(&names, MAX_DETAIL);
                WrongName(format!(", but for {names}"))
            }
            // The library has no public type for it.
            Fault::Other(other) if other.0.to_string() == "CaUsedAsEndEntity" => AuthorityAsServer,
            _ => Tls(detail(error)),
        },
        _ => Tls(detail(error)),
    }
}

fn detail(error: &(impl Error + ?Sized)) -> String {
    clean_line(&error.to_string(), MAX_DETAIL).into_owned()
}

fn day(before: &str, time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let day = jiff::Timestamp::from_second(seconds);
    day.map_or_else(
        |_| String::new(),
        |day| format!("{before}{}", day.strftime("%Y-%m-%d")),
    )
}

/// Whether what came cannot be parsed as a response.
fn is_not_http(error: &reqwest::Error) -> bool {
    let mut http = causes(error).filter_map(|cause| cause.downcast_ref());
    http.any(hyper::Error::is_parse)
}

/// Whether the connection ended before the response did. The library reports
/// every error of a body as one of decoding; the cause is then a broken stream,
/// or an end that the decompressor did not expect.
fn is_interrupted(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        let broken = cause.downcast_ref().is_some_and(reqwest::Error::is_body);
        let short = cause
            .downcast_ref::<io::Error>()
            .is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof);
        broken || short
    })
}

/// An error and its causes. An I/O error does not return the error that it
/// wraps as its `source()`.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |cause| {
        let cause = *cause;
        let io = cause.downcast_ref::<io::Error>();
        match io.and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => cause.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_variable_of_the_urls_scheme() {
        let causes = [
            Dns(String::new()),
            Refused,
            Late,
            Network(String::new()),
            Socks,
            ConnectCause::Proxy(Some(407)),
        ];
        for cause in causes {
            for proxy in [None, Some("http://proxy.example".to_owned())] {
                for (is_plain, variable) in [(true, " HTTP_PROXY"), (false, " HTTPS_PROXY")] {
                    let failed = FailedConnection {
                        target: "a.example:80".to_owned(),
                        proxy: proxy.clone(),
                        is_plain,
                        cause: cause.clone(),
                    };
                    let hint = failed.hint();
                    assert!(hint.contains(variable), "{failed}: {hint}");
                }
            }
        }
    }
}
