//! Bytes that stay for long, kept apart from those that do not.

use bytes::Bytes;
use memmap2::MmapMut;

/// From this size on, bytes get memory of their own. The rounding up to whole
/// pages costs three per cent at most.
const LARGE: usize = 64 * 1024;

/// The bytes where they can stay without harm.
///
/// A tenant's lines are some hundred kilobytes that live for hours, among
/// answers of Graph that live for a moment. In the allocator's heap each
/// refresh leaves a hole of about the size that the next one needs, which is
/// filled with small things meanwhile: after some ten thousand refreshes the
/// process held twice what it used. A mapping of its own goes back to the
/// system as a whole.
pub(super) fn settled(bytes: Vec<u8>) -> Bytes {
    let mapped = match bytes.len() {
        LARGE.. => mapped(&bytes),
        _ => None,
    };
    mapped.unwrap_or_else(|| bytes.into_boxed_slice().into())
}

/// Nothing where the system has no more mappings; the heap will do then.
fn mapped(bytes: &[u8]) -> Option<Bytes> {
    let mut mapping = MmapMut::map_anon(bytes.len()).ok()?;
    mapping.copy_from_slice(bytes);
    let mapping = mapping.make_read_only().ok()?;
    Some(Bytes::from_owner(mapping))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_size_stay_what_they_are() {
        for length in [0, 1, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE + 7] {
            let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
            assert_eq!(settled(bytes.clone()), bytes);
        }
    }
}
