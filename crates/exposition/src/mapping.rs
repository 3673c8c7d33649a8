//! Long-lived buffers, in memory mappings of their own.

use bytes::Bytes;
use memmap2::MmapOptions;

/// From this size on a buffer gets a mapping. Rounding up to whole pages costs
/// three per cent at most.
const LARGE: usize = 64 * 1024;

/// Moves a large buffer out of the allocator's heap.
///
/// A tenant's lines are some hundred kilobytes that live for hours; Graph's
/// answers live for a moment. In the heap, each refresh leaves a hole of about
/// the size that the next one needs, and small allocations fill it: after some
/// ten thousand refreshes the process held twice the memory it used. A mapping
/// returns to the system as a whole.
pub(super) fn to_mmap(bytes: Vec<u8>) -> Bytes {
    let mapped = match bytes.len() {
        LARGE.. => mapped(&bytes),
        _ => None,
    };
    mapped.unwrap_or_else(|| bytes.into_boxed_slice().into())
}

/// `None` where the system has no more mappings.
fn mapped(bytes: &[u8]) -> Option<Bytes> {
    // In one go: a fault for each of its hundred pages takes three times as long.
    let mut options = MmapOptions::new();
    let mut mapping = options.len(bytes.len()).populate().map_anon().ok()?;
    mapping.copy_from_slice(bytes);
    Some(Bytes::from_owner(mapping))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_any_size_keeps_its_bytes() {
        for length in [0, 1, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE + 7] {
            let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
            assert_eq!(to_mmap(bytes.clone()), bytes);
        }
    }
}
