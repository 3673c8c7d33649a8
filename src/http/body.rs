//! Bodies that are sent from where they lie.

use super::limit::Place;
use super::pace::Busy;
use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use std::convert::Infallible;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Many stretches of bytes, read as one.
///
/// A scrape of a thousand tenants is a hundred megabytes in tens of thousands
/// of stretches. They are shared by all scrapes of a generation and handed to
/// the kernel where they lie, dozens in one call; joining them first would
/// cost every scrape its own copy.
#[derive(Debug)]
pub struct Rope {
    shared: Arc<[Bytes]>,
    own: Vec<Bytes>,
    place: usize,
    offset: usize,
    remaining: usize,
    busy: Option<Busy>,
    seat: Option<Place>,
}

impl Rope {
    fn new(shared: Arc<[Bytes]>, shared_length: usize, own: Vec<Bytes>) -> Self {
        let remaining = shared_length + length(&own);
        let mut rope = Self {
            shared,
            own,
            place: 0,
            offset: 0,
            remaining,
            busy: None,
            seat: None,
        };
        rope.skip_spent();
        rope
    }

    fn part(&self, place: usize) -> Option<&Bytes> {
        match place.checked_sub(self.shared.len()) {
            None => self.shared.get(place),
            Some(own) => self.own.get(own),
        }
    }

    /// The bytes left in the stretch we stand in.
    fn rest(&self) -> &[u8] {
        self.part(self.place)
            .and_then(|part| part.get(self.offset..))
            .unwrap_or_default()
    }

    /// [`Buf`] allows an empty chunk at the very end only.
    fn skip_spent(&mut self) {
        while self.rest().is_empty() && self.place < self.shared.len() + self.own.len() {
            self.place += 1;
            self.offset = 0;
        }
    }
}

impl Buf for Rope {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.rest()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let later = (self.place + 1..).map_while(|place| self.part(place));
        let stretches = std::iter::once(self.rest())
            .chain(later.map(AsRef::as_ref))
            .filter(|stretch| !stretch.is_empty());
        let mut filled = 0;
        for (slot, stretch) in slices.iter_mut().zip(stretches) {
            *slot = IoSlice::new(stretch);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, count: usize) {
        let mut left = count.min(self.remaining);
        self.remaining -= left;
        while left > 0 && !self.rest().is_empty() {
            let step = left.min(self.rest().len());
            self.offset += step;
            left -= step;
            self.skip_spent();
        }
    }
}

/// The length of all stretches together.
pub(super) fn length(parts: &[Bytes]) -> usize {
    parts.iter().map(Bytes::len).sum()
}

/// A response's body, its length known before the first byte.
#[derive(Debug)]
pub struct Body {
    rope: Option<Rope>,
}

impl Body {
    /// No bytes at all.
    pub(super) fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// Stretches shared with other responses, of a length measured before,
    /// and then some of its own.
    pub(super) fn shared(parts: Arc<[Bytes]>, length: usize, own: Vec<Bytes>) -> Self {
        Self {
            rope: Some(Rope::new(parts, length, own)),
        }
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.rope.as_ref().map_or(0, Buf::remaining)
    }

    /// Keeps a place among the requests until the last byte is written.
    pub(super) fn seated(mut self, place: Place) -> Self {
        if let Some(rope) = &mut self.rope {
            rope.seat = Some(place);
        }
        self
    }

    /// Keeps the connection counted as busy until the last byte is written.
    pub(super) fn tracked(mut self, busy: Busy) -> Self {
        if let Some(rope) = &mut self.rope {
            rope.busy = Some(busy.answered());
        }
        self
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::shared(Arc::default(), 0, vec![bytes])
    }
}

impl http_body::Body for Body {
    type Data = Rope;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Rope>, Infallible>>> {
        let rope = self.rope.take().filter(Buf::has_remaining);
        Poll::Ready(rope.map(|rope| Ok(Frame::data(rope))))
    }

    fn is_end_stream(&self) -> bool {
        self.len() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rope(shared: &[Vec<u8>], own: &[Vec<u8>]) -> Rope {
        let parts = |list: &[Vec<u8>]| list.iter().cloned().map(Bytes::from).collect::<Vec<_>>();
        let shared = parts(shared);
        let measured = length(&shared);
        Rope::new(Arc::from(shared), measured, parts(own))
    }

    fn stretches() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..6)
    }

    proptest! {
        #[test]
        fn a_rope_reads_as_its_parts_joined_in_steps_of_any_size(
            shared in stretches(),
            own in stretches(),
            steps in prop::collection::vec(1_usize..7, 1..40),
        ) {
            let joined = [shared.concat(), own.concat()].concat();
            let mut rope = rope(&shared, &own);
            let mut read = Vec::new();
            for step in steps.into_iter().cycle().take(200) {
                prop_assert_eq!(rope.remaining(), joined.len() - read.len());
                prop_assert_eq!(rope.chunk().is_empty(), !rope.has_remaining());
                let step = step.min(rope.remaining());
                let mut slices = [IoSlice::new(&[]); 64];
                let filled = rope.chunks_vectored(&mut slices);
                let seen: Vec<u8> = slices[..filled].iter().flat_map(|s| s.to_vec()).collect();
                prop_assert_eq!(&seen[..], &joined[read.len()..]);
                read.extend_from_slice(&seen[..step]);
                rope.advance(step);
            }
            prop_assert_eq!(read, joined);
        }

        #[test]
        fn few_slots_are_filled_and_no_more(shared in stretches(), slots in 0_usize..4) {
            let rope = rope(&shared, &[]);
            let mut slices = vec![IoSlice::new(&[]); slots];
            let filled = rope.chunks_vectored(&mut slices);
            let full = shared.iter().filter(|s| !s.is_empty()).count();
            prop_assert_eq!(filled, full.min(slots));
        }
    }
}
