//! `lookout run`: all cameras of a site, with page, API and metrics, until told to stop.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use lookout::alerts::evidence::FOLDER;
use lookout::api;
use lookout::capture::Stop;
use lookout::config::SiteFiles;
use lookout::engine::run::Parts;
use lookout::engine::trails::desk::TrailDesk;
use lookout::telemetry::{Metrics, traces};
use tokio::sync::watch;

use super::common::{print, warn};
use super::notify::Notifier;
use super::signals::Signals;

/// Watch the cameras of a site: detect, follow, apply the rules, journal and dispatch alerts; page, API and metrics on
/// the site's `listen` address. Ends cleanly on Ctrl-C or SIGTERM. Under systemd it says when it is ready and, with a
/// watchdog, that it lives.
///
/// Example: lookout run --config configs/demo.toml
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Site file
    #[arg(long, value_name = "FILE", default_value = "configs/site.toml")]
    config: PathBuf,
}

/// How long deliveries and pages may take to end.
const GRACE: Duration = Duration::from_secs(10);

pub fn run(args: &Args) -> anyhow::Result<()> {
    let files = SiteFiles::load(&args.config)?;
    warn(&files.warnings);
    let files = files.plan;
    let site = files.site.clone();
    let metrics = Metrics::new().context("cannot set up metrics")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Ended before the runtime, which sends the last ones.
    let traces = traces::start(runtime.handle()).map_err(|error| super::Invalid(error.to_string()))?;
    // The port first: a second instance should say so at once.
    let listener = runtime.block_on(api::bind(&site)).map_err(wrong_unless_retry)?;
    let (scheme, address) = (listener.scheme(), listener.address());
    let parts = Parts::open(files, std::sync::Arc::clone(&metrics))?;
    let (hub, plans) = (std::sync::Arc::clone(&parts.hub), std::sync::Arc::clone(&parts.plans));
    let (end, ended) = watch::channel(false);
    let files = api::evidence::Files { root: site.data.join(FOLDER), linker: parts.linker.clone() };
    let trails = std::sync::Arc::new(TrailDesk::new(&site)?);
    let desk = parts.dispatcher.desk();
    let shown = std::sync::Arc::clone(&metrics);
    let state = api::ApiState::new(&site, plans, hub, shown, files, desk, trails, ended.clone())?;
    let first = state.first_admin(std::io::stdout().is_terminal())?;
    let stop = Stop::new();
    let server = runtime.spawn(api::serve(listener, state));
    let signals = runtime.block_on(async { Signals::listen() }).context("cannot watch for signals")?;
    runtime.spawn(signals.watch(stop.clone()));
    let notifier = std::sync::Arc::new(Notifier::from_environment().context("NOTIFY_SOCKET")?);
    let (work, dispatcher) = parts.start(&site, &stop)?;
    let end_all = stop.clone();
    let deliveries = runtime.spawn(async move {
        let done = dispatcher.run(ended).await;
        if let Err(reason) = &done {
            tracing::error!(reason, "alerts are delivered no more: everything ends");
            end_all.set();
        }
        done
    });
    let cameras = site.cameras.len();
    print(&format!("watching {cameras} camera{}: {scheme}://{address}/", if cameras == 1 { "" } else { "s" }))?;
    match first {
        api::First::Known => {}
        api::First::Password(password) => {
            print(&format!("first login: admin, password {password}, to be changed then"))?
        }
        api::First::InFile(path) => print(&format!("first login: admin, password in {}", path.display()))?,
    }
    notifier.ready();
    runtime.spawn(std::sync::Arc::clone(&notifier).watch(metrics));
    let worked = work.wait();
    notifier.stopping();
    // Alerts that ended with the run are in the journal now and get their chance to leave.
    end.send_replace(true);
    let delivered = runtime.block_on(async {
        let finish = async { (deliveries.await, server.await) };
        match tokio::time::timeout(GRACE, finish).await {
            Ok((Ok(delivered), Ok(()))) => delivered,
            Ok(_) => {
                tracing::error!("deliveries or the HTTP server broke off");
                Ok(())
            }
            Err(_) => {
                tracing::warn!("deliveries did not end in time; what is left stays in the outbox");
                Ok(())
            }
        }
    });
    traces.end();
    runtime.shutdown_timeout(Duration::from_secs(1));
    worked.and(delivered).map_err(|reason| anyhow::anyhow!(reason))
}

fn wrong_unless_retry(error: api::ApiError) -> anyhow::Error {
    if error.retry() { error.into() } else { super::Invalid(error.to_string()).into() }
}
