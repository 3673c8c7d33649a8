//! Domains that lead to another tenant than before.

use super::*;
use crate::logged::{log_of, only_line};

#[tokio::test]
async fn a_domain_of_another_tenant_after_a_restart_begins_anew() {
    let cell = cell();
    apply(&cell, accepted(false)).unwrap();
    apply(&cell, score(report(5.0))).unwrap();
    let of = |id: &str, ids: &[&str]| {
        let FetchResult::Catalogue(ListAnswer::Other(mut fetched)) = catalogue(ids, false) else {
            unreachable!();
        };
        fetched.value.entra_tenant_id = Some(id.into());
        FetchResult::Catalogue(ListAnswer::Other(fetched))
    };
    let shown = |cell: &TenantCell| {
        let state = published(cell);
        let id = state.identity.entra_tenant_id.as_deref().unwrap();
        let report = state.snapshot.report.is_some();
        (id.to_owned(), state.snapshot.controls.len(), report)
    };
    let same = restarted(&cell);
    assert_eq!(shown(&same), ("guid".to_owned(), 2, true));
    apply(&same, of("GUID", &["A"])).unwrap();
    assert_eq!(shown(&same), ("guid".to_owned(), 1, true));

    let without_id = Report {
        entra_tenant_id: "".into(),
        ..report(7.0)
    };
    apply(&same, score(without_id)).unwrap();
    assert_eq!(shown(&same), ("guid".to_owned(), 1, true));

    let stopped = restarted(&cell);
    stopped.stop_publishing();
    apply(&stopped, of("other", &["A"])).unwrap();
    assert_eq!(shown(&stopped), ("guid".to_owned(), 1, true));

    let moved = restarted(&cell);
    let before = emitted(&cell);
    apply(&moved, of("other", &["A", "B", "C"])).unwrap();
    assert_eq!(shown(&moved), ("other".to_owned(), 3, false));
    assert_eq!(
        emitted(&moved),
        before,
        "the controls are of another tenant"
    );

    let moved = restarted(&cell);
    let other = Report {
        entra_tenant_id: "other".into(),
        ..report(9.0)
    };
    apply(&moved, score(other)).unwrap();
    assert_eq!(shown(&moved), ("other".to_owned(), 0, false));
    apply(&moved, of("other", &["C"])).unwrap();
    assert_eq!(shown(&moved), ("other".to_owned(), 1, true));
}

#[tokio::test]
async fn a_domain_of_another_tenant_is_a_warning_with_both_ids() {
    let text = log_of(|| {
        let cell = cell();
        for id in ["guid", "GUID", "other", "OTHER"] {
            let report = Report {
                entra_tenant_id: id.into(),
                ..report(5.0)
            };
            apply(&cell, score(report)).unwrap();
        }
    });
    let message = "the domain belongs to another Entra tenant than before";
    let line = only_line(&text, message);
    for part in ["WARN", "tenant=contoso", "before=guid", "now=other"] {
        assert!(line.contains(part), "{part} in {line}");
    }
}
