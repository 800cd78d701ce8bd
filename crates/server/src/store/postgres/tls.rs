//! TLS to PostgreSQL: what of the server's certificate is checked, and against whose authority.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::InvalidPostgresUrl;

/// What of the server's certificate is checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verification {
    /// Nothing: nobody can listen, but anybody may answer.
    Nothing,
    /// That an authority in this PEM file signed it.
    Chain(PathBuf),
    /// That, and that it names the host of the URL.
    ChainAndName(Roots),
}

/// Whose signature counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// The authorities that the operating system trusts.
    System,
    /// Those in this PEM file.
    File(PathBuf),
}

/// What makes a socket a TLS connection. Certificates are read here, once.
pub(super) fn connector(
    verification: Verification,
) -> Result<MakeRustlsConnect, InvalidPostgresUrl> {
    // Handed over rather than installed for the whole process: a library has no say in that.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(InvalidPostgresUrl::Tls)?;
    let without_name = |roots| {
        Arc::new(WithoutName {
            provider: provider.clone(),
            roots,
        })
    };
    let mut config = match verification {
        Verification::Nothing => builder
            .dangerous()
            .with_custom_certificate_verifier(without_name(None)),
        Verification::Chain(path) => builder
            .dangerous()
            .with_custom_certificate_verifier(without_name(Some(roots_in(path)?))),
        Verification::ChainAndName(Roots::File(path)) => {
            builder.with_root_certificates(roots_in(path)?)
        }
        Verification::ChainAndName(Roots::System) => {
            builder.with_root_certificates(system_roots()?)
        }
    }
    .with_no_client_auth();
    // PostgreSQL 17 demands it for `sslnegotiation=direct`; before, it is ignored.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

fn roots_in(path: PathBuf) -> Result<RootCertStore, InvalidPostgresUrl> {
    let mut roots = RootCertStore::empty();
    let read = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect::<Result<_, _>>);
    let certificates: Vec<_> = match read {
        Ok(certificates) => certificates,
        Err(source) => return Err(InvalidPostgresUrl::RootsUnreadable { path, source }),
    };
    match roots.add_parsable_certificates(certificates) {
        (0, _) => Err(InvalidPostgresUrl::NoRoots(path)),
        _ => Ok(roots),
    }
}

fn system_roots() -> Result<RootCertStore, InvalidPostgresUrl> {
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs) {
        (0, _) => Err(InvalidPostgresUrl::NoSystemRoots),
        _ => Ok(roots),
    }
}

/// Checks who signed a certificate, or not even that, but never whom it names. That the server holds the certificate's
/// key is always checked.
#[derive(Debug)]
struct WithoutName {
    provider: Arc<CryptoProvider>,
    roots: Option<RootCertStore>,
}

impl ServerCertVerifier for WithoutName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(end_entity)?,
                roots,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
