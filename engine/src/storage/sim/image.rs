//! The bytes of a file, in chunks that copies share until one of them changes.

use std::io;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

/// Bytes of a chunk.
const CHUNK: usize = 4096;

/// The bytes of a file. A clone costs a reference count for every 4 KiB, so that thousands of states of a
/// disk that differ in a few places can be made and dropped quickly.
#[derive(Clone, Debug, Default)]
pub struct Image {
    chunks: Vec<Chunk>,
    len: u64,
    /// Sum of the chunks' digests, each with its place.
    sum: u64,
}

#[derive(Clone, Debug)]
struct Chunk {
    bytes: Arc<[u8; CHUNK]>,
    /// Not the checksum of the format: whatever ends in its own checksum would look the same.
    digest: u64,
}

impl Chunk {
    fn new(bytes: Arc<[u8; CHUNK]>, index: usize) -> Chunk {
        let digest = mix(xxh3_64(&bytes[..]) ^ mix(index as u64));
        Chunk { bytes, digest }
    }
}

impl Image {
    /// A file with these bytes.
    pub fn new(bytes: &[u8]) -> Image {
        let mut image = Image::default();
        image.write(0, bytes);
        image
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of it.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = Vec::with_capacity(self.chunks.len() * CHUNK);
        for chunk in &self.chunks {
            bytes.extend_from_slice(&chunk.bytes[..]);
        }
        bytes.truncate(usize::try_from(self.len).unwrap_or(usize::MAX));
        bytes
    }

    /// A number that two files with different bytes share only by chance.
    pub fn digest(&self) -> u64 {
        mix(self.sum ^ mix(self.len))
    }

    /// A number that two files share only by chance if these bytes of theirs differ, or if one of them
    /// ends before. Whole 4 KiB at a time cost nothing but a look.
    pub fn digest_of(&self, offset: u64, len: usize) -> u64 {
        let end = offset.saturating_add(len as u64).min(self.len);
        let mut sum = mix(end);
        let mut at = offset;
        while at < end {
            let inside = (at % CHUNK as u64) as usize;
            let part = (CHUNK - inside).min(usize::try_from(end - at).unwrap_or(CHUNK));
            let index = usize::try_from(at / CHUNK as u64).unwrap_or(usize::MAX);
            let Some(chunk) = self.chunks.get(index) else {
                break;
            };
            let digest = if part == CHUNK {
                chunk.digest
            } else {
                xxh3_64(&chunk.bytes[inside..inside + part])
            };
            sum = mix(sum ^ digest);
            at += part as u64;
        }
        sum
    }

    /// Fills `out` from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file ends before.
    pub fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| end > self.len) && !out.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut at = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut out = out;
        while !out.is_empty() {
            let inside = at % CHUNK;
            let (now, later) = out.split_at_mut(out.len().min(CHUNK - inside));
            let chunk = self.chunks.get(at / CHUNK);
            let chunk = chunk.ok_or(io::ErrorKind::UnexpectedEof)?;
            now.copy_from_slice(&chunk.bytes[inside..inside + now.len()]);
            at += now.len();
            out = later;
        }
        Ok(())
    }

    /// Writes `data` at `offset`. A gap before it is filled with zeros.
    pub fn write(&mut self, offset: u64, data: &[u8]) {
        let end = offset.saturating_add(data.len() as u64);
        if end > self.len && !data.is_empty() {
            self.set_len(end);
        }
        let mut at = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut data = data;
        while !data.is_empty() {
            let inside = at % CHUNK;
            let (now, later) = data.split_at(data.len().min(CHUNK - inside));
            self.change(at / CHUNK, |bytes| {
                bytes[inside..inside + now.len()].copy_from_slice(now);
            });
            at += now.len();
            data = later;
        }
    }

    /// Sets the length, with zeros where it grows.
    pub fn set_len(&mut self, len: u64) {
        let wanted = usize::try_from(len).unwrap_or(usize::MAX).div_ceil(CHUNK);
        while self.chunks.len() > wanted {
            if let Some(chunk) = self.chunks.pop() {
                self.sum = self.sum.wrapping_sub(chunk.digest);
            }
        }
        if len < self.len && !len.is_multiple_of(CHUNK as u64) {
            // What grows again later grows with zeros.
            let kept = (len % CHUNK as u64) as usize;
            self.change(wanted - 1, |bytes| bytes[kept..].fill(0));
        }
        while self.chunks.len() < wanted {
            let chunk = Chunk::new(Arc::new([0; CHUNK]), self.chunks.len());
            self.sum = self.sum.wrapping_add(chunk.digest);
            self.chunks.push(chunk);
        }
        self.len = len;
    }

    fn change(&mut self, index: usize, change: impl FnOnce(&mut [u8; CHUNK])) {
        let Some(chunk) = self.chunks.get_mut(index) else {
            return;
        };
        self.sum = self.sum.wrapping_sub(chunk.digest);
        change(Arc::make_mut(&mut chunk.bytes));
        *chunk = Chunk::new(Arc::clone(&chunk.bytes), index);
        self.sum = self.sum.wrapping_add(chunk.digest);
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
