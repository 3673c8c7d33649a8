//! A chunk of samples in Prometheus' XOR encoding.
//!
//! A sample at the distance of the one before it and with its value takes two
//! bits, both zero. A run of such samples is appended at once.

use super::varint::{push_uvarint, zigzag};

/// The samples of a chunk: a day of samples every five minutes. Prometheus cuts its
/// own at 120 and reads longer ones; of values that hold for a day a chunk per day
/// is the smaller.
pub const CHUNK_SAMPLES: u64 = 288;

/// The samples in a byte of a chunk, where all are equal.
pub const SAMPLES_PER_BYTE: u64 = 4;

/// The XOR encoding.
const ENCODING: u8 = 1;

/// Samples with one value at equal distances. Times are in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The time of the first sample.
    pub first: i64,
    /// The distance of two samples.
    pub step: i64,
    /// The number of samples.
    pub samples: u64,
    /// The value of all.
    pub value: f64,
}

/// Encodes runs, which are in order of time, and hands over each full chunk and the
/// last one.
pub(super) fn encode<E>(
    runs: impl Iterator<Item = Run>,
    mut full: impl FnMut(&Chunk) -> Result<(), E>,
) -> Result<(), E> {
    let mut chunk = Chunk::default();
    for mut run in runs {
        while run.samples > 0 {
            if chunk.samples == CHUNK_SAMPLES {
                full(&chunk)?;
                chunk = Chunk::default();
            }
            chunk.append_run(&mut run);
        }
    }
    match chunk.samples {
        0 => Ok(()),
        _ => full(&chunk),
    }
}

/// A chunk to which samples are appended.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) samples: u64,
    /// The time of the first sample.
    pub(super) first: i64,
    /// The time of the last one.
    pub(super) last: i64,
    distance: i64,
    value: u64,
    /// The zero bits around the last difference that was written with them.
    margins: Option<(u32, u32)>,
    bits: Bits,
}

impl Chunk {
    /// The chunk as it is stored: the encoding, the number of samples and their bits.
    pub(super) fn content(&self) -> Vec<u8> {
        let samples = (self.samples as u16).to_be_bytes();
        [&[ENCODING][..], &samples, &self.bits.bytes].concat()
    }

    /// Appends as many samples of a run as the chunk can hold, and takes them from it.
    fn append_run(&mut self, run: &mut Run) {
        let samples = run.samples.min(CHUNK_SAMPLES - self.samples);
        // From the third sample on, distance and value are those of the one before.
        let singly = samples.min(2);
        for number in 0..singly {
            self.append(run.first + number as i64 * run.step, run.value);
        }
        let more = samples - singly;
        self.bits.push_zeros(2 * more as u32);
        self.samples += more;
        self.last += more as i64 * run.step;
        run.first += samples as i64 * run.step;
        run.samples -= samples;
    }

    fn append(&mut self, at: i64, value: f64) {
        let value = value.to_bits();
        let distance = at - self.last;
        match self.samples {
            0 => {
                self.first = at;
                self.bits.push_varint(at);
                self.bits.push(value, 64);
            }
            1 => {
                self.bits.push_uvarint(distance as u64);
                self.append_value(value);
            }
            _ => {
                self.append_distance(distance - self.distance);
                self.append_value(value);
            }
        }
        // The first sample has no distance to another.
        self.distance = distance;
        self.last = at;
        self.value = value;
        self.samples += 1;
    }

    /// Appends by how much the distance changed.
    fn append_distance(&mut self, change: i64) {
        // The range of so many bits, as Prometheus reads it.
        let fits = |bits: u32| (1 - (1 << (bits - 1))..=1 << (bits - 1)).contains(&change);
        let (mark, marked, bits) = match change {
            0 => (0b0, 1, 0),
            _ if fits(14) => (0b10, 2, 14),
            _ if fits(17) => (0b110, 3, 17),
            _ if fits(20) => (0b1110, 4, 20),
            _ => (0b1111, 4, 64),
        };
        self.bits.push(mark, marked);
        self.bits.push(change as u64, bits);
    }

    fn append_value(&mut self, value: u64) {
        let difference = self.value ^ value;
        if difference == 0 {
            return self.bits.push(0, 1);
        }
        // Five bits hold the number of leading zeros.
        let (leading, trailing) = (
            difference.leading_zeros().min(31),
            difference.trailing_zeros(),
        );
        let fits = |before: &(u32, u32)| leading >= before.0 && trailing >= before.1;
        let (leading, trailing) = match self.margins.filter(fits) {
            Some(margins) => {
                self.bits.push(0b10, 2);
                margins
            }
            None => {
                self.margins = Some((leading, trailing));
                self.bits.push(0b11, 2);
                self.bits.push(leading.into(), 5);
                // 64 is written as 0.
                self.bits.push((64 - leading - trailing).into(), 6);
                (leading, trailing)
            }
        };
        self.bits
            .push(difference >> trailing, 64 - leading - trailing);
    }
}

/// A sequence of bits, the highest bit of a byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// The unused bits of the last byte.
    free: u32,
}

impl Bits {
    /// Appends the lowest bits of a value.
    fn push(&mut self, value: u64, mut bits: u32) {
        while bits > 0 {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            let part = bits.min(self.free);
            let highest = (value >> (bits - part)) & ((1 << part) - 1);
            if let Some(last) = self.bytes.last_mut() {
                *last |= (highest as u8) << (self.free - part);
            }
            self.free -= part;
            bits -= part;
        }
    }

    fn push_zeros(&mut self, bits: u32) {
        let more = bits.saturating_sub(self.free);
        self.free = self.free.saturating_sub(bits);
        if more > 0 {
            let bytes = more.div_ceil(8);
            self.bytes.resize(self.bytes.len() + bytes as usize, 0);
            self.free = 8 * bytes - more;
        }
    }

    fn push_uvarint(&mut self, value: u64) {
        let mut bytes = Vec::new();
        push_uvarint(value, &mut bytes);
        for byte in bytes {
            self.push(byte.into(), 8);
        }
    }

    fn push_varint(&mut self, value: i64) {
        self.push_uvarint(zigzag(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn chunks(runs: &[Run]) -> Vec<Vec<u8>> {
        let mut data = Vec::new();
        let keep = |chunk: &Chunk| {
            data.push(chunk.content());
            Ok::<_, Infallible>(())
        };
        let _never_fails = encode(runs.iter().copied(), keep);
        data
    }

    fn single(first: i64, value: f64) -> Run {
        Run {
            first,
            step: 1,
            samples: 1,
            value,
        }
    }

    #[test]
    fn a_run_is_encoded_as_its_samples_are() {
        let runs =
            [(0, 300, 700, 1.5), (210_000, 300, 3, 2.25)].map(|(first, step, samples, value)| {
                Run {
                    first,
                    step,
                    samples,
                    value,
                }
            });
        let singly: Vec<Run> = runs
            .iter()
            .flat_map(|run| {
                let places = 0..run.samples as i64;
                places.map(|place| single(run.first + place * run.step, run.value))
            })
            .collect();
        assert_eq!(chunks(&runs), chunks(&singly));
        assert_eq!(chunks(&runs).len(), 3);
    }

    #[test]
    fn equal_samples_take_two_bits() {
        let of = |samples| {
            let run = Run {
                first: 1_700_000_000_000,
                step: 300_000,
                samples,
                value: 1.0,
            };
            chunks(&[run])[0].len()
        };
        assert_eq!(of(288) - of(4), (288 - 4) / 4);
    }
}
