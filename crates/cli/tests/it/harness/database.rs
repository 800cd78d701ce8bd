//! The database of a server, read and changed behind its back.

use std::path::Path;

use prokura_server::{
    authority::{SystemEntropy, open_data_keys},
    domain::{SigningAlgorithm, Timestamp},
    keys::DataKeys,
    store::{Postgres, Sqlite, SqliteAccess, Store},
};
use rusqlite::types::ValueRef;
use serde_json::Value;
use tokio_postgres::{NoTls, types::Type};

use super::{
    Credentials, Forger, Options, Prokura,
    server::{Place, master_key, sqlite_file},
};

impl Prokura {
    /// Changes the row of an account in a way that the API does not offer, and restarts the server so that it notices.
    /// `$1` in `sql` is the ID of the account.
    pub async fn alter(self, sql: &str, account: &Credentials) -> Self {
        let id = account.id.replace('-', "");
        let literal = match &self.place {
            Place::Sqlite(_) => format!("x'{id}'"),
            Place::Postgres(_) => format!("'\\x{id}'"),
        };
        self.change_database(&sql.replace("$1", &literal)).await;
        self.restart(Options::default()).await
    }

    /// The options with which a command finds this server's database.
    pub fn store_options(&self) -> [String; 2] {
        let url = match &self.place {
            Place::Sqlite(directory) => format!("sqlite:{}", sqlite_file(directory).display()),
            Place::Postgres(url) => url.clone(),
        };
        ["--database-url".to_owned(), url]
    }

    /// Runs a query on the database: its rows, with bytes in hexadecimal.
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

    /// Changes the database behind the server's back. A running server on SQLite owns the file and need not notice.
    pub async fn change_database(&self, sql: &str) {
        match &self.place {
            Place::Sqlite(directory) => {
                let connection = rusqlite::Connection::open(sqlite_file(directory)).unwrap();
                connection.execute_batch(sql).unwrap();
            }
            Place::Postgres(url) => connect(url).await.batch_execute(sql).await.unwrap(),
        }
    }

    /// A forger who holds the key with which the server signs `algorithm`.
    pub async fn forger(&self, algorithm: SigningAlgorithm) -> Forger {
        let store = match &self.place {
            Place::Sqlite(directory) => {
                let file = sqlite_file(directory);
                Store::new(Sqlite::open(&file, SqliteAccess::Command).unwrap())
            }
            Place::Postgres(url) => Store::new(Postgres::connect(url, 1).unwrap()),
        };
        let masters = master_key().into();
        let (material, _) = open_data_keys(&store, &masters, &SystemEntropy::default())
            .await
            .unwrap();
        let stored = store.signing_keys().await.unwrap();
        let stored = stored.signing(algorithm, Timestamp::from_millis(self.now()));
        let pkcs8 = DataKeys::new(&material)
            .signing_key_seal
            .unseal(stored.unwrap())
            .unwrap();
        Forger::new(algorithm, &pkcs8)
    }
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
                        ValueRef::Blob(bytes) => base16ct::lower::encode_string(bytes).into(),
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
            bytes.map(|bytes| base16ct::lower::encode_string(&bytes).into())
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
