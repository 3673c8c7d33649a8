//! Keys that take one of a closed set of words.

use strict_yaml::{Diagnostics, Text, suggest};

/// A value that the configuration names with one of a few words.
pub(super) trait Choice: Default + 'static {
    const WORDS: &'static [&'static str];

    fn from_word(word: &str) -> Option<Self>;
}

macro_rules! choice {
    (
        $(#[$doc:meta])*
        $visibility:vis $name:ident { $($(#[$attribute:meta])* $word:literal => $variant:ident,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        $visibility enum $name { $($(#[$attribute])* $variant,)* }

        impl Choice for $name {
            const WORDS: &'static [&'static str] = &[$($word),*];

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

/// The chosen value, or the default if the key is absent or wrong.
pub(super) fn choose<T: Choice>(
    path: &str,
    text: &Option<Text>,
    diagnostics: &mut Diagnostics,
) -> T {
    let Some(text) = text else {
        return T::default();
    };
    let word = match text.value.trim() {
        // YAML 1.1 reads a bare `off` as false.
        word if word.eq_ignore_ascii_case("false") || word.eq_ignore_ascii_case("off") => "off",
        word => word,
    };
    T::from_word(word).unwrap_or_else(|| {
        diagnostics.error(text.span, path, suggest::unknown("value", word, T::WORDS));
        T::default()
    })
}
