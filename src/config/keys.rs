//! Keys that a section does not have.

use super::fault::Ledger;
use super::word;
use super::written::Text;

/// Complains of each key the section does not have.
pub(crate) fn unknown_keys(section: &str, unknown: &[Text], known: &[&str], ledger: &mut Ledger) {
    for key in unknown {
        ledger.fault(key.mark, section, word::unknown("key", &key.value, known));
    }
}
