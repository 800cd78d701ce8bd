//! The certificate of the listener: read from its files, and reloaded when they change.

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

/// How often the files are checked for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// Reads the certificate and the key. Logs a warning if other users can read the key or if the certificate does not cover the
/// host of the public URL. Does not check whether the certificate has expired.
pub(crate) fn read(files: &TlsFiles, url: &PublicUrl) -> anyhow::Result<Certificate> {
    let TlsFiles { certificate, key } = files;
    let chain = fs::read(certificate)
        .with_context(|| format!("cannot read tls.certificate {}", certificate.display()))?;
    let secret = fs::read(key)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read tls.key {}", key.display()))?;
    let certificate = Certificate::from_pem(&chain, &secret).with_context(|| {
        format!(
            "cannot use tls.certificate {} with tls.key {}",
            certificate.display(),
            key.display()
        )
    })?;
    warn_if_open(key);
    let host = url.host();
    if !certificate.names(&host) {
        warn!(
            host,
            "the certificate does not cover the host of the public URL, so clients will reject it"
        );
    }
    Ok(certificate)
}

/// Group read access is allowed: an ACME client often runs as root and shares the key with the server's group.
fn warn_if_open(key: &Path) {
    let mode = fs::metadata(key).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o027 != 0 {
        warn!(
            path = %key.display(),
            mode = format!("{:o}", mode & 0o777),
            "the TLS key can be read by other users; run `chmod 640` or `chmod 600` on it"
        );
    }
}

/// Reloads the certificate of a running server.
pub(crate) struct CertificateReloader {
    files: TlsFiles,
    url: PublicUrl,
    tls: Tls,
    versions: [Option<FileVersion>; 2],
    expires_at: Timestamp,
    expiry_is_logged: bool,
    hangup: Signal,
}

impl CertificateReloader {
    /// Loads the files, which must be valid, and takes over SIGHUP.
    pub(crate) fn start(files: TlsFiles, url: PublicUrl) -> anyhow::Result<Self> {
        let versions = file_versions(&files);
        let certificate = read(&files, &url)?;
        Ok(Self {
            files,
            url,
            versions,
            expires_at: certificate.expires_at(),
            expiry_is_logged: false,
            hangup: signal(SignalKind::hangup()).context("cannot handle SIGHUP")?,
            tls: Tls::new(certificate, Tls::HANDSHAKE_TIMEOUT).context("cannot set up TLS")?,
        })
    }

    /// The TLS settings of the listener. They always use the certificate loaded last.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Reloads the files on SIGHUP and when they change. Never returns.
    pub(crate) async fn run(mut self) {
        let mut interval = tokio::time::interval(CHECK_INTERVAL);
        loop {
            tokio::select! {
                _ = self.hangup.recv() => self.reload(),
                _ = interval.tick() => self.check(),
            }
        }
    }

    fn check(&mut self) {
        if file_versions(&self.files) != self.versions {
            self.reload();
        }
        let has_expired = SystemClock.now().is_ok_and(|now| now >= self.expires_at);
        if has_expired && !self.expiry_is_logged {
            warn!(
                expires_at = %self.expires_at,
                "the certificate has expired, so clients reject it; replace the files and they are reloaded"
            );
        }
        self.expiry_is_logged = has_expired;
    }

    fn reload(&mut self) {
        // Before reading, so that a change during the read leads to another reload.
        self.versions = file_versions(&self.files);
        match read(&self.files, &self.url) {
            Ok(certificate) => {
                self.expires_at = certificate.expires_at();
                self.tls.renew(certificate);
                info!(expires_at = %self.expires_at, "reloaded the certificate; new connections use it");
            }
            Err(error) => warn!(
                error = format!("{error:#}"),
                "cannot reload the certificate; the old one stays in use until the files change or on SIGHUP"
            ),
        }
    }
}

/// The inode and the change time (ctime) of a file, in seconds and nanoseconds. The modification time would miss a change of
/// permissions and a replacement by an older file.
type FileVersion = (u64, i64, i64);

/// The versions of certificate and key. `None`: the file does not exist.
fn file_versions(files: &TlsFiles) -> [Option<FileVersion>; 2] {
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
    async fn files_are_reloaded_only_when_they_have_changed() {
        let (old, new) = (issue(2100), issue(2101));
        let (_directory, mut reloader) = start(&old);
        let files = reloader.files.clone();
        assert_eq!(logged(|| reloader.check()), "");

        // Some tools replace the files one after the other.
        put(&files, &[new[0].clone(), old[1].clone()]);
        let log = logged(|| reloader.check());
        assert!(log.contains("the old one stays in use"), "{log}");
        assert_eq!(logged(|| reloader.check()), "", "it is logged once");
        assert!(reloader.expires_at.to_string().starts_with("2100"));

        put(&files, &new);
        let log = logged(|| reloader.check());
        assert!(log.contains("2101-01-01"), "{log}");
        assert_eq!(logged(|| reloader.check()), "");
    }

    #[tokio::test]
    async fn an_expired_certificate_is_logged_once() {
        let (_directory, mut reloader) = start(&issue(2020));
        let log = logged(|| reloader.check());
        assert!(log.contains("the certificate has expired"), "{log}");
        assert_eq!(logged(|| reloader.check()), "");
    }

    fn start(texts: &[String; 2]) -> (TempDir, CertificateReloader) {
        let directory = tempdir().unwrap();
        let files = TlsFiles {
            certificate: directory.path().join("chain.pem"),
            key: directory.path().join("key.pem"),
        };
        put(&files, texts);
        let url = "https://prokura.example".parse().unwrap();
        (directory, CertificateReloader::start(files, url).unwrap())
    }

    /// A certificate that expires at the beginning of a year, and its key.
    fn issue(year: i32) -> [String; 2] {
        let mut params = CertificateParams::new(["prokura.example".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        [params.self_signed(&key).unwrap().pem(), key.serialize_pem()]
    }

    fn put(files: &TlsFiles, texts: &[String; 2]) {
        for (path, text) in [&files.certificate, &files.key].into_iter().zip(texts) {
            crate::private_files::write(path, text.as_bytes()).unwrap();
        }
    }

    /// What `act` logs.
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
