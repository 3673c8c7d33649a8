//! Aliases of customers, made from their names.

use super::latin::{Ascii, ascii};
use std::collections::{BTreeMap, BTreeSet};

/// Longer names are cut: an alias is a label value, which tables and legends show.
const LONGEST_WORDS: usize = 40;

/// With at most this many characters of the name, a whole tenant id fits behind it.
const LONGEST_BEFORE_ID: usize = 27;

/// Digits of the tenant id that distinguish customers of one name, at first.
const FEWEST_DIGITS: usize = 8;

/// The beginning of an alias for a name without two ASCII letters or digits.
const NAMELESS: &str = "customer";

/// An alias for every customer, by tenant id.
///
/// `customers` are pairs of tenant id and display name. One whose tenant id is in
/// `taken` keeps that alias, also when it is renamed. The others get the words of their
/// name in ASCII and lower case, joined by `-`: at most 64 characters that are valid as
/// a tenant's `name` in the configuration. Where that is not unique, a part of the
/// tenant id follows; where the name has no ASCII form, it stands for the name.
///
/// No new alias equals one of `taken` or `reserved`, whatever the case. The result does
/// not depend on the order of `customers`.
pub fn aliases(
    customers: &[(&str, &str)],
    taken: &BTreeMap<String, String>,
    reserved: &BTreeSet<String>,
) -> BTreeMap<String, String> {
    let used = taken.values().chain(reserved);
    let mut used: BTreeSet<String> = used.map(|alias| alias.to_ascii_lowercase()).collect();
    let customers = by_id(customers);
    let (known, new): (Vec<_>, Vec<_>) = customers
        .iter()
        .map(|(id, name)| (*id, *name))
        .partition(|(id, _)| taken.contains_key(*id));
    let mut aliases: BTreeMap<String, String> = known
        .iter()
        .filter_map(|(id, _)| {
            taken
                .get(*id)
                .map(|alias| ((*id).to_owned(), alias.clone()))
        })
        .collect();

    let words: BTreeMap<&str, String> = new.iter().map(|(id, name)| (*id, words(name))).collect();
    let is_unique = |base: &String| words.values().filter(|it| *it == base).count() == 1;
    let (unique, shared): (Vec<_>, Vec<_>) = words
        .iter()
        .partition(|(_, base)| !base.is_empty() && is_unique(base) && !used.contains(*base));
    for (id, base) in unique {
        used.insert(base.clone());
        aliases.insert((*id).to_owned(), base.clone());
    }
    for (id, base) in shared {
        let alias = with_id(base, id, &used);
        used.insert(alias.clone());
        aliases.insert((*id).to_owned(), alias);
    }
    aliases
}

/// The customers by tenant id. Of an id that occurs twice, the first name in
/// alphabetical order counts.
fn by_id<'a>(customers: &[(&'a str, &'a str)]) -> BTreeMap<&'a str, &'a str> {
    let mut by_id = BTreeMap::new();
    for (id, name) in customers {
        let first = by_id.entry(*id).or_insert(*name);
        *first = (*first).min(*name);
    }
    by_id
}

/// The words of a name in ASCII, joined by `-`; empty if too little of it remains.
fn words(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        match ascii(c) {
            Ascii::Same(letter) => words.push(letter),
            Ascii::Letters(letters) => words.push_str(letters),
            Ascii::Separator if !words.is_empty() && !words.ends_with('-') => words.push('-'),
            Ascii::Joined | Ascii::Separator => {}
        }
    }
    match cut(&words, LONGEST_WORDS) {
        short if short.len() < 2 => String::new(),
        words => words.to_owned(),
    }
}

/// At most this many bytes of ASCII words, without a hyphen at the end.
fn cut(words: &str, longest: usize) -> &str {
    let start = words.get(..longest).unwrap_or(words);
    start.trim_end_matches('-')
}

/// The words and as much of the tenant id as makes the alias unique.
fn with_id(words: &str, id: &str, used: &BTreeSet<String>) -> String {
    let words = match words {
        "" => NAMELESS,
        words => cut(words, LONGEST_BEFORE_ID),
    };
    let is_digit = |c: &char| c.is_ascii_alphanumeric();
    let digits: String = id.chars().filter(is_digit).take(36).collect();
    let digits = digits.to_ascii_lowercase();
    let parts = (FEWEST_DIGITS..digits.len()).map(|end| digits.get(..end).unwrap_or_default());
    let candidates = parts
        .chain([digits.as_str()])
        .map(|part| format!("{words}-{part}"));
    // Only an alias of the configuration can be that of a whole id.
    let numbered = (2_usize..).map(|number| format!("{words}-{number}-{digits}"));
    candidates
        .chain(numbered)
        .find(|alias| !used.contains(alias))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: &str = "aaaaaaaa-1111-4111-8111-111111111111";
    const B: &str = "bbbbbbbb-2222-4222-8222-222222222222";

    fn named(name: &str) -> String {
        let aliases = aliases(&[(A, name)], &BTreeMap::new(), &BTreeSet::new());
        aliases[A].clone()
    }

    fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(id, alias): &(&str, &str)| ((*id).to_owned(), (*alias).to_owned());
        pairs.iter().map(owned).collect()
    }

    /// The rule of a tenant's `name` in the configuration.
    fn is_valid(alias: &str) -> bool {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        (1..=64).contains(&alias.len())
            && alias.bytes().all(is_allowed)
            && alias.starts_with(|c: char| c.is_ascii_alphanumeric())
    }

    #[test]
    fn an_alias_is_the_name_in_ascii() {
        for (name, alias) in [
            ("Contoso", "contoso"),
            ("  Müller & Söhne GmbH ", "mueller-soehne-gmbh"),
            ("O’Neil's Café", "oneils-cafe"),
            ("Żółta Łódź S.A.", "zolta-lodz-s-a"),
            ("--Fabrikam--", "fabrikam"),
            ("株式会社 Ｔａｉｌ１", "tail1"),
            ("3M", "3m"),
            ("Contoso 🚀", "contoso"),
        ] {
            assert_eq!(named(name), alias, "{name}");
        }
    }

    #[test]
    fn a_name_without_ascii_letters_gives_way_to_the_id() {
        for name in ["", "🚀🚀", "שלום", "株式会社", "\u{202e}x", "---"] {
            assert_eq!(named(name), "customer-aaaaaaaa", "{name}");
        }
    }

    #[test]
    fn a_long_name_is_cut_without_a_trailing_hyphen() {
        let name = "The International Company of Contoso and Sons";
        assert_eq!(named(name), "the-international-company-of-contoso-and");
        let both = aliases(&[(A, name), (B, name)], &BTreeMap::new(), &BTreeSet::new());
        assert_eq!(both[A], "the-international-company-o-aaaaaaaa");
    }

    #[test]
    fn customers_of_one_name_are_distinguished_by_their_ids() {
        let both = [(A, "Contoso"), (B, "contoso")];
        let both = aliases(&both, &BTreeMap::new(), &BTreeSet::new());
        let expected = owned(&[(A, "contoso-aaaaaaaa"), (B, "contoso-bbbbbbbb")]);
        assert_eq!(both, expected);
    }

    #[test]
    fn a_second_customer_of_a_name_changes_nothing_for_the_first() {
        let taken = owned(&[(A, "contoso")]);
        let both = aliases(&[(B, "Contoso"), (A, "Contoso")], &taken, &BTreeSet::new());
        assert_eq!(both, owned(&[(A, "contoso"), (B, "contoso-bbbbbbbb")]));
        // The first has left the list, but not the configuration.
        let second = aliases(&[(B, "Contoso")], &taken, &BTreeSet::new());
        assert_eq!(second, owned(&[(B, "contoso-bbbbbbbb")]));
    }

    #[test]
    fn a_renamed_customer_keeps_its_alias() {
        let taken = owned(&[(A, "Old.Name")]);
        let renamed = aliases(&[(A, "New Name")], &taken, &BTreeSet::new());
        assert_eq!(renamed, taken);
    }

    #[test]
    fn an_alias_of_the_configuration_is_not_given_again() {
        let mut reserved = BTreeSet::from(["Contoso".to_owned()]);
        let alias = |reserved: &BTreeSet<String>| {
            aliases(&[(A, "contoso")], &BTreeMap::new(), reserved)[A].clone()
        };
        assert_eq!(alias(&reserved), "contoso-aaaaaaaa");
        let digits = A.replace('-', "");
        for end in FEWEST_DIGITS..=digits.len() {
            reserved.insert(format!("contoso-{}", &digits[..end]));
        }
        assert_eq!(alias(&reserved), format!("contoso-2-{digits}"));
    }

    #[test]
    fn ids_that_begin_alike_get_more_digits() {
        let other = "aaaaaaaa-1222-4111-8111-111111111111";
        let both = [(other, "Contoso"), (A, "Contoso")];
        let both = aliases(&both, &BTreeMap::new(), &BTreeSet::new());
        assert_eq!(both[A], "contoso-aaaaaaaa");
        assert_eq!(both[other], "contoso-aaaaaaaa1");
    }

    fn guid() -> impl Strategy<Value = String> {
        // Few values, so that ids share their first digits.
        "[ab]{8}-[ab]{4}-[ab]{4}-[ab]{4}-[ab]{12}"
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "(Contoso|contoso|Köln|koeln|🚀| |-|\u{202e}|[ab]{8}){0,6}",
        ]
    }

    fn by_pairs(customers: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
        let pairs = customers.iter();
        pairs
            .map(|(id, name)| (id.as_str(), name.as_str()))
            .collect()
    }

    proptest! {
        #[test]
        fn every_customer_gets_a_valid_alias_of_its_own(
            customers in prop::collection::btree_map(guid(), name(), 0..12),
            reserved in prop::collection::btree_set("contoso(-[ab]{8})?|koeln|customer", 0..4),
        ) {
            let given = aliases(&by_pairs(&customers), &BTreeMap::new(), &reserved);
            prop_assert!(given.keys().eq(customers.keys()));
            for alias in given.values() {
                prop_assert!(is_valid(alias), "{alias:?}");
                prop_assert_eq!(alias.to_ascii_lowercase(), alias.as_str());
                prop_assert!(!reserved.contains(alias), "{alias:?} is reserved");
            }
            let distinct: BTreeSet<_> = given.values().collect();
            prop_assert_eq!(distinct.len(), given.len());
        }

        #[test]
        fn the_order_of_the_list_changes_nothing(
            customers in prop::collection::vec((guid(), name()), 0..12),
            turn in 0_usize..12,
        ) {
            let pairs: Vec<(&str, &str)> =
                customers.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
            let mut turned = pairs.clone();
            turned.reverse();
            turned.rotate_left(turn.min(pairs.len()));
            let given = |pairs: &[(&str, &str)]| aliases(pairs, &BTreeMap::new(), &BTreeSet::new());
            prop_assert_eq!(given(&pairs), given(&turned));
        }

        #[test]
        fn an_alias_once_given_stays(
            first in prop::collection::btree_map(guid(), name(), 0..8),
            later in prop::collection::btree_map(guid(), name(), 0..8),
            renamed in name(),
        ) {
            let taken = aliases(&by_pairs(&first), &BTreeMap::new(), &BTreeSet::new());
            let mut all = first.clone();
            all.extend(later);
            if let Some(name) = all.values_mut().next() {
                *name = renamed;
            }
            let given = aliases(&by_pairs(&all), &taken, &BTreeSet::new());
            for (id, alias) in &taken {
                prop_assert_eq!(given.get(id), Some(alias));
            }
            let distinct: BTreeSet<_> = given.values().collect();
            prop_assert_eq!(distinct.len(), all.len());
        }
    }
}
