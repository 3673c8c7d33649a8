//! Words out of a closed set, and the known word somebody probably meant.

/// The longest key that is repeated in a complaint.
const LONGEST_PLAIN: usize = 32;

/// Whether a key may be repeated in a complaint: short, lower case, no digits.
///
/// Generated secrets are long and mixed; what passes here is a word.
pub(super) fn is_plain(word: &str) -> bool {
    (1..=LONGEST_PLAIN).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// The known word nearest to what was written, if one is near at all.
///
/// A third of the letters may be wrong; beyond that a guess is a distraction.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn distance(lower: &str, candidate: &str) -> usize {
    strsim::osa_distance(lower, &candidate.to_lowercase())
}

/// `unknown cloud; did you mean global?`, or the list of all there are.
///
/// What was written is repeated only where it resembles a known word, so a
/// secret on the wrong line stays unseen; line and column say where it is.
pub(crate) fn unknown(what: &str, written: &str, known: &[&str]) -> String {
    match nearest(written, known.iter().copied()) {
        Some(near) => format!("unknown {what} `{written}`; did you mean `{near}`?"),
        None if is_plain(written) && what == "key" => {
            format!("unknown key `{written}`; known here: {}", known.join(", "))
        }
        None => format!("unknown {what}; use {}", one_of(known)),
    }
}

/// `a, b or c`.
pub(crate) fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        let known = ["global", "gcc-high", "dod"];
        assert_eq!(nearest("glbal", known), Some("global"));
        assert_eq!(nearest("GCC-Hihg", known), Some("gcc-high"));
        assert_eq!(nearest("moon", known), None);
    }

    #[test]
    fn a_word_unlike_all_others_is_not_repeated() {
        let message = unknown("cloud", "s3cr3t~Value", &["global", "dod"]);
        assert_eq!(message, "unknown cloud; use global or dod");
    }

    #[test]
    fn a_generated_secret_is_not_plain() {
        assert!(is_plain("refresh_interval"));
        assert!(!is_plain("Xy8Q~abc"));
        assert!(!is_plain(""));
    }
}
