//! `/report`: who needs manual configuration, for programs. It holds personal data, so it is there only for those with the token.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;

use super::{Basis, Shared, guard::say, query::Query, route::NOT_FOUND};
use crate::{
    report::{Format, OwnedRequest, ReportError, ReportStream, Selection},
    store::{ReportFilter, RunId, StoreError},
};

/// `/report`.
pub(super) async fn export(State(shared): State<Arc<Shared>>, method: Method, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let basis = shared.basis();
    if let Err(refusal) = admit(&shared, &basis, &headers).await {
        return refusal;
    }
    let query = match Query::parse(query.as_deref().unwrap_or_default(), &basis.clients) {
        Ok(query) => query,
        Err(problem) => return say(StatusCode::BAD_REQUEST, format!("{problem}\n")),
    };
    let Ok(slot) = shared.exports.clone().try_acquire_owned() else {
        return busy(StatusCode::SERVICE_UNAVAILABLE, "other reports are being read\n");
    };
    match unknown(&shared, &query).await {
        Ok(None) => {}
        Ok(Some(problem)) => return say(StatusCode::NOT_FOUND, format!("{problem}\n")),
        Err(error) => return failed(&error.into()),
    }
    let (kind, name) = kind_of(query.format);
    let dress = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
    if method == Method::HEAD {
        // of a length that nobody knows before it is read
        return (dress, Body::from_stream(stream::empty::<io::Result<Vec<u8>>>())).into_response();
    }
    match ReportStream::begin(&shared.state.reader, request(&shared, &basis, query)).await {
        Ok(report) => {
            // the slot is free again once the stream is dropped, read or not
            let pieces = stream::try_unfold((report, slot), async |(mut report, slot)| match report.next().await {
                Ok(piece) => Ok(piece.map(|piece| (piece, (report, slot)))),
                Err(error) => {
                    failed(&error);
                    // the client sees that the end is missing
                    Err(io::Error::other(error))
                }
            });
            (dress, Body::from_stream(pieces)).into_response()
        }
        Err(error) => failed(&error),
    }
}

/// Lets those in who have the token. Wrong ones wait for their answer, and only a few at a time, so that nobody guesses many.
async fn admit(shared: &Shared, basis: &Basis, headers: &HeaderMap) -> Result<(), Response> {
    let Some(token) = &basis.token else { return Err(say(StatusCode::NOT_FOUND, NOT_FOUND)) };
    let Ok(_guess) = shared.guesses.try_acquire() else {
        return Err(busy(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens\n"));
    };
    let presented = headers.get(header::AUTHORIZATION);
    if presented.is_some_and(|presented| token.is_in(presented.as_bytes())) {
        return Ok(());
    }
    let challenge = if presented.is_some() {
        tracing::warn!("someone asked the listener for the report with a wrong token");
        tokio::time::sleep(WRONG_WAITS).await;
        "Bearer realm=\"autodiscover-audit\", error=\"invalid_token\""
    } else {
        "Bearer realm=\"autodiscover-audit\""
    };
    Err(([(header::WWW_AUTHENTICATE, challenge)], say(StatusCode::UNAUTHORIZED, "a bearer token is needed\n")).into_response())
}

/// What the query names and the database does not have.
async fn unknown(shared: &Shared, query: &Query) -> Result<Option<String>, StoreError> {
    let reader = &shared.state.reader;
    if let Some(run) = query.run
        && !reader.runs(u32::MAX).await?.iter().any(|known| known.id == RunId(run))
    {
        return Ok(Some(format!("the database has no run {run}")));
    }
    if let Some(tenant) = &query.tenant
        && reader.summary(&ReportFilter::default()).await?.iter().all(|known| known.tenant != *tenant)
    {
        return Ok(Some(format!("the database has no tenant `{tenant}`")));
    }
    Ok(None)
}

fn request(shared: &Shared, basis: &Basis, query: Query) -> OwnedRequest {
    let Query { format, needs_manual, tenant, verdicts, clients, run } = query;
    OwnedRequest {
        filter: ReportFilter { tenant, run: run.map(RunId), needs_manual },
        selection: Selection { needs_manual, verdicts, clients },
        format,
        generated_at: shared.state.clock.seconds(),
        remedies: Arc::clone(&basis.remedies),
    }
}

fn kind_of(format: Format) -> (&'static str, &'static str) {
    match format {
        Format::Csv(_) => ("text/csv; charset=utf-8; header=present", "autodiscover-audit.csv"),
        Format::Json => ("application/json", "autodiscover-audit.json"),
        Format::Jsonl => ("application/jsonl", "autodiscover-audit.jsonl"),
        Format::Text { .. } => ("text/plain; charset=utf-8", "autodiscover-audit.txt"),
    }
}

fn busy(status: StatusCode, words: &'static str) -> Response {
    ([(header::RETRY_AFTER, "10")], say(status, words)).into_response()
}

/// Told once, here.
fn failed(error: &ReportError) -> Response {
    tracing::error!(error = error as &dyn std::error::Error, "the report could not be read for the listener");
    say(StatusCode::INTERNAL_SERVER_ERROR, "the report cannot be read\n")
}

const WRONG_WAITS: Duration = Duration::from_secs(1);
