//! A server in this process, with real sockets, its own database, and a clock that the test moves.

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
    domain::{
        ConfiguredResource, Name, Resource, Resources, ScopeSet, SigningAlgorithm, Timestamp,
        TokenFormat,
    },
    http::{self, Tls},
    keys::MasterKey,
    store::{OpenSqliteError, Postgres, Sqlite, SqliteAccess, Store},
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    Client, Credentials, postgres,
    watched::{Watch, Watched},
};

/// 2026-11-23T12:00:00.000Z in milliseconds, where the clock of every test begins.
pub const NOON: i64 = 1_795_435_200_000;

/// The database that a server uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// Settings of a server that tests vary.
pub struct Options {
    /// The format of tokens for the management API.
    pub management_format: TokenFormat,
    /// The lifetime of tokens for the management API.
    pub lifetime_seconds: u32,
    /// The resources beside the management API that belong to the first organization.
    pub resources: Vec<Resource>,
    /// Further resources, of other organizations or shared.
    pub more_resources: Vec<ConfiguredResource>,
    /// Aliases of the management API.
    pub aliases: Vec<String>,
    /// The path of the public URL.
    pub public_path: &'static str,
    /// TLS settings. `None`: plain HTTP.
    pub tls: Option<Tls>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            management_format: TokenFormat::Opaque,
            lifetime_seconds: 3600,
            resources: Vec::new(),
            more_resources: Vec::new(),
            aliases: Vec::new(),
            public_path: "",
            tls: None,
        }
    }
}

impl Options {
    /// The default, with these resources beside the management API.
    pub fn with_resources(resources: Vec<Resource>) -> Self {
        Self {
            resources,
            ..Self::default()
        }
    }

    /// The default, with tokens of this format for the management API.
    pub fn with_format(management_format: TokenFormat) -> Self {
        Self {
            management_format,
            ..Self::default()
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

/// A running server with one organization. It dereferences to a client of the server.
pub struct Prokura {
    /// The first account, with `management:all`.
    pub root: Credentials,
    /// A client of the server, without the path of the public URL.
    pub client: Client,
    /// `iss`.
    pub issuer: String,
    /// The server without HTTP.
    pub authority: Arc<Authority>,
    /// Counts and breaks the calls of the database.
    pub watch: Arc<Watch>,
    clock: TestClock,
    pub(super) place: Place,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<std::io::Result<()>>>,
}

impl std::ops::Deref for Prokura {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// The database of a server.
#[derive(Clone)]
pub(super) enum Place {
    Sqlite(Arc<TempDir>),
    Postgres(String),
}

impl Prokura {
    /// Starts a server with a fresh database.
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
        server.authority.publish_resources().await.unwrap();
        server
    }

    /// Starts a server on this database, which belongs to this master key. Its clock shows `now`.
    pub(super) async fn at(
        place: Place,
        master_key: MasterKey,
        issuer: &str,
        now: i64,
        options: Options,
        root: Credentials,
    ) -> Self {
        let clock = TestClock(Arc::new(AtomicI64::new(now)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = Some(issuer.to_owned());
        Self::with_key(place, clock, listener, issuer, options, root, master_key).await
    }

    /// Starts another node of the same installation. It has the same database and public URL, and its own clock, which
    /// shows the same time.
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

    /// Stops the server and starts another at the same address with the same database.
    pub async fn restart(mut self, options: Options) -> Self {
        self.stop().await;
        let address = self.client.url.trim_start_matches("http://").to_owned();
        let (place, clock, root) = (self.place.clone(), self.clock.clone(), self.root.clone());
        // One server owns a SQLite file, so this one must close it first.
        drop(self);
        let listener = bind_again(&address).await;
        Self::on(place, clock, listener, None, options, root).await
    }

    /// Stops the server as SIGTERM would.
    pub async fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(served) = self.served.take() {
            served.await.unwrap().unwrap();
        }
    }

    /// Creates another organization: its first account.
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

    /// The time on the server's clock, in milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.0.load(Ordering::SeqCst)
    }

    /// Moves the server's clock by this many milliseconds.
    pub fn advance(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Makes the server's clock fail.
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
        Self::with_key(place, clock, listener, issuer, options, root, master_key()).await
    }

    async fn with_key(
        place: Place,
        clock: TestClock,
        listener: TcpListener,
        issuer: Option<String>,
        options: Options,
        root: Credentials,
        master_key: MasterKey,
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
            &master_key.into(),
            Settings {
                issuer: issuer.clone(),
                management,
                configured_resources: options
                    .resources
                    .into_iter()
                    .map(ConfiguredResource::from)
                    .chain(options.more_resources)
                    .collect(),
                rotation: RotationPolicy::default(),
                signing_key_rotation_days: 90,
            },
            Box::new(clock.clone()),
            Box::new(SystemEntropy::default()),
        )
        .await
        .unwrap();
        authority.publish_resources().await.unwrap();
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
}

pub(super) fn master_key() -> MasterKey {
    MasterKey::from_bytes(&[7; MasterKey::BYTES])
}

/// Binds an address that was in use a moment ago. The port may be taken meanwhile by an outgoing connection of another
/// test, which releases it when that test ends.
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

pub(super) fn sqlite_file(directory: &TempDir) -> PathBuf {
    directory.path().join("prokura.db")
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

/// Opens the database as its one server. The lock of the previous server may last a moment longer: while another test
/// starts a process, the new process holds every open file until it executes its program.
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
