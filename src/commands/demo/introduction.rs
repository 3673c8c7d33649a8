//! What the demo prints when it has started.

use super::alerting::Alerting;
use super::{partner, users};
use crate::cli::Demo;
use crate::commands::Failure;
use crate::commands::stdout::{line, tenants};
use graph_simulator::Simulator;
use std::net::SocketAddr;

/// What runs.
pub(super) struct Introduction<'d> {
    pub(super) demo: &'d Demo,
    pub(super) simulator: &'d Simulator,
    /// The exporter's first address.
    pub(super) address: SocketAddr,
    /// The scheduled events, a line each.
    pub(super) scenario: &'d [String],
    pub(super) alerting: Option<&'d Alerting>,
}

impl Introduction<'_> {
    /// Prints the addresses, what to do with them, and what will happen.
    pub(super) fn print(&self) -> Result<(), Failure> {
        line(format_args!(
            "Secure Score of {}{}, simulated; nothing leaves this machine.\n\
             Persons and comments are generated, so every client sees them.\n{}",
            tenants(self.simulator.tenants().len()),
            partner::customers(self.simulator),
            partner::without_consent(self.simulator),
        ))?;
        self.print_addresses()?;
        match self.alerting {
            Some(_) => line(format_args!("{}\n", self.story()))?,
            None => self.print_scrape_config()?,
        }
        if self.demo.with_users {
            let [(all, _), (one, _)] = users::USERS;
            let password = users::PASSWORD;
            line(format_args!(
                "Users: {all} sees every tenant, {one} that tenant only; the password is {password}.\n"
            ))?;
        }
        if self.demo.simulation.runs_scenario() {
            line(format_args!("Scheduled events:\n"))?;
            for event in self.scenario {
                line(format_args!("  - {event}"))?;
            }
            line(format_args!(""))?;
        }
        line(format_args!("Stop it with Ctrl-C."))
    }

    /// What arrives in the inbox, and when.
    pub(super) fn story(&self) -> String {
        let expected = match self.demo.simulation.runs_scenario() {
            true => {
                "Within two minutes an administrator of contoso accepts a risk; its page is in the inbox seconds later. Pages about earlier decisions arrive at once."
            }
            false => {
                "No risk is accepted by itself; after one through the control API its page is in the inbox seconds later."
            }
        };
        expected.to_owned()
    }

    pub(super) fn status_page(&self) -> String {
        format!("http://{}{}/", self.address, self.demo.web.route_prefix())
    }

    fn print_addresses(&self) -> Result<(), Failure> {
        let (address, metrics) = (self.address, self.demo.web.metrics_path());
        let control = self.simulator.control_url().unwrap_or("off");
        let own = [
            ("status page", self.status_page()),
            ("metrics", format!("http://{address}{metrics}")),
            ("control API", control.to_owned()),
        ];
        let alerting = self.alerting.map(Alerting::addresses);
        for (name, url) in own.into_iter().chain(alerting.into_iter().flatten()) {
            line(format_args!("  {name:<13} {url}"))?;
        }
        line(format_args!(""))
    }

    fn print_scrape_config(&self) -> Result<(), Failure> {
        let (address, metrics) = (self.address, self.demo.web.metrics_path());
        let authentication = match self.demo.with_users {
            true => users::scrape_authentication(),
            false => String::new(),
        };
        line(format_args!(
            "Scrape it with Prometheus:\n\n  \
             scrape_configs:\n    \
             - job_name: secure-score\n      \
             scrape_interval: 15s\n      \
             metrics_path: {metrics}\n{authentication}      \
             static_configs:\n        \
             - targets: ['{address}']\n"
        ))
    }
}
