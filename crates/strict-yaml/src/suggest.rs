//! "Did you mean …?": the known words that resemble a mistyped one.

/// The longest key that an error repeats.
const MAX_PLAIN_KEY: usize = 32;

/// Whether an error may repeat a key: short, lower case and without digits,
/// which no generated secret is.
pub(crate) fn is_plain(word: &str) -> bool {
    (1..=MAX_PLAIN_KEY).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// The known word most similar to `word`, if one is similar.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    similar(word, known).into_iter().next()
}

/// The known words similar to `word`, the most similar first; words equally
/// similar stay in the order given.
///
/// At most a third of a known word's letters may differ, whatever their case.
pub fn similar<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let mut similar: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|known| {
            let limit = known.len().div_ceil(3);
            let lower = known.to_lowercase();
            // The distance is at least the difference of the lengths, and takes
            // time in proportion to their product.
            if lower.chars().count().abs_diff(length) > limit {
                return None;
            }
            let distance = strsim::osa_distance(&word, &lower);
            (distance <= limit).then_some((distance, known))
        })
        .collect();
    similar.sort_by_key(|(distance, _)| *distance);
    similar.into_iter().map(|(_, known)| known).collect()
}

/// `` unknown cloud `glbal`; did you mean `global`? ``, or the list of all known
/// words.
///
/// The written word is repeated only if it resembles a known one, since it may
/// be a secret on the wrong line.
pub fn unknown(what: &str, written: &str, known: &[&str]) -> String {
    match nearest(written, known.iter().copied()) {
        Some(near) => format!("unknown {what} `{written}`; did you mean `{near}`?"),
        None if is_plain(written) && what == "key" => {
            format!("unknown key `{written}`; known here: {}", known.join(", "))
        }
        None => format!("unknown {what}; use {}", one_of(known)),
    }
}

/// `a, b or c`.
pub fn one_of(words: &[&str]) -> String {
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
    fn a_mistyped_word_finds_the_known_one() {
        let known = ["global", "gcc-high", "dod"];
        assert_eq!(nearest("glbal", known), Some("global"));
        assert_eq!(nearest("GCC-Hihg", known), Some("gcc-high"));
        assert_eq!(nearest("moon", known), None);
    }

    #[test]
    fn the_most_similar_word_comes_first() {
        let known = ["contoso-fr", "contoso-de", "contoso", "fabrikam"];
        assert_eq!(
            similar("contos-de", known),
            ["contoso-de", "contoso-fr", "contoso"]
        );
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
