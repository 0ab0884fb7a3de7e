//! Every length and count in an image, and how its bytes look with one of them changed and the checksum
//! over it repaired.

use vellum::format::checksum::crc;
use vellum::format::header::{self, Header, SLOT_LEN, SLOT_OFFSETS};
use vellum::format::log::{RECORD_FIELDS, SEGMENT_FIELDS, SEGMENT_HEADER_LEN, SegmentHeader};
use vellum::format::page::{self, Page, PageKind, seal};
use vellum::inspect::PageFile;
use vellum::{PageRef, Result};

use super::cells;
use super::image::Image;

/// A number in one of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Offset in its file.
    pub(super) at: usize,
    pub(super) form: Form,
    sealed: Sealed,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Little-endian, of so many bytes.
    Fixed(usize),
    /// Seven bits a byte, of so many bytes.
    Varint(usize),
}

/// What a checksum covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sealed {
    Slot(usize),
    Page(u64),
    Log,
}

/// What a field is set to.
const SETTINGS: usize = 5;

impl Form {
    fn bytes(self) -> usize {
        match self {
            Form::Fixed(bytes) | Form::Varint(bytes) => bytes,
        }
    }

    fn largest(self) -> u64 {
        let bits = match self {
            Form::Fixed(bytes) => 8 * bytes as u32,
            Form::Varint(bytes) => 7 * bytes as u32,
        };
        u64::MAX >> 64u32.saturating_sub(bits).min(63)
    }

    fn read(self, bytes: &[u8]) -> u64 {
        let bits = if let Form::Fixed(_) = self { 8 } else { 7 };
        let parts = bytes.iter().rev().take(8);
        parts.fold(0, |number, byte| {
            number << bits | u64::from(byte & (0xff >> (8 - bits)))
        })
    }

    fn write(self, out: &mut [u8], number: u64) {
        let last = out.len().saturating_sub(1);
        for (place, byte) in out.iter_mut().enumerate() {
            *byte = match self {
                Form::Fixed(_) => (number >> (8 * place)) as u8,
                Form::Varint(_) => {
                    let more = if place < last { 0x80 } else { 0 };
                    (number >> (7 * place)) as u8 & 0x7f | more
                }
            };
        }
    }

    /// 0, 1, the largest, one more, one less.
    fn set(self, now: u64, setting: usize) -> u64 {
        match setting {
            0 => 0,
            1 => 1,
            2 => self.largest(),
            3 => now.wrapping_add(1) & self.largest(),
            _ => now.wrapping_sub(1) & self.largest(),
        }
    }
}

/// Where the parts of the log stand whose checksums follow from one another.
#[derive(Clone, Debug, Default)]
pub(super) struct LogParts {
    segment: Option<(usize, SegmentHeader)>,
    /// Offset and length of each record that recovery takes.
    records: Vec<(usize, usize)>,
    chain: u64,
}

/// Fields of both files: those of the database, those of the log.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) database: Vec<Field>,
    pub(super) log: Vec<Field>,
    parts: LogParts,
    file_id: [u8; 16],
}

impl Fields {
    /// How many changes of the fields of one file there are.
    pub(super) fn changes(fields: &[Field]) -> usize {
        fields.len() * SETTINGS
    }

    /// Where the records of the log stand that recovery takes, and how long they are.
    pub(super) fn records(&self) -> &[(usize, usize)] {
        &self.parts.records
    }

    /// Every number of the image. `records`: where the records of the log stand, and how long they are.
    pub(super) fn of(image: &Image, file: &PageFile, records: &[(usize, usize)]) -> Result<Fields> {
        let Some(header) = file.newest() else {
            return Ok(Fields::default());
        };
        let mut database = slots(image);
        for number in file.first_page()..file.page_count() {
            if let Ok(page) = file.page(number)?.page {
                let start = number as usize * image.page_size;
                for (at, form) in of_page(&page) {
                    let sealed = Sealed::Page(number);
                    let at = start + at;
                    database.push(Field { at, form, sealed });
                }
            }
        }
        let (log, parts) = of_log(image, header, records);
        Ok(Fields {
            database,
            log,
            parts,
            file_id: header.file_id,
        })
    }

    /// A piece of the database with one change, its checksum repaired; `None` if nothing changes.
    pub(super) fn database(&self, image: &Image, place: usize) -> Option<(usize, Vec<u8>)> {
        let field = self.database.get(place / SETTINGS)?;
        let (start, len) = match field.sealed {
            Sealed::Slot(slot) => (*SLOT_OFFSETS.get(slot)? as usize, SLOT_LEN),
            Sealed::Page(number) => (number as usize * image.page_size, image.page_size),
            Sealed::Log => return None,
        };
        let mut bytes = image.database.get(start..start + len)?.to_vec();
        change(&mut bytes, field, start, place % SETTINGS)?;
        match field.sealed {
            Sealed::Page(number) => {
                let birth = bytes.get(8..14)?.iter().rev();
                let birth = birth.fold(0, |birth, byte| birth << 8 | u64::from(*byte));
                seal(&mut bytes, PageRef::new(number, birth)?, &self.file_id);
            }
            _ => seal_slot(&mut bytes),
        }
        Some((start, bytes))
    }

    /// What a change of a field is, in words.
    pub(super) fn said(fields: &[Field], bytes: &[u8], place: usize) -> String {
        let Some(field) = fields.get(place / SETTINGS) else {
            return String::new();
        };
        let now = bytes.get(field.at..field.at + field.form.bytes());
        let now = field.form.read(now.unwrap_or_default());
        let new = field.form.set(now, place % SETTINGS);
        let (at, form) = (field.at, field.form);
        format!("{now} becomes {new} at offset {at} ({form:?})")
    }

    /// The log with one change, and all checksums that follow from it repaired.
    pub(super) fn log(&self, image: &Image, place: usize) -> Option<Vec<u8>> {
        let field = self.log.get(place / SETTINGS)?;
        let mut bytes = image.log.clone();
        change(&mut bytes, field, 0, place % SETTINGS)?;
        let (at, mut segment) = self.parts.segment?;
        let mut chain = self.parts.chain;
        let head = bytes.get_mut(at..at + SEGMENT_HEADER_LEN)?;
        if head.get(..SEGMENT_HEADER_LEN - 8) != image.log.get(at..at + SEGMENT_HEADER_LEN - 8) {
            let (body, sum) = head.split_at_mut(SEGMENT_HEADER_LEN - 8);
            chain = crc(&[body]);
            sum.copy_from_slice(&chain.to_le_bytes());
            segment = SegmentHeader::decode(head).unwrap_or(segment);
        }
        for (offset, len) in &self.parts.records {
            chain = seal_record(&mut bytes, *offset, *len, &segment, chain)?;
        }
        Some(bytes)
    }
}

/// Puts a setting into a field; `None` if it holds that already.
fn change(bytes: &mut [u8], field: &Field, start: usize, setting: usize) -> Option<()> {
    let at = field.at.checked_sub(start)?;
    let place = bytes.get_mut(at..at + field.form.bytes())?;
    let now = field.form.read(place);
    let new = field.form.set(now, setting);
    field.form.write(place, new);
    (new != now).then_some(())
}

fn seal_slot(bytes: &mut [u8]) {
    if let Some((body, sum)) = bytes.split_at_mut_checked(SLOT_LEN - 8) {
        sum.copy_from_slice(&crc(&[body]).to_le_bytes());
    }
}

/// Repairs a record's link to the one before and its checksum, which stands where its length says if that is
/// within the log. Returns the checksum.
fn seal_record(
    bytes: &mut [u8],
    offset: usize,
    len: usize,
    segment: &SegmentHeader,
    chain: u64,
) -> Option<u64> {
    let said = bytes.get(offset..offset + 4)?;
    let said = u32::from_le_bytes(said.try_into().ok()?) as usize;
    let fits = said >= 48 && offset + said <= bytes.len();
    let record = bytes.get_mut(offset..offset + if fits { said } else { len })?;
    record
        .get_mut(32..40)?
        .copy_from_slice(&chain.to_le_bytes());
    let (body, sum) = record.split_at_mut(record.len() - 8);
    let (salt, generation) = (segment.salt.to_le_bytes(), segment.generation.to_le_bytes());
    let checksum = crc(&[&salt, &generation, body]);
    sum.copy_from_slice(&checksum.to_le_bytes());
    Some(checksum)
}

/// The numbers of both header slots, those of the roots one by one.
fn slots(image: &Image) -> Vec<Field> {
    let names = [
        "magic",
        "file_id",
        "reserved",
        "checksum",
        "log_chain",
        "freelist",
    ];
    let mut fields = Vec::new();
    for (slot, start) in SLOT_OFFSETS.into_iter().enumerate() {
        let mut push = |at: usize, bytes: usize| {
            fields.push(Field {
                at: start as usize + at,
                form: Form::Fixed(bytes),
                sealed: Sealed::Slot(slot),
            });
        };
        for (name, at, bytes) in header::FIELDS {
            if name.starts_with("root_") {
                for (name, inner, bytes) in header::ROOT_FIELDS {
                    if *name != "page" && *name != "reserved" {
                        push(at + inner, *bytes);
                    }
                }
            } else if !names.contains(name) {
                push(*at, *bytes);
            }
        }
    }
    fields.retain(|field| field.at + field.form.bytes() <= image.database.len());
    fields
}

/// The numbers of a page: its header's but the birth, its tables', and those within its cells.
fn of_page(page: &Page) -> Vec<(usize, Form)> {
    let mut fields: Vec<(usize, Form)> = page::FIELDS
        .iter()
        .filter(|(name, ..)| *name != "birth")
        .map(|(_, at, bytes)| (*at, Form::Fixed(*bytes)))
        .collect();
    match page.kind() {
        PageKind::Sorted => cells::sorted(page, &mut fields),
        PageKind::NamesLeaf => cells::names(page, &mut fields),
        PageKind::BlobIndex => {
            fields.push((16, Form::Fixed(8)));
            for i in 0..page.count() {
                fields.push((40 + 16 * i + 6, Form::Fixed(4)));
            }
        }
        PageKind::Freelist => cells::varints(page.bytes(), 28, 2 * page.count(), &mut fields),
        PageKind::BlobData => {}
    }
    fields
}

fn of_log(image: &Image, header: &Header, records: &[(usize, usize)]) -> (Vec<Field>, LogParts) {
    let generation = header.log_generation;
    let at = (generation % 2) as usize * header.log_segment_bytes as usize;
    let mut parts = LogParts {
        records: records.to_vec(),
        chain: header.log_chain,
        ..LogParts::default()
    };
    let mut places: Vec<(usize, Form)> = Vec::new();
    if let Some(segment) = image.log.get(at..).map(SegmentHeader::decode) {
        parts.segment = segment.ok().map(|segment| (at, segment));
        for (name, inner, bytes) in SEGMENT_FIELDS {
            if ["generation", "base"].contains(name) {
                places.push((at + inner, Form::Fixed(*bytes)));
            }
        }
    }
    for (offset, len) in records {
        for (name, inner, bytes) in RECORD_FIELDS {
            if *name != "chain" {
                places.push((offset + inner, Form::Fixed(*bytes)));
            }
        }
        let end = (offset + len).min(image.log.len());
        cells::operations(
            image.log.get(offset + 40..end).unwrap_or_default(),
            offset + 40,
            &mut places,
        );
    }
    let fields = places.into_iter().map(|(at, form)| Field {
        at,
        form,
        sealed: Sealed::Log,
    });
    (fields.collect(), parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for form in [
            Form::Fixed(1),
            Form::Fixed(2),
            Form::Fixed(6),
            Form::Fixed(8),
            Form::Varint(1),
            Form::Varint(3),
        ] {
            for number in [0, 1, form.largest() / 3, form.largest()] {
                let mut bytes = vec![0xaa; form.bytes()];
                form.write(&mut bytes, number);
                assert_eq!(form.read(&bytes), number, "{form:?}");
            }
            assert_eq!(form.set(0, 4), form.largest());
            assert_eq!(form.set(form.largest(), 3), 0);
        }
    }
}
