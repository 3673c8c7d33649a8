//! Comparison with expected files.

use std::fs;
use std::path::Path;

/// Compares with a file; `UPDATE_GOLDEN=1` writes it instead.
pub(crate) fn compare(file: &Path, now: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(file, now).expect("the golden file can be written");
        return;
    }
    let then = fs::read_to_string(file).unwrap_or_else(|_| {
        panic!(
            "{} is missing; UPDATE_GOLDEN=1 cargo test writes it",
            file.display()
        )
    });
    let differs = then.lines().zip(now.lines()).position(|(a, b)| a != b);
    let at = differs.unwrap_or_else(|| then.lines().count().min(now.lines().count()));
    assert!(
        then == now,
        "{} differs from line {}:\n  then: {}\n  now:  {}\nUPDATE_GOLDEN=1 cargo test writes it anew",
        file.display(),
        at + 1,
        then.lines().nth(at).unwrap_or("(nothing)"),
        now.lines().nth(at).unwrap_or("(nothing)"),
    );
}

/// Compares one part of a page that people write, which stands between two
/// comments of its name.
pub(crate) fn compare_part(file: &Path, name: &str, now: &str) {
    let page = fs::read_to_string(file).expect("the page can be read");
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let around = page.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let (before, after) = around.unwrap_or_else(|| panic!("{} has no part {name}", file.display()));
    compare(file, &format!("{before}{begin}{now}\n{end}{after}"));
}
