//! What most exporters in Rust do: the same series in a registry of the
//! `prometheus` crate, written by its encoder at each scrape.

use crate::site;
use flate2::Compression;
use flate2::write::GzEncoder;
use prometheus::proto::MetricFamily;
use prometheus::{Encoder as _, GaugeVec, Opts, Registry, TextEncoder};
use secure_score_exposition::{FamilyHeaders, Format, assemble};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

/// Serves until the process ends, one connection at a time.
pub(crate) fn serve(tenants: u64) {
    let registry = registry(tenants);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    for client in listener.incoming() {
        answer(&registry.gather(), client.unwrap());
    }
}

fn answer(families: &[MetricFamily], mut client: TcpStream) {
    let mut gzip = false;
    for line in BufReader::new(&client).lines() {
        let line = line.unwrap();
        gzip |= line.to_lowercase().starts_with("accept-encoding: gzip");
        if line.is_empty() {
            break;
        }
    }
    let mut body = Vec::new();
    TextEncoder::new().encode(families, &mut body).unwrap();
    let mut coding = "";
    if gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(&body).unwrap();
        body = encoder.finish().unwrap();
        coding = "Content-Encoding: gzip\r\n";
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n{coding}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).unwrap();
    client.write_all(&body).unwrap();
}

/// Every series of the crowd, read from what the exporter writes.
fn registry(tenants: u64) -> Registry {
    let store = site::store_of(tenants);
    let current = store.current();
    let chunks = current.states.iter().map(|s| (&s.data, &s.health_lines));
    let text = assemble(&FamilyHeaders::default(), Format::Text, chunks).concat();
    let registry = Registry::new();
    let mut families: HashMap<String, GaugeVec> = HashMap::new();
    for line in std::str::from_utf8(&text).unwrap().lines() {
        if line.starts_with('#') {
            continue;
        }
        let (name, rest) = line.split_once('{').unwrap();
        let (labels, value) = rest.rsplit_once("} ").unwrap();
        let labels: Vec<(&str, &str)> = labels
            .trim_end_matches('"')
            .split("\",")
            .map(|label| label.split_once("=\"").unwrap())
            .collect();
        let family = families.entry(name.to_owned()).or_insert_with(|| {
            let names: Vec<&str> = labels.iter().map(|(name, _)| *name).collect();
            let family = GaugeVec::new(Opts::new(name, name), &names).unwrap();
            registry.register(Box::new(family.clone())).unwrap();
            family
        });
        let values: Vec<&str> = labels.iter().map(|(_, value)| *value).collect();
        let value = value.parse().unwrap();
        family.with_label_values(&values).set(value);
    }
    registry
}
