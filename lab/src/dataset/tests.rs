#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

const NODES: &str = "{\"id\":1,\"kind\":\"a\",\"name\":\"x\",\"data\":{\"v\": 1}}\n\n{\"id\":9,\"kind\":\"b\",\"name\":\"y\"}\n";
const EDGES: &str = "src\tdst\ttype\tdata\n1\t9\tto\t{}\n9\t9\tto\t\n";

fn read(files: &[(&str, &[u8])]) -> Result<(Vec<NodeRow>, Vec<EdgeRow>), Failure> {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        paths.push(path);
    }
    let source = Source::new(Files::find(&paths)?);
    let nodes = source.nodes().collect::<Result<Vec<_>, _>>()?;
    let edges = source.edges().collect::<Result<Vec<_>, _>>()?;
    Ok((nodes, edges))
}

fn zipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn refused(files: &[(&str, &[u8])], want: &str) {
    let message = read(files).expect_err("accepted").message;
    assert!(message.contains(want), "{message}");
}

#[test]
fn plain_and_gzipped_read_the_same() {
    let plain = read(&[("n.jsonl", NODES.as_bytes()), ("e.tsv", EDGES.as_bytes())]).unwrap();
    let packed = read(&[("n.jsonl.gz", &zipped(NODES)), ("e.tsv.gz", &zipped(EDGES))]).unwrap();
    assert_eq!(plain, packed);
    assert_eq!(plain.0[0].data, b"{\"v\": 1}");
    assert_eq!((plain.0[1].id, plain.0[1].data.len()), (9, 0));
    assert_eq!(
        (
            plain.1[0].source,
            plain.1[0].target,
            plain.1[0].data.as_slice()
        ),
        (1, 9, b"{}".as_slice())
    );
}

#[test]
fn two_gzip_members_are_one_file() {
    let (first, second) = NODES.split_at(NODES.find("\n\n").unwrap() + 1);
    let bytes = [zipped(first), zipped(second)].concat();
    assert_eq!(read(&[("n.jsonl.gz", &bytes)]).unwrap().0.len(), 2);
}

#[test]
fn string_ids_are_numbered_in_order() {
    let nodes = "{\"id\":\"p\",\"kind\":\"a\",\"name\":\"x\"}\n{\"id\":\"q\",\"kind\":\"a\",\"name\":\"y\"}\n";
    let (nodes, edges) = read(&[
        ("n.jsonl", nodes.as_bytes()),
        ("e.tsv", b"src\tdst\ttype\nq\tp\tto\n"),
    ])
    .unwrap();
    assert_eq!(nodes.iter().map(|node| node.id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((edges[0].source, edges[0].target), (2, 1));
}

#[test]
fn bad_rows_are_named_with_file_and_line() {
    let nodes = ("n.jsonl", NODES.as_bytes());
    refused(
        &[(
            "n.jsonl",
            b"{\"id\":1,\"kind\":\"a\",\"name\":\"x\"}\n{\"id\":1,\"kind\":\"a\",\"name\":\"x\"}\n",
        )],
        "n.jsonl:2: id 1 comes after 1",
    );
    refused(
        &[("n.jsonl", b"{\"id\":0,\"kind\":\"a\",\"name\":\"x\"}")],
        "n.jsonl:1: id 0 is not",
    );
    refused(
        &[("n.jsonl", b"{\"id\":-1,\"kind\":\"a\",\"name\":\"x\"}")],
        "n.jsonl:1: ",
    );
    refused(
        &[("n.jsonl", b"{\"id\":1,\"kind\":\"a\",\"nam\":\"x\"}")],
        "unknown field `nam`",
    );
    refused(&[("n.jsonl", b"{\"id\":1,\"kind\":\"a\",\"name\":\"x\"}\n{\"id\":\"1\",\"kind\":\"a\",\"name\":\"x\"}")], "n.jsonl:2: ids are all");
    refused(
        &[("n.jsonl", b"{\"id\":1,\"kind\":\"\xff\"}")],
        "n.jsonl:1: not UTF-8",
    );
    refused(
        &[nodes, ("e.tsv", b"src dst type\n")],
        "e.tsv:1: the header",
    );
    refused(&[nodes, ("e.tsv", b"")], "e.tsv:1: the header");
    refused(
        &[nodes, ("e.tsv", b"src\tdst\ttype\tdata\n1\t9\tto\n")],
        "e.tsv:2: 4 fields expected, found 3",
    );
    refused(
        &[nodes, ("e.tsv", b"src\tdst\ttype\n1\t9\tto\tx\n")],
        "e.tsv:2: 3 fields expected, found 4",
    );
    refused(&[nodes, ("e.tsv", b"src\tdst\ttype\n1\t9\n")], "found 2");
    refused(
        &[nodes, ("e.tsv", b"src\tdst\ttype\n1\t5\tto\n")],
        "e.tsv:2: dst `5` is no node",
    );
    refused(
        &[nodes, ("e.tsv", b"src\tdst\ttype\nx\t9\tto\n")],
        "src `x` is not a whole number",
    );
    refused(
        &[nodes, ("e.tsv", b"src\tdst\ttype\n1\t9\t\n")],
        "the type is empty",
    );
}

/// The same graph in every form, and columns in any order.
#[test]
fn tables_say_what_json_lines_say() {
    let lines = read(&[("n.jsonl", NODES.as_bytes()), ("e.tsv", EDGES.as_bytes())]).unwrap();
    let tsv = "id\tkind\tname\tdata\n1\ta\tx\t{\"v\": 1}\n9\tb\ty\t\n";
    let csv = "name,id,data,kind\r\nx,1,\"{\"\"v\"\": 1}\",a\r\n\r\ny,9,,b\r\n";
    let edges = "dst,src,data,type\n9,1,{},to\n9,9,,to\n";
    for nodes in [("n.tsv", tsv), ("n.csv", csv)] {
        let files = [
            (nodes.0, nodes.1.as_bytes()),
            ("e.csv.gz", &zipped(edges)[..]),
        ];
        assert_eq!(read(&files).unwrap(), lines, "{}", nodes.0);
    }
}

/// In CSV a quoted field holds anything; in TSV a quote is a character like any other.
#[test]
fn quotes_count_in_csv_alone() {
    let (nodes, _) = read(&[(
        "n.csv",
        b"id,kind,name\n1,a,\"two\nlines, \"\"quoted\"\"\"\n",
    )])
    .unwrap();
    assert_eq!(nodes[0].name, "two\nlines, \"quoted\"");
    let (nodes, _) = read(&[("n.tsv", b"id\tkind\tname\n1\ta\t\"x\n2\ta\ty\"\n")]).unwrap();
    assert_eq!([&nodes[0].name, &nodes[1].name], ["\"x", "y\""]);
}

#[test]
fn bad_tables_are_named_with_file_and_line() {
    refused(
        &[("n.csv", b"id,kind,nam\n")],
        "n.csv:1: the header must name",
    );
    refused(
        &[("n.csv", b"id,kind,name,id\n")],
        "n.csv:1: the header must name",
    );
    refused(
        &[("n.csv", b"id,kind,name\n1,a\n")],
        "n.csv:2: 3 fields expected, found 2",
    );
    refused(
        &[("n.csv", b"id,kind,name\n1,a,x\n\xff,a,x\n")],
        "n.csv:3: not UTF-8 in field 1",
    );
    refused(
        &[("n.csv", b"id,kind,name\n1,a,\"x\ny\"\n1,b,y\n")],
        "n.csv:4: id 1 comes after 1",
    );
    refused(
        &[("n.csv", b"id,kind,name\n1,a,x\nx,b,y\n")],
        "n.csv:3: ids are all",
    );
    let nodes = ("n.csv", "id,kind,name\np,a,x\n7,a,x\n".as_bytes());
    refused(
        &[nodes, ("e.csv", b"src,dst,type\np,7,to\np,8,to\n")],
        "e.csv:3: dst `8` is no node",
    );
}

#[test]
fn renumbered_nodes_may_come_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = folder.path().join("n.csv");
    let edges = folder.path().join("e.csv");
    fs::write(&nodes, "id,kind,name\n70,a,x\n5,a,y\n").unwrap();
    fs::write(&edges, "src,dst,type\n70,5,to\n").unwrap();
    let files = Files::find(&[edges, nodes]).unwrap();
    let kept = Source::new(files.clone()).model().map(|_| ());
    assert!(kept.expect_err("accepted").message.contains("--renumber"));
    let source = Source::renumbered(files);
    let ids: Vec<u64> = source.nodes().map(|row| row.unwrap().id).collect();
    assert_eq!(ids, [1, 2]);
    let edge = source.edges().next().unwrap().unwrap();
    assert_eq!((edge.source, edge.target), (1, 2));
}

/// A quote without an end must not read on until the memory is full.
#[test]
fn a_row_without_an_end_is_refused() {
    let endless = std::io::Read::chain(&b"id,kind,name\n1,a,\""[..], std::io::repeat(b'x'));
    let path = Path::new("n.csv");
    let mut table = table::Table::over(path, endless, table::Form::Csv, &table::NODES).unwrap();
    let failure = table.advance().expect_err("accepted");
    assert!(
        failure.message.contains("n.csv:2: the row is longer"),
        "{failure}"
    );
}

#[test]
fn rows_end_after_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.jsonl");
    fs::write(&path, "{\n{\"id\":1,\"kind\":\"a\",\"name\":\"x\"}\n").unwrap();
    let source = Source::new(Files::find(&[path]).unwrap());
    assert_eq!(
        source.nodes().map(|row| row.is_ok()).collect::<Vec<_>>(),
        [false]
    );
}

#[test]
fn a_cut_gzip_file_is_refused() {
    let whole = zipped(NODES);
    let cut = &whole[..whole.len() - 9];
    refused(&[("n.jsonl.gz", cut)], "n.jsonl.gz:");
}

#[test]
fn a_name_that_promises_gzip_is_held_to_it() {
    refused(&[("n.jsonl.gz", b"\x1e\x8b\x08")], "not gzip data");
}

#[test]
fn endings_and_folders() {
    refused(&[("n.txt", b"")], "JSON lines end in .jsonl");
    let folder = tempfile::tempdir().unwrap();
    let missing = Files::find(&[folder.path().to_owned()]).expect_err("accepted");
    assert_eq!(missing.exit, crate::failure::Exit::Missing);
    fs::write(folder.path().join("nodes.jsonl.gz"), b"").unwrap();
    fs::write(folder.path().join("edges.tsv"), b"").unwrap();
    let files = Files::find(&[folder.path().to_owned()]).unwrap();
    assert_eq!((files.nodes.len(), files.edges.len()), (1, 1));
    assert!(Files::find(&[folder.path().join("absent.tsv")]).is_err());
}
