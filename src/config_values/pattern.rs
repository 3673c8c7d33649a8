//! Patterns that select controls by their Graph id, recommendations by name,
//! customers by both, and tenants by alias.

use std::sync::Arc;

/// Graph ids are far shorter.
const LONGEST: usize = 256;

/// A pattern of control ids or of names of recommendations: `*` matches any characters, `?` matches one.
///
/// Case does not matter, as in all comparisons of Graph ids: Secure Score writes
/// `AdminMFAV2`, Entra `adminMFAV2`. Characters that
/// are special in other globs are refused: taken literally, they match no id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Arc<str>);

impl Pattern {
    /// Parses a pattern. The error says what to write.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            Err("the pattern is empty; use * for everything")
        } else if text.len() > LONGEST {
            Err("the pattern is longer than any id; shorten it")
        } else if !text.chars().all(is_allowed) {
            Err("a pattern may contain letters, digits, _ . - : and the wildcards * and ? only")
        } else {
            Ok(Self(text.into()))
        }
    }

    /// Parses a pattern of display names, which contain any characters.
    pub fn of_names(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            Err("the pattern is empty; use * for everything")
        } else if text.len() > LONGEST {
            Err("the pattern is longer than any name; shorten it with *")
        } else if text.contains(char::is_control) {
            Err("the pattern contains a control character or a line break; write it in one line")
        } else if text.contains(['[', ']', '{', '}']) {
            Err("a pattern has the wildcards * and ? only; write ? for a bracket in a name")
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The pattern as written.
    pub(crate) fn text(&self) -> &Arc<str> {
        &self.0
    }

    /// Whether the pattern has a wildcard; without one it names one id exactly.
    pub fn has_wildcard(&self) -> bool {
        self.0.contains(['*', '?'])
    }

    /// Whether the pattern matches the whole id.
    ///
    /// On a mismatch the latest `*` takes one more character. Earlier ones need
    /// no retry, so the time is at most the product of both lengths.
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
                (Some(p), Some(c)) if p == '?' || is_same_letter(p, c) => {}
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

/// Whether one of the patterns matches.
pub(crate) fn any_matches(patterns: &[Pattern], id: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(id))
}

/// Names of customers have letters of every script.
fn is_same_letter(a: char, b: char) -> bool {
    a.eq_ignore_ascii_case(&b) || (!a.is_ascii() && a.to_lowercase().eq(b.to_lowercase()))
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "*?_-.:".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, in exponential time.
    fn naive_match(pattern: &[u8], id: &[u8]) -> bool {
        match (pattern.split_first(), id.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => (0..=id.len()).any(|n| naive_match(rest, &id[n..])),
            (Some((p, pattern)), Some((c, id))) => {
                (*p == b'?' || p.eq_ignore_ascii_case(c)) && naive_match(pattern, id)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_its_definition(pattern in "[aAb_*?]{1,8}", id in "[aAb_]{0,10}") {
            let quick = Pattern::new(&pattern).unwrap().matches(&id);
            prop_assert_eq!(quick, naive_match(pattern.as_bytes(), id.as_bytes()));
        }
    }

    #[test]
    fn a_question_mark_matches_a_multibyte_character() {
        assert!(Pattern::new("a?c").unwrap().matches("aéc"));
    }

    #[test]
    fn the_syntax_of_other_globs_is_refused() {
        for text in ["", "[ab]*", "{a,b}", "!a", "a b"] {
            assert!(Pattern::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_pattern_of_names_has_any_letters_in_any_case() {
        let pattern = Pattern::of_names("Müller & söhne*").unwrap();
        assert!(pattern.matches("MÜLLER & SÖHNE (Köln)"));
        assert!(!pattern.matches("Muller & Sohne"));
        for text in ["", "[ab]*", "{a,b}", "a\nb", &"a".repeat(257)] {
            assert!(Pattern::of_names(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn many_stars_take_little_time() {
        let pattern = Pattern::new(&"a*".repeat(100)).unwrap();
        assert!(!pattern.matches(&"a".repeat(99)));
    }
}
