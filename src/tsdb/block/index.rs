//! The index of a block: its labels, its series with their chunks, and for each label
//! the series that have it. Format 2, which Prometheus 2 and 3 read.

use super::Labels;
use super::checksum::Castagnoli;
use super::varint::{push_uvarint, zigzag};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

/// Magic number and version.
const HEADER: [u8; 5] = [0xBA, 0xAA, 0xD7, 0x00, 2];

/// A series begins at a multiple of this, and is identified by that multiple.
const ALIGNMENT: usize = 16;

/// Lists of series begin at a multiple of this.
const LIST_ALIGNMENT: usize = 4;

/// A series and where its chunks are.
pub(super) struct IndexedSeries<'a> {
    pub(super) labels: &'a Labels,
    pub(super) chunks: Vec<IndexedChunk>,
}

/// Where a chunk is. Times are in milliseconds.
pub(super) struct IndexedChunk {
    pub(super) first: i64,
    pub(super) last: i64,
    /// The number of its file from 0 in the upper half, its place there in the lower.
    pub(super) reference: u64,
}

/// The names and values of labels, in order.
fn symbols<'a>(series: &[IndexedSeries<'a>]) -> BTreeSet<&'a str> {
    let labels = series.iter().flat_map(|it| it.labels);
    labels
        .flat_map(|(name, value)| [name.as_str(), value.as_str()])
        .collect()
}

/// The file, of series in order of their labels.
pub(super) fn file(series: &[IndexedSeries<'_>], checksum: &Castagnoli) -> io::Result<Vec<u8>> {
    let mut file = IndexFile {
        bytes: HEADER.to_vec(),
        checksum,
    };
    let symbols = symbols(series);
    let mut content = size(symbols.len())?.to_vec();
    for symbol in &symbols {
        push_text(symbol, &mut content);
    }
    let at_symbols = file.bytes.len();
    file.section(&content)?;

    file.align(ALIGNMENT);
    let at_series = file.bytes.len();
    let numbers: HashMap<&str, u64> = symbols.into_iter().zip(0..).collect();
    let mut lists: BTreeMap<(&str, &str), Vec<u32>> = BTreeMap::new();
    for it in series {
        let id = file.series(it, &numbers)?;
        // Every series is in the list of the empty label.
        lists.entry(("", "")).or_default().push(id);
        for (name, value) in it.labels {
            lists.entry((name, value)).or_default().push(id);
        }
    }

    file.align(LIST_ALIGNMENT);
    let at_lists = file.bytes.len();
    let mut table = size(lists.len())?.to_vec();
    for ((name, value), ids) in lists {
        file.align(LIST_ALIGNMENT);
        table.push(2);
        push_text(name, &mut table);
        push_text(value, &mut table);
        push_uvarint(file.bytes.len() as u64, &mut table);
        let mut content = size(ids.len())?.to_vec();
        content.extend(ids.iter().flat_map(|id| id.to_be_bytes()));
        file.section(&content)?;
    }
    let at_table = file.bytes.len();
    file.section(&table)?;
    // Nothing reads the two tables of label values any more: 0 means that they are
    // missing.
    let places = [at_symbols, at_series, 0, 0, at_lists, at_table];
    let places = places.iter().flat_map(|it| (*it as u64).to_be_bytes());
    let places: Vec<u8> = places.collect();
    file.checked(&places);
    Ok(file.bytes)
}

struct IndexFile<'a> {
    bytes: Vec<u8>,
    checksum: &'a Castagnoli,
}

impl IndexFile<'_> {
    fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    /// Writes content and its checksum.
    fn checked(&mut self, content: &[u8]) {
        self.bytes.extend_from_slice(content);
        let sum = self.checksum.of(content);
        self.bytes.extend_from_slice(&sum.to_be_bytes());
    }

    /// Writes content with its length before it.
    fn section(&mut self, content: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(&size(content.len())?);
        self.checked(content);
        Ok(())
    }

    /// Writes a series and returns its id.
    fn series(
        &mut self,
        series: &IndexedSeries<'_>,
        numbers: &HashMap<&str, u64>,
    ) -> io::Result<u32> {
        self.align(ALIGNMENT);
        let id = number(self.bytes.len() / ALIGNMENT)?;
        let mut content = Vec::new();
        push_uvarint(series.labels.len() as u64, &mut content);
        for symbol in series.labels.iter().flat_map(|(name, value)| [name, value]) {
            let number = numbers.get(symbol.as_str()).copied();
            push_uvarint(number.unwrap_or_default(), &mut content);
        }
        push_uvarint(series.chunks.len() as u64, &mut content);
        let mut before: Option<&IndexedChunk> = None;
        for chunk in &series.chunks {
            match before {
                None => {
                    push_uvarint(zigzag(chunk.first), &mut content);
                    push_uvarint((chunk.last - chunk.first) as u64, &mut content);
                    push_uvarint(chunk.reference, &mut content);
                }
                Some(before) => {
                    push_uvarint((chunk.first - before.last) as u64, &mut content);
                    push_uvarint((chunk.last - chunk.first) as u64, &mut content);
                    let distance = chunk.reference as i64 - before.reference as i64;
                    push_uvarint(zigzag(distance), &mut content);
                }
            }
            before = Some(chunk);
        }
        push_uvarint(content.len() as u64, &mut self.bytes);
        self.checked(&content);
        Ok(id)
    }
}

fn push_text(text: &str, bytes: &mut Vec<u8>) {
    push_uvarint(text.len() as u64, bytes);
    bytes.extend_from_slice(text.as_bytes());
}

fn number(number: usize) -> io::Result<u32> {
    u32::try_from(number)
        .map_err(|_| io::Error::other("the block is too large for Prometheus' index"))
}

fn size(of: usize) -> io::Result<[u8; 4]> {
    Ok(number(of)?.to_be_bytes())
}
