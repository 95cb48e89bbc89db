//! The application server: OpenAI-compatible streaming in front of a model service, with exact limits.
//!
//! | Module | What it is |
//! |---|---|
//! | [`config`] | the variables of the env file, checked |
//! | [`listen`], `connection`, [`lifecycle`] | sockets, HTTP on them, and a bounded end |
//! | `routes`, `chat`, [`request`], [`error`], [`auth`] | the API |
//! | [`slots`] | the limits, shared by two generations |
//! | [`model`], [`ark`], `echo`, [`retry`] | who answers |
//! | `relay`, [`sse`], [`chunk`], [`deadlines`] | an answer on its way |
//! | `sessions`, `turn`, `recorder` | conversations: shown, continued, kept |
//! | `agent_state` | what agents keep for a while |
//! | [`store`], [`collections`] | the database |
//! | [`metrics`], [`machine`], `logging`, `notify` | what others see of it |
//!
//! It imports nothing of the operator's side but [`crate::secrets`].

mod agent_state;
mod app;
pub mod ark;
pub mod auth;
mod chat;
pub mod chunk;
pub mod collections;
pub mod config;
mod connection;
pub mod deadlines;
mod echo;
pub mod error;
pub mod error_start;
pub mod lifecycle;
pub mod listen;
mod logging;
pub mod machine;
pub mod metrics;
pub mod model;
mod notify;
mod recorder;
mod relay;
pub mod request;
pub mod request_id;
pub mod retry;
mod routes;
mod sessions;
pub mod slots;
pub mod sse;
pub mod store;
mod turn;
pub mod upstream_error;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use app::App;
use config::Config;
pub use error_start::{Ended, StartError};
use lifecycle::{Lifecycle, Shutdown};
use listen::Listeners;
use store::{EmbeddedStore, MongoStore, Store};

/// After open streams were told to end, how long they have to say so to their clients.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// After the last stream, how long the database has to take what is queued.
const LAST_WRITES: Duration = Duration::from_secs(5);
const STREAMS_POLL: Duration = Duration::from_millis(50);

/// Runs the server that the process's variables describe until it is told to end.
///
/// `dev` means loopback only, the echo model, the embedded store and no login; `port` overrides
/// `PORT`. SIGTERM or SIGINT drains, a second one leaves at once.
///
/// # Errors
///
/// When the server cannot start. [`StartError::exit_code`] has the process's exit code.
pub fn main(dev: bool, port: Option<u16>) -> Result<Ended, StartError> {
    let mut variables = config::process_variables();
    if let Some(port) = port {
        variables.insert("PORT".to_owned(), port.to_string());
    }
    let config = Config::from_variables(&variables, dev).map_err(StartError::Config)?;
    logging::begin(&config.logging, &config.server_name);
    listen::raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let shutdown = Shutdown::default();
        shutdown.on_signals()?;
        let listeners = Listeners::open(&config)?;
        let store: Arc<dyn Store> = match &config.database {
            Some(settings) => Arc::new(MongoStore::open(settings).await?),
            None => Arc::new(EmbeddedStore::new(config.state_directory.clone())),
        };
        run(listeners, config, store, shutdown).await
    });
    // A resolver's blocking look-up must not hold up the end.
    runtime.shutdown_background();
    ended
}

/// Serves on `listeners` until `shutdown`, then drains within the configured bound.
///
/// # Errors
///
/// When the limits' files, the token key or the upstream's client cannot be had.
pub async fn run(
    listeners: Listeners,
    config: Config,
    store: Arc<dyn Store>,
    shutdown: Shutdown,
) -> Result<Ended, StartError> {
    let lifecycle = Lifecycle::new(shutdown);
    let app = App::new(&config, store, lifecycle.clone())?;
    let router = routes::router(Arc::clone(&app));
    let mut background = JoinSet::new();
    background.spawn(notify::watch());
    background.spawn(look_at_machine(Arc::clone(&app)));
    let queue = Arc::clone(&app.queue);
    background.spawn(async move { queue.flush_for_ever().await });
    let mut public = JoinSet::new();
    for listener in listeners.public {
        let (stop, close) = (lifecycle.draining().clone(), lifecycle.closing.clone());
        public.spawn(connection::serve(listener, router.clone(), stop, close));
    }
    if let Some(private) = listeners.private {
        let (ended, router) = (lifecycle.ended.clone(), router.clone());
        background.spawn(async move { private.serve(router, ended).await });
    }
    tracing::info!(region = %config.region, model = app.model.alias(), "serving");
    notify::ready();
    lifecycle.draining().cancelled().await;
    tracing::info!(streams = app.slots.own(), "draining");
    notify::draining(app.slots.own());
    let ended = tokio::select! {
        () = lifecycle.leaving().cancelled() => Ended::Cut,
        () = drain(&mut public, &app) => Ended::Drained,
    };
    lifecycle.ended.cancel();
    if ended == Ended::Drained && !app.queue.settled(LAST_WRITES).await {
        let lost = app.queue.depth();
        tracing::error!(lost, "the database did not take the last writes");
    }
    background.shutdown().await;
    tracing::info!(?ended, "ended");
    Ok(ended)
}

/// Waits for the public connections and for every open stream, ever less patiently.
async fn drain(public: &mut JoinSet<()>, app: &App) {
    let (lifecycle, timings) = (&app.lifecycle, app.timings);
    let begin = Instant::now();
    let all = async {
        while public.join_next().await.is_some() {}
        // A stream on the generation's own socket has no public connection.
        while app.slots.own() > 0 {
            tokio::time::sleep(STREAMS_POLL).await;
        }
    };
    let mut all = std::pin::pin!(all);
    // A proxy may be sending on a connection that it believes to be idle: such a request is still
    // served, and its answer asks to close the connection.
    if timeout(timings.linger.min(timings.drain), all.as_mut())
        .await
        .is_ok()
    {
        return;
    }
    lifecycle.closing.cancel();
    if timeout_at(begin + timings.drain, all.as_mut())
        .await
        .is_ok()
    {
        return;
    }
    lifecycle.expired.cancel();
    if timeout(LAST_WORDS, all.as_mut()).await.is_err() {
        tracing::warn!("clients that do not read were cut");
    }
}

async fn look_at_machine(app: Arc<App>) {
    let mut tick = tokio::time::interval(machine::INTERVAL);
    loop {
        tick.tick().await;
        app.machine.look();
    }
}
