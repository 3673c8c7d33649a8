//! Rendered sample lines of one tenant.

use super::catalogue::FAMILIES;
use super::family::Render;
use super::lines::Lines;
use super::mapping::settled;
use super::view::{DataView, HealthView, Policy};
use bytes::Bytes;
use secure_score_model::{TenantHealth, TenantIdentity, TenantSnapshot};
use std::ops::Range;

/// About what the lines of a control take. Too little only costs a copy of
/// what is written already.
const BYTES_A_CONTROL: usize = 1_000;

/// The sample lines of one tenant, one stretch per family of a group, all in
/// one buffer: a thousand tenants times forty families would otherwise be
/// forty thousand small allocations.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    bytes: Bytes,
    /// One stretch per row of the table, empty for rows of the other group.
    families: Vec<Range<usize>>,
}

impl Chunk {
    /// The lines of the table's family at `index`, without copying them.
    pub(super) fn family(&self, index: usize) -> Bytes {
        self.families
            .get(index)
            .map_or_else(Bytes::new, |range| self.bytes.slice(range.clone()))
    }

    /// The same lines, only to look at.
    pub(super) fn lines(&self, index: usize) -> &[u8] {
        self.families
            .get(index)
            .and_then(|range| self.bytes.get(range.clone()))
            .unwrap_or_default()
    }

    /// A chunk of these stretches, one a family.
    pub(super) fn of(stretches: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut buffer = Vec::new();
        let families = stretches
            .map(|stretch| {
                let start = buffer.len();
                buffer.extend_from_slice(&stretch);
                start..buffer.len()
            })
            .collect();
        Self {
            bytes: buffer.into(),
            families,
        }
    }

    /// How many bytes it holds.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it holds no sample.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn render(tenant: &str, expected: usize, write: impl Fn(&Render, &mut Lines<'_>)) -> Self {
        let mut buffer = Vec::with_capacity(expected);
        let families = FAMILIES
            .iter()
            .map(|family| {
                let start = buffer.len();
                let mut lines = Lines::new(&mut buffer, family.name, family.labels, tenant);
                write(&family.render, &mut lines);
                start..buffer.len()
            })
            .collect();
        Self {
            bytes: settled(buffer),
            families,
        }
    }
}

/// A tenant's data as sample lines.
pub fn render_data(identity: &TenantIdentity, snapshot: &TenantSnapshot, policy: &Policy) -> Chunk {
    let view = DataView::new(snapshot, policy);
    let expected = snapshot.controls.len() * BYTES_A_CONTROL;
    Chunk::render(&identity.alias, expected, |render, lines| match render {
        Render::Data(write) => write(&view, lines),
        Render::Vitals(_) => {}
    })
}

/// A tenant's names and health as sample lines.
pub fn render_health(identity: &TenantIdentity, health: &TenantHealth) -> Chunk {
    let view = HealthView { identity, health };
    Chunk::render(&identity.alias, 0, |render, lines| match render {
        Render::Vitals(write) => write(&view, lines),
        Render::Data(_) => {}
    })
}
