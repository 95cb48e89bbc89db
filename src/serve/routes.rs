//! The routes, and what every answer has in common.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Extension, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::json;

use super::agent_state;
use super::app::App;
use super::chat::{LARGEST_BODY, chat};
use super::error::{ApiError, Code};
use super::request_id::{self, RequestId};
use super::sessions;
use super::store::DatabaseHealth;

/// All routes over `app`.
pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/health", get(health))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/v1/models", get(models))
        .route("/api/sessions", get(sessions::list))
        .route("/api/sessions/{id}", delete(sessions::delete))
        .route("/api/sessions/{id}/messages", get(sessions::messages))
        .route(
            "/api/sessions/{id}/agent-state",
            get(agent_state::read).put(agent_state::save),
        )
        .route("/v1/chat/completions", post(chat))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn_with_state(Arc::clone(&app), envelope))
        .with_state(app)
}

/// Names the request, counts errors, and lets connections end while draining.
async fn envelope(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if let Some(code) = response.extensions().get::<Code>() {
        app.metrics.count_error(*code);
        tracing::debug!(
            request_id = id.as_str(),
            code = code.name(),
            "request refused"
        );
    }
    let headers = response.headers_mut();
    headers.insert(request_id::HEADER, id.header_value());
    if app.lifecycle.draining().is_cancelled() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn health(State(app): State<Arc<App>>) -> Response {
    let database = app.store.health();
    let active = app.slots.active();
    if let Err(error) = &active {
        tracing::error!(%error, "stream slots cannot be counted");
    }
    let healthy = database == DatabaseHealth::Ok && active.is_ok();
    let status = if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({
        "status": if healthy { "healthy" } else { "unhealthy" },
        "region": app.region,
        "timestamp": format!("{:.3}", Timestamp::now()),
        "database": if database == DatabaseHealth::Ok { "ok" } else { "error" },
        "sse": {
            "activeGlobal": active.unwrap_or_else(|_| app.slots.own()),
            "maxGlobal": app.slots.limits().streams,
        },
    });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn readyz(State(app): State<Arc<App>>) -> Response {
    if app.lifecycle.draining().is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    "ok\n".into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let active = app.slots.active().unwrap_or_else(|_| app.slots.own());
    let mut page = app.metrics.page(active, app.slots.limits(), &app.machine);
    let depth = app.queue.depth();
    page.push_str("# HELP persist_queue_depth Writes that the database does not have yet.\n");
    page.push_str("# TYPE persist_queue_depth gauge\n");
    page.push_str(&format!("persist_queue_depth {depth}\n"));
    let lost = app.queue.lost();
    page.push_str("# HELP persist_lost_total Writes that no database will ever have.\n");
    page.push_str("# TYPE persist_lost_total counter\n");
    page.push_str(&format!("persist_lost_total {lost}\n"));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], page).into_response()
}

async fn models(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    if let Err(error) = app.authenticator.user(request.headers()) {
        return error.response(&id);
    }
    let model = json!({
        "id": app.model.alias(),
        "object": "model",
        "created": 0,
        "owned_by": "geodeploy",
    });
    Json(json!({"object": "list", "data": [model]})).into_response()
}

async fn not_found(Extension(id): Extension<RequestId>, request: Request) -> Response {
    let message = format!("there is no route {}", request.uri().path());
    ApiError::new(Code::NotFound, message).response(&id)
}

async fn method_not_allowed(Extension(id): Extension<RequestId>, request: Request) -> Response {
    let message = format!(
        "{} does not take {}",
        request.uri().path(),
        request.method()
    );
    ApiError::new(Code::MethodNotAllowed, message).response(&id)
}
