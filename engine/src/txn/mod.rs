//! Transactions: what a user begins, reads, changes and commits.

mod changes;
mod names;
mod pending;
mod read;
mod spill;
mod write;

pub use changes::NodeUpdate;
pub use pending::{Pending, Savepoint};
pub use read::{PageLocation, ReadTxn};
pub use write::WriteTxn;
