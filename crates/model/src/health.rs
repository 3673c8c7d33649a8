//! How the refreshes of one tenant fare.

use super::Timestamp;
use std::collections::BTreeMap;

/// One of the two things we ask Graph for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// `secureScoreControlProfiles`: the catalogue with its states.
    Profiles,
    /// `secureScores`: the daily report.
    Scores,
}

impl Api {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Profiles, Self::Scores];

    /// The word used in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Profiles => "profiles",
            Self::Scores => "scores",
        }
    }
}

/// Why a refresh failed, as a metric label.
///
/// The set is closed on purpose. Each word is a counter that exists from the
/// first scrape at zero, so `rate()` sees the first failure; an error's text
/// goes to the log, where it may be as long as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Entra refused the credential: wrong, expired or unreadable.
    Credential,
    /// The application is not known in the tenant, or lacks consent.
    Consent,
    /// A Conditional Access policy blocks the application.
    Policy,
    /// The tenant does not exist in this cloud.
    UnknownTenant,
    /// Entra answered something else than a token.
    Token,
    /// Graph refused the token twice.
    Unauthorized,
    /// The token lacks the permission.
    Permission,
    /// Too many requests, by Graph's or Entra's count.
    Throttled,
    /// No answer in time.
    Timeout,
    /// No connection: name, network, refused, reset.
    Connection,
    /// The server's certificate was not accepted.
    Tls,
    /// 5xx.
    Server,
    /// Another 4xx, or a redirect.
    Rejected,
    /// The answer was not what Graph documents.
    Malformed,
    /// The answer was larger than any real one.
    TooLarge,
    /// A list whose pages loop, leave the host or never end.
    Paging,
    /// The answer belongs to another tenant.
    WrongTenant,
    /// Graph said itself that something is missing (206).
    Partial,
    /// A catalogue that had controls has none.
    Emptied,
    /// A fault of ours.
    Internal,
}

impl Reason {
    /// Every reason, in the order they are exported.
    pub const ALL: [Self; 20] = [
        Self::Credential,
        Self::Consent,
        Self::Policy,
        Self::UnknownTenant,
        Self::Token,
        Self::Unauthorized,
        Self::Permission,
        Self::Throttled,
        Self::Timeout,
        Self::Connection,
        Self::Tls,
        Self::Server,
        Self::Rejected,
        Self::Malformed,
        Self::TooLarge,
        Self::Paging,
        Self::WrongTenant,
        Self::Partial,
        Self::Emptied,
        Self::Internal,
    ];

    /// The word used in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Consent => "consent",
            Self::Policy => "policy",
            Self::UnknownTenant => "unknown_tenant",
            Self::Token => "token",
            Self::Unauthorized => "unauthorized",
            Self::Permission => "permission",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Server => "server",
            Self::Rejected => "rejected",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Paging => "paging",
            Self::WrongTenant => "wrong_tenant",
            Self::Partial => "partial",
            Self::Emptied => "emptied",
            Self::Internal => "internal",
        }
    }

    /// Whether trying again can only help after somebody has changed something.
    pub const fn needs_a_person(self) -> bool {
        matches!(
            self,
            Self::Credential
                | Self::Consent
                | Self::Policy
                | Self::UnknownTenant
                | Self::Unauthorized
                | Self::Permission
                | Self::WrongTenant
        )
    }
}

/// How a request to Graph ended: its status, or that there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// An HTTP status.
    Status(u16),
    /// No answer at all.
    NoAnswer,
}

/// Requests made for one tenant since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Requests to Graph, by list and by how they ended.
    pub graph: BTreeMap<(Api, Code), u64>,
    /// Answers that said to slow down.
    pub throttled: u64,
    /// Tokens obtained from Entra.
    pub tokens: u64,
    /// Requests for a token that failed.
    pub token_failures: u64,
}

/// The refreshes of one list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RefreshHealth {
    /// Refreshes begun and ended since the start.
    pub refreshes: u64,
    /// How many of them failed, and why.
    pub failures: BTreeMap<Reason, u64>,
    /// Whether the last one succeeded; false before the first.
    pub up: bool,
    /// When the last one succeeded.
    pub last_success: Option<Timestamp>,
    /// When the next one is due.
    pub next_refresh: Option<Timestamp>,
    /// What the last one failed with, until one succeeds.
    pub trouble: Option<Trouble>,
}

impl RefreshHealth {
    /// Whether a refresh was tried at all.
    pub fn attempted(&self) -> bool {
        self.refreshes > 0
    }
}

/// A failure as a person should read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The closed word.
    pub reason: Reason,
    /// What happened, without secrets.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Trouble {
    /// A failure without a hint.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            hint: None,
        }
    }
}

/// All of one tenant's refreshes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TenantHealth {
    /// The catalogue's.
    pub profiles: RefreshHealth,
    /// The report's.
    pub scores: RefreshHealth,
    /// Requests of both.
    pub traffic: Traffic,
}

impl TenantHealth {
    /// The refreshes of one list.
    pub fn of(&self, api: Api) -> &RefreshHealth {
        match api {
            Api::Profiles => &self.profiles,
            Api::Scores => &self.scores,
        }
    }

    /// The refreshes of one list, to change.
    pub fn of_mut(&mut self, api: Api) -> &mut RefreshHealth {
        match api {
            Api::Profiles => &mut self.profiles,
            Api::Scores => &mut self.scores,
        }
    }

    /// Whether each list was tried once.
    pub fn attempted(&self) -> bool {
        Api::ALL.into_iter().all(|api| self.of(api).attempted())
    }
}
