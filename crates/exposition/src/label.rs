//! Labels as Prometheus stores and reads them.

use std::borrow::Cow;

/// The longest label value, bytes. Prometheus can be configured to reject a
/// whole scrape because of one longer value.
pub(super) const LONGEST_VALUE: usize = 128;

/// A label value as Prometheus stores it: cut to size, and with a space for
/// each control character but the line feed.
///
/// Two texts can become the same value, and two series the same series: code
/// that writes several series which differ only in a text from outside
/// compares the texts in this form.
pub fn shown(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return text.into();
    }
    let (text, _) = text.split_at(text.floor_char_boundary(LONGEST_VALUE));
    let odd = |character: char| character.is_control() && character != '\n';
    if text.contains(odd) {
        text.replace(odd, " ").into()
    } else {
        text.into()
    }
}

/// Writes a label value, escaped, on one line.
pub fn write_value(text: &str, buffer: &mut Vec<u8>) {
    if is_plain(text) {
        return buffer.extend_from_slice(text.as_bytes());
    }
    let escaped = shown(text).replace('\\', r"\\");
    let escaped = escaped.replace('"', r#"\""#).replace('\n', r"\n");
    buffer.extend_from_slice(escaped.as_bytes());
}

/// Writes a label that follows another. An empty value is no label, which is
/// the same to Prometheus.
pub fn write_label(name: &str, value: &str, buffer: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    buffer.push(b',');
    buffer.extend_from_slice(name.as_bytes());
    buffer.extend_from_slice(b"=\"");
    write_value(value, buffer);
    buffer.push(b'"');
}

/// Whether a value needs no escaping. Nearly all values are plain; escaping
/// each character of each took a tenth of a refresh.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\');
    // Without an early end, so that many bytes are compared at once.
    text.len() <= LONGEST_VALUE && text.bytes().fold(true, |all, it| all & is_plain(it))
}
