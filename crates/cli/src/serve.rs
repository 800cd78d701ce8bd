//! `prokura serve`.

use std::{
    io::{self, Write as _},
    net::{SocketAddr, TcpListener},
    path::Path,
    process,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use prokura_server::{authority::Authority, http, store::SqliteAccess};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{
    join,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::{sleep, timeout},
};
use tracing::{info, warn};

use crate::{authority, config::Config, first_start, tls::Renewal};

const SWEEP_INTERVAL: Duration = Duration::from_secs(600);
/// So far behind is what is known of use after a crash, and what one node knows of another's; with the minute in which they
/// are counted, the refused logins in the audit trail.
const FLUSH_PAUSE: Duration = Duration::from_secs(3);
/// The same where very many accounts are used, so that writing that down takes a twentieth of the time and no more.
const LONGEST_FLUSH_PAUSE: Duration = Duration::from_secs(30);
/// How long the last flush may take.
const LAST_FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until a signal ends it.
pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    raise_file_limit();
    // First what fails most often and leaves nothing behind; and only the listener knows its port.
    let listener = bind(config.listen)?;
    let address = listener
        .local_addr()
        .context("cannot tell the listener's address")?;
    let public_url = config.public_url(address);
    let url = public_url.to_string();
    let renewal = config
        .tls
        .clone()
        .map(|files| Renewal::begin(files, public_url))
        .transpose()?;
    let tls = renewal.as_ref().map(Renewal::tls);
    let authority = Arc::new(authority::open(config, address, SqliteAccess::Server).await?);
    let credentials = first_start::run(&authority, &config.data_dir, &url).await?;

    let signals = Signals::new().context("cannot handle signals")?;
    announce(config.scheme(), address, &url, credentials.as_deref())
        .context("cannot write to standard output")?;
    let sweeping = tokio::spawn(sweep(Arc::clone(&authority)));
    if let Some(renewal) = renewal {
        tokio::spawn(renewal.run());
    }
    let (stop_flushing, stopped) = oneshot::channel();
    let flushing = tokio::spawn(flush(Arc::clone(&authority), stopped));
    let served = http::serve(listener, tls, authority, signals.first()).await;
    sweeping.abort();
    drop(stop_flushing);
    if timeout(LAST_FLUSH_TIMEOUT, flushing).await.is_err() {
        warn!(
            "what was counted in the last seconds is not recorded: the store does not answer in time"
        );
    }
    served.context("the server failed")?;
    info!("stopped");
    Ok(())
}

/// Every connection is an open file. Systems let a process have 1,024 of them unless it asks for more, and allow far more.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        warn!(%error, "could not raise the limit of open files, which limits connections");
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bind = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    bind().map_err(|error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "; stop what listens there, or choose another port with --listen (port 0 picks a free one)"
            }
            io::ErrorKind::PermissionDenied => "; choose a port above 1023 with --listen",
            io::ErrorKind::AddrNotAvailable => "; choose an address of this machine with --listen",
            _ => "",
        };
        anyhow::anyhow!("cannot listen on {address}: {error}{hint}")
    })
}

/// Tells standard output that connections are accepted, and before that, on a first start, what to do with it.
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

/// The commands keep the secret out of the process list and out of the shell's history.
fn welcome(url: &str, credentials: &Path) -> String {
    let organization = first_start::ORGANIZATION;
    let account = first_start::SERVICE_ACCOUNT;
    let shown = credentials.display();
    let file = shell_quoted(&shown.to_string());
    let token_endpoint = shell_quoted(&format!("{url}/oauth2/token"));
    let accounts = shell_quoted(&format!("{url}/api/v1/service-accounts"));
    format!(
        r#"First start: made the organization "{organization}" and in it the service account "{account}", which may do everything.
Its credentials are in {shown}, for your eyes only. Keep them in a safe place.

Three commands to try (curl and jq): get a token, create a service account, list them all.

TOKEN=$(jq -r '"user = \"\(.clientId):\(.clientSecret)\""' {file} | curl -sS -K - -d grant_type=client_credentials {token_endpoint} | jq -r .access_token)
curl -sS -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{{"name":"my first service account"}}' {accounts}
curl -sS -H "Authorization: Bearer $TOKEN" {accounts}

"#
    )
}

/// One word for a POSIX shell.
fn shell_quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:._-".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

async fn sweep(authority: Arc<Authority>) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        if let Err(error) = authority.sweep().await {
            warn!(
                error = format!("{:#}", anyhow::Error::new(error)),
                "could not forget what has expired: revoked tokens, answers kept for repeats, old counts of use"
            );
        }
    }
}

/// Records what was counted, use and refused logins, every few seconds, and the rest when `stopped` says that no request
/// follows. It is not to be ended in the middle of a flush: what is being written would be written again.
async fn flush(authority: Arc<Authority>, mut stopped: oneshot::Receiver<()>) {
    let described = |error| format!("{:#}", anyhow::Error::new(error));
    let mut pause = FLUSH_PAUSE;
    let mut is_failing = false;
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            () = sleep(pause) => {}
            // Where nothing can be written, trying more often helps nobody.
            () = authority.flush_is_due(), if !is_failing => {}
        }
        let begun = Instant::now();
        let (usage, logins) = join!(authority.flush_usage(), authority.flush_refused_logins());
        pause = (begun.elapsed() * 19).clamp(FLUSH_PAUSE, LONGEST_FLUSH_PAUSE);
        // Of an outage the beginning is logged, and the end.
        match usage.and(logins) {
            Ok(()) if is_failing => info!("what was counted is recorded again; nothing was lost"),
            Err(error) if !is_failing => warn!(
                error = described(error),
                "what was counted (use, refused logins) cannot be recorded; it is kept in memory and tried again"
            ),
            _ => continue,
        }
        is_failing = !is_failing;
    }
    let (usage, logins) = join!(
        authority.flush_all_usage(),
        authority.flush_all_refused_logins()
    );
    if let Err(error) = usage.and(logins) {
        warn!(
            error = described(error),
            "what was counted in the last seconds (use, refused logins) is not recorded"
        );
    }
}

/// SIGTERM and SIGINT, caught from here on.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the first signal. The second ends the process at once.
    async fn first(mut self) {
        let (name, _) = self.next().await;
        info!(
            signal = name,
            "stopping: finishing what is in flight; another signal ends at once"
        );
        tokio::spawn(async move {
            let (name, number) = self.next().await;
            warn!(signal = name, "ended at once");
            process::exit(128 + number);
        });
    }

    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
            _ = self.interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_the_shell_stays_one_word() {
        assert_eq!(shell_quoted("/var/lib/prokura"), "/var/lib/prokura");
        assert_eq!(shell_quoted("/my data/$x"), "'/my data/$x'");
        assert_eq!(shell_quoted("it's"), r"'it'\''s'");
        assert_eq!(shell_quoted(""), "''");
    }
}
