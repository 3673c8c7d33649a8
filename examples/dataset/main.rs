//! Thirty invented days of five tenants and a partner's customers, in a Prometheus, to draw and test
//! dashboards.
//!
//! Time is an argument here: the exporter's own model and its own rendering
//! make each scrape, as of a moment in November 2026, so that two runs write
//! the same bytes and a change of the exposition reaches the dashboards.
//!
//! ```console
//! $ cargo run --example dataset -- dataset.om
//! $ promtool tsdb create-blocks-from --max-block-duration=1458h openmetrics dataset.om blocks
//! $ prometheus --storage.tsdb.path=blocks --storage.tsdb.retention.time=100y \
//!     --query.lookback-delta=7199999ms
//! ```
//!
//! The look-back belongs to it: data families have a sample every two hours
//! and the others every half hour, lest 30 days become gigabytes.

mod dice;
mod entra;
mod partner;
mod replica;
mod scrape;
mod story;
mod tenant;

use replica::Replica;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use tenant::Tenant;

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// The last sample: 2026-11-22, midnight.
const END: i64 = 1_795_305_600;

/// The first sample, thirty days before.
const START: i64 = END - 30 * DAY;

/// Between samples of health, and of the exporter itself.
const HEALTH: i64 = HOUR / 2;

/// Between samples of scores and controls.
const DATA: i64 = 2 * HOUR;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or("say which file to write, such as dataset.om")?;
    let mut file = BufWriter::new(File::create(path)?);
    write(&mut file)?;
    file.flush()?;
    Ok(())
}

fn write(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let tenants = Tenant::all()?;
    let mut replicas = vec![Replica::new("exporter-0:10365", 0, &tenants, START)?];
    let mut now = START;
    while now <= END {
        // A second replica joins for the last day, with the reports of the day
        // before: whatever counts a tenant twice or mixes two reports then shows.
        if now == END - DAY {
            replicas.push(Replica::new("exporter-1:10365", DAY, &tenants, now)?);
        }
        for replica in &mut replicas {
            replica.advance(&tenants, now)?;
            scrape::write(out, replica, &tenants, now)?;
        }
        scrape::alerts(out, &tenants, now)?;
        now += HEALTH;
    }
    out.write_all(b"# EOF\n")?;
    Ok(())
}
