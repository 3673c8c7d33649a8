//! Messages as Alertmanager sends them, and the page that shows them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use alert_inbox::{AlertInbox, Introduction, PAGES_PATH, Subject, TICKETS_PATH};
use jiff::Timestamp;
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PAGE: &str = r#"{"routing_key":"k","dedup_key":"d","event_action":"trigger","payload":{
    "summary":"A risk is accepted","severity":"critical",
    "custom_details":{"alerts":"See <http://127.0.0.1:1/x>","tenant":"contoso","control":"A"}}}"#;

const TICKET: &str = r#"{"status":"firing","commonLabels":{"tenant":"contoso"},
    "commonAnnotations":{"summary":"The data are old."},"alerts":[]}"#;

const MAIL: &str = "EHLO here\r\nAUTH PLAIN AGEAYg==\r\nMAIL FROM:<from@example.org>\r\n\
    RCPT TO:<on-call@example.org>\r\nDATA\r\nFrom: from@example.org\r\n\
    Subject: =?utf-8?q?A_risk_=E2=9C=93?=\r\n\
    Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\
    Content-Type: text/plain; charset=UTF-8\r\n\r\nplain\r\n..dot\r\n--b\r\n\
    Content-Type: text/html; charset=UTF-8\r\n\r\n<p>rich</p>\r\n--b--\r\n.\r\nQUIT\r\n";

async fn start() -> AlertInbox {
    let decided = Arc::new(OnceLock::new());
    let known = Arc::clone(&decided);
    let decision_time = move |subject: &Subject| {
        let decided = known.get().copied();
        decided.filter(|_| subject.control == "A")
    };
    let inbox = AlertInbox::start(0, Box::new(decision_time)).await.unwrap();
    decided.set(Timestamp::now()).unwrap();
    inbox
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn post(inbox: &AlertInbox, path: &str, body: &'static str) -> u16 {
    let url = format!("http://{}{path}", inbox.web_address());
    let response = http().post(url).body(body).send().await.unwrap();
    response.status().as_u16()
}

async fn get(inbox: &AlertInbox, path: &str) -> (u16, String, String) {
    let url = format!("http://{}{path}", inbox.web_address());
    let response = http().get(url).send().await.unwrap();
    let status = response.status().as_u16();
    let policy = response.headers().get("content-security-policy");
    let policy = policy.map_or("", |it| it.to_str().unwrap()).to_owned();
    (status, policy, response.text().await.unwrap())
}

#[tokio::test]
async fn pages_tickets_and_mails_are_shown_as_they_arrived() {
    let inbox = start().await;
    inbox.introduce(Introduction {
        expected: "A risk is accepted soon.".to_owned(),
        sentences: vec!["A sentence.".to_owned()],
        links: vec![("Exporter".to_owned(), "http://127.0.0.1:1/".to_owned())],
    });
    let (_, _, empty) = get(&inbox, "/inbox").await;
    assert!(empty.contains("No message has arrived yet."), "{empty}");
    assert!(empty.contains("A risk is accepted soon."), "{empty}");
    assert_eq!(post(&inbox, PAGES_PATH, PAGE).await, 202);
    assert_eq!(post(&inbox, TICKETS_PATH, TICKET).await, 202);
    let mut mail = TcpStream::connect(inbox.mail_address()).await.unwrap();
    mail.write_all(MAIL.as_bytes()).await.unwrap();
    let mut replies = String::new();
    mail.read_to_string(&mut replies).await.unwrap();
    assert!(replies.contains("250 received\r\n221 "), "{replies}");

    let (status, policy, page) = get(&inbox, "/inbox").await;
    assert_eq!(status, 200);
    assert!(policy.contains("default-src 'none'"), "{policy}");
    for part in [
        "A sentence.",
        "<a href=\"http://127.0.0.1:1/\">Exporter</a>",
        "<h2>A risk is accepted</h2>",
        " s after the decision</strong>",
        "See &lt;",
        "<h2>contoso: The data are old.</h2>",
        "<h2 class=\"unseen\">A risk ✓</h2>",
        "From from@example.org to on-call@example.org.",
        "plain\n.dot",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("A risk is accepted soon."), "{page}");
    assert!(
        page.find("A risk ✓") < page.find("A risk is accepted"),
        "newest first"
    );
    let (_, policy, html) = get(&inbox, "/inbox/mails/3").await;
    assert_eq!(html, "<p>rich</p>");
    assert!(policy.contains("sandbox"), "{policy}");
    for number in [0, 1, 99] {
        let (status, _, text) = get(&inbox, &format!("/inbox/mails/{number}")).await;
        assert_eq!(status, 404);
        assert!(
            text.starts_with("there is no mail with this number"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_kept_nowhere() {
    let inbox = start().await;
    assert_eq!(post(&inbox, PAGES_PATH, "{}").await, 400);
    assert_eq!(post(&inbox, TICKETS_PATH, "no JSON").await, 400);
    assert_eq!(post(&inbox, "/elsewhere", PAGE).await, 404);
    let (_, _, page) = get(&inbox, "/inbox").await;
    assert!(page.contains("No message has arrived yet."), "{page}");
    for path in ["/inbox/mails/1", "/inbox/mails/x", "/metrics"] {
        assert_eq!(get(&inbox, path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_replaced_by_a_free_one() {
    let first = start().await;
    let port = first.web_address().port();
    let second = AlertInbox::start(port, Box::new(|_| None)).await.unwrap();
    assert_ne!(second.web_address().port(), port);
    assert!(second.url().ends_with("/inbox"));
}
