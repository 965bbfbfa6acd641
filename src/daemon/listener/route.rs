//! Which path shows what.

use std::sync::Arc;

use axum::{
    Router,
    http::StatusCode,
    middleware,
    routing::{MethodRouter, get},
};

use super::{Shared, guard, health, report, scrape};

/// All paths, behind the guard.
pub(super) fn routes(shared: &Arc<Shared>) -> Router {
    let paths: [(&str, MethodRouter<Arc<Shared>>); 4] = [
        ("/livez", get(health::live)),
        ("/readyz", get(health::ready)),
        ("/metrics", get(scrape::scrape)),
        ("/report", get(report::export)),
    ];
    paths
        .into_iter()
        .fold(Router::new(), |router, (path, method)| router.route(path, method))
        .fallback(async || guard::say(StatusCode::NOT_FOUND, NOT_FOUND))
        .layer(middleware::from_fn_with_state(shared.clone(), guard::guard))
        .with_state(shared.clone())
}

/// What is answered where nothing is, and where something is kept from everybody.
pub(super) const NOT_FOUND: &str = "nothing here\n";
