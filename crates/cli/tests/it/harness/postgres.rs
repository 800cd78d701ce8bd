//! A temporary PostgreSQL cluster: started on first use from the installed binaries, and removed with the test process
//! however that ends.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Runs the server as long as its standard input is open, which is as long as the test process lives. The kernel closes
/// it however the process dies. The script makes every file itself, so that it can remove them all. `$as_user` runs
/// `initdb` and `postgres`, which refuse to run as root, as another user.
const KEEPER: &str = r#"
run() { program=$1; shift; $as_user "$bin/$program" "$@"; }
end() { run pg_ctl stop -D "$dir/data" -m immediate >/dev/null; rm -rf "$dir"; }
trap end EXIT
trap exit HUP INT PIPE TERM
umask 077
mkdir "$dir" || { trap - EXIT; exit; }
cd "$dir"
exec 2>log
printf %s "$ca" >ca.pem
printf %s "$certificate" >server.pem
printf %s "$key" >server.key
[ -z "$as_user" ] || chown -R postgres .
run initdb -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >&2 &&
echo "$settings" >>data/postgresql.conf &&
run pg_ctl start -D "$dir/data" -l "$dir/log" -w >&2 &&
echo ready && cat || cat log
"#;

struct Cluster {
    bin: PathBuf,
    dir: PathBuf,
    port: u16,
    /// The server runs as long as its standard input is open.
    _keeper: Child,
}

/// The URL of a new, empty database.
pub(crate) fn fresh_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let Cluster { bin, port, .. } = cluster();
    let created = Command::new(bin.join("createdb"))
        .args(["-h", "127.0.0.1", "-U", "postgres", "-p"])
        .args([&port.to_string(), &name])
        .status();
    assert!(created.is_ok_and(|status| status.success()), "createdb");
    format!("postgres://postgres@127.0.0.1:{port}/{name}")
}

/// The PEM file of the CA that signed the server's certificate, which names only `localhost`.
pub(crate) fn ca_certificate() -> PathBuf {
    cluster().dir.join("ca.pem")
}

/// The port on 127.0.0.1 where the server listens.
pub(crate) fn port() -> u16 {
    cluster().port
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(start)
}

fn start() -> Cluster {
    let bin = binaries();
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    let dir = env::temp_dir().join(format!("prokura-postgres-{}-{port}", process::id()));
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{dir}'\nmax_connections = 200\n\
         fsync = off\nssl = on\nssl_cert_file = '{dir}/server.pem'\nssl_key_file = '{dir}/server.key'\n",
        dir = dir.display()
    );
    let [ca, certificate, key] = certificates();

    let is_root = Command::new("id").arg("-u").output();
    let is_root = is_root.is_ok_and(|id| id.stdout == b"0\n");
    let as_user = "setpriv --reuid=postgres --regid=postgres --clear-groups";
    let mut keeper = Command::new("sh")
        .args(["-c", KEEPER])
        .env("bin", &bin)
        .env("dir", &dir)
        .env("settings", settings)
        .env("ca", ca)
        .env("certificate", certificate)
        .env("key", key)
        .env("as_user", if is_root { as_user } else { "" })
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Not in the process group of the tests, so that Ctrl-C does not end it before it has cleaned up.
        .process_group(0)
        .spawn()
        .expect("sh");
    let mut stdout = BufReader::new(keeper.stdout.take().expect("a pipe"));
    let mut said = String::new();
    stdout.read_line(&mut said).expect("a line");
    if said != "ready\n" {
        stdout.read_to_string(&mut said).expect("its log");
        panic!("PostgreSQL does not start: {said}");
    }
    Cluster {
        bin,
        dir,
        port,
        _keeper: keeper,
    }
}

/// The directory with the programs of the newest installed PostgreSQL.
fn binaries() -> PathBuf {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.sort_by_key(|bin| {
        bin.iter()
            .nth(4)
            .and_then(|v| v.to_str()?.parse::<u32>().ok())
    });
    versions
        .into_iter()
        .rev()
        .chain(env::split_paths(&env::var_os("PATH").unwrap_or_default()))
        .find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .expect("these tests need PostgreSQL's programs: apt-get install postgresql")
}

/// A CA certificate, a certificate for `localhost` and its key, as PEM.
fn certificates() -> [String; 3] {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    let ca = authority.self_signed(&authority_key);
    let ca = ca.expect("an authority").pem();
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(["localhost".to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer))
        .expect("a certificate");
    [ca, certificate.pem(), key.serialize_pem()]
}
