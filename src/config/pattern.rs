//! Patterns that select controls by their Graph id.

use std::fmt;

/// No Graph id comes near this; a longer pattern is a mistake.
const LONGEST: usize = 256;

/// A pattern over control ids: `*` is any run of characters, `?` any one.
///
/// Case does not matter, as nowhere with Graph ids. There is nothing else to
/// learn: a character that is special in other globs is refused rather than
/// taken literally, because the pattern would then quietly match nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, BadPattern> {
        if text.is_empty() {
            return Err(BadPattern("the pattern is empty; use * for every control"));
        }
        if text.len() > LONGEST {
            return Err(BadPattern(
                "the pattern is longer than any control id; shorten it",
            ));
        }
        if !text.chars().all(is_allowed) {
            return Err(BadPattern(
                "only * and ? are special in a pattern, the rest must be letters, digits, _ . - or :",
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Whether the whole id fits.
    ///
    /// On a mismatch only the latest `*` is given one more character: an
    /// earlier one can never do better, so the work stays at most length times
    /// length, whatever the pattern.
    pub fn matches(&self, id: &str) -> bool {
        let mut pattern = self.0.chars();
        let mut id = id.chars();
        let mut retry = None;
        loop {
            let id_here = id.clone();
            match (pattern.next(), id.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    id = id_here;
                    retry = Some((pattern.clone(), id.clone()));
                }
                (Some(p), Some(c)) if p == '?' || p == c.to_ascii_lowercase() => {}
                _ => {
                    let Some((after_star, mut from)) = retry.take() else {
                        return false;
                    };
                    if from.next().is_none() {
                        return false;
                    }
                    pattern = after_star.clone();
                    id = from.clone();
                    retry = Some((after_star, from));
                }
            }
        }
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "*?_-.:".contains(c)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a pattern was refused, with the remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(&'static str);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, exponential and obviously right.
    fn fits(pattern: &[u8], id: &[u8]) -> bool {
        match (pattern.split_first(), id.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => (0..=id.len()).any(|n| fits(rest, &id[n..])),
            (Some((p, pattern)), Some((c, id))) => {
                (*p == b'?' || p.eq_ignore_ascii_case(c)) && fits(pattern, id)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_definition(pattern in "[aAb_*?]{1,8}", id in "[aAb_]{0,10}") {
            let quick = Pattern::new(&pattern).unwrap().matches(&id);
            prop_assert_eq!(quick, fits(pattern.as_bytes(), id.as_bytes()));
        }
    }

    #[test]
    fn a_star_takes_any_run_and_a_question_mark_one_character() {
        let pattern = Pattern::new("scid_*").unwrap();
        assert!(pattern.matches("scid_2001") && pattern.matches("SCID_"));
        assert!(!pattern.matches("mdo_scid_1"));
        assert!(Pattern::new("AdminMFAV?").unwrap().matches("adminmfav2"));
        assert!(!Pattern::new("AdminMFAV?").unwrap().matches("AdminMFAV"));
    }

    #[test]
    fn a_question_mark_takes_a_whole_character_however_many_bytes() {
        assert!(Pattern::new("a?c").unwrap().matches("aéc"));
    }

    #[test]
    fn what_other_globs_allow_is_refused_rather_than_taken_literally() {
        for text in ["", "[ab]*", "{a,b}", "!a", "a b"] {
            assert!(Pattern::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        let pattern = Pattern::new(&"a*".repeat(100)).unwrap();
        assert!(!pattern.matches(&"a".repeat(99)));
    }
}
