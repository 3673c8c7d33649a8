//! The sheet for auditors, read back by a reader that is not ours.

use super::served::Served;
use super::{ACCEPTANCES, python, small::HOSTILE};
use serde_json::Value;

/// Reads rows as objects, cells in order.
const READER: &str = "import csv, io, json, sys
text = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8', newline='')
json.dump(list(csv.reader(text, delimiter=sys.argv[1], strict=sys.argv[1] == ',')), sys.stdout)";

/// What Python reads, the header row left out.
pub(super) fn rows(sheet: &[u8], delimiter: char) -> Vec<Vec<String>> {
    let read = python(&["-c", READER, &delimiter.to_string()], sheet);
    let mut rows: Vec<Vec<String>> = serde_json::from_str(&read).unwrap();
    rows.remove(0);
    rows
}

fn header(sheet: &str) -> Vec<&str> {
    sheet.split_once("\r\n").unwrap().0.split(',').collect()
}

/// A field of a record as a cell shows it: nothing for what is not known.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().unwrap().to_string(),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn the_sheet_says_what_the_json_says() {
    let server = Served::plain().await;
    let asked = [("accept", "text/csv")];
    let sheet = server.ask("GET", ACCEPTANCES, &asked).await;
    assert_eq!(
        sheet.header("content-type"),
        Some("text/csv; charset=utf-8; header=present")
    );
    assert_eq!(
        sheet.header("content-disposition"),
        Some("attachment; filename=\"acceptances.csv\"")
    );
    assert_eq!(sheet.header("vary"), Some("Accept"));
    assert_eq!(sheet.header("secure-score-persons"), Some("full"));
    assert_eq!(sheet.header("secure-score-catalogues-unknown"), Some("1"));

    let json = server.get(ACCEPTANCES).await.json();
    let records = json["acceptances"].as_array().unwrap();
    let columns = header(sheet.text());
    let rows = rows(&sheet.body, ',');
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
                told => assert_eq!(*shown, told, "{name}"),
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
async fn no_cell_is_a_formula_wherever_cells_are_thought_to_end() {
    let server = Served::plain().await;
    let sheet = server
        .ask("GET", ACCEPTANCES, &[("accept", "text/csv")])
        .await;
    for delimiter in [',', ';'] {
        let cells: Vec<_> = rows(&sheet.body, delimiter).into_iter().flatten().collect();
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
async fn a_sheet_of_nothing_has_its_header() {
    let server = Served::plain().await;
    let path = format!("{ACCEPTANCES}?category=Infrastructure");
    let sheet = server.ask("GET", &path, &[("accept", "text/csv")]).await;
    assert_eq!(sheet.status, 200);
    assert!(sheet.text().starts_with("tenant,tenant_display_name,"));
    assert!(sheet.text().ends_with(",deprecated\r\n"));
    assert_eq!(sheet.text().lines().count(), 1);
}
