//! A PostgreSQL cluster for the time of one run, as it comes out of `initdb`: durable, with its default settings.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures_util::pin_mut;
use prokura_server::store::{Postgres, Store, Value};
use rusqlite::{Connection, OpenFlags, types::ValueRef};
use tokio_postgres::{
    Client, NoTls,
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};

use crate::process::{self, Cores};

const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running cluster. It is stopped, and its files are removed, when dropped.
pub(crate) struct Cluster {
    child: Child,
    directory: Directory,
    programs: PathBuf,
    port: u16,
}

impl Cluster {
    /// Makes and starts one.
    pub(crate) fn start(cores: &Cores) -> anyhow::Result<Self> {
        let programs = programs()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let directory = std::env::temp_dir().join(format!("prokura-bench-postgres-{port}"));
        fs::create_dir(&directory)?;
        let directory = Directory(directory);
        // Both programs refuse to be root.
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            process::run(command("chown", [Path::new("postgres"), &directory.0]))?;
        }
        let as_user: &[&str] = if is_root {
            &["--reuid=postgres", "--regid=postgres", "--clear-groups"]
        } else {
            &[]
        };
        let data = directory.0.join("data");
        let mut initdb = Command::new("setpriv");
        initdb
            .args(as_user)
            .arg(programs.join("initdb"))
            .arg("-D")
            .arg(&data)
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]);
        process::run(initdb)?;
        // Not on the server's core if there is a choice.
        let cores: Vec<String> = cores
            .all
            .iter()
            .filter(|&&core| cores.all.len() < 3 || core != cores.server)
            .map(ToString::to_string)
            .collect();
        let child = Command::new("taskset")
            .args(["--cpu-list", &cores.join(",")])
            .arg("setpriv")
            .args(as_user)
            // The signal for a fast stop, should this program die.
            .args(["--pdeathsig", "INT", "--"])
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .args(["-c", "max_connections=200"])
            .args(["-c", "unix_socket_directories="])
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(directory.0.join("log"))?)
            .spawn()?;
        let cluster = Self {
            child,
            directory,
            programs,
            port,
        };
        let end = Instant::now() + START_TIMEOUT;
        while process::run(cluster.client("psql", &["-c", "SELECT 1", "postgres"])).is_err() {
            let log = fs::read_to_string(cluster.directory.0.join("log")).unwrap_or_default();
            ensure!(Instant::now() < end, "PostgreSQL does not start: {log}");
            thread::sleep(Duration::from_millis(50));
        }
        Ok(cluster)
    }

    /// What it calls itself.
    pub(crate) fn version(&self) -> anyhow::Result<String> {
        let mut command = Command::new(self.programs.join("postgres"));
        command.arg("--version");
        Ok(process::run(command)?.trim().to_owned())
    }

    /// A new database with all that is in the SQLite database `seed`. Its URL.
    pub(crate) async fn copy_of(&self, seed: &Path, name: &str) -> anyhow::Result<String> {
        process::run(self.client("createdb", &[name]))?;
        let url = format!("postgres://postgres@127.0.0.1:{}/{name}", self.port);
        Store::new(Postgres::connect(&url, 1)?).migrate().await?;
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        let connection = tokio::spawn(connection);
        copy(seed, &client)
            .await
            .with_context(|| format!("cannot copy {} to PostgreSQL", seed.display()))?;
        drop(client);
        connection.await??;
        Ok(url)
    }

    fn client(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .args([
                "-h",
                "127.0.0.1",
                "-U",
                "postgres",
                "-p",
                &self.port.to_string(),
            ])
            .args(arguments)
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stop = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .map(|id| rustix::process::kill_process(id, rustix::process::Signal::INT));
        // It may have ended already.
        if stop.is_some() {
            let _ = self.child.wait();
        }
    }
}

/// A directory that is removed when dropped.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How many bytes the database at `url` takes.
pub(crate) async fn database_bytes(url: &str) -> anyhow::Result<u64> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let row = client
        .query_one("SELECT pg_database_size(current_database())", &[])
        .await?;
    drop(client);
    connection.await??;
    Ok(u64::try_from(row.get::<_, i64>(0))?)
}

/// Copies every row of every table. Both databases have the same tables and columns; that of the migrations is filled.
async fn copy(seed: &Path, client: &Client) -> anyhow::Result<()> {
    let source = Connection::open_with_flags(seed, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // Rows arrive table by table, not in the order in which they refer to each other.
    client
        .batch_execute("SET session_replication_role = replica")
        .await?;
    let tables = source
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    for table in tables {
        let known = client
            .query_one(&format!("SELECT count(*) FROM {table}"), &[])
            .await?;
        if known.get::<_, i64>(0) > 0 {
            continue;
        }
        let mut select = source.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = select.column_names().collect::<Vec<_>>().join(", ");
        let shape = client
            .prepare(&format!("SELECT {columns} FROM {table}"))
            .await?;
        let types: Vec<Type> = shape
            .columns()
            .iter()
            .map(|column| column.type_().clone())
            .collect();
        let into = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
        let writer = BinaryCopyInWriter::new(client.copy_in(&into).await?, &types);
        pin_mut!(writer);
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let values = (0..types.len())
                .map(|column| value(row.get_ref(column)?))
                .collect::<anyhow::Result<Vec<_>>>()?;
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
            writer.as_mut().write(&values).await?;
        }
        writer.finish().await?;
    }
    client.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

fn value(value: ValueRef<'_>) -> anyhow::Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text)?.to_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_owned()),
        ValueRef::Real(_) => anyhow::bail!("a column holds a float"),
    })
}

fn command(program: &str, arguments: [&Path; 2]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Where the newest installed PostgreSQL has its programs.
fn programs() -> anyhow::Result<PathBuf> {
    let version = |bin: &Path| {
        let name = bin.parent()?.file_name()?.to_str()?;
        name.parse::<u32>().ok()
    };
    let mut installed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    installed.sort_by_key(|bin| version(bin));
    installed
        .into_iter()
        .rev()
        .chain(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ))
        .find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .context("PostgreSQL's programs are missing: apt-get install postgresql")
}
