//! A cache for millions of small records, without an allocation and without a pointer for each of them.
//!
//! ```text
//! Cache    64 shards, each behind a lock; the key's hash chooses the shard
//!  └ Shard
//!     ├ index   hash -> location of the record: 4 bytes and a control byte per slot
//!     └ Log     segments of 32 KiB, oldest first
//!
//!               ┌──────────┐ ┌──────────┐     ┌──────────┐
//!               │  oldest  │ │          │ ... │  newest  │ <- append
//!               └──────────┘ └──────────┘     └──────────┘
//!                 a record: length (2) | flags (1) | key | bytes
//! ```
//!
//! A shard without free space empties its oldest segment (CLOCK eviction). Each record of the segment goes one of three ways:
//!
//! | record | what happens |
//! |---|---|
//! | removed earlier | its space is freed |
//! | hit since it was appended, or pinned | moved to the end of the log |
//! | any other | evicted |
//!
//! If that frees no space, the new record is not cached.
//!
//! The owner of a cache decides by a [`Policy`] which records are pinned, and is told of every record that leaves the cache.
//! [`Writer`] and [`Reader`] turn values into the bytes of a record; an [`Interner`] replaces values that many records share by
//! a number.

mod cache;
mod coding;
mod interner;
mod log;
mod policy;
mod shard;

pub(crate) use cache::Cache;
pub(crate) use coding::{Reader, Writer};
pub(crate) use interner::Interner;
pub(crate) use policy::{NeverPinned, Policy};
