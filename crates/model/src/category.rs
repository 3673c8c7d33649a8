//! The five areas into which Microsoft sorts controls, and one for the rest.

use crate::label_values::label_values;
use std::str::FromStr;

label_values! {
    /// The area of security to which a control belongs (Graph: `controlCategory`).
    ///
    /// The set is closed so that Graph cannot add label values. Any other word
    /// becomes [`Unknown`](Self::Unknown) and is counted.
    pub enum Category {
        /// Accounts, roles, sign-in.
        Identity = "Identity",
        /// Labels, loss prevention, sharing.
        Data = "Data",
        /// Endpoints.
        Device = "Device",
        /// Exchange, SharePoint, Teams and connected applications.
        Apps = "Apps",
        /// Documented by Microsoft, so far always empty.
        Infrastructure = "Infrastructure",
        /// Missing, or a word outside this set.
        Unknown = "Unknown",
    }
}

/// The word is not a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotACategory;

impl std::fmt::Display for NotACategory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_parsed_in_any_case() {
        assert_eq!("APPS".parse(), Ok(Category::Apps));
        let error = "App".parse::<Category>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "not a category; use one of Identity, Data, Device, Apps, Infrastructure, Unknown"
        );
    }
}
