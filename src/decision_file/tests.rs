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

fn text_with(text: &str, new: &NewDecision) -> String {
    read(text).with(new).unwrap().text
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
    let after = text_with(FILE, &new);
    let added = after.strip_prefix(FILE).unwrap();
    assert_eq!(
        added,
        "- control: AdminMFAV2\n  tenants: [contoso]\n  states: [third_party]\n  \
         reference: SEC-9\n  approver: \"Ann: risk committee\"\n  \
         approved_on: 2026-11-01\n  expires: 2027-12-31\n"
    );
    assert_eq!(text_with(&after, &new), after, "no change the second time");
    assert_eq!(text_with("", &new), added);
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
        let after = text_with(FILE, &new);
        assert_eq!(difference(FILE, &after), changed);
        assert_eq!(text_with(&after, &new), after);
    }
}

#[test]
fn a_detail_that_other_entries_share_is_not_changed() {
    for (subject, reference) in [("Other", "SEC-1"), ("Third", "SEC-3")] {
        let new = decision(subject, reference, "2028-01-31");
        match read(FILE).with(&new) {
            Err(error) => assert!(error.to_string().contains("`expires`"), "{error}"),
            Ok(Edited { text: after, .. }) => {
                let others = |text: &str| {
                    let mut all = read(text).decisions;
                    all.retain(|it| it.value("control").unwrap().text != subject);
                    all
                };
                assert_eq!(others(&after), others(FILE), "{after}");
            }
        }
    }
}

#[test]
fn a_detail_that_the_entry_lacks_gets_a_line_of_its_own() {
    let new = |subject, reference, expires| NewDecision {
        keys: vec![("reason", "until: May".to_owned())],
        ..decision(subject, reference, expires)
    };
    let after = text_with(FILE, &new("OneAdmin", "SEC-1", "2027-01-31"));
    assert_eq!(difference(FILE, &after), ["+  reason: \"until: May\""]);
    let crlf = FILE.replace('\n', "\r\n");
    let after = text_with(&crlf, &new("OneAdmin", "SEC-1", "2028-01-31"));
    let expected = crlf.replace(
        "  expires: 2027-01-31 ",
        "  reason: \"until: May\"\r\n  expires: 2028-01-31 ",
    );
    assert_eq!(after, expected);
    let in_flow = "- {control: A, tenants: contoso, reference: R, expires: 2027-01-31}\n";
    let error = read(in_flow).with(&new("A", "R", "2027-01-31"));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the entry at line 1"), "{error}");
    let before_dash = "- expires: 2027-01-31\n  control: A\n  tenants: contoso\n  reference: R\n";
    let error = read(before_dash).with(&new("A", "R", "2027-01-31"));
    assert!(error.is_err(), "{error:?}");
}

#[test]
fn an_entry_for_other_declarations_is_another_decision() {
    let file = "\
- control: A
  tenants: [contoso]
  reference: R
  accepted_by: alex@contoso.example
  expires: 2027-01-31
- control: A
  tenants: [contoso]
  reference: R
  accepted_by: eve@contoso.example
  expires: 2027-02-28
";
    let by = |person: &str, expires: &str| NewDecision {
        keys: vec![("accepted_by", person.to_owned())],
        ..decision("A", "R", expires)
    };
    let edited = read(file).with(&by("EVE@contoso.example", "2028-02-28"));
    let Edited { text, index } = edited.unwrap();
    assert_eq!(text, file.replace("2027-02-28", "2028-02-28"));
    assert_eq!(index, 1);
    let edited = read(file).with(&by("sam@contoso.example", "2028-02-28"));
    let Edited { text, index } = edited.unwrap();
    assert!(text.starts_with(file) && text.contains("sam@"), "{text}");
    assert_eq!(index, 2);
    assert_eq!(
        text_with(&text, &by("sam@contoso.example", "2028-02-28")),
        text
    );
    let error = read(file).with(&decision("A", "R", "2028-02-28"));
    assert_eq!(
        error.unwrap_err().to_string(),
        "the entry at line 1 is this decision but for `accepted_by`, which only one of the two has"
    );
    let unbound = "- {control: A, tenants: contoso, reference: R, expires: 2027-01-31}\n";
    let bound = NewDecision {
        keys: vec![("approved_on", "2026-11-01".to_owned())],
        ..decision("A", "R", "2027-01-31")
    };
    assert!(matches!(
        read(unbound).with(&bound),
        Err(DecisionError::OtherDeclarations { line: 1, .. })
    ));
}

#[test]
fn two_equal_entries_are_changed_by_no_guess() {
    let file = "\
- {control: A, tenants: contoso, reference: R, expires: 2027-01-31}

- {control: a, tenants: contoso, reference: R, expires: 2027-02-28, states: Risk_Accepted}
";
    let error = read(file).with(&decision("A", "R", "2028-01-31"));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the entries at lines 1, 3 are"), "{error}");
    for expires in ["2027-01-31", "2027-02-28"] {
        let new = decision("A", "R", expires);
        assert_eq!(text_with(file, &new), file, "it is there already");
    }
}

#[test]
fn line_ends_indents_and_a_missing_last_break_stay() {
    let new = decision("New", "SEC-9", "2027-12-31");
    let crlf = FILE.replace('\n', "\r\n");
    let added = text_with(&crlf, &new);
    let added = added.strip_prefix(&crlf).unwrap();
    assert_eq!(added.matches("\r\n").count(), added.matches('\n').count());
    let renewed = decision("OneAdmin", "SEC-1", "2028-01-31");
    let after = text_with(&crlf, &renewed);
    assert_eq!(after, crlf.replace("2027-01-31 ", "2028-01-31 "));
    let open = "  - control: A\n    tenants: [contoso]\n    reference: R\n    expires: 2027-01-31";
    let after = text_with(open, &decision("A", "R", "2028-01-31"));
    assert_eq!(after, open.replace("2027", "2028"), "no last line break");
    let after = text_with(open, &new);
    let added = after.strip_prefix(open).unwrap();
    assert!(
        added.starts_with("\n  - control: New\n    tenants"),
        "{added}"
    );
    for empty in ["", "# none yet\n", "---\n", "\u{feff}"] {
        let after = text_with(empty, &new);
        assert_eq!(after, format!("{empty}{}\n", new.entry()), "{empty:?}");
    }
    let in_flow = "[{control: A, tenants: contoso, reference: R, expires: 2027-01-31}]\n";
    let after = text_with(in_flow, &decision("A", "R", "2028-01-31"));
    assert_eq!(after, in_flow.replace("2027", "2028"));
}

#[test]
fn a_list_in_brackets_is_refused() {
    let error = read("[]\n").with(&decision("A", "B", "2027-01-01"));
    assert_eq!(error, Err(DecisionError::File(EditError::NoBlockList)));
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
        let after = text_with(FILE, &new);
        prop_assert!(after.starts_with(FILE));
        let decisions = read(&after).decisions;
        let last = decisions.last().unwrap();
        prop_assert_eq!(new.compare(last), Comparison::Same);
        prop_assert_eq!(last.value("reason").unwrap().text.as_str(), new.keys[0].1.trim());
    }
}
