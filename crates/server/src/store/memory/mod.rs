//! What the store keeps in memory: a cache of accounts, and usage that is not written to the database yet.
//!
//! Issuing a token writes nothing. Usage is counted here and flushed to the database in the background. Where this process alone
//! changes the database (SQLite), accounts are cached too; on PostgreSQL only usage is kept. The rest of the store goes through
//! [`Memory`].
//!
//! ```text
//!                            Memory (interface.rs)
//!          ┌───────────────────────┼────────────────────────┐
//!    AccountCache            RevokedTokens            UnwrittenUsage
//!    client records:         each revoked token       per account: usage that no
//!      UsageCounter, secrets   that has not expired     client record counts
//!    account records:
//!      what GET shows
//! ```
//!
//! How the record of a client moves:
//!
//! ```text
//!              miss: load              hit: count usage in the record
//!   database ─────────────► cached ───────────────────────────────────► pinned
//!                             │ ▲                                         │
//!                             │ └──── flush: usage ► UnwrittenUsage ──────┤
//!                   evict or  │                                           │ invalidate:
//!                  invalidate ▼                                           ▼ usage ► UnwrittenUsage
//!                           gone                                        gone
//!
//!   UnwrittenUsage ──── flush: one transaction for 256 accounts ────► database
//! ```
//!
//! * A hit is current: each write invalidates what it changed after its commit and before it is acknowledged. A record that was
//!   read before an invalidation is not cached after it.
//! * While a command of another process writes, the cache is suspended: each look-up reads the database. Afterwards the cache is
//!   dropped. See `sqlite/command_writes.rs`.
//! * A client record with unwritten usage is pinned. Evicting it would have its usage written by itself, which costs ten times as
//!   much as in a flush, where neighbors share pages.
//! * Pinned records that block evictions make a flush due before its time.
//! * Usage stays in memory until the database has acknowledged it. A reader that adds up memory and database waits for a flush of
//!   the same counts.

mod account_cache;
mod account_record;
mod client_record;
mod interface;
mod revoked_tokens;
mod shared_values;
mod unwritten_usage;
mod usage_counter;

pub(super) use interface::Memory;
