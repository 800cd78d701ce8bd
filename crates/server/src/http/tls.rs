//! TLS: one configuration for the life of the server, with a certificate that can be replaced while it runs.

use std::{
    fmt, io,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    CertificateError, RootCertStore, ServerConfig,
    client::{verify_server_cert_signed_by_trust_anchor, verify_server_name},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    server::{ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use zeroize::Zeroizing;

use crate::domain::Timestamp;

/// The TLS of a server. Clones share everything.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    handshake_timeout: Duration,
}

impl Tls {
    /// The default time limit of a handshake.
    pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

    /// TLS 1.3, or 1.2 for older clients, with the cipher suites of rustls (all of them AEAD with forward secrecy, as RFC 9325
    /// requires) and HTTP/1.1 by ALPN. Sessions are resumed by tickets. The ticket keys are replaced every six hours and stay in
    /// this process, so a client that moves to another node makes a full handshake.
    ///
    /// # Errors
    ///
    /// No randomness is available for the ticket keys.
    pub fn new(
        certificate: Certificate,
        handshake_timeout: Duration,
    ) -> Result<Self, rustls::Error> {
        let current = Arc::new(Current(RwLock::new(certificate.certified)));
        // Not installed as the default of the process: that is not for a library to decide.
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_cert_resolver(Arc::clone(&current) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        // The ticket contains the session, so the server stores none.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // One ticket for the next connection, which gets a new one.
        config.send_tls13_tickets = 1;
        Ok(Self {
            acceptor: Arc::new(config).into(),
            current,
            handshake_timeout,
        })
    }

    /// Uses this certificate from the next handshake on. Open connections are not affected. A resumed session uses no
    /// certificate.
    pub fn renew(&self, certificate: Certificate) {
        let mut current = self
            .current
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = certificate.certified;
    }

    /// Makes the handshake. A client that does not speak TLS, but plain HTTP for example, gets at most a TLS alert.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        tokio::time::timeout(self.handshake_timeout, self.acceptor.accept(stream))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// The certificate for the next handshake.
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current(..)")
    }
}

/// A certificate with its chain and its private key, which match. It does not print.
pub struct Certificate {
    certified: Arc<CertifiedKey>,
    expires_at: Timestamp,
}

/// Why a certificate and its key cannot be used. It contains nothing of the key.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCertificate {
    /// The file contains no certificate.
    #[error("the certificate file contains no PEM certificate")]
    NoChain,
    /// The first certificate cannot be parsed.
    #[error("the first certificate cannot be used")]
    UnusableCertificate(#[source] rustls::Error),
    /// The file contains no private key, or an encrypted one.
    #[error("the key file contains no unencrypted PEM private key")]
    NoKey,
    /// The type of the key is not supported.
    #[error("the private key has an unsupported type or size")]
    UnusableKey,
    /// The key belongs to another certificate.
    #[error("the private key does not belong to the first certificate")]
    Mismatch,
}

impl Certificate {
    /// Parses a chain, the server's certificate first, and its private key (PKCS #8, SEC 1 or PKCS #1), both in PEM. An expired
    /// certificate is accepted.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, InvalidCertificate> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or(InvalidCertificate::NoChain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map(Zeroizing::new)
            .map_err(|_| InvalidCertificate::NoKey)?;
        let key = aws_lc_rs::sign::any_supported_type(&key)
            .map_err(|_| InvalidCertificate::UnusableKey)?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => InvalidCertificate::Mismatch,
            error => InvalidCertificate::UnusableCertificate(error),
        })?;
        Ok(Self {
            expires_at: expiry_of(&certified).map_err(InvalidCertificate::UnusableCertificate)?,
            certified: Arc::new(certified),
        })
    }

    /// When the certificate expires (`notAfter`).
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether the certificate is valid for `host`, a name or an address without brackets.
    pub fn names(&self, host: &str) -> bool {
        ServerName::try_from(host).is_ok_and(|host| {
            self.certified
                .end_entity_cert()
                .and_then(ParsedCertificate::try_from)
                .and_then(|certificate| verify_server_name(&certificate, &host))
                .is_ok()
        })
    }
}

/// When the first certificate expires. rustls exposes the date only in the error for an expired certificate, so the certificate
/// is verified at a time when every certificate has expired.
fn expiry_of(certified: &CertifiedKey) -> Result<Timestamp, rustls::Error> {
    const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);
    let verified = verify_server_cert_signed_by_trust_anchor(
        &ParsedCertificate::try_from(certified.end_entity_cert()?)?,
        &RootCertStore::empty(),
        &[],
        UnixTime::since_unix_epoch(YEAR_10000),
        &[],
    );
    match verified {
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
            not_after,
            ..
        })) => Ok(Timestamp::from_millis(
            i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX / 1000) * 1000,
        )),
        Err(error) => Err(error),
        Ok(()) => Err(rustls::Error::General(
            "the certificate never expires".to_owned(),
        )),
    }
}
