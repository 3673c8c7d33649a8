//! What an expression selects, and which labels it yields.

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{
    AggregateExpr, BinModifier, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality,
    VectorSelector,
};
use secure_score_exporter::telemetry::Telemetry;
use secure_score_exposition::{FAMILIES, Kind, PARTNER_FAMILIES};
use std::collections::{BTreeMap, BTreeSet};

/// The names of labels.
pub(super) type Labels = BTreeSet<String>;

/// A set of labels from their names.
pub(super) fn set<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Labels {
    names.into_iter().map(|n| n.as_ref().to_owned()).collect()
}

/// Whether a series counts, shows a value, or carries text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Gauge,
    Counter,
    Info,
}

/// What a user may record to change thresholds and links, what Prometheus
/// itself writes, and the labels of each.
const FROM_ELSEWHERE: &[(&str, &[&str])] = &[
    ("fleet:secure_score_threshold:override", &["threshold"]),
    (
        "fleet:secure_score_links:override",
        &["grafana", "runbooks"],
    ),
    ("up", &["job", "instance"]),
    (
        "ALERTS",
        &[
            "alertname",
            "alertstate",
            "severity",
            "window",
            "tenant",
            "category",
        ],
    ),
];

/// The metrics there are, with their labels.
pub(super) struct Known {
    metrics: BTreeMap<String, (Nature, Labels)>,
}

impl Known {
    /// All that the exporter shows and Prometheus adds, without recorded ones.
    pub(super) fn families() -> Self {
        let mut metrics = BTreeMap::new();
        let nature = |kind: Kind| match kind {
            Kind::Gauge => Nature::Gauge,
            Kind::Counter => Nature::Counter,
            Kind::Info => Nature::Info,
        };
        for family in FAMILIES {
            let mut labels = set(family.labels.iter().copied());
            labels.extend(set(["tenant", "job", "instance"]));
            metrics.insert(family.name.to_owned(), (nature(family.kind), labels));
        }
        for family in PARTNER_FAMILIES {
            let mut labels = set(family.labels.iter().copied());
            labels.extend(set(["partner", "job", "instance"]));
            metrics.insert(family.name.to_owned(), (nature(family.kind), labels));
        }
        let own = Telemetry::new().unwrap();
        own.external_url("https://example.org").unwrap();
        for (name, kind, labels, _) in own.describe() {
            let nature = match kind.as_str() {
                "counter" => Nature::Counter,
                "info" => Nature::Info,
                _ => Nature::Gauge,
            };
            let mut labels = set(labels.split('`').skip(1).step_by(2));
            labels.extend(set(["job", "instance"]));
            metrics.insert(name, (nature, labels));
        }
        for (name, labels) in FROM_ELSEWHERE {
            let labels = set(labels.iter().copied());
            metrics.insert((*name).to_owned(), (Nature::Gauge, labels));
        }
        Self { metrics }
    }

    /// One more that a rule records.
    pub(super) fn add(&mut self, name: &str, labels: Labels) {
        self.metrics
            .insert(name.to_owned(), (Nature::Gauge, labels));
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.metrics.contains_key(name)
    }

    pub(super) fn nature(&self, name: &str) -> Option<Nature> {
        self.metrics.get(name).map(|(nature, _)| *nature)
    }

    fn of(&self, selector: &VectorSelector) -> Labels {
        let name = selector.name.as_deref().expect("a selector has a name");
        let (_, labels) = self
            .metrics
            .get(name)
            .unwrap_or_else(|| panic!("{name} is neither a family nor recorded before"));
        for matcher in matchers(selector) {
            assert!(
                labels.contains(&matcher.name),
                "{name} has no label {}",
                matcher.name
            );
        }
        labels.clone()
    }

    /// The labels an expression yields. Panics where two sides cannot match,
    /// where a label does not exist, and where a `tenant` is lost on the way
    /// from a family of tenants to anything but a single number.
    pub(super) fn yields(&self, expr: &Expr) -> Labels {
        match expr {
            Expr::Paren(paren) => self.yields(&paren.expr),
            Expr::Unary(unary) => self.yields(&unary.expr),
            Expr::Subquery(inner) => self.yields(&inner.expr),
            Expr::VectorSelector(selector) => self.of(selector),
            Expr::MatrixSelector(matrix) => self.of(&matrix.vs),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => Labels::new(),
            Expr::Call(call) => self.called(call),
            Expr::Aggregate(aggregate) => self.aggregated(aggregate),
            Expr::Binary(binary) => self.combined(binary),
        }
    }

    fn called(&self, call: &Call) -> Labels {
        let arguments: Vec<Labels> = call.args.args.iter().map(|a| self.yields(a)).collect();
        match call.func.name {
            "scalar" | "vector" | "time" => Labels::new(),
            "absent" | "absent_over_time" => selectors(&call.args.args[0])
                .iter()
                .flat_map(|selector| matchers(selector))
                .filter(|matcher| matches!(matcher.op, MatchOp::Equal))
                .map(|matcher| matcher.name.clone())
                .collect(),
            "label_replace" => {
                let mut labels = arguments.into_iter().next().unwrap_or_default();
                if let Expr::StringLiteral(label) = &*call.args.args[1] {
                    labels.insert(label.val.clone());
                }
                labels
            }
            _ => arguments.into_iter().next_back().unwrap_or_default(),
        }
    }

    fn aggregated(&self, aggregate: &AggregateExpr) -> Labels {
        let inner = self.yields(&aggregate.expr);
        let mut kept = match &aggregate.modifier {
            None => Labels::new(),
            Some(LabelModifier::Include(by)) => {
                let by = set(&by.labels);
                assert!(by.is_subset(&inner), "by {by:?} of {inner:?}");
                by
            }
            Some(LabelModifier::Exclude(without)) => &inner - &set(&without.labels),
        };
        if let (Some(Expr::StringLiteral(label)), "count_values") = (
            aggregate.param.as_deref(),
            aggregate.op.to_string().as_str(),
        ) {
            kept.insert(label.val.clone());
        }
        // A customer of a partner is named by its Entra id.
        let names_tenant = kept.contains("tenant") || kept.contains("entra_tenant_id");
        assert!(
            names_tenant || !inner.contains("tenant"),
            "{} loses the tenant",
            aggregate.expr
        );
        kept
    }

    /// The labels that all alternatives have. That is enough where only the
    /// presence of a partner counts.
    fn yields_at_least(&self, expr: &Expr) -> Labels {
        match expr {
            Expr::Paren(paren) => self.yields_at_least(&paren.expr),
            Expr::Binary(binary) if binary.op.to_string() == "or" => {
                &self.yields_at_least(&binary.lhs) & &self.yields_at_least(&binary.rhs)
            }
            _ => self.yields(expr),
        }
    }

    fn combined(&self, binary: &BinaryExpr) -> Labels {
        let word = binary.op.to_string();
        let left = self.yields(&binary.lhs);
        let right = if ["and", "unless"].contains(&word.as_str()) {
            self.yields_at_least(&binary.rhs)
        } else {
            self.yields(&binary.rhs)
        };
        if is_number(&binary.lhs) {
            return right;
        }
        if is_number(&binary.rhs) {
            return left;
        }
        let matching = binary.modifier.as_ref().and_then(|m| m.matching.as_ref());
        match matching {
            None => assert_eq!(left, right, "both sides of {}", binary.op),
            Some(LabelModifier::Include(on)) => {
                let on = set(&on.labels);
                assert!(
                    on.is_subset(&left) && on.is_subset(&right),
                    "on {on:?} of {left:?} and {right:?}"
                );
            }
            Some(LabelModifier::Exclude(ignoring)) => {
                let ignoring = set(&ignoring.labels);
                assert_eq!(
                    &left - &ignoring,
                    &right - &ignoring,
                    "ignoring {ignoring:?}"
                );
            }
        }
        if binary.op.is_set_operator() {
            return left;
        }
        match (&binary.modifier, matching) {
            (
                Some(BinModifier {
                    card: VectorMatchCardinality::ManyToOne(_),
                    ..
                }),
                _,
            )
            | (_, None) => left,
            (_, Some(LabelModifier::Include(on))) => set(&on.labels),
            (_, Some(LabelModifier::Exclude(ignoring))) => &left - &set(&ignoring.labels),
        }
    }
}

/// Whether an expression is a number and no vector.
pub(super) fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::NumberLiteral(_) => true,
        Expr::Paren(paren) => is_number(&paren.expr),
        Expr::Unary(unary) => is_number(&unary.expr),
        Expr::Call(call) => matches!(call.func.name, "scalar" | "time"),
        Expr::Binary(binary) => is_number(&binary.lhs) && is_number(&binary.rhs),
        _ => false,
    }
}

pub(super) fn matchers(selector: &VectorSelector) -> impl Iterator<Item = &Matcher> {
    selector.matchers.matchers.iter()
}

/// The expressions directly inside another.
pub(super) fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Paren(paren) => vec![&paren.expr],
        Expr::Unary(unary) => vec![&unary.expr],
        Expr::Subquery(inner) => vec![&inner.expr],
        Expr::Call(call) => call.args.args.iter().map(|a| &**a).collect(),
        Expr::Aggregate(aggregate) => vec![&aggregate.expr],
        Expr::Binary(binary) => vec![&binary.lhs, &binary.rhs],
        _ => Vec::new(),
    }
}

/// An expression and everything inside it.
pub(super) fn all(expr: &Expr) -> Vec<&Expr> {
    let mut found = vec![expr];
    for child in children(expr) {
        found.extend(all(child));
    }
    found
}

/// Every selector inside an expression.
pub(super) fn selectors(expr: &Expr) -> Vec<&VectorSelector> {
    all(expr)
        .into_iter()
        .filter_map(|inner| match inner {
            Expr::VectorSelector(selector) => Some(selector),
            Expr::MatrixSelector(matrix) => Some(&matrix.vs),
            _ => None,
        })
        .collect()
}

/// Whether there is nothing where all is well: a comparison decides, or the
/// absence of something. Of an alternative each arm must.
pub(super) fn decides(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(paren) => decides(&paren.expr),
        Expr::Aggregate(aggregate) => decides(&aggregate.expr),
        Expr::Call(call) => call.func.name == "absent",
        Expr::Binary(binary) => match binary.op.to_string().as_str() {
            "or" => decides(&binary.lhs) && decides(&binary.rhs),
            "and" => decides(&binary.lhs) || decides(&binary.rhs),
            "unless" => decides(&binary.lhs),
            _ => binary.op.is_comparison_operator(),
        },
        _ => false,
    }
}
