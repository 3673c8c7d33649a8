//! An answer before it becomes bytes.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::Body;
use super::request_log::Api;

/// The content type Graph gives its answers.
const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8";

/// The one Entra gives.
const PLAIN_JSON: &str = "application/json; charset=utf-8";

/// The two ids an answer can be found by in Microsoft's logs.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) request: String,
    pub(super) client: String,
}

impl Ids {
    /// A new id, and the client's own if it sent one.
    pub(super) fn new(headers: &HeaderMap) -> Self {
        let request = Uuid::new_v4().to_string();
        let sent = headers
            .get("client-request-id")
            .and_then(|id| id.to_str().ok());
        Self {
            client: sent.unwrap_or(&request).to_owned(),
            request,
        }
    }
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    Answered(Reply),
    /// The connection is dropped.
    Dropped,
}

/// Status, headers and content.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) content: Content,
}

/// What is in the body.
#[derive(Debug)]
pub(super) enum Content {
    Json(Value),
    /// JSON of which only the first half is sent.
    HalfJson(Value),
    Text {
        content_type: &'static str,
        text: &'static str,
    },
    /// Packed already.
    Gzipped(Bytes),
    Raw(Body),
}

impl Reply {
    pub(super) fn json(status: StatusCode, value: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Json(value),
        }
    }

    pub(super) fn of(content: Content) -> Self {
        Self {
            status: StatusCode::OK,
            headers: Vec::new(),
            content,
        }
    }

    #[must_use]
    pub(super) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With the content type of Entra.
    #[must_use]
    pub(super) fn in_plain_json(self) -> Self {
        self.with(CONTENT_TYPE, PLAIN_JSON)
    }

    /// An error in the shape of the interface it came from.
    pub(super) fn error(
        api: Api,
        status: StatusCode,
        ids: &Ids,
        (code, text): (&str, &str),
    ) -> Self {
        match api {
            Api::Token => Self::json(status, entra_error((code, text), 0, ids)).in_plain_json(),
            Api::Scores | Api::Profiles => Self::json(status, graph_error((code, text), ids)),
        }
    }

    /// The response, packed if the client takes that.
    pub(super) fn into_response(self, ids: &Ids, gzip: bool) -> io::Result<Response<Body>> {
        let (mut headers, body) = self.content.into_parts(gzip)?;
        headers.insert("request-id", header(&ids.request)?);
        headers.insert("client-request-id", header(&ids.client)?);
        for (name, text) in self.headers {
            headers.insert(name, header(&text)?);
        }
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

impl Content {
    fn into_parts(self, gzip: bool) -> io::Result<(HeaderMap, Body)> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        let body = match self {
            Self::Json(value) if gzip => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                Body::whole(pack(value.to_string().as_bytes())?)
            }
            Self::Json(value) => Body::whole(value.to_string()),
            Self::HalfJson(value) => {
                let text = value.to_string();
                headers.insert(CONTENT_LENGTH, text.len().into());
                Body::truncated(text.into())
            }
            Self::Text { content_type, text } => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                Body::whole(text)
            }
            Self::Gzipped(bytes) => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                Body::whole(bytes)
            }
            Self::Raw(body) => body,
        };
        Ok((headers, body))
    }
}

/// Graph's shape of an error.
pub(super) fn graph_error((code, message): (&str, &str), ids: &Ids) -> Value {
    let date = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
    json!({"error": {
        "code": code,
        "message": message,
        "innerError": {"date": date, "request-id": ids.request, "client-request-id": ids.client},
    }})
}

/// Entra's shape of an error; number 0 stands for none.
pub(super) fn entra_error((word, text): (&str, &str), number: u32, ids: &Ids) -> Value {
    let time = Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let (trace, correlation) = (&ids.request, &ids.client);
    let description =
        format!("{text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}");
    let codes: Vec<u32> = Some(number)
        .into_iter()
        .filter(|number| *number != 0)
        .collect();
    json!({
        "error": word,
        "error_description": description,
        "error_codes": codes,
        "timestamp": time,
        "trace_id": trace,
        "correlation_id": correlation,
    })
}

/// Packs quickly; the other end of a loopback does not mind a few bytes.
pub(super) fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn header(text: &str) -> io::Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(io::Error::other)
}
