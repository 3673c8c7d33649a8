use super::*;
use proptest::prelude::*;
use secure_score_model::DecisionState;

const FILE: &str = "\
# Decisions of the board. Keep the order.
- &common
  control: OneAdmin
  tenants: [contoso]   # not fabrikam
  reference: &ref SEC-1
  expires: 2027-01-31  # renewed twice

- {control: AdminMFAV2, tenants: contoso, reference: SEC-2, expires: '2027-02-28', reason: \"a, b\"} # flow
- control: Other
  tenants: [contoso]
  reference: *ref
  expires: &end 2027-03-31
- {control: Third, tenants: [contoso], reference: SEC-3, expires: *end}
# the end
";

fn decision(subject: &str, reference: &str, expires: &str) -> NewDecision {
    NewDecision {
        tenant: "contoso".to_owned(),
        subject: subject.to_owned(),
        is_recommendation: false,
        states: vec![DecisionState::RiskAccepted],
        reference: reference.to_owned(),
        keys: Vec::new(),
        expires: expires.to_owned(),
    }
}

fn read(text: &str) -> DecisionFile {
    DecisionFile::read(text.into()).unwrap()
}

/// The lines that differ, removed and added.
fn difference(before: &str, after: &str) -> Vec<String> {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let removed = before.iter().filter(|it| !after.contains(it));
    let added = after.iter().filter(|it| !before.contains(it));
    let removed = removed.map(|it| format!("-{it}"));
    removed.chain(added.map(|it| format!("+{it}"))).collect()
}

#[test]
fn a_new_decision_is_added_and_everything_else_stays() {
    let new = NewDecision {
        states: vec![DecisionState::ThirdParty],
        keys: vec![
            ("approver", "Ann: risk committee".to_owned()),
            ("approved_on", "2026-11-01".to_owned()),
        ],
        ..decision("AdminMFAV2", "SEC-9", "2027-12-31")
    };
    let after = read(FILE).with(&new).unwrap();
    let added = after.strip_prefix(FILE).unwrap();
    assert_eq!(
        added,
        "- control: AdminMFAV2\n  tenants: [contoso]\n  states: [third_party]\n  \
         reference: SEC-9\n  approver: \"Ann: risk committee\"\n  \
         approved_on: \"2026-11-01\"\n  expires: 2027-12-31\n"
    );
    assert_eq!(
        read(&after).with(&new).unwrap(),
        after,
        "no change the second time"
    );
    assert_eq!(read("").with(&new).unwrap(), added);
}

#[test]
fn a_renewal_changes_its_line_only() {
    for (subject, reference, changed) in [
        (
            "oneadmin",
            "SEC-1",
            [
                "-  expires: 2027-01-31  # renewed twice",
                "+  expires: 2028-01-31  # renewed twice",
            ],
        ),
        (
            "AdminMFAV2",
            "SEC-2",
            [
                "-- {control: AdminMFAV2, tenants: contoso, reference: SEC-2, expires: '2027-02-28', reason: \"a, b\"} # flow",
                "+- {control: AdminMFAV2, tenants: contoso, reference: SEC-2, expires: 2028-01-31, reason: \"a, b\"} # flow",
            ],
        ),
    ] {
        let new = decision(subject, reference, "2028-01-31");
        let after = read(FILE).with(&new).unwrap();
        assert_eq!(difference(FILE, &after), changed);
        assert_eq!(read(&after).with(&new).unwrap(), after);
    }
}

#[test]
fn a_detail_that_other_entries_share_is_not_changed() {
    for (subject, reference) in [("Other", "SEC-1"), ("Third", "SEC-3")] {
        let new = decision(subject, reference, "2028-01-31");
        match read(FILE).with(&new) {
            Err(error) => assert!(error.to_string().contains("`expires`"), "{error}"),
            Ok(after) => {
                let others = |text: &str| {
                    let mut all = read(text).decisions;
                    all.retain(|it| it.value("control").unwrap().text != subject);
                    all
                };
                assert_eq!(others(&after), others(FILE), "{after}");
            }
        }
    }
    let with_reason = NewDecision {
        keys: vec![("reason", "new".to_owned())],
        ..decision("OneAdmin", "SEC-1", "2027-01-31")
    };
    let error = read(FILE).with(&with_reason).unwrap_err();
    assert!(error.to_string().contains("entry 1"), "{error}");
}

#[test]
fn a_list_in_brackets_is_refused() {
    let error = read("[]\n").with(&decision("A", "B", "2027-01-01"));
    assert_eq!(error, Err(EditError::NoBlockList.into()));
    assert!(DecisionFile::read(b"decisions: []\n".to_vec()).is_err());
}

proptest! {
    #[test]
    fn a_decision_is_read_as_it_was_written(
        subject in "[A-Za-z0-9_.:-]{1,20}",
        reference in "\\PC{1,20}",
        reason in any::<String>(),
    ) {
        let new = NewDecision {
            keys: vec![("reason", reason)],
            ..decision(&subject, reference.trim(), "2027-01-31")
        };
        let after = read(FILE).with(&new).unwrap();
        prop_assert!(after.starts_with(FILE));
        let decisions = read(&after).decisions;
        let last = decisions.last().unwrap();
        prop_assert!(new.is_same_as(last));
        prop_assert_eq!(last.value("reason").unwrap().text.as_str(), new.keys[0].1.trim());
    }
}
