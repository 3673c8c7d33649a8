//! The rendered sample lines of one tenant.

use super::catalogue::FAMILIES;
use super::family::{Family, Render};
use super::family::{SampleSink, Samples};
use super::mapping::to_mmap;
use super::text::TextSink;
use super::view::{DataView, HealthView, Policy};
use bytes::Bytes;
use secure_score_model::{Category, TenantHealth, TenantIdentity, TenantSnapshot};
use std::collections::BTreeSet;
use std::ops::Range;

/// About what the lines of a control take, bytes. A number that is too small
/// costs one copy of the buffer.
const BYTES_PER_CONTROL: usize = 1_000;

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
        self.families
            .get(index)
            .map_or_else(Bytes::new, |range| self.bytes.slice(range.clone()))
    }

    /// The same lines, borrowed.
    pub(super) fn lines(&self, index: usize) -> &[u8] {
        self.families
            .get(index)
            .and_then(|range| self.bytes.get(range.clone()))
            .unwrap_or_default()
    }

    /// A chunk whose families have these lines.
    #[cfg(test)]
    pub(super) fn of(families: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut buffer = Vec::new();
        let families = families
            .map(|lines| {
                let start = buffer.len();
                buffer.extend_from_slice(&lines);
                start..buffer.len()
            })
            .collect();
        Self {
            bytes: buffer.into(),
            families,
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

    fn render(tenant: &str, expected: usize, write: impl Fn(&Render, &mut Samples<'_>)) -> Self {
        let mut buffer = Vec::with_capacity(expected);
        let families = FAMILIES
            .iter()
            .map(|family| {
                let start = buffer.len();
                let mut text = TextSink::new(&mut buffer, tenant);
                write(&family.render, &mut Samples::new(family, &mut text));
                start..buffer.len()
            })
            .collect();
        Self {
            bytes: to_mmap(buffer),
            families,
        }
    }
}

/// Renders a tenant's data.
pub fn render_data(identity: &TenantIdentity, snapshot: &TenantSnapshot, policy: &Policy) -> Chunk {
    render_view(identity, &DataView::new(snapshot, policy))
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
    render_view(identity, &DataView::new(snapshot, policy).only(categories))
}

fn render_view(identity: &TenantIdentity, view: &DataView<'_>) -> Chunk {
    let expected = view.controls().count() * BYTES_PER_CONTROL;
    Chunk::render(&identity.alias, expected, |render, samples| {
        if let Render::Data(write) = render {
            write(view, samples);
        }
    })
}

/// Renders a tenant's names and health.
pub fn render_health(identity: &TenantIdentity, health: &TenantHealth) -> Chunk {
    let view = HealthView { identity, health };
    Chunk::render(&identity.alias, 0, |render, samples| {
        if let Render::Health(write) = render {
            write(&view, samples);
        }
    })
}

/// Sends the samples of some data families to a sink.
pub fn send_samples(
    families: impl IntoIterator<Item = &'static Family>,
    snapshot: &TenantSnapshot,
    policy: &Policy,
    sink: &mut dyn SampleSink,
) {
    let view = DataView::new(snapshot, policy);
    for family in families {
        if let Render::Data(write) = family.render {
            write(&view, &mut Samples::new(family, sink));
        }
    }
}
