//! A flood of guessed passwords, and a user with the right one.

use super::Secured;
use reqwest::Client;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 40;

/// How long a user may have to wait. Forty hashes take about a second.
const TIMEOUT: Duration = Duration::from_secs(60);

fn client(from: &str) -> Client {
    let address: std::net::IpAddr = from.parse().unwrap();
    let builder = Client::builder().no_proxy().timeout(TIMEOUT);
    builder.local_address(address).build().unwrap()
}

/// Connections that guess another password with each request.
async fn flood(url: &str) -> JoinSet<()> {
    let guesses = Arc::new(AtomicUsize::new(0));
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (url, guesses) = (url.to_owned(), Arc::clone(&guesses));
        connections.spawn(async move {
            let client = client("127.0.0.1");
            loop {
                let guess = guesses.fetch_add(1, Ordering::Relaxed);
                let request = client.get(&url);
                let request = request.basic_auth("user0", Some(format!("guess {guess}")));
                let status = request.send().await.unwrap().status();
                assert!(matches!(status.as_u16(), 401 | 503), "{status}");
            }
        });
    }
    while guesses.load(Ordering::Relaxed) < 2 * CONNECTIONS {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    connections
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_lock_out_no_user() {
    let secured = Secured::new();
    let password = |user: usize| format!("the password of user {user}");
    let users = (0..10).map(|user| {
        let hash = bcrypt::hash(password(user), 8).unwrap();
        format!("  user{user}: {hash}\n")
    });
    let users: String = users.collect();
    let server = secured.serve(&format!("basic_auth_users:\n{users}"));
    let url = format!("http://{}/metrics", server.address);
    let mut guessing = flood(&url).await;
    for (from, users) in [("127.0.0.1", 0..5), ("127.0.0.2", 5..10)] {
        let client = client(from);
        for user in users {
            let request = client.get(&url);
            let request = request.basic_auth(format!("user{user}"), Some(password(user)));
            let status = request.send().await.unwrap().status();
            assert_eq!(status.as_u16(), 200, "user{user} from {from}");
        }
    }
    assert!(guessing.try_join_next().is_none(), "the guesses continue");
}
