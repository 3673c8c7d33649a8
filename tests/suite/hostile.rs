//! Mutated input: no parser panics, and none accepts invalid input.

mod entries;

use proptest::prelude::*;
use proptest::sample::Index;
use std::fs;
use std::path::Path;

/// Words with a meaning for one of the parsers.
const WORDS: [&str; 24] = [
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "-1",
    "1e999",
    "NaN",
    "18446744073709551616",
    "\\ud800",
    "\u{feff}",
    "\0",
    "\n",
    "\r\n",
    "\"",
    "\\",
    ",",
    ":",
    "&a *a",
    "!!binary x",
    "\u{202e}",
    "q=0",
    "*/*",
    "é",
];

/// One change of a sample.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Repeat(Index, usize),
    Insert(Index, usize),
    Swap(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        4 => (place(), 1_u8..).prop_map(|(at, bits)| Change::Flip(at, bits)),
        1 => place().prop_map(Change::Cut),
        2 => (place(), 1_usize..100).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (place(), 1_usize..400).prop_map(|(at, length)| Change::Repeat(at, length)),
        4 => (place(), 0..WORDS.len()).prop_map(|(at, word)| Change::Insert(at, word)),
        1 => (place(), place()).prop_map(|(one, other)| Change::Swap(one, other)),
    ]
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        let span = |at: &Index, max: usize| {
            let from = at.index(length);
            from..(from + max).min(length)
        };
        match self {
            Self::Flip(at, bits) => bytes[at.index(length)] ^= bits,
            Self::Cut(at) => bytes.truncate(at.index(length)),
            Self::Remove(at, max) => drop(bytes.drain(span(at, *max))),
            Self::Repeat(at, max) => {
                let again = bytes[span(at, *max)].to_vec();
                let from = at.index(length);
                bytes.splice(from..from, again);
            }
            Self::Insert(at, word) => {
                let from = at.index(length);
                bytes.splice(from..from, WORDS[*word].bytes());
            }
            Self::Swap(one, other) => bytes.swap(one.index(length), other.index(length)),
        }
    }
}

/// The samples for one parser: small files, with which `fuzz` starts, too.
fn samples(parser: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(parser);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("each parser has samples")
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A sample with some changes, or random bytes.
fn hostile(parser: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let sample = prop::sample::select(samples(parser));
    let changed =
        (sample, prop::collection::vec(change(), 0..6)).prop_map(|(mut bytes, changes)| {
            for change in changes {
                change.apply(&mut bytes);
            }
            bytes
        });
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![9 => changed, 1 => bytes]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn any_body_is_decoded_as_a_catalogue_without_a_panic(body in hostile("catalogue")) {
        entries::catalogue(&body);
    }

    #[test]
    fn any_body_is_decoded_as_a_report_without_a_panic(body in hostile("report")) {
        entries::report(&body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_token_and_any_entra_error_is_parsed_without_a_panic(bytes in hostile("token")) {
        entries::token(&bytes);
    }

    #[test]
    fn any_configuration_is_loaded_without_a_panic(bytes in hostile("configuration")) {
        entries::configuration(&bytes);
    }

    #[test]
    fn any_web_configuration_is_loaded_without_a_panic(bytes in hostile("web_configuration")) {
        entries::web_configuration(&bytes);
    }

    #[test]
    fn any_accept_header_gets_a_response(bytes in hostile("accept")) {
        entries::accept(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_keystore_is_opened_without_a_panic(bytes in hostile("keystore")) {
        entries::keystore(&bytes);
    }

    #[test]
    fn any_state_file_is_loaded_without_a_panic(bytes in hostile("state")) {
        entries::state(&bytes);
    }
}
