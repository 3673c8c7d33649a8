//! The five areas Microsoft sorts controls into, and one for the rest.

use std::fmt;
use std::str::FromStr;

/// The area of security a control belongs to (Graph: `controlCategory`).
///
/// The set is closed so that a label value can never be invented upstream;
/// a word outside it becomes [`Unknown`](Self::Unknown) and is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Accounts, roles, sign-in.
    Identity,
    /// Labels, loss prevention, sharing.
    Data,
    /// Endpoints.
    Device,
    /// Exchange, SharePoint, Teams and connected applications.
    Apps,
    /// Documented by Microsoft, so far always empty.
    Infrastructure,
    /// A word we do not know, or none at all.
    Unknown,
}

impl Category {
    /// Every category, in the order they are exported.
    pub const ALL: [Self; 6] = [
        Self::Identity,
        Self::Data,
        Self::Device,
        Self::Apps,
        Self::Infrastructure,
        Self::Unknown,
    ];

    /// The word used in labels, configuration and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "Identity",
            Self::Data => "Data",
            Self::Device => "Device",
            Self::Apps => "Apps",
            Self::Infrastructure => "Infrastructure",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word was none of the category names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotACategory;

impl fmt::Display for NotACategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Category::ALL.map(Category::as_str).join(", ");
        write!(f, "not a category; use one of {known}")
    }
}

impl std::error::Error for NotACategory {}

impl FromStr for Category {
    type Err = NotACategory;

    fn from_str(word: &str) -> Result<Self, NotACategory> {
        Self::ALL
            .into_iter()
            .find(|category| category.as_str().eq_ignore_ascii_case(word))
            .ok_or(NotACategory)
    }
}
