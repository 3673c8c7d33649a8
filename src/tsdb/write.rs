//! Sends samples by Prometheus' remote-write protocol 1.0: protobuf, snappy.

use super::server::{Server, ServerError};
use super::varint::push_uvarint;

/// The headers of the protocol.
const HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/x-protobuf"),
    ("content-encoding", "snappy"),
    ("x-prometheus-remote-write-version", "0.1.0"),
];

/// The samples of one request: a `prometheus.WriteRequest`.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The encoded messages `TimeSeries`.
    series: Vec<Vec<u8>>,
}

impl Batch {
    /// Begins a series. Its name is the label `__name__`. The protocol requires
    /// sorted labels.
    pub fn series(&mut self, mut labels: Vec<(String, String)>) {
        labels.sort();
        let mut series = Vec::new();
        for (name, value) in labels {
            let mut label = Vec::new();
            put_bytes(&mut label, 1, name.as_bytes());
            put_bytes(&mut label, 2, value.as_bytes());
            put_bytes(&mut series, 1, &label);
        }
        self.series.push(series);
    }

    /// Adds a sample to the last series, at a second since the epoch. It must be
    /// later than those before.
    pub fn sample(&mut self, second: i64, value: f64) {
        if let Some(series) = self.series.last_mut() {
            let milliseconds = second * 1_000;
            let mut sample = Vec::with_capacity(20);
            put_key(&mut sample, 1, EIGHT_BYTES);
            sample.extend_from_slice(&value.to_le_bytes());
            put_key(&mut sample, 2, VARINT);
            push_uvarint(milliseconds.cast_unsigned(), &mut sample);
            put_bytes(series, 2, &sample);
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut request = Vec::new();
        for series in &self.series {
            put_bytes(&mut request, 1, series);
        }
        request
    }
}

/// The types of protobuf's fields, by their encoding.
const VARINT: u8 = 0;
const EIGHT_BYTES: u8 = 1;
const BYTES: u8 = 2;

fn put_key(message: &mut Vec<u8>, field: u8, kind: u8) {
    message.push((field << 3) | kind);
}

/// A text, or a message in a message.
fn put_bytes(message: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    put_key(message, field, BYTES);
    push_uvarint(bytes.len() as u64, message);
    message.extend_from_slice(bytes);
}

impl Server {
    /// Sends a batch. Returns its compressed size.
    pub async fn write(&self, batch: &Batch) -> Result<u64, ServerError> {
        let packed = snap::raw::Encoder::new().compress_vec(&batch.encode());
        let body =
            packed.map_err(|_| self.unreadable("the batch is too large to be compressed"))?;
        let bytes = body.len() as u64;
        self.post(&self.url, &HEADERS, body).await?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected bytes follow the specification, not this code.
    #[test]
    fn a_batch_is_encoded_as_specified() {
        let mut batch = Batch::default();
        batch.series(vec![
            ("a".to_owned(), "b".to_owned()),
            ("__name__".to_owned(), "up".to_owned()),
        ]);
        batch.sample(1, 1.0);
        let name = b"\x0a\x0e\x0a\x08__name__\x12\x02up";
        let label = b"\x0a\x06\x0a\x01a\x12\x01b";
        let sample = b"\x12\x0c\x09\0\0\0\0\0\0\xf0\x3f\x10\xe8\x07";
        let series = [&name[..], label, sample].concat();
        let expected = [&[0x0a, series.len() as u8][..], &series].concat();
        assert_eq!(batch.encode(), expected);
    }

    #[test]
    fn a_message_of_more_than_a_hundred_bytes_has_its_length_in_two() {
        let mut batch = Batch::default();
        batch.series(vec![("n".to_owned(), "v".repeat(300))]);
        let label = [&b"\x0a\x01n\x12\xac\x02"[..], &[b'v'; 300]].concat();
        let series = [&b"\x0a\xb2\x02"[..], &label].concat();
        let expected = [&b"\x0a\xb5\x02"[..], &series].concat();
        assert_eq!(batch.encode(), expected);
    }

    #[test]
    fn a_time_before_1970_has_ten_bytes() {
        let mut batch = Batch::default();
        batch.series(Vec::new());
        batch.sample(-1, 0.0);
        let time = b"\x10\x98\xf8\xff\xff\xff\xff\xff\xff\xff\x01";
        let sample = [&b"\x12\x14\x09"[..], &[0; 8], time].concat();
        let expected = [&[0x0a, sample.len() as u8][..], &sample].concat();
        assert_eq!(batch.encode(), expected);
    }
}
