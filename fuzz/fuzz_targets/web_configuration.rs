//! Web configurations, as users may write them.
#![no_main]

#[allow(dead_code, reason = "each target uses one function")]
#[path = "../../tests/suite/hostile/entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entries::web_configuration(bytes));
