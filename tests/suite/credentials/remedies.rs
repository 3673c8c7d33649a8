//! Each known error number of Entra, with its fix.

use super::stage::Stage;
use crate::golden;
use graph_simulator::{Api, Fault, FaultKind, Options};
use secure_score_exporter::credentials;
use std::path::Path;

#[test]
fn the_reference_page_matches_the_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/entra-errors.md");
    golden::compare(&page, &credentials::entra_errors());
}

/// The numbers of the table, each with its fix.
fn remedies() -> Vec<(u32, String)> {
    let table = credentials::entra_errors();
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.flat_map(|row| {
        let cells: Vec<_> = row.split(" | ").collect();
        let remedy = cells[2].trim_end_matches(" |").to_owned();
        let numbers = cells[0].trim_start_matches("| ").split(", ");
        let numbers = numbers.map(|number| number.parse().unwrap());
        numbers
            .map(|number| (number, remedy.clone()))
            .collect::<Vec<_>>()
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_number_is_reported_with_its_fix() {
    let remedies = remedies();
    assert!(remedies.len() > 25, "{remedies:?}");
    let stage = Stage::with(Options {
        tenants: remedies.len(),
        ..Options::default()
    })
    .await;
    stage.write("secret", "whatever");
    let tenants: Vec<_> = stage.simulator.tenants();
    let credential = "type: client_secret, client_id: {client_id}, client_secret_file: secret";
    let each: Vec<_> = tenants
        .iter()
        .map(|it| (it.name.as_str(), credential))
        .collect();
    stage.configure_each(&each);
    for (tenant, (number, _)) in tenants.iter().zip(&remedies) {
        let fault = Fault::new(Api::Token, FaultKind::Aadsts(*number));
        stage.handle().inject(Some(&tenant.name), fault).unwrap();
    }
    let checked = stage.run(&["check"], &[]).await;
    let lines: Vec<_> = checked.output.lines().collect();
    for (tenant, (number, remedy)) in tenants.iter().zip(&remedies) {
        let start = format!("FAIL  {}: token: Entra refused", tenant.name);
        let place = lines.iter().position(|line| line.starts_with(&start));
        let place = place.unwrap_or_else(|| panic!("{start:?} in:\n{}", checked.output));
        assert!(
            lines[place].contains(&format!("AADSTS{number}:")),
            "{}",
            lines[place]
        );
        let hint = lines[place + 1].trim();
        let consent = "; the page for the consent is https://127.0.0.1:";
        let (text, page) = hint.split_once(consent).unwrap_or((hint, ""));
        assert_eq!(text, format!("hint: {remedy}"));
        let lacks_consent = [700_016, 65_001, 7_000_229].contains(number);
        assert_eq!(page.contains("/adminconsent?"), lacks_consent, "{hint}");
    }
}
