//! TLS that ends here: one configuration for the life of the server, and in it a certificate that can be exchanged.

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

/// What makes the server speak TLS. Clones are the same one.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    handshake_timeout: Duration,
}

impl Tls {
    /// What a handshake may take unless there is reason to say otherwise.
    pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

    /// TLS 1.3, or 1.2 for clients that know no better, with rustls' suites (RFC 9325: all of them AEAD with forward
    /// secrecy) and HTTP/1.1 by ALPN. Clients return by session tickets, whose keys live here, are new every six hours and
    /// are never told to another node; there a returning client makes a full handshake.
    ///
    /// # Errors
    ///
    /// Without randomness there are no keys for tickets.
    pub fn new(
        certificate: Certificate,
        handshake_timeout: Duration,
    ) -> Result<Self, rustls::Error> {
        let current = Arc::new(Current(RwLock::new(certificate.certified)));
        // Handed over rather than installed for the whole process: a library has no say in that.
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_cert_resolver(Arc::clone(&current) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        // All that is needed to resume is in the ticket, so nothing is remembered per session.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // One for the next connection; that one gets another.
        config.send_tls13_tickets = 1;
        Ok(Self {
            acceptor: Arc::new(config).into(),
            current,
            handshake_timeout,
        })
    }

    /// Shows this certificate from the next handshake on. Connections that are open stay so, and clients that return by
    /// ticket are not shown one.
    pub fn renew(&self, certificate: Certificate) {
        let mut current = self
            .current
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = certificate.certified;
    }

    /// Makes the handshake. Whoever speaks something else, plain HTTP included, gets at most a TLS alert.
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

/// A certificate with its chain and its private key, parsed and found to belong together. It does not print.
pub struct Certificate {
    certified: Arc<CertifiedKey>,
    expires_at: Timestamp,
}

/// Why certificate and key are of no use. Nothing of the key is in it.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCertificate {
    /// No chain.
    #[error("the certificate file contains no PEM certificate")]
    NoChain,
    /// A first certificate that cannot be read.
    #[error("the first certificate cannot be used")]
    UnusableCertificate(#[source] rustls::Error),
    /// No key, or an encrypted one.
    #[error("the key file contains no unencrypted PEM private key")]
    NoKey,
    /// A key of a kind that TLS here does not have.
    #[error("the private key has an unsupported type or size")]
    UnusableKey,
    /// A key of something else.
    #[error("the private key does not belong to the first certificate")]
    Mismatch,
}

impl Certificate {
    /// Reads a chain, the server's own certificate first, and its private key (PKCS #8, SEC 1 or PKCS #1), both in PEM.
    /// Whether it has expired is not asked.
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

    /// From when on clients refuse it (`notAfter`).
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether it is for this host, a name or an address without brackets.
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

/// rustls reads dates only where it judges a certificate. So this judges it as somebody would who comes when all have
/// expired, which is what is judged first.
fn expiry_of(certified: &CertifiedKey) -> Result<Timestamp, rustls::Error> {
    const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);
    let judged = verify_server_cert_signed_by_trust_anchor(
        &ParsedCertificate::try_from(certified.end_entity_cert()?)?,
        &RootCertStore::empty(),
        &[],
        UnixTime::since_unix_epoch(YEAR_10000),
        &[],
    );
    match judged {
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
            not_after,
            ..
        })) => Ok(Timestamp::from_millis(
            i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX / 1000) * 1000,
        )),
        Err(error) => Err(error),
        Ok(()) => Err(rustls::Error::General("it never expires".to_owned())),
    }
}
