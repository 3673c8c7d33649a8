//! The close of a connection that the server ends while the client sends.
//!
//! After `close` the kernel answers further bytes with a TCP reset. The client's
//! next write fails, and some systems discard its unread data, here the TLS alert
//! with the reason. So the server closes its half and reads until the client
//! closes.

use super::timeouts::TimeoutStream;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// A client closes one round trip after the alert. Half a second is a long one.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// Closes a connection so that the client receives the last bytes. The stream
/// limits how many bytes it sends meanwhile.
pub(super) async fn close(mut stream: TimeoutStream<impl AsyncRead + AsyncWrite + Unpin>) {
    let end = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    // A failure ends the connection too.
    let _ = tokio::time::timeout(LINGER_TIMEOUT, end).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::connection_table::ConnectionActivity;
    use tokio::io::{AsyncReadExt as _, duplex};
    use tokio::net::{TcpListener, TcpStream};

    fn limited<S>(stream: S) -> TimeoutStream<S> {
        TimeoutStream::new(stream, ConnectionActivity::new())
    }

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
        let closed = tokio::spawn(close(limited(server)));
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
        close(limited(server)).await;
    }

    #[tokio::test]
    async fn it_ends_although_the_client_sends_for_ever() {
        let (mut client, server) = duplex(1024);
        let sending =
            tokio::spawn(async move { while client.write_all(&[0; 512]).await.is_ok() {} });
        close(limited(server)).await;
        sending.await.unwrap();
    }
}
