//! The rendered sample lines of one tenant.

use super::catalogue::FAMILIES;
use super::family::{Family, SampleSink};
use super::mapping::to_mmap;
use super::series_set::SeriesSet;
use super::text::TextSink;
use super::view::{DataView, HealthView, Policy};
use bytes::Bytes;
use secure_score_model::{Category, TenantHealth, TenantIdentity, TenantSnapshot};
use std::collections::BTreeSet;
use std::ops::Range;

/// About what the lines of a control take, bytes. A number that is too small
/// costs one copy of the buffer.
const BYTES_PER_CONTROL: usize = 1_000;

/// About what the lines of a tenant's names and health take, bytes.
const HEALTH_BYTES: usize = 8_000;

/// The sample lines of one tenant, one range per family, all in one buffer: a
/// thousand tenants times forty families would otherwise be forty thousand
/// small allocations.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    bytes: Bytes,
    /// One range per row of the table; empty for a family that the chunk lacks.
    families: Vec<Range<usize>>,
}

impl Chunk {
    /// The lines of the table's family at `index`, without copying them.
    pub(super) fn family(&self, index: usize) -> Bytes {
        self.bytes.slice_ref(self.lines(index))
    }

    /// The same lines, borrowed.
    pub(super) fn lines(&self, index: usize) -> &[u8] {
        self.families
            .get(index)
            .and_then(|range| self.bytes.get(range.clone()))
            .unwrap_or_default()
    }

    /// A chunk of what `write` appends for each family, about `expected` bytes.
    pub(super) fn of<F>(
        families: impl IntoIterator<Item = F>,
        expected: usize,
        write: impl Fn(F, &mut Vec<u8>),
    ) -> Self {
        let mut bytes = Vec::with_capacity(expected);
        let families = families.into_iter().map(|family| {
            let start = bytes.len();
            write(family, &mut bytes);
            start..bytes.len()
        });
        Self {
            families: families.collect(),
            bytes: to_mmap(bytes),
        }
    }

    /// Its length, bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no sample.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn render(
        tenant: &str,
        expected: usize,
        write: impl Fn(&'static Family, &mut TextSink<'_>),
    ) -> Self {
        Self::of(FAMILIES, expected, |family, buffer| {
            write(family, &mut TextSink::new(tenant, buffer));
        })
    }
}

/// Renders a tenant's data.
pub fn render_data(identity: &TenantIdentity, snapshot: &TenantSnapshot, policy: &Policy) -> Chunk {
    render_view(identity, &DataView::new(snapshot, policy, None))
}

/// Renders a tenant's data without the controls and the category sums of other
/// categories. Samples of the tenant as a whole stay.
///
/// This renders the tenant anew, half a millisecond for a common one, so a
/// server does it off the threads that answer other requests.
pub fn render_categories(
    identity: &TenantIdentity,
    snapshot: &TenantSnapshot,
    policy: &Policy,
    categories: &BTreeSet<Category>,
) -> Chunk {
    let view = DataView::new(snapshot, policy, Some(categories));
    render_view(identity, &view)
}

fn render_view(identity: &TenantIdentity, view: &DataView<'_>) -> Chunk {
    let expected = view.controls().count() * BYTES_PER_CONTROL;
    let expected = match view.policy.series {
        SeriesSet::Acceptances => expected / 4,
        SeriesSet::Controls | SeriesSet::Full => expected,
    };
    Chunk::render(&identity.alias, expected, |family, text| {
        family.write_data(view, text);
    })
}

/// Renders a tenant's names and health.
pub fn render_health(identity: &TenantIdentity, health: &TenantHealth, series: SeriesSet) -> Chunk {
    let view = HealthView { identity, health };
    Chunk::render(&identity.alias, HEALTH_BYTES, |family, text| {
        family.write_health(&view, series, text);
    })
}

/// Sends the samples of some data families to a sink.
pub fn send_samples(
    families: impl IntoIterator<Item = &'static Family>,
    snapshot: &TenantSnapshot,
    policy: &Policy,
    sink: &mut dyn SampleSink,
) {
    let view = DataView::new(snapshot, policy, None);
    for family in families {
        family.write_data(&view, sink);
    }
}
