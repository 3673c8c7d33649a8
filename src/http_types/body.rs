//! Response bodies sent from shared buffers.

use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use std::convert::Infallible;
use std::fmt;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::OwnedSemaphorePermit;

/// Held by a body until its last byte is written.
pub trait BodyGuard: fmt::Debug + Send + Sync {
    /// More bytes are written: the client has made room for them.
    fn written(&self, _bytes: usize) {}
}

impl BodyGuard for OwnedSemaphorePermit {}

/// Many byte slices, read as one buffer.
///
/// A scrape of a thousand tenants is a hundred megabytes in tens of thousands
/// of slices. All scrapes of one generation share them, and the kernel receives
/// dozens in one call; joining them first would cost each scrape a copy.
#[derive(Debug)]
pub struct ByteChain {
    shared: Arc<[Bytes]>,
    own: Vec<Bytes>,
    index: usize,
    offset: usize,
    remaining: usize,
    /// Dropped after the last byte is written.
    guards: Vec<Box<dyn BodyGuard>>,
}

impl ByteChain {
    fn new(shared: Arc<[Bytes]>, shared_length: usize, own: Vec<Bytes>) -> Self {
        let remaining = shared_length + length(&own);
        let mut chain = Self {
            shared,
            own,
            index: 0,
            offset: 0,
            remaining,
            guards: Vec::new(),
        };
        chain.skip_empty();
        chain
    }

    fn slice(&self, index: usize) -> Option<&Bytes> {
        match index.checked_sub(self.shared.len()) {
            None => self.shared.get(index),
            Some(own) => self.own.get(own),
        }
    }

    /// The unread bytes of the current slice.
    fn rest(&self) -> &[u8] {
        self.slice(self.index)
            .and_then(|slice| slice.get(self.offset..))
            .unwrap_or_default()
    }

    /// [`Buf`] allows an empty chunk at the very end only.
    fn skip_empty(&mut self) {
        while self.rest().is_empty() && self.index < self.shared.len() + self.own.len() {
            self.index += 1;
            self.offset = 0;
        }
    }
}

impl Buf for ByteChain {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.rest()
    }

    fn chunks_vectored<'a>(&'a self, slots: &mut [IoSlice<'a>]) -> usize {
        let later = (self.index + 1..).map_while(|index| self.slice(index));
        let slices = std::iter::once(self.rest())
            .chain(later.map(AsRef::as_ref))
            .filter(|slice| !slice.is_empty());
        let mut filled = 0;
        for (slot, slice) in slots.iter_mut().zip(slices) {
            *slot = IoSlice::new(slice);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, count: usize) {
        let mut left = count.min(self.remaining);
        self.remaining -= left;
        for guard in &self.guards {
            guard.written(left);
        }
        while left > 0 && !self.rest().is_empty() {
            let step = left.min(self.rest().len());
            self.offset += step;
            left -= step;
            self.skip_empty();
        }
    }
}

/// The total length of some slices.
pub fn length(slices: &[Bytes]) -> usize {
    slices.iter().map(Bytes::len).sum()
}

/// A response body whose length is known before the first byte is sent.
#[derive(Debug)]
pub struct Body {
    chain: Option<ByteChain>,
}

impl Body {
    /// A body of no bytes.
    pub fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// Slices shared with other responses, of a known total length, followed
    /// by slices of this response alone.
    pub fn shared(slices: Arc<[Bytes]>, length: usize, own: Vec<Bytes>) -> Self {
        Self {
            chain: Some(ByteChain::new(slices, length, own)),
        }
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.chain.as_ref().map_or(0, Buf::remaining)
    }

    /// Holds a guard until the last byte is written or the body is dropped.
    pub fn hold(mut self, guard: impl BodyGuard + 'static) -> Self {
        if let Some(chain) = &mut self.chain {
            chain.guards.push(Box::new(guard));
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
    type Data = ByteChain;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<ByteChain>, Infallible>>> {
        let chain = self.chain.take().filter(Buf::has_remaining);
        Poll::Ready(chain.map(|chain| Ok(Frame::data(chain))))
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

    fn chain(shared: &[Vec<u8>], own: &[Vec<u8>]) -> ByteChain {
        let parts = |list: &[Vec<u8>]| list.iter().cloned().map(Bytes::from).collect::<Vec<_>>();
        let shared = parts(shared);
        let measured = length(&shared);
        ByteChain::new(Arc::from(shared), measured, parts(own))
    }

    fn slices() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..6)
    }

    proptest! {
        #[test]
        fn a_chain_reads_as_its_slices_joined_in_steps_of_any_size(
            shared in slices(),
            own in slices(),
            steps in prop::collection::vec(1_usize..7, 1..40),
        ) {
            let joined = [shared.concat(), own.concat()].concat();
            let mut chain = chain(&shared, &own);
            let mut read = Vec::new();
            for step in steps.into_iter().cycle().take(200) {
                prop_assert_eq!(chain.remaining(), joined.len() - read.len());
                prop_assert_eq!(chain.chunk().is_empty(), !chain.has_remaining());
                let step = step.min(chain.remaining());
                let mut filled_slots = [IoSlice::new(&[]); 64];
                let filled = chain.chunks_vectored(&mut filled_slots);
                let seen: Vec<u8> = filled_slots[..filled].iter().flat_map(|s| s.to_vec()).collect();
                prop_assert_eq!(&seen[..], &joined[read.len()..]);
                read.extend_from_slice(&seen[..step]);
                chain.advance(step);
            }
            prop_assert_eq!(read, joined);
        }

        #[test]
        fn only_the_given_slots_are_filled(shared in slices(), slots in 0_usize..4) {
            let chain = chain(&shared, &[]);
            let mut slices = vec![IoSlice::new(&[]); slots];
            let filled = chain.chunks_vectored(&mut slices);
            let full = shared.iter().filter(|s| !s.is_empty()).count();
            prop_assert_eq!(filled, full.min(slots));
        }
    }
}
