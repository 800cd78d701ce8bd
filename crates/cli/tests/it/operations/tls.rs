//! H6, T24. TLS that ends at the server, with certificates of a CA that the test makes.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    sync::Arc,
    time::Duration,
};

use prokura_server::http::{Certificate, Tls};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::CertificateDer,
    version::{TLS12, TLS13},
};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::harness::{
    self, Answer, Credentials,
    process::{Prokura, names_in, run},
};

/// Much longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(30);

// What is spoken.

/// H6.
#[test]
fn tls_1_3_and_1_2_both_work() {
    let (directory, authority) = issued();
    let server = serve(&directory, &[]);
    for (version, spoken) in [
        (&TLS13, ProtocolVersion::TLSv1_3),
        (&TLS12, ProtocolVersion::TLSv1_2),
    ] {
        let mut connection = connect(&server.url, &authority.client(&[version]));
        let answer = ask(&mut connection, &token_request(&server.root()));
        assert_eq!(answer.status(), 200, "{answer:?}");
        let token = serde_json::from_str::<Value>(answer.body()).unwrap();
        assert_eq!(token["token_type"], "Bearer");
        assert_eq!(connection.conn.protocol_version(), Some(spoken));
        assert_eq!(connection.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    let mut connection = connect(&server.url, &authority.client(&[&TLS12, &TLS13]));
    ask(&mut connection, &get("/healthz"));
    assert_eq!(
        connection.conn.protocol_version(),
        Some(ProtocolVersion::TLSv1_3),
        "who can speak both is spoken to in 1.3"
    );
}

/// Another TLS implementation than the server's.
#[test]
fn curl_gets_a_token_over_both_versions() {
    let (directory, _) = issued();
    let server = serve(&directory, &[]);
    let Credentials {
        client_id,
        client_secret,
        ..
    } = server.root();
    for version in ["1.2", "1.3"] {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--noproxy", "*"])
            .args([&format!("--tlsv{version}"), "--tls-max", version])
            .arg("--cacert")
            .arg(directory.path().join("ca.pem"))
            .args(["--user", &format!("{client_id}:{client_secret}")])
            .args(["--data", "grant_type=client_credentials"])
            .arg(format!("{}/oauth2/token", server.url))
            .output()
            .expect("these tests need curl: apt-get install curl");
        assert!(output.status.success(), "{output:?}");
        let token = serde_json::from_slice::<Value>(&output.stdout).unwrap();
        assert_eq!(token["expires_in"], 3600);
    }
}

/// H6.
#[test]
fn older_versions_are_refused() {
    const ALERT: u8 = 21;
    const HANDSHAKE: u8 = 22;
    const PROTOCOL_VERSION: u8 = 70;
    let (directory, _) = issued();
    let server = serve(&directory, &[]);
    // The same hello is accepted if it offers 1.2.
    for (minor, refused) in [(1, true), (2, true), (3, false)] {
        let mut stream = tcp(&server.url);
        stream.write_all(&client_hello(minor)).unwrap();
        let mut record = [0; 7];
        stream.read_exact(&mut record).unwrap();
        if refused {
            assert_eq!((record[0], record[6]), (ALERT, PROTOCOL_VERSION));
        } else {
            assert_eq!(record[0], HANDSHAKE);
        }
    }
}

#[test]
fn a_returning_client_resumes_its_session() {
    let (directory, authority) = issued();
    let server = serve(&directory, &[]);
    for version in [&TLS13, &TLS12] {
        let client = authority.client(&[version]);
        for expected in [
            HandshakeKind::Full,
            HandshakeKind::Resumed,
            // The ticket of a resumed session can be used too.
            HandshakeKind::Resumed,
        ] {
            let mut connection = connect(&server.url, &client);
            assert_eq!(ask(&mut connection, &get("/healthz")).status(), 200);
            assert_eq!(
                connection.conn.handshake_kind(),
                Some(expected),
                "{version:?}"
            );
        }
    }
}

// What is not.

/// H6, T24.
#[test]
fn plain_http_gets_no_redirect() {
    let (directory, _) = issued();
    let server = serve(&directory, &[]);
    let mut stream = tcp(&server.url);
    stream
        .write_all(token_request(&server.root()).as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    // The server has not read the whole request, so the system may reset the connection.
    let _ = stream.read_to_end(&mut answer);
    // A TLS alert, or nothing.
    assert!(
        matches!(answer[..], [] | [21, 3, _, 0, 2, 2, _]),
        "{answer:?}"
    );
}

/// H3.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_client_is_cut_off() {
    let (directory, _) = issued();
    let read = |name| fs::read(directory.path().join(name)).unwrap();
    let certificate = Certificate::from_pem(&read("chain.pem"), &read("key.pem")).unwrap();
    let options = harness::Options {
        tls: Some(Tls::new(certificate, Duration::from_millis(20)).unwrap()),
        ..Default::default()
    };
    let server = harness::Prokura::start(harness::Database::Sqlite, options).await;
    assert_eq!(tcp(&server.client.url).read(&mut [0]).unwrap(), 0);
    // A client that stops in the middle of its handshake is cut off too.
    let mut slow = tcp(&server.client.url);
    slow.write_all(&client_hello(3)[..20]).unwrap();
    assert_eq!(slow.read(&mut [0]).unwrap(), 0);
}

// Where it is spoken.

#[test]
fn with_tls_every_url_is_https() {
    let (directory, authority) = issued();
    let server = serve(&directory, &[]);
    let url = &server.url;
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    assert!(server.stdout().contains(&format!("{url}/oauth2/token")));
    let mut connection = connect(url, &authority.client(&[&TLS13]));
    let document = "/.well-known/oauth-authorization-server";
    let answer = ask(&mut connection, &get(document));
    let metadata = serde_json::from_str::<Value>(answer.body()).unwrap();
    assert_eq!(metadata["issuer"], **url);
    assert_eq!(metadata["token_endpoint"], format!("{url}/oauth2/token"));
    assert!(!answer.body().contains("http://"), "{answer:?}");
    let bootstrap = fs::read_to_string(server.data("bootstrap.json")).unwrap();
    assert!(bootstrap.contains(url), "{bootstrap}");
}

#[test]
fn with_tls_the_server_may_listen_beyond_loopback() {
    let (directory, _) = issued();
    let check = |arguments: &[&str]| {
        let arguments = ["check", "--config", "p.toml"].iter().chain(arguments);
        run(directory.path(), arguments)
    };
    let shown = check(&["--listen", "192.0.2.1:8443"]).succeeded();
    assert!(
        shown.contains("public_url = \"https://192.0.2.1:8443\""),
        "{shown}"
    );
    assert!(
        shown.contains("[tls]\ncertificate = \"chain.pem\"\nkey = \"key.pem\"\n"),
        "{shown}"
    );
    assert!(
        shown.contains("is valid until 2100-01-01T00:00:00.000Z"),
        "{shown}"
    );
    let error = check(&["--listen", "0.0.0.0:443"]).failed(2);
    assert!(error.contains("--public-url"), "{error}");
    let error = check(&["--public-url", "http://127.0.0.1"]).failed(2);
    assert!(error.contains("but the server speaks TLS"), "{error}");
}

/// H6.
#[test]
fn hsts_is_sent_over_tls_with_an_https_public_url() {
    let (directory, authority) = issued();
    let client = authority.client(&[&TLS13]);
    for (arguments, expected) in [
        (&[][..], ""),
        (
            &["--public-url", "https://prokura.example"],
            "max-age=31536000",
        ),
    ] {
        let server = serve(&directory, arguments);
        for request in [get("/healthz"), get("/nowhere")] {
            let answer = ask(&mut connect(&server.url, &client), &request);
            assert_eq!(answer.header("strict-transport-security"), expected);
        }
    }
    // RFC 6797 §7.2: HSTS is not sent over plain HTTP. If a proxy terminates TLS, the proxy decides.
    let plain = Prokura::serve_with(
        directory.path(),
        &["--public-url", "https://prokura.example"],
    );
    let answer = plain.client().raw(get("/healthz").as_bytes(), PATIENCE);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.contains("strict-transport"), "{answer}");
}

// Certificates come and go.

#[test]
fn a_renewed_certificate_is_used_without_a_restart() {
    let (directory, authority) = issued();
    let server = serve(&directory, &[]);
    let client = authority.client(&[&TLS13]);
    let mut open = connect(&server.url, &client);
    let first = shown_certificate(&mut open);
    assert_eq!(ask_on(&mut open, "/healthz").status(), 200);

    let renewed = authority.issue(directory.path(), |params| {
        params.not_after = date_time_ymd(2101, 1, 1);
    });
    assert_ne!(renewed, first);
    server.signal("HUP");
    server.logged("2101-01-01");
    // A new client. A client that resumes its session is not shown a certificate.
    let stranger = authority.client(&[&TLS13]);
    let mut fresh = connect(&server.url, &stranger);
    assert_eq!(shown_certificate(&mut fresh), renewed);
    assert_eq!(ask(&mut fresh, &get("/healthz")).status(), 200);

    assert_eq!(
        ask_on(&mut open, "/healthz").status(),
        200,
        "a connection that was open lives on"
    );
    let mut returning = connect(&server.url, &client);
    assert_eq!(ask(&mut returning, &get("/healthz")).status(), 200);
    assert_eq!(
        returning.conn.handshake_kind(),
        Some(HandshakeKind::Resumed)
    );
}

#[test]
fn a_broken_renewal_leaves_the_old_certificate() {
    let (directory, authority) = issued();
    let server = serve(&directory, &[]);
    let shown = || {
        let client = authority.client(&[&TLS13]);
        shown_certificate(&mut connect(&server.url, &client))
    };
    let first = shown();
    let path = |name: &str| directory.path().join(name);
    let key = fs::read_to_string(path("key.pem")).unwrap();
    let another = KeyPair::generate().unwrap().serialize_pem();
    for (text, complaint) in [
        (&*another, "does not belong to the first certificate"),
        ("not a key", "contains no unencrypted PEM private key"),
    ] {
        fs::write(path("key.pem"), text).unwrap();
        server.signal("HUP");
        let line = server.logged(complaint);
        assert!(line.contains("the old one stays in use"), "{line}");
        assert_eq!(shown(), first);
    }
    fs::remove_file(path("chain.pem")).unwrap();
    server.signal("HUP");
    server.logged("cannot read tls.certificate chain.pem");
    assert_eq!(shown(), first);

    let renewed = authority.issue(directory.path(), |params| {
        params.not_after = date_time_ymd(2102, 1, 1);
    });
    server.signal("HUP");
    server.logged("2102-01-01");
    assert_eq!(shown(), renewed);
    assert_no_key(&server.stderr(), &[&key, &another]);
}

#[test]
fn a_server_without_a_usable_certificate_does_not_start() {
    let (directory, authority) = issued();
    let path = |name: &str| directory.path().join(name);
    let key = fs::read_to_string(path("key.pem")).unwrap();
    let another = KeyPair::generate().unwrap().serialize_pem();
    let truncated = &key[..key.len() / 2];
    for (name, text, complaint) in [
        ("chain.pem", None, "cannot read tls.certificate chain.pem"),
        ("key.pem", None, "cannot read tls.key key.pem"),
        ("chain.pem", Some(&*key), "contains no PEM certificate"),
        (
            "key.pem",
            Some(""),
            "contains no unencrypted PEM private key",
        ),
        (
            "key.pem",
            Some(truncated),
            "contains no unencrypted PEM private key",
        ),
        ("key.pem", Some(&another), "does not belong to the first"),
        (
            "key.pem",
            Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            "unsupported type or size",
        ),
        (
            "chain.pem",
            Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "the first certificate cannot be used",
        ),
    ] {
        authority.issue(directory.path(), |_| {});
        match text {
            Some(text) => fs::write(path(name), text).unwrap(),
            None => fs::remove_file(path(name)).unwrap(),
        }
        for command in ["serve", "check"] {
            let arguments = [command, "--listen", "127.0.0.1:0", "--config", "p.toml"];
            let finished = run(directory.path(), arguments);
            assert_no_key(&finished.stderr, &[&key, &another]);
            let error = finished.failed(1);
            assert!(error.contains(complaint), "{error}");
        }
        assert!(!path("prokura-data").exists(), "nothing was made");
    }

    for (table, complaint) in [
        ("certificate = \"chain.pem\"", "set tls.key to"),
        ("key = \"key.pem\"", "set tls.certificate to"),
        ("certificates = \"chain.pem\"", "tls.certificates: unknown"),
    ] {
        fs::write(path("p.toml"), format!("[tls]\n{table}\n")).unwrap();
        let error = run(directory.path(), ["serve", "--config", "p.toml"]).failed(2);
        assert!(error.contains(complaint), "{error}");
    }
    assert_eq!(
        names_in(directory.path()),
        ["ca.pem", "chain.pem", "key.pem", "p.toml"]
    );
}

#[test]
fn a_doubtful_certificate_causes_a_warning() {
    let (directory, authority) = issued();
    authority.issue(directory.path(), |params| {
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let key = directory.path().join("key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let url = ["--public-url", "https://elsewhere.example"];
    let server = serve(&directory, &url);
    server.logged("the certificate has expired");
    server.logged("the TLS key can be read by other users");
    server.logged("does not cover the host of the public URL");

    let check = ["check", "--config", "p.toml"].iter().chain(&url);
    let finished = run(directory.path(), check);
    for told in ["can be read by other users", "does not cover the host"] {
        assert!(finished.stderr.contains(told), "{finished:?}");
    }
    let shown = finished.succeeded();
    assert!(
        shown.contains("expired at 2020-01-01T00:00:00.000Z"),
        "{shown}"
    );

    authority.issue(directory.path(), |_| {});
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let finished = run(directory.path(), ["check", "--config", "p.toml"]);
    assert_eq!(finished.stderr, "", "a group may read the key");
}

// The end.

#[test]
fn in_flight_requests_over_tls_finish_before_the_server_stops() {
    let (directory, authority) = issued();
    let mut server = serve(&directory, &[]);
    let client = authority.client(&[&TLS13]);
    let mut idle = connect(&server.url, &client);
    ask_on(&mut idle, "/healthz");
    // A connection in the middle of its handshake.
    let mut silent = tcp(&server.url);
    silent.write_all(&client_hello(3)).unwrap();
    silent.read_exact(&mut [0; 5]).unwrap();
    let mut busy = connect(&server.url, &client);
    let request = token_request(&server.root());
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = format!("{head}\r\nExpect: 100-continue\r\n\r\n");
    busy.write_all(head.as_bytes()).unwrap();
    let waiting = read_head(&mut busy);
    assert!(waiting.starts_with("HTTP/1.1 100"), "{waiting}");

    server.signal("TERM");
    // Both idle connections are closed while the server waits for the request: one with a TLS close, one without.
    assert_eq!(idle.read(&mut [0]).unwrap(), 0, "close_notify");
    silent.read_to_end(&mut Vec::new()).unwrap();
    busy.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).unwrap();
    assert_eq!(Answer(answer).status(), 200);
    assert!(server.wait().success());
    let log = server.stderr();
    assert!(!log.contains("cut off"), "{log}");
}

// What the tests stand on.

/// The CA.
pub(crate) struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A directory with a CA certificate (`ca.pem`), a certificate of that CA (`chain.pem`, `key.pem`), and the
/// configuration of a server that uses it (`p.toml`).
pub(crate) fn issued() -> (TempDir, Authority) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "an authority");
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
    fs::write(
        directory.path().join("p.toml"),
        "log_level = \"debug\"\n[tls]\ncertificate = \"chain.pem\"\nkey = \"key.pem\"\n",
    )
    .unwrap();
    let authority = Authority {
        certificate: certificate.der().clone(),
        issuer: Issuer::new(params, key),
    };
    authority.issue(directory.path(), |_| {});
    (directory, authority)
}

impl Authority {
    /// Issues a certificate for this machine until 2100, after `change` has been applied. Writes it and a new key into
    /// `directory` and returns it.
    fn issue(
        &self,
        directory: &Path,
        change: impl FnOnce(&mut CertificateParams),
    ) -> CertificateDer<'static> {
        let names = ["127.0.0.1", "192.0.2.1", "prokura.example"].map(str::to_owned);
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = date_time_ymd(2100, 1, 1);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(directory.join("chain.pem"), certificate.pem()).unwrap();
        let path = directory.join("key.pem");
        fs::write(&path, key.serialize_pem()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        certificate.der().clone()
    }

    /// A client that trusts this CA and has its own session cache.
    fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

pub(crate) fn serve(directory: &TempDir, arguments: &[&str]) -> Prokura {
    let arguments = [&["--config", "p.toml"], arguments].concat();
    Prokura::serve_with(directory.path(), &arguments)
}

type Connection = StreamOwned<ClientConnection, TcpStream>;

fn tcp(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.trim_start_matches("https://")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A connection after the handshake.
fn connect(url: &str, client: &Arc<ClientConfig>) -> Connection {
    let mut stream = tcp(url);
    let host = "127.0.0.1".try_into().unwrap();
    let mut session = ClientConnection::new(Arc::clone(client), host).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut stream).unwrap();
    }
    StreamOwned::new(session, stream)
}

/// The certificate that the server has shown on a connection.
fn shown_certificate(connection: &mut Connection) -> CertificateDer<'static> {
    connection.conn.peer_certificates().unwrap()[0].clone()
}

/// Sends a request with `Connection: close` and reads to the end, which must be a TLS close.
fn ask(connection: &mut Connection, request: &str) -> Answer {
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    Answer(answer)
}

/// Sends a request on a connection that stays open.
fn ask_on(connection: &mut Connection, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let head = Answer(read_head(connection));
    let length = head.header("content-length").parse::<usize>().unwrap();
    let mut body = vec![0; length];
    connection.read_exact(&mut body).unwrap();
    head
}

fn read_head(connection: &mut Connection) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
}

fn token_request(client: &Credentials) -> String {
    let body = "grant_type=client_credentials";
    format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        client.basic(),
        body.len()
    )
}

/// RFC 5246 §7.4.1.2: a client hello for version 3.`minor` (TLS 1.0 is 3.1), with cipher suites and extensions for all
/// versions.
fn client_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![3, minor];
    hello.extend([7; 32]);
    hello.push(0);
    // ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 of 1.2, ECDHE_ECDSA_WITH_AES_128_CBC_SHA of those before.
    hello.extend([0, 4, 0xc0, 0x2b, 0xc0, 0x09]);
    hello.extend([1, 0]);
    let extensions = [
        // supported_groups: secp256r1; ec_point_formats: uncompressed; signature_algorithms: ecdsa_secp256r1_sha256.
        &[0, 10, 0, 4, 0, 2, 0, 23][..],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 4, 0, 2, 4, 3],
    ]
    .concat();
    hello.extend([0, extensions.len() as u8]);
    hello.extend(extensions);
    let length = hello.len() as u8;
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &hello].concat()
}

/// Asserts that no line of these keys, in PEM, is in a text.
fn assert_no_key(text: &str, keys: &[&str]) {
    for key in keys {
        for line in key.lines().filter(|line| !line.starts_with("-----")) {
            assert!(!text.contains(line), "{text}");
        }
    }
}
