//! Starts the server, and stops it on a signal.

use std::{
    io::{self, Write as _},
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use prokura_server::{http, store::SqliteAccess};
use rustix::process::{Resource, getrlimit, setrlimit};
use tracing::{info, warn};

use super::{background::BackgroundTasks, signals::Signals, welcome::welcome};
use crate::{
    authority, config::Config, failure::Failure, first_start, logging::Log, resource_difference,
    tls::CertificateReloader,
};

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn run(config: &Config, log: &Log) -> Result<(), Failure> {
    raise_file_limit();
    // First, because it fails most often and leaves no files behind. With port 0, only the listener knows the port.
    let listener = bind(config.listen)?;
    let address = listener
        .local_addr()
        .context("cannot read the address of the listener")?;
    let public_url = config.public_url(address);
    let url = public_url.to_string();
    let reloader = config
        .tls
        .clone()
        .map(|files| CertificateReloader::start(files, public_url))
        .transpose()?;
    let tls = reloader.as_ref().map(CertificateReloader::tls);
    let authority = Arc::new(authority::open(config, address, SqliteAccess::Server).await?);
    let credentials = first_start::run(&authority, &config.data_dir, &url).await?;
    let difference = authority.publish_resources().await?;
    resource_difference::log_published(&difference);

    let signals = Signals::new().context("cannot handle signals")?;
    announce(config.scheme(), address, &url, credentials.as_deref()).map_err(Failure::output)?;
    if let Some(reloader) = reloader {
        tokio::spawn(reloader.run());
    }
    let background = BackgroundTasks::start(&authority, log);
    let served = http::serve(listener, tls, authority, signals.first()).await;
    background.stop().await;
    served.context("the server failed")?;
    info!("stopped");
    Ok(())
}

/// Raises the limit of open files to the maximum. Each connection is an open file, and the usual limit is 1,024.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        warn!(%error, "cannot raise the limit of open files, which limits the number of connections");
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bind = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    bind().map_err(|error: io::Error| {
        let failure = Failure::new(format!("cannot listen on {address}: {error}"));
        match error.kind() {
            io::ErrorKind::AddrInUse => failure.hint(
                "stop the process that uses the port, or choose another one with --listen (port 0 picks a free port)",
            ),
            io::ErrorKind::PermissionDenied => {
                failure.hint("choose a port above 1023 with --listen")
            }
            io::ErrorKind::AddrNotAvailable => {
                failure.hint("choose an address of this machine with --listen")
            }
            _ => failure,
        }
    })
}

/// Prints the welcome text on a first start, then the line that tells that the server accepts connections.
fn announce(
    scheme: &str,
    address: SocketAddr,
    url: &str,
    credentials: Option<&Path>,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if let Some(path) = credentials {
        write!(out, "{}", welcome(url, &std::path::absolute(path)?))?;
    }
    writeln!(out, "prokura is serving on {scheme}://{address}")?;
    out.flush()
}
