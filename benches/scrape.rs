//! Scrapes of many tenants: servers to measure from outside, and a soak.
//!
//! `benches/compare/run` starts these and compares them with others; see
//! docs/performance.md for what it found.
//!
//! ```console
//! $ cargo bench --features jemalloc --bench scrape -- work 1000          # what a refresh costs
//! $ cargo bench --features jemalloc --bench scrape -- pages 1000         # what a page costs
//! $ cargo bench --features jemalloc --bench scrape -- soak 100 100000    # memory over many refreshes
//! $ cargo bench --features jemalloc --bench scrape -- serve 1000         # the exporter's site
//! $ cargo bench --features jemalloc --bench scrape -- encoder 1000       # the prometheus crate's encoder
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement stops at the first surprise, and prints"
)]

#[path = "scrape/encoder.rs"]
mod encoder;
#[path = "../tests/suite/large_fleet.rs"]
mod large_fleet;
#[path = "scrape/memory.rs"]
mod memory;
#[path = "scrape/pages.rs"]
mod pages;
#[path = "scrape/site.rs"]
mod site;
#[path = "scrape/soak.rs"]
mod soak;
#[path = "scrape/work.rs"]
mod work;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let number = |place: usize, default: u64| {
        arguments
            .get(place)
            .map_or(default, |number| number.parse().unwrap())
    };
    match arguments.first().map_or("work", String::as_str) {
        "work" => work::measure(number(1, 1000)),
        "pages" => pages::measure(number(1, 1000)),
        "soak" => soak::run(number(1, 100), number(2, 100_000), number(3, 10)),
        "serve" => site::serve_fleet(number(1, 1000), number(2, 0)),
        "encoder" => encoder::serve(number(1, 1000)),
        other => println!("{other}? work, pages, soak, serve or encoder"),
    }
}
