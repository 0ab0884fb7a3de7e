//! What can be chosen, with defaults that serve.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::format::header::{Header, SEGMENT_UNIT};
use crate::format::limits::PAGE_SIZES;
use crate::recovery::RecoveryProgress;

/// Least and most bytes of a log segment.
pub(crate) const LOG_SEGMENT_BYTES: std::ops::RangeInclusive<u32> = 64 << 10..=1 << 30;
/// Least bytes of the write buffer.
pub(crate) const WRITE_BUFFER_BYTES_MIN: usize = 64 << 10;
/// Longest that a group commit may wait for company.
pub(crate) const GROUP_DELAY_MAX: Duration = Duration::from_secs(1);
/// Least pages that the cache holds.
pub(crate) const CACHE_PAGES_MIN: usize = 4;

/// What has survived when a commit returns.
///
/// ```
/// use vellum::{Database, Durability};
///
/// # fn main() -> vellum::Result<()> {
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// let db = Database::builder()
///     .durability(Durability::None)
///     .create(folder.path().join("graph.vellum"))?;
/// let mut txn = db.begin_write()?;
/// txn.insert_node("note", "worth a sync", b"")?;
/// txn.set_durability(Durability::Sync);
/// assert_eq!(txn.commit()?.syncs, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Durability {
    /// The commit survives a power cut. It joins a sync under way where that covers it.
    #[default]
    Sync,
    /// The same, but the commit may wait this long for others to share its sync.
    Group {
        /// At most one second.
        max_delay: Duration,
    },
    /// The commit survives the death of the process. A power cut may take back the newest commits;
    /// what is left is a prefix of them in commit order.
    None,
}

impl Durability {
    /// The same, with no longer a delay than is allowed.
    pub(crate) fn within_limits(self) -> Durability {
        match self {
            Durability::Group { max_delay } => Durability::Group {
                max_delay: max_delay.min(GROUP_DELAY_MAX),
            },
            Durability::Sync | Durability::None => self,
        }
    }
}

/// Where checkpoints run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum CheckpointMode {
    /// In a thread of the database's own. A commit waits only if it finds no room. Where many edges are to be merged,
    /// there and on closing, one more thread helps for that long.
    #[default]
    Background,
    /// In the commit that begins one. With one writing thread, the same operations then always give
    /// the same bytes on disk.
    Inline,
}

/// The options in effect. See [`Builder`](crate::Builder) for what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Options {
    /// Bytes of a page.
    pub page_size: usize,
    /// Memory for the page cache, in bytes.
    pub cache_bytes: usize,
    /// How durable commits are unless they say otherwise.
    pub durability: Durability,
    /// Capacity of one of the two log segments, in bytes.
    pub log_segment_bytes: u32,
    /// Memory for changes that are not in the trees yet, in bytes.
    pub write_buffer_bytes: usize,
    /// Where checkpoints run.
    pub checkpoint: CheckpointMode,
    /// Whether nodes can be found by name.
    pub name_index: bool,
    /// Whether (source, label, target) identifies an edge.
    pub unique_edges: bool,
    /// Whether the database was opened for reading only.
    pub read_only: bool,
    /// The identity of the file.
    pub file_id: [u8; 16],
}

impl Default for Options {
    fn default() -> Options {
        Options {
            page_size: 4096,
            cache_bytes: 64 << 20,
            durability: Durability::Sync,
            log_segment_bytes: 16 << 20,
            write_buffer_bytes: 64 << 20,
            checkpoint: CheckpointMode::Background,
            name_index: true,
            unique_edges: false,
            read_only: false,
            file_id: [0; 16],
        }
    }
}

impl Options {
    /// Refuses what cannot be.
    pub(crate) fn validate(&mut self) -> Result<()> {
        if !PAGE_SIZES.contains(&self.page_size) {
            return Err(Error::usage(format!(
                "a page size of {} bytes is not possible; choose one of {PAGE_SIZES:?}",
                self.page_size
            )));
        }
        let segment = self.log_segment_bytes;
        if !LOG_SEGMENT_BYTES.contains(&segment) || !segment.is_multiple_of(SEGMENT_UNIT) {
            return Err(Error::usage(format!(
                "a log segment of {segment} bytes is not possible; choose a multiple of {SEGMENT_UNIT} from {} to {}",
                LOG_SEGMENT_BYTES.start(),
                LOG_SEGMENT_BYTES.end()
            )));
        }
        if self.durability != self.durability.within_limits() {
            return Err(Error::usage("a group commit may wait one second at most"));
        }
        self.cache_bytes = self.cache_bytes.max(CACHE_PAGES_MIN * self.page_size);
        self.write_buffer_bytes = self.write_buffer_bytes.max(WRITE_BUFFER_BYTES_MIN);
        Ok(())
    }

    /// Takes over what the file decides.
    pub(crate) fn adopt(&mut self, header: &Header) {
        self.page_size = header.page_size;
        self.name_index = header.name_index;
        self.unique_edges = header.unique_edges;
        self.log_segment_bytes = header.log_segment_bytes;
        self.file_id = header.file_id;
        self.cache_bytes = self.cache_bytes.max(CACHE_PAGES_MIN * self.page_size);
    }
}

/// A function that watches a recovery.
#[derive(Clone, Default)]
pub(crate) struct OnRecovery {
    watch: Option<Arc<dyn Fn(RecoveryProgress) + Send + Sync>>,
}

impl OnRecovery {
    pub(crate) fn new(watch: impl Fn(RecoveryProgress) + Send + Sync + 'static) -> OnRecovery {
        OnRecovery {
            watch: Some(Arc::new(watch)),
        }
    }

    pub(crate) fn call(&self, progress: RecoveryProgress) {
        if let Some(watch) = &self.watch {
            watch(progress);
        }
    }
}

impl fmt::Debug for OnRecovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.watch.is_some() {
            "OnRecovery(set)"
        } else {
            "OnRecovery(none)"
        })
    }
}
