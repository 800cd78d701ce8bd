//! TLS to PostgreSQL: verifying the server's certificate.

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

use super::address::{InvalidPostgresUrl, Roots, Verification};

/// The TLS connector. It reads the certificates of authorities now.
pub(super) fn connector(
    verification: Verification,
) -> Result<MakeRustlsConnect, InvalidPostgresUrl> {
    // Passed explicitly: a library should not install a provider for the whole process.
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
    // PostgreSQL 17 requires it for `sslnegotiation=direct`; older versions ignore it.
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

/// Verifies a certificate without its names: its chain if there are roots, and always that the server holds its key.
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
