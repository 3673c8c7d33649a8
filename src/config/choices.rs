//! Keys that take one of a closed set of words.

use std::str::FromStr;
use strict_yaml::suggest;

/// A value that the configuration names with one of a few words.
pub(super) trait Choice: Sized {
    const WORDS: &'static [&'static str];

    fn word(&self) -> &'static str;

    fn from_word(word: &str) -> Option<Self>;

    /// The value with this name.
    fn parse(text: &str) -> Result<Self, String> {
        let mut words = Self::WORDS.iter().copied();
        let word = words.find(|word| is_spelling(text, word));
        word.and_then(Self::from_word)
            .ok_or_else(|| suggest::unknown("value", text, Self::WORDS))
    }
}

/// The words that YAML 1.1 reads as booleans.
const ON: [&str; 4] = ["on", "true", "yes", "y"];
const OFF: [&str; 4] = ["off", "false", "no", "n"];

/// What stands for a word beside the word itself, in any case.
///
/// Tools that follow YAML 1.1, such as Helm, turn a bare `on` into `true` and a
/// bare `no` into `false`. Taken for a misspelling, `no` would suggest `on`.
pub(super) fn spellings(word: &str) -> &'static [&'static str] {
    match word {
        "on" | "true" => &ON,
        "off" | "false" => &OFF,
        _ => &[],
    }
}

fn is_spelling(text: &str, word: &str) -> bool {
    let mut spellings = spellings(word).iter();
    text == word || spellings.any(|spelling| text.eq_ignore_ascii_case(spelling))
}

macro_rules! choice {
    (
        $(#[$doc:meta])*
        $visibility:vis $name:ident { $($(#[$attribute:meta])* $word:literal => $variant:ident,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        $visibility enum $name { $($(#[$attribute])* $variant,)* }

        impl Choice for $name {
            const WORDS: &'static [&'static str] = &[$($word),*];

            fn word(&self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

choice! {
    /// What starts a refresh.
    pub RefreshMode {
        /// The refresh interval.
        #[default]
        "background" => Background,
        /// A scrape, if the data are older than the refresh interval.
        "scrape" => Scrape,
    }
}

choice! {
    /// The series that are exported of each tenant.
    pub SeriesChoice {
        /// Every family.
        #[default]
        "full" => Full,
        /// What dashboards show, with the scores of each control.
        "controls" => Controls,
        /// What alerts and the dashboard of accepted risks need.
        "acceptances" => Acceptances,
    }
}

choice! {
    /// Whether the exporter reads the lists of Entra: its recommendations and
    /// the Identity Secure Score.
    pub Enabled {
        /// Where the token has the permission `DirectoryRecommendations.Read.All`.
        #[default]
        "auto" => Auto,
        /// Always; a missing permission is a failure.
        "on" => On,
        /// Never.
        "off" => Off,
    }
}

choice! {
    /// A key that is on or off.
    pub(super) Switch {
        "true" => On,
        #[default]
        "false" => Off,
    }
}

choice! {
    /// The label with the person who accepted a risk.
    ///
    /// Off by default: everyone who can read `/metrics` or Prometheus can read
    /// all labels.
    pub AcceptedBy {
        /// No such label.
        #[default]
        "off" => Off,
        /// A salted hash: one person always has the same hash.
        "hash" => Hash,
        /// The name as Graph returns it.
        "plain" => Plain,
    }
}

choice! {
    /// The label with the comment of an acceptance.
    pub(super) CommentLabel {
        /// No such label.
        #[default]
        "off" => Off,
        /// The comment as Graph returns it.
        "plain" => Plain,
    }
}

choice! {
    /// Persons and comments in the API, on the pages and in events.
    pub EventDetail {
        /// As Graph returns them.
        #[default]
        "full" => Full,
        /// The person as a salted hash, without the comment.
        "hash" => Hash,
        /// Neither.
        "off" => Off,
    }
}

choice! {
    /// The clients that see persons and comments on the pages and in the API.
    pub PageAudience {
        /// Those with a password, or with a certificate that was verified
        /// against the authorities of the web configuration.
        #[default]
        "authenticated" => Authenticated,
        /// Every client.
        "show" => Everyone,
    }
}

choice! {
    /// The names of a partner's customers in labels.
    ///
    /// Off by default: everyone who can read `/metrics` or Prometheus can read
    /// all labels.
    pub DisplayNames {
        /// The label is empty.
        #[default]
        "off" => Off,
        /// The name as Graph returns it.
        "plain" => Plain,
    }
}

choice! {
    /// A list of Graph that names the customers of a partner.
    pub CustomerSource {
        /// The tenants that delegate administration to the partner.
        #[default]
        "delegated_admin_customers" => DelegatedAdminCustomers,
        /// The tenants of a multitenant organization.
        "multitenant_organization" => MultitenantOrganization,
    }
}

impl CustomerSource {
    /// The application permissions of which each allows to read the list, the one to
    /// grant first.
    ///
    /// Source: "List delegatedAdminCustomers" and "List
    /// multiTenantOrganizationMembers" in the documentation of Graph.
    pub const fn permissions(self) -> [&'static str; 2] {
        match self {
            Self::DelegatedAdminCustomers => [
                "DelegatedAdminRelationship.Read.All",
                "DelegatedAdminRelationship.ReadWrite.All",
            ],
            Self::MultitenantOrganization => [
                "MultiTenantOrganization.Read.All",
                "MultiTenantOrganization.ReadWrite.All",
            ],
        }
    }

    /// The name in the configuration.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

choice! {
    /// What happens with a customer that the configuration does not name.
    pub NewCustomers {
        /// Metrics, pages and an alert name it.
        #[default]
        "report" => Report,
        /// The exporter also watches it.
        "watch" => Watch,
    }
}

choice! {
    /// The national cloud of Microsoft that hosts a tenant.
    pub Cloud {
        /// The worldwide cloud.
        #[default]
        "global" => Global,
        /// US Government L4.
        "gcc-high" => GccHigh,
        /// US Government L5.
        "dod" => Dod,
        /// The Graph simulator on this machine.
        "simulator" => Simulator,
    }
}

impl Cloud {
    /// The name in the configuration and in the label `cloud`.
    pub fn as_str(self) -> &'static str {
        self.word()
    }

    /// Root of Entra's login server, without a slash at the end; the simulator
    /// has an address of its own.
    ///
    /// Source: "National cloud deployments" in the documentation of Graph.
    pub fn login(self) -> Option<&'static str> {
        match self {
            Self::Global => Some("https://login.microsoftonline.com"),
            Self::GccHigh | Self::Dod => Some("https://login.microsoftonline.us"),
            Self::Simulator => None,
        }
    }
}

impl FromStr for Cloud {
    type Err = String;

    /// The cloud with this name, in any case. The error lists those of Microsoft.
    fn from_str(text: &str) -> Result<Self, String> {
        let words = Self::WORDS.iter().copied();
        let simulator = Self::Simulator.word();
        let microsofts: Vec<&str> = words.filter(|it| *it != simulator).collect();
        cloud_among(text, &microsofts)
    }
}

/// Names of the cloud that exists but has no Secure Score.
const CHINA: [&str; 3] = ["china", "china21vianet", "21vianet"];

/// The cloud with this name, in any case.
pub(super) fn cloud(text: &str) -> Result<Cloud, String> {
    cloud_among(text, Cloud::WORDS)
}

/// The same with an error that lists these.
fn cloud_among(text: &str, listed: &[&str]) -> Result<Cloud, String> {
    let name = text.to_lowercase();
    if CHINA.contains(&name.as_str()) {
        let message =
            "Microsoft does not offer Secure Score in the China cloud; leave such tenants out";
        return Err(message.to_owned());
    }
    Cloud::from_word(&name).ok_or_else(|| suggest::unknown("cloud", &name, listed))
}
