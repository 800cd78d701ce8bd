//! The command line over TLS.

use std::path::Path;

use super::Person;
use crate::{
    harness::process::Finished,
    operations::tls::{issued, serve},
};

#[test]
fn only_certificates_that_the_system_trusts_are_trusted() {
    let (directory, _) = issued();
    let server = serve(&directory, &[]);
    let person = Person::at(&server);
    // These variables name the CAs that the system trusts.
    let token = |trusted: &Path| {
        let mut command = person.command(["token", "--fresh"]);
        command.env_remove("SSL_CERT_DIR");
        command.env("SSL_CERT_FILE", trusted);
        Finished::of(command.output().unwrap())
    };
    let printed = token(&directory.path().join("ca.pem")).succeeded();
    assert!(printed.starts_with("prka_"), "{printed}");

    let (another, _) = issued();
    let error = token(&another.path().join("ca.pem")).failed(1);
    assert!(error.contains(&server.url), "{error}");
    assert!(error.contains("SSL_CERT_FILE"), "{error}");
}
