use super::*;
use proptest::prelude::*;

const A: &str = "aaaaaaaa-1111-4111-8111-111111111111";
const B: &str = "bbbbbbbb-2222-4222-8222-222222222222";
const C: &str = "12345678-3333-4333-8333-333333333333";

fn contoso() -> NewTenant {
    NewTenant {
        alias: "contoso".to_owned(),
        tenant_id: A.to_owned(),
        ..NewTenant::default()
    }
}

fn read(text: &str) -> TenantFile {
    TenantFile::read(text.into()).unwrap()
}

fn added(text: &str) -> String {
    let after = read(text).with(&[contoso()]).unwrap();
    let added = after.strip_prefix(text).expect("the text before stays");
    added.to_owned()
}

#[test]
fn an_entry_follows_whatever_the_list_looks_like() {
    let entry = format!("- {{name: contoso, tenant_id: {A}}}\n");
    for (before, prefix) in [
        ("", ""),
        ("# customers\n", ""),
        ("---\n", ""),
        ("\u{feff}", ""),
        ("# - x\n- {name: b, tenant_id: b.example}\n", ""),
        ("- {name: b, tenant_id: b.example} # by hand", "\n"),
        (
            "- name: b\n  tenant_id: b.example\n  target: 80%\n\n# end\n",
            "",
        ),
        ("-\n  name: b\n  tenant_id: b.example\n", ""),
        ("  - name: b\n    tenant_id: b.example\n", "  "),
        ("  - {name: b, tenant_id: b.example}", "\n  "),
        ("--- # list\n- &b {name: b, tenant_id: b.example}\n", ""),
        (
            "&all\n- &b {name: b, tenant_id: b.example,\n   target: 80%}\n",
            "",
        ),
        (
            "- {name: b, labels: &l {team: x}}\n- {name: c, labels: *l}\n",
            "",
        ),
        ("- name: b\n  display_name: >-\n    B\n    Limited", "\n"),
        ("- {name: \"b\", unknown: [1, {a: 2}]}\n", ""),
    ] {
        assert_eq!(added(before), format!("{prefix}{entry}"), "{before:?}");
    }
}

#[test]
fn line_breaks_of_windows_stay() {
    let entry = format!("- {{name: contoso, tenant_id: {A}}}\r\n");
    assert_eq!(
        added("# by hand\r\n- {name: b, tenant_id: b.example}\r\n"),
        entry
    );
    let cut = added("# by hand\r\n- {name: b, tenant_id: b.example}");
    assert_eq!(cut, format!("\r\n{entry}"));
}

#[test]
fn a_file_that_cannot_be_edited_is_refused_with_a_remedy() {
    for text in [
        "[]\n",
        "[{name: b, tenant_id: b.example}]\n",
        "[\n  {name: b, tenant_id: b.example}\n]\n",
        "null\n",
        "- {name: b, tenant_id: b.example}\n...\n",
    ] {
        let error = read(text).with(&[contoso()]).unwrap_err();
        assert_eq!(error, EditError::NoBlockList, "{text}");
        assert!(
            error
                .hint(TenantFile::ENTRY, "--write")
                .contains("- {name:")
        );
    }
    for text in [
        "tenants:\n  - {name: b, tenant_id: b.example}\n",
        "- {name: b\n",
        "- b\n",
        "- {name: b}\n---\n- {name: c}\n",
    ] {
        let error = TenantFile::read(text.into()).unwrap_err();
        assert!(matches!(error, EditError::Unreadable { .. }), "{text}");
        assert!(error.to_string().starts_with("line "), "{error}");
    }
    let error = TenantFile::read(vec![0xff, 0xfe, b'-', 0]).unwrap_err();
    assert!(error.to_string().contains("not UTF-8"));
}

#[test]
fn nothing_new_changes_nothing() {
    for text in ["", "[]\n", "- {name: b, tenant_id: b.example}"] {
        assert_eq!(read(text).with(&[]).unwrap(), text);
    }
}

#[test]
fn an_entry_has_quotes_where_yaml_would_not_read_text() {
    let entry = |alias: &str| {
        let tenant = NewTenant {
            alias: alias.to_owned(),
            ..contoso()
        };
        tenant.entry()
    };
    for quoted in ["no", "NULL", "1e3", "3m", "42"] {
        assert!(
            entry(quoted).contains(&format!("name: \"{quoted}\",")),
            "{quoted}"
        );
    }
    let tenant = NewTenant {
        tenant_id: C.to_owned(),
        display_name: "Tail \"spin\" \\ #1: 🚀\u{85}".to_owned(),
        keys: vec![("credential", "msp".to_owned())],
        comment: "Tail\nspin".to_owned(),
        ..contoso()
    };
    let expected = format!(
        r##"- {{name: contoso, tenant_id: {C}, display_name: "Tail \"spin\" \\ #1: 🚀\U00000085", credential: msp}} # Tailspin"##
    );
    assert_eq!(tenant.entry(), expected);
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("# a comment: [x".to_owned()),
        Just(String::new()),
        Just("   # indented".to_owned()),
        "[a-z]{1,8}".prop_map(|name| format!("- {{name: {name}, tenant_id: {B}}}")),
        "[a-z]{1,8}"
            .prop_map(|name| format!("- name: {name}   # by hand\n  tenant_id: {name}.example")),
        "[a-z]{1,8}"
            .prop_map(|name| format!("- &{name} {{name: {name}, display_name: '{name} - x'}}")),
        "[a-z]{1,8}".prop_map(|name| format!(
            "-  name: {name}\n   labels: {{a: b}}\n   display_name: |-\n     - {name}\n"
        )),
    ]
}

proptest! {
    #[test]
    fn entries_are_added_and_everything_else_stays(
        lines in prop::collection::vec(line(), 0..6),
        indent in "( |  )?",
        windows in any::<bool>(),
        ends in any::<bool>(),
        names in prop::collection::vec((any::<String>(), any::<String>()), 1..4),
    ) {
        let mut text: String = lines
            .iter()
            .flat_map(|line| line.split('\n'))
            .map(|line| format!("{indent}{line}\n"))
            .collect();
        if windows {
            text = text.replace('\n', "\r\n");
        }
        if !ends {
            text = text.trim_end_matches(['\r', '\n']).to_owned();
        }
        let new: Vec<NewTenant> = names
            .iter()
            .enumerate()
            .map(|(index, (name, comment))| NewTenant {
                alias: format!("new-{index}"),
                tenant_id: A.to_owned(),
                display_name: name.trim().to_owned(),
                comment: comment.clone(),
                keys: Vec::new(),
            })
            .collect();
        let before = read(&text);
        let after = before.with(&new).unwrap();
        prop_assert!(after.starts_with(&text));
        let again = read(&after);
        prop_assert_eq!(again.tenants().len(), before.tenants().len() + new.len());
        prop_assert_eq!(&again.tenants()[..before.tenants().len()], before.tenants());
        prop_assert_eq!(again.with(&[]).unwrap(), after);
    }
}
