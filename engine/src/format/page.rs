//! Pages: the header and trailer common to all kinds, and the one way to trust a page.

use std::sync::Arc;

use super::blob::BlobIndex;
use super::bytes::{put_u48, set_at, u16_at, u48_at, u64_at};
use super::checksum::crc;
use super::freelist::FreelistPage;
use super::limits::{MAX_LEVEL, PAGE_SIZES};
use super::names::NamesPage;
use super::sorted::{Layout, SortedPage};
use super::{FileId, FormatError, Result, ensure};
use crate::ids::{KeySpace, PageRef};
use crate::plant::planted;

/// Bytes before a page's body.
pub const HEADER_LEN: usize = 16;
/// Bytes after a page's body: the checksum.
pub const TRAILER_LEN: usize = 8;
/// Bytes of a reference to a page.
pub const REF_LEN: usize = 12;

/// Every field of a page's header: name, offset, size in bytes.
pub const FIELDS: &[(&str, usize, usize)] = &[
    ("kind", off::KIND, 1),
    ("space", off::SPACE, 1),
    ("level", off::LEVEL, 1),
    ("flags", off::FLAGS, 1),
    ("count", off::COUNT, 2),
    ("prefix_len", off::PREFIX_LEN, 2),
    ("birth", off::BIRTH, 6),
    ("extra", off::EXTRA, 2),
];

pub(crate) mod off {
    pub(crate) const KIND: usize = 0;
    pub(crate) const SPACE: usize = KIND + 1;
    pub(crate) const LEVEL: usize = SPACE + 1;
    pub(crate) const FLAGS: usize = LEVEL + 1;
    pub(crate) const COUNT: usize = FLAGS + 1;
    pub(crate) const PREFIX_LEN: usize = COUNT + 2;
    pub(crate) const BIRTH: usize = PREFIX_LEN + 2;
    pub(crate) const EXTRA: usize = BIRTH + 6;
    const END: usize = EXTRA + 2;
    const _: () = assert!(END == super::HEADER_LEN);
}

/// What a page holds, with its number on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[repr(u8)]
pub enum PageKind {
    /// A branch, or a leaf of any space but names.
    Sorted = 1,
    /// A leaf of the names space.
    NamesLeaf = 2,
    /// Where the pages of a blob are.
    BlobIndex = 3,
    /// A part of a blob.
    BlobData = 4,
    /// Runs of unused pages.
    Freelist = 5,
}

impl PageKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [PageKind; 5] = [
        PageKind::Sorted,
        PageKind::NamesLeaf,
        PageKind::BlobIndex,
        PageKind::BlobData,
        PageKind::Freelist,
    ];

    /// The kind with this number on disk.
    pub fn from_number(number: u8) -> Option<PageKind> {
        PageKind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// The name used in reports and in `FORMAT.md`.
    pub const fn name(self) -> &'static str {
        match self {
            PageKind::Sorted => "sorted",
            PageKind::NamesLeaf => "names leaf",
            PageKind::BlobIndex => "blob index",
            PageKind::BlobData => "blob data",
            PageKind::Freelist => "freelist",
        }
    }
}

/// A page whose checksum, birth and whole layout hold. It owns its bytes and never changes.
#[derive(Debug)]
pub struct Page {
    bytes: Arc<[u8]>,
    at: PageRef,
    kind: PageKind,
    space: Option<KeySpace>,
    level: u8,
    count: usize,
    sorted: Layout,
}

impl Page {
    /// The only way to a `Page`: checks the birth and checksum that `at` and `id` demand, then
    /// everything that the accessors of its kind rely on.
    pub fn verify(bytes: Arc<[u8]>, at: PageRef, id: &FileId) -> Result<Page> {
        check_seal(&bytes, at, id)?;
        Page::check_layout(bytes, at)
    }

    /// The part of [`Page::verify`] that follows the checksum.
    pub(crate) fn check_layout(bytes: Arc<[u8]>, at: PageRef) -> Result<Page> {
        let common = Common::read(&bytes)?;
        let mut sorted = Layout::default();
        match common.kind {
            PageKind::Sorted => sorted = Layout::check(&bytes, &common)?,
            PageKind::NamesLeaf => NamesPage::check(&bytes, &common)?,
            PageKind::BlobIndex => BlobIndex::check(&bytes, &common)?,
            PageKind::BlobData => ensure(common.count == 0, "reserved bytes are not zero")?,
            PageKind::Freelist => FreelistPage::check(&bytes, &common)?,
        }
        let Common {
            kind,
            space,
            level,
            count,
            ..
        } = common;
        Ok(Page {
            bytes,
            at,
            kind,
            space,
            level,
            count,
            sorted,
        })
    }

    /// Where the page stands, and its birth.
    pub fn at(&self) -> PageRef {
        self.at
    }

    /// What the page holds.
    pub fn kind(&self) -> PageKind {
        self.kind
    }

    /// The key space of a branch or leaf.
    pub fn space(&self) -> Option<KeySpace> {
        self.space
    }

    /// 0 for leaves and for pages outside trees.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Entries, by page kind.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The whole page.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of a page and, if it is a sorted one, where its parts are, for as long as they are kept.
    pub(crate) fn shared(&self) -> (Arc<[u8]>, Layout) {
        (Arc::clone(&self.bytes), self.sorted)
    }

    /// The cells, if this is a branch or a leaf of any space but names.
    #[inline]
    pub fn sorted(&self) -> Option<SortedPage<'_>> {
        (self.kind == PageKind::Sorted).then(|| SortedPage::new(&self.bytes, &self.sorted))
    }

    /// The entries, if this is a names leaf.
    #[inline]
    pub fn names(&self) -> Option<NamesPage<'_>> {
        (self.kind == PageKind::NamesLeaf).then(|| NamesPage::new(&self.bytes, self.count))
    }

    /// The extents, if this is a blob's index page.
    pub fn blob_index(&self) -> Option<BlobIndex<'_>> {
        (self.kind == PageKind::BlobIndex).then(|| BlobIndex::new(&self.bytes, self.count))
    }

    /// Everything a blob's data page can hold: on its last page, zeros follow the data.
    pub fn blob_data(&self) -> Option<&[u8]> {
        let body = self.bytes.get(HEADER_LEN..body_end(self.bytes.len()));
        body.filter(|_| self.kind == PageKind::BlobData)
    }

    /// The runs, if this is a freelist page.
    pub fn freelist(&self) -> Option<FreelistPage<'_>> {
        (self.kind == PageKind::Freelist).then(|| FreelistPage::new(&self.bytes, self.count))
    }
}

/// The fields that every page has, with the rules that hold for all kinds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common {
    pub(crate) kind: PageKind,
    pub(crate) space: Option<KeySpace>,
    pub(crate) level: u8,
    pub(crate) flags: u8,
    pub(crate) count: usize,
    pub(crate) prefix_len: usize,
    pub(crate) extra: usize,
}

impl Common {
    pub(crate) fn read(bytes: &[u8]) -> Result<Common> {
        ensure(PAGE_SIZES.contains(&bytes.len()), "page has no legal size")?;
        let [kind, space, level, flags, ..] = *bytes else {
            return Err(FormatError("page has no legal size"));
        };
        let kind = PageKind::from_number(kind).ok_or(FormatError("unknown page kind"))?;
        let space = match space {
            0 => None,
            number => Some(KeySpace::from_number(number).ok_or(FormatError("unknown key space"))?),
        };
        ensure(level <= MAX_LEVEL, "page level out of range")?;
        let count = usize::from(u16_at(bytes, off::COUNT));
        let prefix_len = usize::from(u16_at(bytes, off::PREFIX_LEN));
        let extra = usize::from(u16_at(bytes, off::EXTRA));
        let common = Common {
            kind,
            space,
            level,
            flags,
            count,
            prefix_len,
            extra,
        };
        common.check()?;
        Ok(common)
    }

    fn check(&self) -> Result<()> {
        let names_leaf = self.space == Some(KeySpace::Names) && self.level == 0;
        match self.kind {
            PageKind::Sorted => {
                ensure(self.space.is_some(), "tree page without a key space")?;
                return ensure(!names_leaf, "names leaf of the wrong page kind");
            }
            PageKind::NamesLeaf => ensure(names_leaf, "names leaf outside its space or level")?,
            _ => {
                ensure(
                    self.space.is_none() && self.level == 0,
                    "page outside trees has a space",
                )?;
                ensure(self.extra == 0, "reserved bytes are not zero")?;
            }
        }
        ensure(
            self.flags == 0 && self.prefix_len == 0,
            "reserved bytes are not zero",
        )
    }
}

/// Where the body of a page of this size ends.
pub(crate) const fn body_end(page_size: usize) -> usize {
    page_size.saturating_sub(TRAILER_LEN)
}

/// The birth written in a page.
pub(crate) fn birth_of(bytes: &[u8]) -> u64 {
    u48_at(bytes, off::BIRTH)
}

/// The checksum that a page at `at` must carry.
pub(crate) fn page_checksum(bytes: &[u8], at: PageRef, id: &FileId) -> u64 {
    let (body, _) = bytes
        .split_at_checked(body_end(bytes.len()))
        .unwrap_or((bytes, &[]));
    if planted!("page-identity-unchecked") {
        return crc(&[body]);
    }
    crc(&[
        id,
        &at.page().to_le_bytes(),
        &at.birth().to_le_bytes(),
        body,
    ])
}

/// Checks that these are the bytes written as `at` in the file `id`.
pub(crate) fn check_seal(bytes: &[u8], at: PageRef, id: &FileId) -> Result<()> {
    ensure(PAGE_SIZES.contains(&bytes.len()), "page has no legal size")?;
    if planted!("page-checksum-unchecked") {
        return Ok(());
    }
    let stored = u64_at(bytes, body_end(bytes.len()));
    if planted!("page-identity-unchecked") {
        let body = bytes.get(..body_end(bytes.len())).unwrap_or_default();
        return ensure(crc(&[body]) == stored, "page checksum fails");
    }
    if birth_of(bytes) != at.birth() {
        // Either the page is damaged, or it is sound and not the one that was meant.
        let own = PageRef::new(at.page(), birth_of(bytes)).unwrap_or(at);
        let sound = page_checksum(bytes, own, id) == stored;
        return Err(FormatError(if sound {
            "page has another birth"
        } else {
            "page checksum fails"
        }));
    }
    ensure(
        page_checksum(bytes, at, id) == stored,
        "page checksum fails",
    )
}

/// Completes a page image with its birth and checksum.
pub fn seal(bytes: &mut [u8], at: PageRef, id: &FileId) {
    debug_assert!(PAGE_SIZES.contains(&bytes.len()), "image is not a page");
    let mut birth = Vec::with_capacity(6);
    put_u48(&mut birth, at.birth());
    set_at(bytes, off::BIRTH, &birth);
    let checksum = page_checksum(bytes, at, id);
    set_at(bytes, body_end(bytes.len()), &checksum.to_le_bytes());
}

/// Appends a reference, or zeros for none.
pub fn put_ref(out: &mut Vec<u8>, r: Option<PageRef>) {
    put_u48(out, r.map_or(0, PageRef::page));
    put_u48(out, r.map_or(0, PageRef::birth));
}

/// Starts a page image: the common header, with the birth left to [`seal`].
pub(crate) fn start_image(page_size: usize, common: &Common) -> Vec<u8> {
    debug_assert!(
        common.count <= usize::from(u16::MAX),
        "too many entries for a page"
    );
    debug_assert!(
        common.prefix_len <= usize::from(u16::MAX),
        "prefix too long for a page"
    );
    debug_assert!(common.extra <= usize::from(u16::MAX), "extra out of range");
    let mut out = Vec::with_capacity(page_size);
    let space = common.space.map_or(0, |space| space as u8);
    out.extend_from_slice(&[common.kind as u8, space, common.level, common.flags]);
    out.extend_from_slice(&(common.count as u16).to_le_bytes());
    out.extend_from_slice(&(common.prefix_len as u16).to_le_bytes());
    out.extend_from_slice(&[0; 6]);
    out.extend_from_slice(&(common.extra as u16).to_le_bytes());
    out
}

/// Completes a page image with zeros up to the page's size.
pub(crate) fn finish_image(mut out: Vec<u8>, page_size: usize) -> Box<[u8]> {
    debug_assert!(out.len() <= body_end(page_size), "page image too long");
    out.resize(page_size, 0);
    out.into_boxed_slice()
}
