//! Data files of any bytes: a graph, or a message that names file and line.

use arbitrary::Unstructured;

/// What became of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They are a graph of so many nodes and edges.
    Graph(u64, u64),
    /// They are none, and the message says where and why.
    Refused,
}

/// The input: whether there are edges (an odd byte), the length of the nodes' file, then both files.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let edges = u.arbitrary::<u8>().unwrap_or_default() & 1 == 1;
    let len = usize::from(u.arbitrary::<u16>().unwrap_or_default());
    let bytes = u.take_rest();
    let (nodes, rest) = bytes.split_at(len.min(bytes.len()));
    match vellum_lab::untrusted::graph(nodes.to_vec(), edges.then(|| rest.to_vec())) {
        Ok((nodes, edges)) => Outcome::Graph(nodes, edges),
        Err(message) => {
            let named = [
                "nodes.jsonl",
                "nodes.csv",
                "nodes.tsv",
                "edges.csv",
                "edges.tsv",
            ]
            .iter()
            .any(|name| message.starts_with(name));
            assert!(named, "the file is not named: {message}");
            Outcome::Refused
        }
    }
}

/// The input that [`run`] takes for these files.
pub(crate) fn input(nodes: &[u8], edges: Option<&[u8]>) -> Vec<u8> {
    let mut input = vec![u8::from(edges.is_some())];
    input.extend_from_slice(&(nodes.len() as u16).to_le_bytes());
    input.extend_from_slice(nodes);
    input.extend_from_slice(edges.unwrap_or_default());
    input
}
