//! Edge blocks: arbitrary bytes are refused or read, and a list of edges survives encoding.

use std::ops::Range;

use vellum::PageRef;
use vellum::format::FormatError;
use vellum::format::edges::{BlockEdge, EdgeBlock, EdgeBlockBuilder};
use vellum::format::node::{BlobRef, Data};

/// What the input was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A list of no edges.
    Nothing,
    /// Bytes that break this rule.
    Refused(FormatError),
    /// A block.
    Block(Shape),
}

/// What sort of block it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Whether it was built from a list of edges.
    pub built: bool,
    /// Whether any ordinal is not 0.
    pub ordinals: bool,
    /// Whether any edge has data.
    pub data: bool,
    /// Whether any data is a blob.
    pub blobs: bool,
    /// Whether peers are packed as differences.
    pub delta: bool,
    /// Whether labels and peers are packed together.
    pub joined: bool,
    /// Whether there are several labels.
    pub labels: bool,
}

/// As many places of a block are looked at one by one, and every one of a smaller block.
const PLACES: usize = 16;

/// Bytes of the input that one step takes.
const STEP_LEN: usize = 5;

/// An edge as steps from the one before, so that every list of them ascends.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// The two highest bits say which number steps.
    by: u32,
    /// Stored data: its length, or from 128 on a blob.
    data: u8,
}

/// Takes the input for a block or, if its first byte is odd, for a list of edges.
pub fn run(data: &[u8]) -> Outcome {
    let (form, block) = data
        .split_first()
        .map_or((0, data), |(form, rest)| (*form, rest));
    if form & 1 == 1 {
        return built(block);
    }
    // Loads may run past the block, so what follows it has to make no difference.
    let end = block.len();
    let mut page = Vec::with_capacity(end + 16);
    page.extend_from_slice(block);
    page.resize(end + usize::from(form / 2 % 16), form);
    match EdgeBlock::parse(&page, 0..end).and_then(|block| read(&block)) {
        Ok(shape) => Outcome::Block(shape),
        Err(rule) => Outcome::Refused(rule),
    }
}

/// Reads a block whole and every way there is; they must agree.
pub(crate) fn read(block: &EdgeBlock<'_>) -> Result<Shape, FormatError> {
    read_edges(block, &mut Vec::new(), |_| ())
}

/// The same, and gives the edges, and their data to `see`.
fn read_edges<'p>(
    block: &EdgeBlock<'p>,
    edges: &mut Vec<BlockEdge>,
    see: impl FnMut(Data<'p>),
) -> Result<Shape, FormatError> {
    let checked = block.check();
    block.decode_into(edges)?;
    assert_eq!(edges.len(), block.len());
    assert_eq!(block.first()?, edges[0]);
    assert_eq!(block.last()?, edges[edges.len() - 1]);
    let mut seen = 0;
    let mut labels = Vec::new();
    for (label, range) in block.labels() {
        assert_eq!(range.start, seen, "label runs follow one another");
        seen = range.end;
        assert!(edges[range.clone()].iter().all(|edge| edge.label == label));
        labels.push((label, range));
    }
    find_labels(block, &labels);
    assert_eq!(seen, edges.len(), "label runs cover the block");
    read_parts(block, edges)?;
    let (count, blobs) = read_data(block, see)?;
    assert_eq!(count, edges.len());
    checked?;
    Ok(Shape {
        built: false,
        ordinals: block.has_ordinals(),
        data: block.has_data(),
        blobs,
        delta: block.is_delta(),
        joined: block.is_joined(),
        labels: block.labels().nth(1).is_some(),
    })
}

/// Labels are found, and those that are not there are not. Finding one walks over those before it unless labels and
/// peers are packed together, and then a stride keeps large blocks affordable.
fn find_labels(block: &EdgeBlock<'_>, labels: &[(u16, Range<usize>)]) {
    let stride = if block.is_joined() {
        1
    } else {
        labels.len() / PLACES + 1
    };
    let first = labels.len() % stride;
    let last = labels.iter().rev().take(1);
    for (label, range) in labels.iter().skip(first).step_by(stride).chain(last) {
        assert_eq!(block.label_range(*label).as_ref(), Some(range));
        let next = label.wrapping_add(1);
        if labels
            .binary_search_by_key(&next, |(label, _)| *label)
            .is_err()
        {
            assert_eq!(block.label_range(next), None);
        }
    }
}

/// Decoding any part gives what decoding the whole does. Finding where a part begins walks over what is before it, so a
/// stride keeps large blocks affordable, and from each place either one edge is read or several, in turn. Which places
/// these are depends on the length, so blocks that are a little longer or shorter are asked elsewhere.
fn read_parts(block: &EdgeBlock<'_>, edges: &[BlockEdge]) -> Result<(), FormatError> {
    let stride = edges.len() / PLACES + 1;
    let mut part = Vec::with_capacity(2 * stride);
    for (turn, start) in (edges.len()..).zip((edges.len() % stride..edges.len()).step_by(stride)) {
        if turn.is_multiple_of(2) {
            assert_eq!(block.get(start)?, edges[start]);
            continue;
        }
        let end = edges.len().min(start + 2 * stride);
        part.clear();
        block.decode_range(start..end, &mut part)?;
        assert_eq!(part, edges[start..end]);
    }
    assert!(block.get(edges.len()).is_err());
    Ok(())
}

/// Gives the data of every edge to `see`, and tells how many there are and whether any of them is a blob.
fn read_data<'p>(
    block: &EdgeBlock<'p>,
    mut see: impl FnMut(Data<'p>),
) -> Result<(usize, bool), FormatError> {
    let (mut count, mut blobs) = (0, false);
    for data in block.data_iter()? {
        let data = data?;
        blobs |= data.is_blob();
        count += 1;
        see(data);
    }
    Ok((count, blobs))
}

/// Edges, each with what stands for its data.
type List = Vec<(BlockEdge, Data<'static>)>;

fn built(steps: &[u8]) -> Outcome {
    let edges = list(steps);
    let page = encode(&edges);
    if edges.is_empty() {
        assert!(page.is_empty());
        return Outcome::Nothing;
    }
    let block = EdgeBlock::parse(&page, 0..page.len()).expect("what was just encoded");
    let (mut decoded, mut pushed) = (Vec::new(), edges.iter());
    let see = |data| assert!(pushed.next().is_some_and(|(_, pushed)| *pushed == data));
    let shape = read_edges(&block, &mut decoded, see).expect("what was just encoded");
    assert!(decoded.iter().eq(edges.iter().map(|(edge, _)| edge)));
    Outcome::Block(Shape {
        built: true,
        ..shape
    })
}

fn list(steps: &[u8]) -> List {
    let mut edges = List::with_capacity(steps.len().div_ceil(STEP_LEN));
    for bytes in steps.chunks(STEP_LEN) {
        let step = Step::read(bytes);
        let last = edges.last().map_or(BlockEdge::default(), |(edge, _)| *edge);
        let Some(edge) = step.from(last) else { break };
        edges.push((edge, step.data()));
    }
    edges
}

fn encode(edges: &List) -> Vec<u8> {
    let mut builder = EdgeBlockBuilder::with_capacity(edges.len());
    for (edge, data) in edges {
        let expected = builder.size_with(*edge, data.stored_len());
        builder.push(*edge, *data);
        assert_eq!(builder.size(), expected, "the size is known before");
    }
    let mut block = Vec::with_capacity(builder.size());
    builder.encode(&mut block);
    assert_eq!(block.len(), builder.size());
    block
}

impl Step {
    /// A step from its bytes; those that are missing are zeros.
    fn read(bytes: &[u8]) -> Step {
        let mut whole = [0; STEP_LEN];
        whole[..bytes.len()].copy_from_slice(bytes);
        let [by @ .., data] = whole;
        Step {
            by: u32::from_le_bytes(by),
            data,
        }
    }

    fn from(self, last: BlockEdge) -> Option<BlockEdge> {
        let by = self.by & 0x3fff_ffff;
        let edge = match self.by >> 30 {
            0 => BlockEdge {
                peer: last.peer + u64::from(by) + 1,
                ordinal: 0,
                ..last
            },
            1 => BlockEdge {
                peer: last.peer + (u64::from(by) << 18) + 1,
                ordinal: 0,
                ..last
            },
            2 => BlockEdge {
                peer: last.peer.max(1),
                ordinal: last.ordinal.checked_add(by + 1)?,
                ..last
            },
            _ => BlockEdge {
                label: last.label.checked_add(by as u16)?.checked_add(1)?,
                peer: u64::from(by >> 16) + 1,
                ordinal: 0,
            },
        };
        (edge.peer <= vellum::MAX_U48).then_some(edge)
    }

    fn data(self) -> Data<'static> {
        static BYTES: [u8; 128] = [0x5a; 128];
        let blob = |index| BlobRef {
            index,
            len: u64::from(self.data) << 12,
        };
        match self.data.checked_sub(128) {
            None => Data::Inline(&BYTES[..usize::from(self.data)]),
            Some(page) => PageRef::new(u64::from(page) + 1, 9)
                .map_or(Data::EMPTY, |index| Data::Blob(blob(index))),
        }
    }
}

/// The input for a block of these bytes.
pub(crate) fn raw_input(block: &[u8]) -> Vec<u8> {
    [&[16], block].concat()
}

/// The input for a list of edges: steps and stored data.
pub(crate) fn list_input(steps: &[(u32, u8)]) -> Vec<u8> {
    let mut input = vec![1];
    crate::edits::write(steps, &mut input);
    input
}

/// The block that the input for a list of edges gives.
pub(crate) fn encoded(input: &[u8]) -> Vec<u8> {
    encode(&list(input.get(1..).unwrap_or_default()))
}
