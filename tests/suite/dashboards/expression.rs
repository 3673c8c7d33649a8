//! What an expression reads, and what it does with it.

use promql_parser::label::Matchers;
use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use std::collections::BTreeSet;

/// A family read by an expression, with all that is around it, outermost first.
pub(super) struct Reading {
    pub(super) family: String,
    pub(super) matched: Vec<String>,
    pub(super) around: Vec<Around>,
}

/// What a selector stands in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Around {
    /// An aggregation and the labels it keeps.
    Aggregation(String, Vec<String>),
    /// A function.
    Function(String),
}

/// What is read, and which labels have to be there.
#[derive(Default)]
pub(super) struct Expression {
    pub(super) readings: Vec<Reading>,
    /// Labels that are kept or matched on, with the families beneath.
    pub(super) wanted: Vec<(Vec<String>, BTreeSet<String>)>,
}

impl Expression {
    /// Reads an expression whose variables were filled in.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut found = Self::default();
        found.walk(&parser::parse(text)?, &mut Vec::new());
        Ok(found)
    }

    fn walk(&mut self, expr: &Expr, around: &mut Vec<Around>) {
        match expr {
            Expr::Aggregate(it) => {
                let kept = match &it.modifier {
                    Some(LabelModifier::Include(labels)) => labels.labels.clone(),
                    Some(LabelModifier::Exclude(_)) => panic!("say which labels are kept: {it}"),
                    None => Vec::new(),
                };
                self.want(&kept, &it.expr);
                around.push(Around::Aggregation(it.op.to_string(), kept));
                self.walk(&it.expr, around);
                around.pop();
            }
            Expr::Binary(it) => {
                let matching = it.modifier.as_ref().and_then(|it| it.matching.as_ref());
                if let Some(labels) = matching.map(|it| it.labels().labels.clone()) {
                    self.want(&labels, &it.lhs);
                    self.want(&labels, &it.rhs);
                }
                self.walk(&it.lhs, around);
                self.walk(&it.rhs, around);
            }
            Expr::Call(it) => {
                around.push(Around::Function(it.func.name.to_owned()));
                it.args.args.iter().for_each(|it| self.walk(it, around));
                around.pop();
            }
            Expr::Paren(it) => self.walk(&it.expr, around),
            Expr::Unary(it) => self.walk(&it.expr, around),
            Expr::Subquery(it) => self.walk(&it.expr, around),
            Expr::VectorSelector(it) => self.read(it, around),
            Expr::MatrixSelector(it) => self.read(&it.vs, around),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => {}
            Expr::Extension(it) => panic!("no extension is expected: {it:?}"),
        }
    }

    fn read(&mut self, selector: &VectorSelector, around: &[Around]) {
        let Matchers { matchers, .. } = &selector.matchers;
        self.readings.push(Reading {
            family: selector.name.clone().expect("a family is named"),
            matched: matchers.iter().map(|it| it.name.clone()).collect(),
            around: around.to_vec(),
        });
    }

    fn want(&mut self, labels: &[String], beneath: &Expr) {
        let mut inner = Self::default();
        inner.walk(beneath, &mut Vec::new());
        let families = inner.readings.into_iter().map(|it| it.family).collect();
        self.wanted.push((labels.to_vec(), families));
    }
}
