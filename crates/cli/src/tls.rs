//! The certificate of the listener: read from its files, and again when somebody has renewed them.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use prokura_server::{
    authority::{Clock as _, SystemClock},
    domain::Timestamp,
    http::{Certificate, Tls},
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};
use zeroize::Zeroizing;

use crate::config::{PublicUrl, TlsFiles};

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// Reads certificate and key, and warns of what they leave to be desired on a server with this public URL. That the
/// certificate has expired is left to the caller, who knows when.
pub(crate) fn read(files: &TlsFiles, url: &PublicUrl) -> anyhow::Result<Certificate> {
    let TlsFiles { certificate, key } = files;
    let chain = fs::read(certificate)
        .with_context(|| format!("cannot read tls.certificate, {}", certificate.display()))?;
    let secret = fs::read(key)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read tls.key, {}", key.display()))?;
    let certificate = Certificate::from_pem(&chain, &secret).with_context(|| {
        format!(
            "cannot use tls.certificate, {}, with tls.key, {}",
            certificate.display(),
            key.display()
        )
    })?;
    warn_if_open(key);
    let host = url.host();
    if !certificate.names(&host) {
        warn!(
            host,
            "the certificate does not name the host of the public URL, so clients that go there will refuse it"
        );
    }
    Ok(certificate)
}

/// The group may read: that is how a key gets from a certificate authority's client, often root, to a server that is not.
fn warn_if_open(key: &Path) {
    let mode = fs::metadata(key).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o027 != 0 {
        warn!(
            path = %key.display(),
            mode = format!("{:o}", mode & 0o777),
            "the TLS key is open to others than its owner and readers of its group; `chmod 640` or `chmod 600` it"
        );
    }
}

/// Keeps the certificate of a running server current.
pub(crate) struct Renewal {
    files: TlsFiles,
    url: PublicUrl,
    tls: Tls,
    seen: [Option<Change>; 2],
    expires_at: Timestamp,
    expiry_is_told: bool,
    hangup: Signal,
}

impl Renewal {
    /// Begins with the files as they are; they have to be in order. From here on SIGHUP no longer ends the process.
    pub(crate) fn begin(files: TlsFiles, url: PublicUrl) -> anyhow::Result<Self> {
        let seen = last_changes(&files);
        let certificate = read(&files, &url)?;
        Ok(Self {
            files,
            url,
            seen,
            expires_at: certificate.expires_at(),
            expiry_is_told: false,
            hangup: signal(SignalKind::hangup()).context("cannot handle SIGHUP")?,
            tls: Tls::new(certificate, Tls::HANDSHAKE_TIMEOUT).context("cannot set up TLS")?,
        })
    }

    /// What the server is to speak.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Reads the files again at each SIGHUP, and when they have changed. It does not end.
    pub(crate) async fn run(mut self) {
        let mut interval = tokio::time::interval(LOOK_INTERVAL);
        loop {
            tokio::select! {
                _ = self.hangup.recv() => self.renew(),
                _ = interval.tick() => self.look(),
            }
        }
    }

    fn look(&mut self) {
        if last_changes(&self.files) != self.seen {
            self.renew();
        }
        let has_expired = SystemClock.now().is_ok_and(|now| now >= self.expires_at);
        if has_expired && !self.expiry_is_told {
            warn!(
                expires_at = %self.expires_at,
                "the certificate has expired, so clients refuse it; renew it, and the files will be read again"
            );
        }
        self.expiry_is_told = has_expired;
    }

    fn renew(&mut self) {
        // What changes while they are read is another change.
        self.seen = last_changes(&self.files);
        match read(&self.files, &self.url) {
            Ok(certificate) => {
                self.expires_at = certificate.expires_at();
                self.tls.renew(certificate);
                info!(expires_at = %self.expires_at, "new connections get the certificate as it is now");
            }
            Err(error) => warn!(
                error = format!("{error:#}"),
                "the certificate cannot be renewed and the old one stays in use; the files are read again when they \
                 change, or on SIGHUP"
            ),
        }
    }
}

/// Which file it is, and when anything about it changed, in seconds and nanoseconds. Not when it was written: one that
/// could not be read may be made readable, and one that takes its place may be older.
type Change = (u64, i64, i64);

/// What certificate and key are now. `None`: there is none.
fn last_changes(files: &TlsFiles) -> [Option<Change>; 2] {
    [&files.certificate, &files.key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
    })
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tempfile::{TempDir, tempdir};

    use super::*;

    #[tokio::test]
    async fn files_are_read_again_when_they_have_changed_and_only_then() {
        let (old, new) = (issue(2100), issue(2101));
        let (_directory, mut renewal) = begin(&old);
        let files = renewal.files.clone();
        assert_eq!(logged(|| renewal.look()), "");

        // In two steps, as some do it, and seen between them.
        put(&files, &[new[0].clone(), old[1].clone()]);
        let log = logged(|| renewal.look());
        assert!(log.contains("the old one stays in use"), "{log}");
        assert_eq!(logged(|| renewal.look()), "", "it is told once");
        assert!(renewal.expires_at.to_string().starts_with("2100"));

        put(&files, &new);
        let log = logged(|| renewal.look());
        assert!(log.contains("2101-01-01"), "{log}");
        assert_eq!(logged(|| renewal.look()), "");
    }

    #[tokio::test]
    async fn that_the_certificate_has_expired_is_told_once() {
        let (_directory, mut renewal) = begin(&issue(2020));
        let log = logged(|| renewal.look());
        assert!(log.contains("the certificate has expired"), "{log}");
        assert_eq!(logged(|| renewal.look()), "");
    }

    fn begin(texts: &[String; 2]) -> (TempDir, Renewal) {
        let directory = tempdir().unwrap();
        let files = TlsFiles {
            certificate: directory.path().join("chain.pem"),
            key: directory.path().join("key.pem"),
        };
        put(&files, texts);
        let url = "https://prokura.example".parse().unwrap();
        (directory, Renewal::begin(files, url).unwrap())
    }

    /// A certificate that expires with the beginning of a year, and its key.
    fn issue(year: i32) -> [String; 2] {
        let mut params = CertificateParams::new(["prokura.example".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        [params.self_signed(&key).unwrap().pem(), key.serialize_pem()]
    }

    fn put(files: &TlsFiles, texts: &[String; 2]) {
        for (path, text) in [&files.certificate, &files.key].into_iter().zip(texts) {
            crate::data_dir::write(path, text.as_bytes()).unwrap();
        }
    }

    /// What is logged meanwhile.
    fn logged(act: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Log(Arc<Mutex<Vec<u8>>>);

        impl io::Write for Log {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, act);
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }
}
