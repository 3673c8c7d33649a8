//! How the refreshes of one tenant went.

use crate::Timestamp;
use crate::label_values::label_values;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Not;

label_values! {
    /// One of the lists that the exporter fetches from Graph.
    pub enum Api {
        /// `secureScoreControlProfiles`: the catalogue with its states.
        Profiles = "profiles",
        /// `secureScores`: the daily report.
        Scores = "scores",
        /// `directory/recommendations`: Entra's recommendations.
        Recommendations = "recommendations",
        /// `directory/recommendations/tenantSecureScores`: the Identity Secure Score.
        IdentityScores = "identity_scores",
    }
}

impl Api {
    /// The lists of Secure Score, which every tenant has.
    pub const SECURE_SCORE: [Self; 2] = [Self::Profiles, Self::Scores];

    /// The lists of Entra, which need a permission of their own.
    pub const ENTRA: [Self; 2] = [Self::Recommendations, Self::IdentityScores];

    /// Whether it is one of [`ENTRA`](Self::ENTRA).
    pub const fn is_of_entra(self) -> bool {
        matches!(self, Self::Recommendations | Self::IdentityScores)
    }
}

label_values! {
    /// Why a refresh failed, as a metric label.
    ///
    /// The set is closed on purpose. Each reason is a counter that exists at
    /// zero from the first scrape, so `rate()` sees the first failure. The
    /// error's text goes to the log, where its length does not matter.
    pub enum Reason {
        /// Entra refused the credential: wrong, expired or unreadable.
        Credential = "credential",
        /// The application is not known in the tenant, or lacks consent.
        Consent = "consent",
        /// A Conditional Access policy blocks the application.
        Policy = "policy",
        /// The tenant does not exist in this cloud.
        UnknownTenant = "unknown_tenant",
        /// Entra answered with something other than a token.
        Token = "token",
        /// Graph refused the token twice.
        Unauthorized = "unauthorized",
        /// The token lacks the permission.
        Permission = "permission",
        /// Graph or Entra rejected the request as one too many.
        Throttled = "throttled",
        /// No answer in time.
        Timeout = "timeout",
        /// No connection: name, network, refused, reset.
        Connection = "connection",
        /// The server's certificate was not accepted.
        Tls = "tls",
        /// 5xx.
        Server = "server",
        /// Another 4xx, or a redirect.
        Rejected = "rejected",
        /// The answer was not what Graph documents.
        Malformed = "malformed",
        /// The answer exceeded the size limit.
        TooLarge = "too_large",
        /// A list whose pages loop, leave the host or never end.
        Paging = "paging",
        /// The answer belongs to another tenant.
        WrongTenant = "wrong_tenant",
        /// Another configured tenant is the same one in Entra.
        DuplicateTenant = "duplicate_tenant",
        /// Graph reported that part of the answer is missing (206).
        Partial = "partial",
        /// A catalogue that had controls has none.
        Emptied = "emptied",
        /// An error in the exporter.
        Internal = "internal",
    }
}

impl Reason {
    /// Whether a retry can succeed only after an administrator acts.
    pub const fn needs_administrator(self) -> bool {
        matches!(
            self,
            Self::Credential
                | Self::Consent
                | Self::Policy
                | Self::UnknownTenant
                | Self::Unauthorized
                | Self::Permission
                | Self::WrongTenant
                | Self::DuplicateTenant
        )
    }
}

/// How a request to Graph ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// An HTTP status.
    Status(u16),
    /// No answer.
    NoAnswer,
}

/// Requests for one tenant since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Requests to Graph, by list and result.
    pub graph: BTreeMap<(Api, Code), u64>,
    /// Answers that asked the exporter to slow down.
    pub throttled: u64,
    /// Tokens obtained from Entra.
    pub tokens: u64,
    /// Requests for a token that failed.
    pub token_failures: u64,
}

impl Traffic {
    /// Requests for a token, failed ones included.
    pub const fn token_attempts(&self) -> u64 {
        self.tokens.saturating_add(self.token_failures)
    }
}

/// The refreshes of one list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RefreshHealth {
    /// Refreshes completed, by this process and by those whose state it took over.
    pub refreshes: u64,
    /// Failures, by reason.
    pub failures: BTreeMap<Reason, u64>,
    /// Whether the last one succeeded; false before the first.
    pub up: bool,
    /// When the last one succeeded.
    pub last_success: Option<Timestamp>,
    /// When the next one is due.
    pub next_refresh: Option<Timestamp>,
    /// The failure of the last one, until one succeeds.
    pub trouble: Option<Trouble>,
    /// Of a list of Entra: whether it has series. One that the tenant does not offer
    /// has none, and no failures.
    pub has_series: bool,
}

impl RefreshHealth {
    /// Whether a refresh was attempted.
    pub fn attempted(&self) -> bool {
        self.refreshes > 0
    }

    /// Counts a refresh that ended now, with its failure if it failed.
    pub fn record(&mut self, failure: Option<Trouble>, now: Timestamp, next_refresh: Timestamp) {
        self.refreshes += 1;
        self.next_refresh = Some(next_refresh);
        self.up = failure.is_none();
        match &failure {
            None => self.last_success = Some(now),
            Some(failure) => *self.failures.entry(failure.reason).or_default() += 1,
        }
        self.trouble = failure;
    }
}

/// A failed refresh, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The reason as a label.
    pub reason: Reason,
    /// What happened, without secrets.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What to do about it in a command that requests once, after which nothing tries
    /// again.
    #[serde(skip)]
    pub command_hint: Option<String>,
    /// Whether Entra gave no token because the tenant has not consented to the
    /// application.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub not_consented: bool,
}

impl Trouble {
    /// A failure without a hint.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            hint: None,
            command_hint: None,
            not_consented: false,
        }
    }
}

/// The refreshes of one tenant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TenantHealth {
    /// Those of the catalogue.
    pub profiles: RefreshHealth,
    /// Those of the report.
    pub scores: RefreshHealth,
    /// Those of Entra's recommendations.
    pub recommendations: RefreshHealth,
    /// Those of the Identity Secure Score.
    pub identity_scores: RefreshHealth,
    /// Requests for all lists.
    pub traffic: Traffic,
    /// Reports that were older than the one in use.
    pub older_reports: u64,
}

impl TenantHealth {
    /// The refreshes of one list.
    pub fn of(&self, api: Api) -> &RefreshHealth {
        match api {
            Api::Profiles => &self.profiles,
            Api::Scores => &self.scores,
            Api::Recommendations => &self.recommendations,
            Api::IdentityScores => &self.identity_scores,
        }
    }

    /// The refreshes of one list, mutable.
    pub fn of_mut(&mut self, api: Api) -> &mut RefreshHealth {
        match api {
            Api::Profiles => &mut self.profiles,
            Api::Scores => &mut self.scores,
            Api::Recommendations => &mut self.recommendations,
            Api::IdentityScores => &mut self.identity_scores,
        }
    }

    /// The lists that have series, with their refreshes.
    pub fn lists(&self) -> impl Iterator<Item = (Api, &RefreshHealth)> {
        let lists = Api::ALL.into_iter().map(|api| (api, self.of(api)));
        lists.filter(|(api, it)| !api.is_of_entra() || it.has_series)
    }

    /// Whether a list of Secure Score was ever read with success.
    pub fn was_read(&self) -> bool {
        let mut lists = Api::SECURE_SCORE.iter().map(|api| self.of(*api));
        lists.any(|it| it.last_success.is_some())
    }

    /// Whether a refresh of each list was attempted.
    pub fn attempted(&self) -> bool {
        self.lists().all(|(_, it)| it.attempted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_failures_need_an_administrator() {
        let needed = Reason::ALL
            .into_iter()
            .filter(|it| it.needs_administrator());
        let needed: Vec<&str> = needed.map(Reason::as_str).collect();
        assert_eq!(
            needed.join(" "),
            "credential consent policy unknown_tenant unauthorized permission wrong_tenant duplicate_tenant"
        );
    }

    #[test]
    fn a_tenant_was_attempted_after_a_refresh_of_each_list() {
        let mut health = TenantHealth::default();
        assert!(!health.attempted());
        health.of_mut(Api::Profiles).refreshes = 2;
        assert!(health.of(Api::Profiles).attempted() && !health.of(Api::Scores).attempted());
        assert!(!health.attempted());
        health.of_mut(Api::Scores).refreshes = 1;
        assert!(health.attempted());
        health.of_mut(Api::Recommendations).has_series = true;
        assert!(!health.attempted());
        let lists: Vec<_> = health.lists().map(|(api, _)| api.as_str()).collect();
        assert_eq!(lists, ["profiles", "scores", "recommendations"]);
    }
}
