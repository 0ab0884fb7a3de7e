//! The build that counts: every counter moves, agrees with what storage saw, and contradicts no other;
//! ledgers attribute it, the register of page owners follows it, the trace tells it.
#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "../common/mod.rs"]
mod common;
mod counters;
mod identities;
mod ledger;
#[cfg(target_os = "linux")]
mod os;
mod ownership;
mod scenes;
mod trace;
