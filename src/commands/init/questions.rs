//! Questions on a terminal.

use crate::cli::InitValue;
use crate::commands::Failure;
use anyhow::Context as _;
use std::io::{self, BufRead, IsTerminal as _, Write};

/// Asks on a terminal, or notes which flags are missing.
pub(super) struct Questions<'a> {
    terminal: Option<Terminal<'a>>,
    missing: Vec<&'static str>,
}

struct Terminal<'a> {
    input: Box<dyn BufRead + 'a>,
    output: Box<dyn Write + 'a>,
}

impl Questions<'_> {
    /// Asks on standard error, if that and standard input are terminals.
    pub(super) fn of_process() -> Self {
        let is_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        Self {
            terminal: is_terminal.then(|| Terminal {
                input: Box::new(io::stdin().lock()),
                output: Box::new(io::stderr()),
            }),
            missing: Vec::new(),
        }
    }

    /// Whether the customers of a partner are watched, not one tenant.
    pub(super) fn watches_partner(&mut self) -> Result<bool, Failure> {
        let Some(terminal) = &mut self.terminal else {
            return Ok(false);
        };
        let question = "Watch one tenant, or the customers of a partner? (tenant, partner)";
        let is_partner = |text: &str| match text {
            "tenant" => Ok(false),
            "partner" => Ok(true),
            _ => Err("answer tenant or partner".to_owned()),
        };
        terminal.ask(question, Some("tenant"), is_partner)
    }

    /// The value of the flag, or the answer. Without a terminal it is the
    /// default; where there is none, the value is empty and
    /// [`finish`](Self::finish) fails.
    pub(super) fn required(
        &mut self,
        value: InitValue,
        given: &Option<String>,
        default: Option<&str>,
    ) -> Result<String, Failure> {
        if let Some(given) = given {
            return Ok(given.clone());
        }
        if let Some(terminal) = &mut self.terminal {
            return terminal.ask(question(value), default, |text| value.parse(text));
        }
        if default.is_none() {
            self.missing.push(value.flag());
        }
        Ok(default.unwrap_or_default().to_owned())
    }

    /// Likewise, for the name in labels. An answer with a dot is refused: a domain that
    /// was typed again to correct the one before.
    pub(super) fn name(
        &mut self,
        given: &Option<String>,
        default: Option<&str>,
    ) -> Result<String, Failure> {
        let Some(terminal) = self.terminal.as_mut().filter(|_| given.is_none()) else {
            return self.required(InitValue::Name, given, default);
        };
        terminal.ask(question(InitValue::Name), default, |text| {
            match text.contains('.') {
                true => Err(
                    "this is a domain, and the question is for a short name such as contoso; to correct the tenant, press Ctrl-C and run init again"
                        .to_owned(),
                ),
                false => InitValue::Name.parse(text),
            }
        })
    }

    /// Likewise, without a default. An answer must differ from the application of the
    /// customers.
    pub(super) fn second_application(
        &mut self,
        value: InitValue,
        given: &Option<String>,
        of_customers: &str,
    ) -> Result<String, Failure> {
        let Some(terminal) = self.terminal.as_mut().filter(|_| given.is_none()) else {
            return self.required(value, given, None);
        };
        terminal.ask(question(value), None, |text| match value.parse(text)? {
            same if same.eq_ignore_ascii_case(of_customers) => Err(
                "the customers consent to this one; register a second application for the list"
                    .to_owned(),
            ),
            other => Ok(other),
        })
    }

    /// Likewise; an empty answer is `None`.
    pub(super) fn optional(
        &mut self,
        value: InitValue,
        given: &Option<String>,
    ) -> Result<Option<String>, Failure> {
        match (given, &mut self.terminal) {
            (None, Some(terminal)) => terminal.ask(question(value), Some(""), |text| match text {
                "" => Ok(None),
                text => value.parse(text).map(Some),
            }),
            _ => Ok(given.clone()),
        }
    }

    /// The error that names every missing flag, if there is one.
    pub(super) fn finish(self) -> Result<(), Failure> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let error = anyhow::anyhow!("missing: {}", self.missing.join(", "));
        let hint =
            "give these flags, or run `secure-score-exporter init` on a terminal, where it asks";
        Err(Failure::of_flags(error, hint))
    }
}

impl Terminal<'_> {
    /// Asks until an answer is valid. An empty answer is the default.
    fn ask<T>(
        &mut self,
        question: &str,
        default: Option<&str>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        loop {
            let shown = default.filter(|default| !default.is_empty());
            let shown = shown.map_or_else(String::new, |default| format!(" [{default}]"));
            write!(self.output, "{question}{shown}: ").context("the terminal cannot be written")?;
            self.output
                .flush()
                .context("the terminal cannot be written")?;
            let mut answer = String::new();
            let read = self.input.read_line(&mut answer);
            if read.context("the terminal cannot be read")? == 0 {
                let error = anyhow::anyhow!("the input ended; nothing was written");
                return Err(error.into());
            }
            let answer = answer.trim();
            let answer = match default {
                Some(default) if answer.is_empty() => default,
                _ => answer,
            };
            match parse(answer) {
                Ok(value) => return Ok(value),
                Err(message) => {
                    writeln!(self.output, "  {message}")
                        .context("the terminal cannot be written")?;
                }
            }
        }
    }
}

const fn question(value: InitValue) -> &'static str {
    match value {
        InitValue::Tenant => "Tenant id or domain",
        InitValue::Partner => "Tenant id or domain of the provider's own tenant",
        InitValue::Name => "Its name in labels",
        InitValue::ClientId => "Client id of the application that reads Secure Score",
        InitValue::PartnerClientId => {
            "Client id of the application in your own tenant that reads the list of customers"
        }
        InitValue::ExporterAddress => "Address at which Prometheus reaches the exporter",
        InitValue::AlertEmail => "E-mail address for alerts (empty for none yet)",
        InitValue::Smarthost => "Mail server (host:port)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command, Init};
    use crate::commands::init::answers::{Answers, Subject};

    const ID: &str = "0a1b2c3d-1111-2222-3333-444444444444";
    const SECOND_ID: &str = "0a1b2c3d-1111-2222-3333-555555555555";

    fn flags(arguments: &[&str]) -> Init {
        let all = ["secure-score-exporter", "init"].iter().chain(arguments);
        match Cli::try_read_from(all).unwrap().command {
            Some(Command::Init(init)) => init,
            other => panic!("{other:?}"),
        }
    }

    /// The answers of a person who types these lines, and what they saw.
    fn typed(arguments: &[&str], lines: &str) -> (Result<Answers, Failure>, String) {
        let mut output = Vec::new();
        let questions = Questions {
            terminal: Some(Terminal {
                input: Box::new(lines.as_bytes()),
                output: Box::new(&mut output),
            }),
            missing: Vec::new(),
        };
        let answers = Answers::collect(&flags(arguments), questions);
        (answers, String::from_utf8(output).unwrap())
    }

    #[test]
    fn a_person_is_asked_again_until_an_answer_is_valid() {
        let lines = format!("\ncontoso\ncontoso.com\n\nx\n{ID}\n\n\n");
        let (answers, shown) = typed(&[], &lines);
        let answers = answers.unwrap();
        assert!(matches!(answers.subject, Subject::Tenant));
        assert_eq!(answers.tenant_id, "contoso.com");
        assert_eq!(answers.name, "contoso");
        assert_eq!(answers.exporter_address, "127.0.0.1:10365");
        assert!(answers.mail.is_none());
        assert_eq!(shown.matches("Tenant id or domain: ").count(), 2, "{shown}");
        assert!(shown.contains("not a GUID"), "{shown}");
    }

    #[test]
    fn a_cut_domain_is_asked_again_and_a_domain_is_no_name() {
        let lines =
            format!("contoso.onmicrosoft\ncontoso.onmicrosoft.com\nfabrikam.com\n\n{ID}\n\n\n");
        let (answers, shown) = typed(&["--tenant=contoso.com"], "contoso.com\n");
        assert!(answers.is_err(), "{shown}");
        let (answers, shown) = typed(&[], &format!("tenant\n{lines}"));
        let answers = answers.unwrap();
        assert_eq!(answers.tenant_id, "contoso.onmicrosoft.com");
        assert_eq!(answers.name, "contoso");
        assert!(
            shown.contains("did you mean contoso.onmicrosoft.com?"),
            "{shown}"
        );
        assert!(shown.contains("this is a domain"), "{shown}");
    }

    #[test]
    fn only_what_no_flag_gives_is_asked() {
        let lines = format!("msp\n{ID}\n{SECOND_ID}\n");
        let given = [
            "--partner=msp.com",
            &format!("--client-id={ID}"),
            "--exporter-address=exporter:10365",
            "--alert-email=a@example.org",
            "--smarthost=smtp.example.org:25",
        ];
        let (answers, shown) = typed(&given, &lines);
        let answers = answers.unwrap();
        assert!(
            matches!(answers.subject, Subject::Partner { client_id } if client_id == SECOND_ID)
        );
        assert_eq!(shown.matches(": ").count(), 3, "{shown}");
        assert!(shown.contains("register a second application"), "{shown}");
    }

    #[test]
    fn an_input_that_ends_is_an_error() {
        let (answers, _) = typed(&[], "partner\n");
        let error = answers.err().unwrap();
        assert!(
            format!("{error:?}").contains("the input ended"),
            "{error:?}"
        );
    }
}
