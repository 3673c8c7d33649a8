//! A response before it is serialised.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::body::ResponseBody;
use crate::raw_json;
use crate::recorded_request::Api;

const GRAPH_JSON: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8";
const ENTRA_JSON: &str = "application/json; charset=utf-8";

/// The ids by which Microsoft's logs find a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestIds {
    pub(crate) request: String,
    pub(crate) client: String,
}

impl RequestIds {
    /// A new id, and the client's own if it sent one.
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let request = Uuid::new_v4().to_string();
        let sent = headers.get("client-request-id");
        let sent = sent.and_then(|id| id.to_str().ok());
        Self {
            client: sent.unwrap_or(&request).to_owned(),
            request,
        }
    }
}

/// The result of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    Replied(Reply),
    ConnectionDropped,
}

/// The result of a request, and what the request log records with it.
#[derive(Debug)]
pub(crate) struct LoggedOutcome {
    pub(crate) outcome: Outcome,
    pub(crate) tenant: Option<String>,
    pub(crate) page: u32,
}

impl LoggedOutcome {
    /// The result of the first or only page.
    pub(crate) fn new(outcome: Outcome, tenant: Option<&str>) -> Self {
        Self {
            outcome,
            tenant: tenant.map(str::to_owned),
            page: 1,
        }
    }
}

/// Status, headers and content.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) content: Content,
}

/// The content of a reply.
#[derive(Debug)]
pub(crate) enum Content {
    Json(Value),
    /// JSON that breaks off after its first half.
    HalfJson(Value),
    Text {
        content_type: &'static str,
        text: &'static str,
    },
    /// Compressed bytes.
    Gzipped(Bytes),
    Raw(ResponseBody),
}

impl Reply {
    pub(crate) fn ok(content: Content) -> Self {
        Self {
            status: StatusCode::OK,
            headers: Vec::new(),
            content,
        }
    }

    pub(crate) fn json(status: StatusCode, value: Value) -> Self {
        Self {
            status,
            ..Self::ok(Content::Json(value))
        }
    }

    /// JSON with Entra's content type.
    pub(crate) fn entra_json(status: StatusCode, value: Value) -> Self {
        Self::json(status, value).with(CONTENT_TYPE, ENTRA_JSON)
    }

    #[must_use]
    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// An error in the format of an interface.
    pub(crate) fn error(
        api: Api,
        status: StatusCode,
        ids: &RequestIds,
        code: &str,
        text: &str,
    ) -> Self {
        match api {
            Api::Token => Self::entra_json(status, entra_error(code, text, None, ids)),
            _ => Self::graph_error(status, ids, code, text),
        }
    }

    /// An error in Graph's format.
    pub(crate) fn graph_error(
        status: StatusCode,
        ids: &RequestIds,
        code: &str,
        text: &str,
    ) -> Self {
        let date = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let inner =
            json!({"date": date, "request-id": ids.request, "client-request-id": ids.client});
        let error = json!({"code": code, "message": text, "innerError": inner});
        Self::json(status, json!({"error": error}))
    }

    /// The response, compressed if the client accepts that.
    pub(crate) fn into_response(
        self,
        ids: &RequestIds,
        accepts_gzip: bool,
    ) -> io::Result<Response<ResponseBody>> {
        let (mut headers, body) = self.content.into_parts(accepts_gzip)?;
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
    fn into_parts(self, accepts_gzip: bool) -> io::Result<(HeaderMap, ResponseBody)> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRAPH_JSON));
        let body = match self {
            Self::Json(value) if accepts_gzip => {
                let bytes = gzip(raw_json::to_text(&value).as_bytes())?;
                return Self::Gzipped(bytes.into()).into_parts(accepts_gzip);
            }
            Self::Json(value) => ResponseBody::complete(raw_json::to_text(&value)),
            Self::HalfJson(value) => {
                let text = raw_json::to_text(&value);
                headers.insert(CONTENT_LENGTH, text.len().into());
                ResponseBody::truncated(&text.into())
            }
            Self::Text { content_type, text } => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                ResponseBody::complete(text)
            }
            Self::Gzipped(bytes) => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                ResponseBody::complete(bytes)
            }
            Self::Raw(body) => body,
        };
        Ok((headers, body))
    }
}

/// Entra's format of an error, with or without an AADSTS number.
pub(crate) fn entra_error(code: &str, text: &str, aadsts: Option<u32>, ids: &RequestIds) -> Value {
    let time = Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let (trace, correlation) = (&ids.request, &ids.client);
    let description =
        format!("{text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}");
    json!({
        "error": code,
        "error_description": description,
        "error_codes": aadsts.as_slice(),
        "timestamp": time,
        "trace_id": trace,
        "correlation_id": correlation,
    })
}

/// Compresses fast rather than well.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn header(text: &str) -> io::Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(io::Error::other)
}
