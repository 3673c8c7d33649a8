//! The CSV for auditors, read back by Python.

use super::client::ApiServer;
use super::small::{self, HOSTILE};
use super::{ACCEPTANCES, python};
use serde_json::Value;

/// Reads rows as objects, cells in order.
const READER: &str = "import csv, io, json, sys
text = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8', newline='')
json.dump(list(csv.reader(text, delimiter=sys.argv[1], strict=sys.argv[1] == ',')), sys.stdout)";

/// The rows that Python reads, without the header.
pub(super) fn rows(csv: &[u8], delimiter: char) -> Vec<Vec<String>> {
    let read = python(&["-c", READER, &delimiter.to_string()], csv);
    let mut rows: Vec<Vec<String>> = serde_json::from_str(&read).unwrap();
    rows.remove(0);
    rows
}

fn header(csv: &str) -> Vec<&str> {
    csv.split_once("\r\n").unwrap().0.split(',').collect()
}

/// A field of a record as a cell; empty for null.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().unwrap().to_string(),
        Value::Array(words) => words.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn the_csv_has_the_data_of_the_json() {
    let server = ApiServer::plain().await;
    server.server.store.publish(small::tailspin());
    let headers = [("accept", "text/csv")];
    let csv = server.request("GET", ACCEPTANCES, &headers).await;
    assert_eq!(
        csv.header("content-type"),
        Some("text/csv; charset=utf-8; header=present")
    );
    assert_eq!(
        csv.header("content-disposition"),
        Some("attachment; filename=\"acceptances.csv\"")
    );
    assert_eq!(csv.header("vary"), Some("Accept"));
    assert_eq!(csv.header("secure-score-persons"), Some("full"));
    assert_eq!(csv.header("secure-score-catalogues-unknown"), Some("1"));

    let json = server.get(ACCEPTANCES).await.json();
    let records = json["acceptances"].as_array().unwrap();
    let columns = header(csv.text());
    let rows = rows(&csv.body, ',');
    assert_eq!(rows.len(), records.len());
    for (row, record) in rows.iter().zip(records) {
        assert_eq!(row.len(), columns.len());
        for (name, shown) in columns.iter().zip(row) {
            let value = match name.strip_prefix("approval_") {
                Some(inner) => &record["approval"][inner],
                None => &record[*name],
            };
            match cell(value) {
                hostile if hostile == HOSTILE => assert_eq!(
                    shown,
                    "'=HYPERLINK(\"http://evil.example\",\"ok\");'+1 <script>alert(1)</script>\r\n'@next, Łódź"
                ),
                cell => assert_eq!(*shown, cell, "{name}"),
            }
        }
    }
    let missing: Vec<_> = records[0].as_object().unwrap().keys().collect();
    let left_out = missing
        .iter()
        .filter(|name| !columns.contains(&name.as_str()));
    assert_eq!(left_out.collect::<Vec<_>>(), [&"approval", &"history"]);
}

#[tokio::test]
async fn no_cell_is_a_formula_with_either_separator() {
    let server = ApiServer::plain().await;
    let csv = server
        .request("GET", ACCEPTANCES, &[("accept", "text/csv")])
        .await;
    for delimiter in [',', ';'] {
        let cells: Vec<_> = rows(&csv.body, delimiter).into_iter().flatten().collect();
        assert!(cells.len() > 4);
        for cell in cells {
            let start = cell.trim_start_matches([' ', '"']);
            assert!(
                !start.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_csv_has_a_header() {
    let server = ApiServer::plain().await;
    let path = format!("{ACCEPTANCES}?category=Infrastructure");
    let csv = server
        .request("GET", &path, &[("accept", "text/csv")])
        .await;
    assert_eq!(csv.status, 200);
    assert!(csv.text().starts_with("tenant,tenant_display_name,"));
    assert!(csv.text().ends_with(",approval_evidence\r\n"));
    assert_eq!(csv.text().lines().count(), 1);
}
