//! The CONNECT proxy on the simulator's port. Every tunnel leads to the
//! simulator, whatever host the client names.

use std::io;
use std::time::Duration;

use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::active_faults::{ActiveFaults, FaultTarget};
use crate::fault::FaultKind;

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// The maximum size of a request's head.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// The connection, ready for TLS; `None` if the proxy opened no tunnel.
///
/// A client that needs no proxy starts with TLS.
pub(crate) async fn open_tunnel(
    mut stream: TcpStream,
    faults: &ActiveFaults,
) -> io::Result<Option<TcpStream>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first == [TLS_HANDSHAKE] {
        return Ok(Some(stream));
    }
    let head = read_head(&mut stream).await?;
    let is_connect = head.starts_with(b"CONNECT ");
    let status = match faults.apply(FaultTarget::proxy()).filter(|_| is_connect) {
        Some(FaultKind::Status(status)) => StatusCode::from_u16(status).ok(),
        Some(FaultKind::Reset) => return Ok(None),
        Some(FaultKind::Stall) => std::future::pending().await,
        Some(FaultKind::Slow { millis }) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            Some(StatusCode::OK)
        }
        _ if is_connect => Some(StatusCode::OK),
        _ => Some(StatusCode::NOT_IMPLEMENTED),
    };
    let status = status.unwrap_or(StatusCode::BAD_GATEWAY);
    stream.write_all(response(status).as_bytes()).await?;
    Ok((status == StatusCode::OK).then_some(stream))
}

/// Reads up to the empty line. A client sends nothing after it before the response.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD_BYTES {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

fn response(status: StatusCode) -> String {
    let challenge = match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            "Proxy-Authenticate: Basic realm=\"simulator\"\r\n"
        }
        _ => "",
    };
    let length = match status {
        StatusCode::OK => "",
        _ => "Content-Length: 0\r\n",
    };
    format!("HTTP/1.1 {status}\r\n{challenge}{length}\r\n")
}
