//! Sends samples by Prometheus' remote-write protocol 1.0: protobuf, snappy.

use super::server::{Server, ServerError};
use prost::Message;

/// The headers of the protocol.
const HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/x-protobuf"),
    ("content-encoding", "snappy"),
    ("x-prometheus-remote-write-version", "0.1.0"),
];

#[derive(Clone, Copy, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    milliseconds: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Series {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

/// The samples of one request.
#[derive(Clone, PartialEq, Message)]
pub struct Batch {
    #[prost(message, repeated, tag = "1")]
    series: Vec<Series>,
}

impl Batch {
    /// Begins a series. Its name is the label `__name__`. The protocol requires
    /// sorted labels.
    pub fn series(&mut self, mut labels: Vec<(String, String)>) {
        labels.sort();
        let labels = labels.into_iter();
        self.series.push(Series {
            labels: labels.map(|(name, value)| Label { name, value }).collect(),
            samples: Vec::new(),
        });
    }

    /// Adds a sample to the last series, at a second since the epoch. It must be
    /// later than those before.
    pub fn sample(&mut self, second: i64, value: f64) {
        if let Some(series) = self.series.last_mut() {
            let milliseconds = second * 1_000;
            series.samples.push(Sample {
                value,
                milliseconds,
            });
        }
    }
}

impl Server {
    /// Sends a batch. Returns its compressed size.
    pub async fn write(&self, batch: &Batch) -> Result<u64, ServerError> {
        let packed = snap::raw::Encoder::new().compress_vec(&batch.encode_to_vec());
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
        assert_eq!(batch.encode_to_vec(), expected);
    }
}
