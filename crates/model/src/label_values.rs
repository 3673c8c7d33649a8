//! Enums whose members are the values of a label.

/// Defines an enum from a table of members and their words.
///
/// The list of all members, the words in labels and the words in the state
/// file come from this one table, so none of them can lack a member.
macro_rules! label_values {
    ($(#[$attribute:meta])* pub enum $name:ident {
        $($(#[$doc:meta])* $member:ident = $word:literal,)+
    }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $member,)+
        }

        impl $name {
            /// All members, in the order in which they are exported.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$member),+];

            /// The words of all members, in the same order.
            pub const WORDS: [&'static str; [$($word),+].len()] = [$($word),+];

            /// The word in labels, in documents and in the state file.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use label_values;

#[cfg(test)]
mod tests {
    use crate::{Api, Basis, Category, ControlState, Tier};

    #[test]
    fn the_word_in_the_state_file_is_the_word_of_the_label() {
        for state in ControlState::ALL {
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
            assert_eq!(serde_json::from_str::<ControlState>(&json).unwrap(), state);
        }
        assert_eq!(Tier::DefenseInDepth.as_str(), "defense_in_depth");
        assert_eq!(Basis::ALL.map(Basis::as_str)[0], "AllTenants");
        let lists = ["profiles", "scores", "recommendations", "identity_scores"];
        assert_eq!(Api::ALL.map(Api::as_str), lists);
        assert!(serde_json::from_str::<Category>("\"identity\"").is_err());
    }
}
