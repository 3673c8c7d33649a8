//! The sets of series: what they have of a tenant, and which of them a query needs.

use crate::golden;
use crate::world::World;
use graph_simulator::{Options, RecommendationsAccess};
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{BinaryExpr, Expr, LabelModifier, VectorSelector};
use secure_score_exporter::config::SeriesChoice;
use secure_score_exporter::refresh::Changes;
use secure_score_exposition::{FAMILIES, Membership, SeriesSet};
use secure_score_model::Api;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Labels of what a state is declared of.
const SUBJECTS: [&str; 2] = ["control", "recommendation"];

/// What stands for the value of the dashboards' variable `declared`.
pub(crate) const DECLARED: &str = "DECLARED";

/// States and statuses that no person declared.
const UNDECLARED: [&str; 4] = [
    "to_address",
    "active",
    "needs_more_action",
    "completed_by_system",
];

/// The smallest set of series in which an expression has the result that it has in
/// `full`. `recorded` is what each recorded series needs.
pub(crate) fn needs(expr: &Expr, recorded: &BTreeMap<String, SeriesSet>) -> SeriesSet {
    needs_of(expr, recorded, false)
}

/// `declared`: whether what surrounds the expression keeps of it only what has a
/// declared state.
fn needs_of(expr: &Expr, recorded: &BTreeMap<String, SeriesSet>, declared: bool) -> SeriesSet {
    let of = |expr: &Expr| needs_of(expr, recorded, declared);
    match expr {
        Expr::Paren(it) => of(&it.expr),
        Expr::Unary(it) => of(&it.expr),
        Expr::Subquery(it) => of(&it.expr),
        Expr::Aggregate(it) => of(&it.expr),
        Expr::Call(it) => it
            .args
            .args
            .iter()
            .map(|it| of(it))
            .max()
            .unwrap_or(SeriesSet::Acceptances),
        Expr::VectorSelector(it) => needs_of_selector(it, recorded, declared),
        Expr::MatrixSelector(it) => needs_of_selector(&it.vs, recorded, declared),
        Expr::Binary(it) => {
            let (lhs, rhs) = match matches_subject(it) {
                false => (declared, declared),
                true => match it.op.to_string().as_str() {
                    "or" => (declared, declared),
                    "unless" => (declared, declared || is_declared(&it.lhs)),
                    _ => {
                        let either = is_declared(&it.lhs) || is_declared(&it.rhs);
                        (declared || either, declared || either)
                    }
                },
            };
            let lhs = needs_of(&it.lhs, recorded, lhs);
            lhs.max(needs_of(&it.rhs, recorded, rhs))
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {
            SeriesSet::Acceptances
        }
    }
}

fn needs_of_selector(
    selector: &VectorSelector,
    recorded: &BTreeMap<String, SeriesSet>,
    declared: bool,
) -> SeriesSet {
    let name = selector.name.as_deref().unwrap_or_default();
    if let Some(needs) = recorded.get(name) {
        return *needs;
    }
    let family = FAMILIES.iter().find(|family| family.name == name);
    match family.map(|family| family.membership) {
        Some(Membership::Declared) if declared || selects_declared(selector) => {
            SeriesSet::Acceptances
        }
        // A panel shows scored controls.
        Some(Membership::Declared) => SeriesSet::Controls,
        // Without a zero a count has no series, as before its first one.
        Some(Membership::Nonzero) | None => SeriesSet::Acceptances,
        Some(membership) => membership.smallest_whole(),
    }
}

/// Whether two sides are matched by control or recommendation.
fn matches_subject(binary: &BinaryExpr) -> bool {
    let matching = binary.modifier.as_ref().and_then(|it| it.matching.as_ref());
    let names = |labels: &[String]| labels.iter().any(|it| SUBJECTS.contains(&it.as_str()));
    match matching {
        Some(LabelModifier::Include(on)) => names(&on.labels),
        Some(LabelModifier::Exclude(ignored)) => !names(&ignored.labels),
        None => true,
    }
}

/// Whether an expression has series only of what has a declared state.
fn is_declared(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(it) => is_declared(&it.expr),
        Expr::Unary(it) => is_declared(&it.expr),
        Expr::Subquery(it) => is_declared(&it.expr),
        Expr::Aggregate(it) => is_declared(&it.expr),
        Expr::Call(it) => it.args.args.iter().any(|it| is_declared(it)),
        Expr::VectorSelector(it) => selects_declared(it),
        Expr::MatrixSelector(it) => selects_declared(&it.vs),
        Expr::Binary(it) => match it.op.to_string().as_str() {
            "or" => is_declared(&it.lhs) && is_declared(&it.rhs),
            "unless" => is_declared(&it.lhs),
            _ if matches_subject(it) => is_declared(&it.lhs) || is_declared(&it.rhs),
            _ => is_declared(&it.lhs),
        },
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => false,
    }
}

/// Whether a selector is limited to declared states: by the dashboards' variable, or
/// by naming them.
fn selects_declared(selector: &VectorSelector) -> bool {
    selector.matchers.matchers.iter().any(|matcher| {
        let Matcher { name, value, op } = matcher;
        match (name.as_str(), op) {
            ("control", MatchOp::Re(_)) => value == DECLARED,
            ("state" | "status", MatchOp::Equal) => !UNDECLARED.contains(&value.as_str()),
            ("state" | "status", MatchOp::Re(_)) => {
                value.split('|').all(|it| !UNDECLARED.contains(&it))
            }
            ("state", MatchOp::NotEqual) => value == "to_address",
            _ => false,
        }
    })
}

/// The sets, as the configuration names them.
const CHOICES: [(SeriesChoice, SeriesSet); 3] = [
    (SeriesChoice::Acceptances, SeriesSet::Acceptances),
    (SeriesChoice::Controls, SeriesSet::Controls),
    (SeriesChoice::Full, SeriesSet::Full),
];

/// The number of series of each family of one tenant.
fn counts(metrics: &str, tenant: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let label = format!("{{tenant=\"{tenant}\"");
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        if let Some((family, _)) = line.split_once(&label) {
            *counts.entry(family.to_owned()).or_default() += 1;
        }
    }
    counts
}

fn documented(part: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scaling.md");
    golden::compare_part(&file, part, text);
}

/// A smaller set at the next reload, and all of it again after another: nothing is
/// requested, and what pages and API show stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_changes_the_set_of_series_and_nothing_else() {
    let options = Options {
        recommendations: RecommendationsAccess::Granted,
        ..Options::default()
    };
    let world = World::with(options).await.configure(|config| {
        let hour = std::time::Duration::from_secs(3_600);
        config.refresh.profiles = hour;
        config.refresh.scores = hour;
    });
    let mut world = world.watch();
    world.complete().await;
    world
        .until("the lists of Entra are read", |tenants| {
            let mut states = tenants.states.iter();
            states.all(|it| Api::ENTRA.iter().all(|api| it.health.of(*api).up))
        })
        .await;
    let series = |metrics: &str| -> BTreeSet<String> {
        let lines = metrics.lines().filter(|line| !line.starts_with('#'));
        let names = lines.filter_map(|line| line.rsplit_once(' '));
        names.map(|(series, _)| series.to_owned()).collect()
    };
    let full = series(&world.metrics());
    let before = world.tenant("contoso");
    let mut sizes = Vec::new();
    let mut tables = BTreeMap::new();
    for (choice, set) in CHOICES {
        let changes = world.reconfigure(|config| config.series = choice);
        assert_eq!(changes, Changes::default());
        let metrics = world.metrics();
        let now = series(&metrics);
        assert!(now.is_subset(&full), "{choice:?} has other series");
        let after = world.tenant("contoso");
        assert_eq!(after.snapshot.controls, before.snapshot.controls);
        for api in Api::ALL {
            assert_eq!(after.health.of(api), before.health.of(api));
        }
        assert!(Arc::ptr_eq(
            before.snapshot.report.as_ref().unwrap(),
            after.snapshot.report.as_ref().unwrap()
        ));
        for family in FAMILIES {
            let start = format!("{}{{", family.name);
            let of = |series: &BTreeSet<String>| {
                let of_family = series.iter().filter(|it| it.starts_with(&start));
                of_family.cloned().collect::<BTreeSet<_>>()
            };
            let (found, all) = (of(&now), of(&full));
            match family.membership {
                Membership::Controls | Membership::Full => {
                    let excluded = set < family.membership.smallest_whole();
                    assert!(!excluded || found.is_empty(), "{start} {set:?}");
                }
                Membership::Declared | Membership::Every => {
                    assert_eq!(found.is_empty(), all.is_empty(), "{start} {set:?}");
                }
                Membership::Nonzero => {}
            }
            let is_whole = set >= family.membership.smallest_whole();
            assert!(!is_whole || found == all, "{start} {set:?}");
        }
        sizes.push(now.len());
        tables.insert(set, counts(&metrics, "contoso"));
        if set == SeriesSet::Acceptances {
            within_the_bound(&world);
        }
    }
    assert_eq!(series(&world.metrics()), full);
    assert!(sizes.is_sorted_by(|a, b| a < b), "{sizes:?}");
    documented("series of contoso", &table(&tables));
}

/// `acceptances` has at most 120 series of a tenant and 2 of each control.
fn within_the_bound(world: &World) {
    let metrics = world.metrics();
    for state in &world.store.current().states {
        let series: usize = counts(&metrics, &state.identity.alias).values().sum();
        let controls = state.snapshot.controls.iter().filter(|it| it.selected);
        let bound = 120 + 2 * controls.count();
        let alias = &state.identity.alias;
        assert!(series <= bound, "{alias} has {series} of {bound} series");
    }
}

/// The families of a tenant with their series in each set, the largest first.
fn table(tables: &BTreeMap<SeriesSet, BTreeMap<String, usize>>) -> String {
    let of = |set: SeriesSet, family: &str| tables[&set].get(family).copied().unwrap_or(0);
    let total = |set: SeriesSet| tables[&set].values().sum::<usize>();
    let mut families: Vec<&str> = tables[&SeriesSet::Full]
        .keys()
        .map(String::as_str)
        .collect();
    families.sort_by_key(|family| std::cmp::Reverse(of(SeriesSet::Full, family)));
    let all = total(SeriesSet::Full);
    let mut table =
        "| family | `full` | share | `controls` | `acceptances` |\n|---|---|---|---|---|"
            .to_owned();
    let share = |count: usize| format!("{:.1} %", 100.0 * count as f64 / all as f64);
    let (large, small): (Vec<&str>, Vec<&str>) = families
        .into_iter()
        .partition(|family| of(SeriesSet::Full, family) >= 5);
    for family in large {
        let [acceptances, controls, full] = SeriesSet::ALL.map(|set| of(set, family));
        let share = share(full);
        table += &format!("\n| `{family}` | {full} | {share} | {controls} | {acceptances} |");
    }
    let rest = |set: SeriesSet| small.iter().map(|family| of(set, family)).sum::<usize>();
    let [acceptances, controls, full] = SeriesSet::ALL.map(rest);
    let (count, share) = (small.len(), share(full));
    table += &format!(
        "\n| {count} families of less than 5 | {full} | {share} | {controls} | {acceptances} |"
    );
    let [acceptances, controls, full] = SeriesSet::ALL.map(total);
    table + &format!("\n| **sum** | {full} | 100 % | {controls} | {acceptances} |")
}
