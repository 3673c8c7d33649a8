//! Reports, as Graph may send them.
#![no_main]

#[allow(dead_code, reason = "each target uses one function")]
#[path = "../../tests/suite/hostile/entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entries::report(bytes));
