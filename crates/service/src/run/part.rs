//! The shape in which a service is handed to a binary, and the host that runs one part or several
//! on one port.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Router, middleware};
use http::{Method, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

use crate::http::access::{self, Access};
use crate::http::{content, describe, home, reflection, server};
use crate::observe::health::{self, Readiness, Version};
use crate::observe::metrics;
use crate::observe::trace::trace_request;

/// Whose tasks they are that belong to no service.
const HOST: &str = "host";

/// How a task ended badly.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;

type TaskFuture = Pin<Box<dyn Future<Output = Result<(), TaskError>> + Send>>;

/// Work that runs with the routes until the shutdown token that it was made with is cancelled.
pub struct Task {
    /// What it does, for logs: `minute timer`.
    pub name: &'static str,
    future: TaskFuture,
}

impl Task {
    /// A task. Ending with an error, or before the shutdown, ends the whole process in order:
    /// what it did is not done any more. It has [`server::DRAIN_MS_MAX`] to end after the
    /// shutdown, then it is dropped at its next await.
    pub fn new<F, E>(name: &'static str, future: F) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<TaskError>,
    {
        Self { name, future: Box::pin(async move { future.await.map_err(Into::into) }) }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).finish_non_exhaustive()
    }
}

/// One service: its routes, their description, its tasks. Parts on one port must not share a path.
pub struct Part {
    /// The service: `time-manager`.
    pub name: &'static str,
    /// REST and gRPC routes, without the access check; its fallbacks are replaced by the host's.
    pub router: Router,
    /// The description of the REST routes, merged into `/openapi.json`.
    pub openapi: OpenApi,
    /// The descriptors of its gRPC services, an encoded `FileDescriptorSet` each: what reflection
    /// lists.
    pub descriptors: Vec<&'static [u8]>,
    /// What runs with them.
    pub tasks: Vec<Task>,
    /// Paths of streams for browsers, whose GET takes a ticket in place of the key.
    pub ticket_paths: Vec<&'static str>,
}

impl Part {
    /// A part with routes only.
    pub fn new(name: &'static str, router: Router) -> Self {
        let (descriptors, tasks, ticket_paths) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, router, openapi: OpenApi::default(), descriptors, tasks, ticket_paths }
    }

    /// The same part, described.
    #[must_use]
    pub fn with_openapi(mut self, openapi: OpenApi) -> Self {
        self.openapi = openapi;
        self
    }

    /// The same part, where a ticket opens the stream at `path`.
    #[must_use]
    pub fn with_ticket_path(mut self, path: &'static str) -> Self {
        self.ticket_paths.push(path);
        self
    }

    /// The same part with gRPC services, described by an encoded `FileDescriptorSet`.
    #[must_use]
    pub fn with_descriptors(mut self, descriptors: &'static [u8]) -> Self {
        self.descriptors.push(descriptors);
        self
    }

    /// The same part with one more task.
    #[must_use]
    pub fn with_task(mut self, task: Task) -> Self {
        self.tasks.push(task);
        self
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut part = f.debug_struct("Part");
        part.field("name", &self.name).field("tasks", &self.tasks).finish_non_exhaustive()
    }
}

/// A task ended where it should have gone on.
#[derive(Debug, thiserror::Error)]
#[error("{part}: task `{task}` ended: {reason}")]
pub struct TaskEnded {
    /// The service whose task it was.
    pub part: &'static str,
    /// The task.
    pub task: &'static str,
    /// Why: the text of its error with its causes, or that it ended by itself.
    pub reason: String,
}

/// Runs parts on one port.
#[derive(Debug)]
pub struct Host {
    name: String,
    access: Access,
    readiness: Readiness,
    parts: Vec<Part>,
    waits_for: Option<&'static str>,
}

impl Host {
    /// A host without parts; `name` is the program, for `/version` and `/openapi.json`.
    pub fn new(name: impl Into<String>, access: Access) -> Self {
        let (readiness, parts) = (Readiness::default(), Vec::new());
        Self { name: name.into(), access, readiness, parts, waits_for: None }
    }

    /// The same host, ready when `readiness` is.
    #[must_use]
    pub fn with_readiness(mut self, readiness: Readiness) -> Self {
        self.readiness = readiness;
        self
    }

    /// The same host while its parts wait for something: a path that nothing serves is unavailable
    /// (503) instead of missing (404).
    #[must_use]
    pub fn waiting_for(mut self, what: &'static str) -> Self {
        self.waits_for = Some(what);
        self
    }

    /// The same host with one more part.
    #[must_use]
    pub fn with(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// All routes behind the access check, and the tasks that belong to them. [`Host::run`] serves
    /// this; tests may serve it themselves.
    pub fn assemble(mut self) -> (Router, Vec<(&'static str, Task)>) {
        let version = Version::of(self.name);
        let paths = self.parts.iter().flat_map(|part| &part.ticket_paths);
        let ticket_paths: Vec<&'static str> = paths.copied().collect();
        if !ticket_paths.is_empty() {
            let (routes, description) = access::tickets::routes(self.access.tickets());
            self.parts.push(Part::new("tickets", routes).with_openapi(description));
        }
        let described = self.parts.iter().map(|part| part.openapi.clone());
        let openapi = describe::document(&version, self.access.has_key(), described);
        let page = home::page(&openapi);
        let mut router = health::routes(self.readiness, version, self.access.has_key());
        let (mut descriptors, mut tasks) = (Vec::new(), Vec::new());
        for part in self.parts {
            router = router.merge(part.router.reset_fallback());
            descriptors.extend(part.descriptors);
            tasks.extend(part.tasks.into_iter().map(|task| (part.name, task)));
        }
        match reflection::routes(&descriptors) {
            Ok(reflection) => router = router.merge(reflection),
            // What was compiled in is wrong; all else is served.
            Err(error) => tracing::error!(%error, "gRPC reflection is not served"),
        }
        if worldbus_bus::trace::is_on() {
            router = router.layer(middleware::from_fn(trace_request));
        }
        let router = router
            .route("/", get(move || async move { home::respond(page) }))
            .route("/openapi.json", get(move || async move { axum::Json(openapi) }))
            .fallback(move |request: Request| async move { missing(&request, self.waits_for) })
            .method_not_allowed_fallback(method_not_allowed)
            .layer(middleware::from_fn(metrics::count_request));
        (self.access.with_ticket_paths(ticket_paths).guard(router), tasks)
    }

    /// Serves and runs the tasks until `shutdown`, then drains. Tasks and connections have
    /// [`server::DRAIN_MS_MAX`] together; what is left then is dropped.
    ///
    /// # Errors
    /// [`TaskEnded`] when a task ended before the shutdown, or ended with an error; the rest was
    /// drained nevertheless.
    pub async fn run(
        self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> Result<(), TaskEnded> {
        metrics::install();
        let condition = self.readiness.condition("running");
        let (router, tasks) = self.assemble();
        let mut running = JoinSet::new();
        let upkeep = metrics::upkeep(shutdown.clone());
        let upkeep = Task::new("metrics upkeep", upkeep);
        for (part, task) in tasks.into_iter().chain([(HOST, upkeep)]) {
            let (name, watch) = (task.name, shutdown.clone());
            // A panic is caught by its own task, so that we know whose it was.
            let handle = tokio::spawn(task.future);
            running.spawn(watch_task(part, name, handle, watch));
        }
        if let Ok(listen) = listener.local_addr() {
            tracing::info!(%listen, "listening");
        }
        condition.met();
        let mut serve = tokio::spawn(server::serve(listener, router, shutdown.clone()));
        let ended = tokio::select! {
            ended = until_shutdown(&mut running, &shutdown) => ended,
            served = &mut serve => server_ended(served),
        };
        condition.ended();
        shutdown.cancel();
        let served = async { if serve.is_finished() { Ok(()) } else { server_ended(serve.await) } };
        let (drained, served) = tokio::join!(drain(running), served);
        ended.and(drained).and(served)
    }
}

/// The port serves until the shutdown: only a panic ends it before.
fn server_ended(served: Result<usize, tokio::task::JoinError>) -> Result<(), TaskEnded> {
    let ended = |error: tokio::task::JoinError| {
        let reason = error.to_string();
        tracing::error!(part = HOST, task = "server", reason, "task ended");
        TaskEnded { part: HOST, task: "server", reason }
    };
    served.map(drop).map_err(ended)
}

async fn watch_task(
    part: &'static str,
    task: &'static str,
    handle: tokio::task::JoinHandle<Result<(), TaskError>>,
    shutdown: CancellationToken,
) -> Result<(), TaskEnded> {
    let abort = AbortOnDrop(handle.abort_handle());
    let ended = handle.await;
    drop(abort);
    let reason = match ended {
        Ok(Ok(())) if shutdown.is_cancelled() => return Ok(()),
        Ok(Ok(())) => "it stopped by itself".to_owned(),
        Ok(Err(error)) => worldbus_bus::with_causes(error.as_ref()),
        Err(error) => error.to_string(),
    };
    tracing::error!(part, task, reason, "task ended");
    Err(TaskEnded { part, task, reason })
}

/// Dropping a `JoinHandle` would leave its task running.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for the shutdown, or for the first task that ends badly.
async fn until_shutdown(
    running: &mut JoinSet<Result<(), TaskEnded>>,
    shutdown: &CancellationToken,
) -> Result<(), TaskEnded> {
    loop {
        let ended = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            Some(ended) = running.join_next() => ended,
        };
        // The outer error cannot be: a watch neither panics nor is aborted.
        if let Ok(Err(ended)) = ended {
            return Err(ended);
        }
    }
}

async fn drain(mut running: JoinSet<Result<(), TaskEnded>>) -> Result<(), TaskEnded> {
    let mut result = Ok(());
    let all = async {
        while let Some(ended) = running.join_next().await {
            if let Ok(ended) = ended {
                result = std::mem::replace(&mut result, Ok(())).and(ended);
            }
        }
    };
    if timeout(Duration::from_millis(server::DRAIN_MS_MAX), all).await.is_err() {
        tracing::warn!("tasks still ran after the drain; dropped");
    }
    running.shutdown().await;
    result
}

/// The answer where nothing is served, or not yet.
fn missing(request: &Request, waits_for: Option<&str>) -> Response {
    if let Some(what) = waits_for {
        let detail = format!("waiting for {what}; /readyz has the reason");
        return access::refuse(request.headers(), StatusCode::SERVICE_UNAVAILABLE, &detail);
    }
    if content::is_grpc(request.headers()) {
        let detail = reflection::unknown(request.uri().path());
        return access::refuse(request.headers(), StatusCode::NOT_FOUND, &detail);
    }
    let detail = "nothing is served under this path; /openapi.json lists what is";
    access::refuse(request.headers(), StatusCode::NOT_FOUND, detail)
}

/// The router adds the header `allow`.
async fn method_not_allowed(request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = "this path does not take this method; /openapi.json lists what it takes";
    access::refuse(request.headers(), StatusCode::METHOD_NOT_ALLOWED, detail)
}

#[cfg(test)]
mod tests;
