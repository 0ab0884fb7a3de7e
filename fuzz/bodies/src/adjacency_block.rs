//! Edge blocks: arbitrary bytes are refused or read, and a list of edges survives encoding.

use std::ops::Range;

use arbitrary::{Arbitrary, Unstructured};
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

/// An edge as steps from the one before, so that every list of them ascends.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Step {
    /// The two highest bits say which number steps.
    by: u32,
    /// Stored data: its length, or from 128 on a blob.
    data: u8,
}

/// Takes the input for a block or, if its first byte is odd, for a list of edges.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let form = u.arbitrary::<u8>().unwrap_or_default();
    if form & 1 == 1 {
        return built(&mut u);
    }
    // Loads may run past the block, so what follows it has to make no difference.
    let mut page = u.take_rest().to_vec();
    let end = page.len();
    page.resize(end + usize::from(form / 2 % 16), form);
    match EdgeBlock::parse(&page, 0..end).and_then(|block| read(&block)) {
        Ok(shape) => Outcome::Block(shape),
        Err(rule) => Outcome::Refused(rule),
    }
}

/// Reads a block whole and every way there is; they must agree.
pub(crate) fn read(block: &EdgeBlock<'_>) -> Result<Shape, FormatError> {
    let checked = block.check();
    let mut edges = Vec::new();
    block.decode_into(&mut edges)?;
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
    read_parts(block, &edges)?;
    let (count, blobs) = count_data(block)?;
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
        labels.len() / 50 + 1
    };
    let last = labels.iter().rev().take(1);
    for (label, range) in labels.iter().step_by(stride).chain(last) {
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

/// Decoding any part gives what decoding the whole does. A stride keeps large blocks affordable.
fn read_parts(block: &EdgeBlock<'_>, edges: &[BlockEdge]) -> Result<(), FormatError> {
    let stride = edges.len() / 50 + 1;
    let mut part = Vec::new();
    for start in (0..edges.len()).step_by(stride) {
        assert_eq!(block.get(start)?, edges[start]);
        let end = edges.len().min(start + 2 * stride);
        part.clear();
        block.decode_range(start..end, &mut part)?;
        assert_eq!(part, edges[start..end]);
    }
    assert!(block.get(edges.len()).is_err());
    Ok(())
}

fn count_data(block: &EdgeBlock<'_>) -> Result<(usize, bool), FormatError> {
    let (mut count, mut blobs) = (0, false);
    for data in block.data_iter()? {
        blobs |= data?.is_blob();
        count += 1;
    }
    Ok((count, blobs))
}

/// Edges, each with what stands for its data.
type List = Vec<(BlockEdge, Data<'static>)>;

fn built(u: &mut Unstructured<'_>) -> Outcome {
    let edges = list(u);
    let page = encode(&edges);
    if edges.is_empty() {
        assert!(page.is_empty());
        return Outcome::Nothing;
    }
    let block = EdgeBlock::parse(&page, 0..page.len()).expect("what was just encoded");
    let shape = read(&block).expect("what was just encoded");
    let mut decoded = Vec::new();
    block.decode_into(&mut decoded).expect("read before");
    assert!(decoded.iter().eq(edges.iter().map(|(edge, _)| edge)));
    let data = block.data_iter().expect("read before");
    assert!(
        data.map(Result::unwrap)
            .eq(edges.iter().map(|(_, data)| *data))
    );
    Outcome::Block(Shape {
        built: true,
        ..shape
    })
}

fn list(u: &mut Unstructured<'_>) -> List {
    let mut edges = List::new();
    while !u.is_empty() {
        let Ok(step) = u.arbitrary::<Step>() else {
            break;
        };
        let last = edges.last().map_or(BlockEdge::default(), |(edge, _)| *edge);
        let Some(edge) = step.from(last) else { break };
        edges.push((edge, step.data()));
    }
    edges
}

fn encode(edges: &List) -> Vec<u8> {
    let mut builder = EdgeBlockBuilder::new();
    for (edge, data) in edges {
        let expected = builder.size_with(*edge, data.stored_len());
        builder.push(*edge, *data);
        assert_eq!(builder.size(), expected, "the size is known before");
    }
    let mut block = Vec::new();
    builder.encode(&mut block);
    assert_eq!(block.len(), builder.size());
    block
}

impl Step {
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
    encode(&list(&mut Unstructured::new(
        input.get(1..).unwrap_or_default(),
    )))
}
