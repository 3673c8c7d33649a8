//! The response to a request whose page or table cannot be shown.

use crate::http_types::{Response, response};
use crate::views::{self, PageError, ViewContext};
use hyper::StatusCode;

/// A page that says why; a line of text where data were requested, since a program shows
/// its user no page.
pub(super) fn page_error(error: &PageError, context: &ViewContext<'_>) -> Response {
    let status = match error {
        PageError::InvalidQuery(_) => StatusCode::BAD_REQUEST,
        PageError::UnknownTenant(_)
        | PageError::UnknownControl(_)
        | PageError::UnknownRunbook(_) => StatusCode::NOT_FOUND,
        PageError::NotRendered => StatusCode::INTERNAL_SERVER_ERROR,
    };
    match context.query.wants_data() {
        true => response::text(status, format!("{}\n", views::error_line(error, context))),
        false => response::html(status, views::error(error, context)),
    }
}
