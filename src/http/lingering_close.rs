//! The end of a connection whose client may still be sending.
//!
//! A closed socket answers what still arrives with a reset. The client's next
//! write fails then, and some systems drop what it has not read yet, so that it
//! does not learn why it was refused. So the server says that it will send
//! nothing more, and reads until the client closes too.

use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// A client that reads closes one round trip after the alert; the longest on
/// earth take half a second.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// Several requests with large heads. A client that sends more may get the
/// reset.
const MAX_UNREAD_BYTES: u64 = 64 * 1024;

/// Ends a connection so that what was sent last arrives.
pub(super) async fn close(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let end = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(MAX_UNREAD_BYTES), &mut tokio::io::sink()).await
    };
    // Where it fails the connection is at its end, which is what is wanted.
    let _ = tokio::time::timeout(LINGER_TIMEOUT, end).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;
    use tokio::net::{TcpListener, TcpStream};

    async fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        (client.unwrap(), accepted.unwrap().0)
    }

    #[tokio::test]
    async fn what_was_sent_last_arrives_although_the_client_still_sends() {
        let (mut client, mut server) = connected().await;
        server.write_all(b"refused").await.unwrap();
        let closed = tokio::spawn(close(server));
        for _ in 0..10 {
            client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut received = String::new();
        client.read_to_string(&mut received).await.unwrap();
        assert_eq!(received, "refused");
        drop(client);
        closed.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_although_the_client_stays() {
        let (mut client, server) = duplex(1024);
        client.write_all(b"GET").await.unwrap();
        close(server).await;
    }

    #[tokio::test]
    async fn it_ends_although_the_client_sends_for_ever() {
        let (mut client, server) = duplex(1024);
        let sending =
            tokio::spawn(async move { while client.write_all(&[0; 512]).await.is_ok() {} });
        close(server).await;
        sending.await.unwrap();
    }
}
