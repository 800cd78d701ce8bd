//! What the databases do by themselves: the rates that a server on top of them is compared with.

use std::{
    cell::Cell,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::ensure;
use futures_util::future::try_join_all;
use rusqlite::{Connection, params_from_iter, types::Value};
use tokio_postgres::NoTls;

use crate::seed;

/// Measure a database by itself; print its rate per second
#[derive(clap::Subcommand)]
pub(crate) enum Arguments {
    /// Read one account by its id, again and again, from PostgreSQL
    Postgres {
        /// The database, seeded
        url: String,
        /// How many accounts are in it
        #[arg(long)]
        accounts: seed::Number,
        /// Connections
        #[arg(long)]
        connections: usize,
        /// Reads under way on each connection
        #[arg(long)]
        pipelined: usize,
        /// For how long
        #[arg(long)]
        seconds: u32,
    },
    /// Take all accounts out of a SQLite database and put them back, so many in each durable transaction
    Sqlite {
        /// The database, seeded
        database: PathBuf,
        /// Accounts in one transaction
        #[arg(long)]
        together: usize,
    },
}

/// Measures, and prints the rate.
pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let rate = match arguments {
        Arguments::Postgres {
            url,
            accounts,
            connections,
            pipelined,
            seconds,
        } => reads(url, *accounts, *connections, *pipelined, *seconds).await?,
        Arguments::Sqlite { database, together } => inserts(database, *together)?,
    };
    writeln!(std::io::stdout(), "{rate:.1}")?;
    Ok(())
}

/// The same driver as the server's, with prepared statements.
async fn reads(
    url: &str,
    accounts: seed::Number,
    connections: usize,
    pipelined: usize,
    seconds: u32,
) -> anyhow::Result<f64> {
    const READ: &str = "SELECT * FROM service_accounts WHERE id = $1";
    let mut clients = Vec::new();
    for _ in 0..connections {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let statement = client.prepare(READ).await?;
        clients.push((client, statement));
    }
    let count = Cell::new(0);
    let started = Instant::now();
    let end = started + Duration::from_secs(seconds.into());
    let reader = async |number: usize| {
        let (client, statement) = &clients[number % connections];
        while Instant::now() < end {
            count.set(count.get() + 1);
            // As in `requests.lua`.
            let id = seed::id((count.get() * 7919) % accounts);
            let rows = client
                .query(statement, &[&id.as_bytes().as_slice()])
                .await?;
            ensure!(rows.len() == 1, "the database is not seeded");
        }
        Ok(())
    };
    try_join_all((0..connections * pipelined).map(reader)).await?;
    Ok(f64::from(count.get()) / started.elapsed().as_secs_f64())
}

/// The rows that a creation writes: the account, its secret, its audit event, and the head of the chain.
fn inserts(database: &Path, together: usize) -> anyhow::Result<f64> {
    const TABLES: [&str; 3] = ["service_accounts", "secrets", "audit_events"];
    let connection = Connection::open(database)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let mut tables = Vec::new();
    for table in TABLES {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = select.column_count();
        let rows = select
            .query_map([], |row| {
                (0..columns).map(|column| row.get(column)).collect()
            })?
            .collect::<Result<Vec<Vec<Value>>, _>>()?;
        let places = vec!["?"; columns].join(", ");
        tables.push((format!("INSERT INTO {table} VALUES ({places})"), rows));
    }
    connection.execute_batch(
        "BEGIN; DELETE FROM service_accounts; DELETE FROM audit_events; COMMIT; \
         PRAGMA wal_checkpoint(TRUNCATE)",
    )?;

    let accounts = tables[0].1.len();
    let started = Instant::now();
    for group in (0..accounts).step_by(together) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for account in group..accounts.min(group + together) {
            for (insert, rows) in &tables {
                let row = params_from_iter(&rows[account]);
                connection.prepare_cached(insert)?.execute(row)?;
            }
            connection
                .prepare_cached("UPDATE organizations SET audit_sequence = ?1, audit_hash = ?2")?
                .execute((i64::try_from(account)?, [0u8; 32]))?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(accounts as f64 / started.elapsed().as_secs_f64())
}
