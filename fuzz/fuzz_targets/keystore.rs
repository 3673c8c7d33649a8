//! What should hold a certificate and its private key.
#![no_main]

#[allow(dead_code, reason = "each target opens one of the doors")]
#[path = "../../tests/suite/hostile/entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entries::keystore(bytes));
