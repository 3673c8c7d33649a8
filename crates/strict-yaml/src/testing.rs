//! Test cases for the readers of configuration files: files whose first
//! comment lines are the expected errors or warnings, and texts as editors and
//! shells of Windows save them.
//!
//! With `UPDATE_GOLDEN=1` the comments are rewritten; run the tests twice, since
//! new comments move the lines that the errors name.

use std::fs;
use std::io;
use std::path::Path;

/// Compares the comments at the head of a case with what was reported.
pub fn check_case(path: &Path, reported: &[String]) -> Result<(), String> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}\n"))?;
    let comments = text.lines().map_while(|line| line.strip_prefix("# "));
    let expected: Vec<&str> = comments.collect();
    if expected == reported {
        return Ok(());
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return rewrite(path, &text, reported).map_err(|error| format!("{name}: {error}\n"));
    }
    Err(format!(
        "{name}\n  expected:\n# {}\n  reported:\n# {}\n",
        expected.join("\n# "),
        reported.join("\n# ")
    ))
}

fn rewrite(path: &Path, text: &str, reported: &[String]) -> io::Result<()> {
    let head = reported.iter().map(|line| format!("# {line}\n"));
    let body = text.lines().skip_while(|line| line.starts_with("# "));
    let body = body.map(|line| format!("{line}\n"));
    fs::write(path, head.chain(body).collect::<String>())
}

/// A text with the newlines of Windows: as UTF-8 with a byte order mark, as UTF-16
/// with one, and as UTF-16 in the other order without.
pub fn saved_on_windows(text: &str) -> [Vec<u8>; 3] {
    let text = text.replace('\n', "\r\n");
    let marked = format!("\u{feff}{text}");
    let utf_16 = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let unmarked = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    [marked.into_bytes(), utf_16, unmarked]
}

/// Panics with every difference that [`check_case`] found.
pub fn assert_cases(results: impl IntoIterator<Item = Result<(), String>>) {
    let differences: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}
