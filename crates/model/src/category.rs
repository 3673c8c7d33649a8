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

impl FromStr for Category {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let is_named = |it: &Self| it.as_str().eq_ignore_ascii_case(word);
        let found = Self::ALL.into_iter().find(is_named);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("not a category; use one of {known}")
        })
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
            error,
            "not a category; use one of Identity, Data, Device, Apps, Infrastructure, Unknown"
        );
    }
}
