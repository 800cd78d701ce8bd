//! A server in this process: real sockets, a real database of its own, a clock that the test moves.

use std::{
    io::ErrorKind,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use prokura_server::{
    authority::{Authority, Clock, ClockError, RotationPolicy, Settings, SystemEntropy},
    domain::{Name, Resource, Resources, ScopeSet, SigningAlgorithm, Timestamp, TokenFormat},
    http::{self, Tls},
    keys::{MasterKey, SigningKeySeal},
    store::{OpenSqliteError, Postgres, Sqlite, SqliteAccess, Store},
};
use rusqlite::types::ValueRef;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_postgres::{NoTls, types::Type};

use super::{
    client::{Client, Credentials},
    jwt::Forger,
    postgres,
    watched::{Watch, Watched},
};

/// 2026-11-23T12:00:00.000Z: where every test's clock begins, in milliseconds.
pub const NOON: i64 = 1_795_435_200_000;

/// On which database a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// How a server differs from the default.
pub struct Options {
    /// The format of tokens for the management API.
    pub management_format: TokenFormat,
    /// Their lifetime.
    pub lifetime_seconds: u32,
    /// The resources beside it.
    pub resources: Vec<Resource>,
    /// Further names of the management API.
    pub aliases: Vec<String>,
    /// A path behind the host of the public URL.
    pub public_path: &'static str,
    /// What the server speaks if not plain HTTP.
    pub tls: Option<Tls>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            management_format: TokenFormat::Opaque,
            lifetime_seconds: 3600,
            resources: Vec::new(),
            aliases: Vec::new(),
            public_path: "",
            tls: None,
        }
    }
}

/// A resource whose tokens are JWTs.
pub fn jwt_resource(identifier: &str, scopes: &str, algorithm: SigningAlgorithm) -> Resource {
    Resource {
        token_format: TokenFormat::Jwt(algorithm),
        ..opaque_resource(identifier, scopes)
    }
}

/// A resource whose tokens are opaque.
pub fn opaque_resource(identifier: &str, scopes: &str) -> Resource {
    Resource {
        identifier: identifier.to_owned(),
        aliases: Vec::new(),
        scopes: ScopeSet::parse(scopes).unwrap(),
        token_format: TokenFormat::Opaque,
        token_lifetime_seconds: 900,
    }
}

/// A running server with one organization. Dereferences to a client of it.
pub struct Prokura {
    /// An account with `management:all`.
    pub root: Credentials,
    /// Where the public URL points, without the path.
    pub client: Client,
    /// `iss`.
    pub issuer: String,
    /// The server without its door.
    pub authority: Arc<Authority>,
    /// What is asked of the database.
    pub watch: Arc<Watch>,
    clock: TestClock,
    place: Place,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<std::io::Result<()>>>,
}

impl std::ops::Deref for Prokura {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Where the data is.
#[derive(Clone)]
enum Place {
    Sqlite(Arc<TempDir>),
    Postgres(String),
}

impl Prokura {
    /// A fresh server on a fresh database.
    pub async fn start(database: Database, options: Options) -> Self {
        let place = match database {
            Database::Sqlite => Place::Sqlite(Arc::new(tempfile::tempdir().unwrap())),
            Database::Postgres => Place::Postgres(postgres::fresh_database()),
        };
        let clock = TestClock(Arc::new(AtomicI64::new(NOON)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let root = Credentials::default();
        let mut server = Self::on(place, clock, listener, None, options, root).await;
        server.root = server.bootstrap("Acme").await;
        server
    }

    /// Another node of the same installation: on its database and with its public URL, with a clock of its own at the
    /// same time.
    pub async fn another_node(&self, options: Options) -> Self {
        let clock = TestClock(Arc::new(AtomicI64::new(self.now())));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::on(
            self.place.clone(),
            clock,
            listener,
            Some(self.issuer.clone()),
            options,
            self.root.clone(),
        )
        .await
    }

    /// Stops the server and starts one at the same address on the same database.
    pub async fn restart(mut self, options: Options) -> Self {
        self.stop().await;
        let address = self.client.url.trim_start_matches("http://").to_owned();
        let (place, clock, root) = (self.place.clone(), self.clock.clone(), self.root.clone());
        // SQLite is owned by one server: the old one must have let go.
        drop(self);
        let listener = bind_again(&address).await;
        Self::on(place, clock, listener, None, options, root).await
    }

    /// Ends the server as SIGTERM would.
    pub async fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(served) = self.served.take() {
            served.await.unwrap().unwrap();
        }
    }

    /// Another organization with its first account.
    pub async fn bootstrap(&self, organization: &str) -> Credentials {
        let name = |text: &str| Name::parse(text.to_owned()).unwrap();
        let plan = self
            .authority
            .plan_bootstrap(name(organization), name("Administrator"))
            .unwrap();
        self.authority.bootstrap_another(&plan).await.unwrap();
        let issued = plan.issued();
        Credentials {
            id: issued.account.id.to_string(),
            client_id: issued.account.id.client_id().to_string(),
            client_secret: issued.secret.expose().to_owned(),
        }
    }

    /// What the server's clock shows, in milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.0.load(Ordering::SeqCst)
    }

    /// Moves the server's clock, in milliseconds.
    pub fn advance(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Makes the clock fail.
    pub fn break_clock(&self) {
        self.clock.0.store(i64::MIN, Ordering::SeqCst);
    }

    async fn on(
        place: Place,
        clock: TestClock,
        listener: TcpListener,
        issuer: Option<String>,
        options: Options,
        root: Credentials,
    ) -> Self {
        let scheme = options.tls.as_ref().map_or("http", |_| "https");
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let issuer = issuer.unwrap_or_else(|| format!("{url}{}", options.public_path));
        let watch = Watch::new();
        let store = open_store(&place, &watch);
        let management = Resource {
            identifier: format!("{issuer}/api/v1"),
            aliases: options.aliases,
            scopes: Resources::management_scopes(),
            token_format: options.management_format,
            token_lifetime_seconds: options.lifetime_seconds,
        };
        let authority = Authority::open(
            store,
            &master_key(),
            Settings {
                issuer: issuer.clone(),
                resources: Resources::new(management, options.resources).unwrap(),
                rotation: RotationPolicy::default(),
            },
            Box::new(clock.clone()),
            Box::new(SystemEntropy::default()),
        )
        .await
        .unwrap();
        let authority = Arc::new(authority);
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let serving = http::serve(listener, options.tls, Arc::clone(&authority), shutdown);
        let served = tokio::spawn(serving);
        Self {
            root,
            client: Client::new(url),
            issuer,
            authority,
            watch,
            clock,
            place,
            stop: Some(stop),
            served: Some(served),
        }
    }

    /// Changes the row of an account in a way that the API does not offer, and starts the server again, since it need not
    /// notice what is done behind its back. `$1` in `sql` is the account's id.
    pub async fn alter(self, sql: &str, account: &Credentials) -> Self {
        let id = account.id.replace('-', "");
        let literal = match &self.place {
            Place::Sqlite(_) => format!("x'{id}'"),
            Place::Postgres(_) => format!("'\\x{id}'"),
        };
        self.change_database(&sql.replace("$1", &literal)).await;
        self.restart(Options::default()).await
    }

    /// The options by which a command finds this server's database.
    pub fn store_options(&self) -> [String; 2] {
        let url = match &self.place {
            Place::Sqlite(directory) => format!("sqlite:{}", sqlite_file(directory).display()),
            Place::Postgres(url) => url.clone(),
        };
        ["--database-url".to_owned(), url]
    }

    /// Reads the database itself: the rows of a query, with bytes in hexadecimal.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        match &self.place {
            Place::Sqlite(directory) => sqlite_rows(&sqlite_file(directory), sql).unwrap(),
            Place::Postgres(url) => {
                let client = connect(url).await;
                let rows = client.query(sql, &[]).await.unwrap();
                rows.iter().map(postgres_row).collect()
            }
        }
    }

    /// Changes the database behind the server's back. On SQLite a running server need not notice: it owns the file.
    pub async fn change_database(&self, sql: &str) {
        match &self.place {
            Place::Sqlite(directory) => {
                let connection = rusqlite::Connection::open(sqlite_file(directory)).unwrap();
                connection.execute_batch(sql).unwrap();
            }
            Place::Postgres(url) => connect(url).await.batch_execute(sql).await.unwrap(),
        }
    }

    /// Somebody who has got hold of the key with which the server signs `algorithm`.
    pub async fn forger(&self, algorithm: SigningAlgorithm) -> Forger {
        let store = match &self.place {
            Place::Sqlite(directory) => {
                let file = sqlite_file(directory);
                Store::new(Sqlite::open(&file, SqliteAccess::Command).unwrap())
            }
            Place::Postgres(url) => Store::new(Postgres::connect(url, 1).unwrap()),
        };
        let stored = store.signing_keys().await.unwrap();
        let stored = stored.iter().find(|key| key.algorithm == algorithm);
        let pkcs8 = SigningKeySeal::new(&master_key())
            .unseal(stored.unwrap())
            .unwrap();
        Forger::new(algorithm, &pkcs8)
    }
}

fn master_key() -> MasterKey {
    MasterKey::from_bytes(&[7; MasterKey::BYTES])
}

/// Binds an address that was ours a moment ago: meanwhile a connection of another test may have got the port for its own
/// end, and lets go of it with that test.
async fn bind_again(address: &str) -> TcpListener {
    for _ in 0..3000 {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            bound => return bound.unwrap(),
        }
    }
    panic!("{address} stays in use");
}

fn sqlite_file(directory: &TempDir) -> PathBuf {
    directory.path().join("prokura.db")
}

fn sqlite_rows(file: &Path, sql: &str) -> rusqlite::Result<Vec<Vec<Value>>> {
    let connection = rusqlite::Connection::open(file)?;
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    statement
        .query_map([], |row| {
            (0..columns)
                .map(|column| {
                    Ok(match row.get_ref(column)? {
                        ValueRef::Null => Value::Null,
                        ValueRef::Integer(number) => number.into(),
                        ValueRef::Real(number) => number.into(),
                        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
                        ValueRef::Blob(bytes) => hex(bytes).into(),
                    })
                })
                .collect()
        })?
        .collect()
}

fn postgres_row(row: &tokio_postgres::Row) -> Vec<Value> {
    let cell = |column: usize| match *row.columns()[column].type_() {
        Type::INT8 => row.get::<_, Option<i64>>(column).map(Value::from),
        Type::BYTEA => {
            let bytes = row.get::<_, Option<Vec<u8>>>(column);
            bytes.map(|bytes| hex(&bytes).into())
        }
        _ => row.get::<_, Option<String>>(column).map(Value::from),
    };
    (0..row.len())
        .map(|column| cell(column).unwrap_or(Value::Null))
        .collect()
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn open_store(place: &Place, watch: &Arc<Watch>) -> Store {
    let watch = Arc::clone(watch);
    match place {
        Place::Sqlite(directory) => {
            let file = sqlite_file(directory);
            let inner = own(&file);
            Store::new(Watched { inner, watch })
        }
        Place::Postgres(url) => {
            let inner = Postgres::connect(url, 4).unwrap();
            Store::new(Watched { inner, watch })
        }
    }
}

/// Opens the database as its one server. The lock of the server before lives a moment longer where another test is just
/// starting a process: that has every file of this one open until it has become the program that it is to be.
fn own(file: &Path) -> Sqlite {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match Sqlite::open(file, SqliteAccess::Server) {
            Err(OpenSqliteError::Owned(_)) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(1));
            }
            opened => return opened.unwrap(),
        }
    }
}

#[derive(Clone)]
struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> Result<Timestamp, ClockError> {
        match self.0.load(Ordering::SeqCst) {
            i64::MIN => Err(ClockError),
            millis => Ok(Timestamp::from_millis(millis)),
        }
    }
}
