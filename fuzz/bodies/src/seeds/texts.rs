//! Scenarios and data files, right ones and wrong ones.

use super::Seeds;
use crate::import_text::input;

const HEAD: &str = "schema = 1\nname = \"small\"\nquestion = \"Does it load?\"\nseed = 7\n";
const DATA: &str = "[dataset]\nfile = \"src\"\n";
const PHASES: &str = "[[phase]]\nname = \"load\"\nload = \"batch\"\nbatch = 10\n";

/// A name, the file of nodes, the file of edges.
type Graph<'g> = (&'g str, &'g [u8], Option<&'g [u8]>);

pub(super) fn add(seeds: &mut Seeds) {
    let texts = [
        ("empty", String::new()),
        ("head", HEAD.to_owned()),
        ("data", [HEAD, DATA].concat()),
        ("phases", [HEAD, DATA, PHASES].concat()),
        (
            "engine",
            [HEAD, "[engine]\ncache = \"32 MiB\"\n", DATA, PHASES].concat(),
        ),
        ("unknown-field", [HEAD, "colour = 3\n", DATA].concat()),
        ("wrong-type", HEAD.replace('1', "\"one\"")),
        ("not-toml", "schema = = 1".to_owned()),
        ("open-string", "schema = 1\nname = \"sma".to_owned()),
        ("far-number", HEAD.replace('1', "99999999999999999999")),
        (
            "check",
            [
                HEAD,
                DATA,
                PHASES,
                "[[check]]\nmetric = \"load.nodes\"\nexpect = \">= 1\"\n",
            ]
            .concat(),
        ),
        ("wide-characters", HEAD.replace("small", "größe 大 \\u0000")),
    ];
    for (name, text) in texts {
        seeds.add("scenario_text", name, text.into_bytes());
    }
    add_graphs(seeds);
}

fn add_graphs(seeds: &mut Seeds) {
    let numbers = b"{\"id\":1,\"kind\":\"k\",\"name\":\"a\"}\n{\"id\":5,\"kind\":\"k\",\"name\":\"b\",\"data\":{\"x\":[1,2]}}\n";
    let strings = b"{\"id\":\"a\",\"kind\":\"k\",\"name\":\"\"}\r\n\n{\"id\":\"b\",\"kind\":\"k\",\"name\":\"b\",\"data\":null}";
    let zipped = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let graphs: [Graph; 13] = [
        ("none", b"", None),
        ("numbers", numbers, None),
        ("edges", numbers, Some(b"src\tdst\ttype\tdata\n1\t5\tcalls\t{}\n5\t1\tcalls\t\n")),
        ("strings", strings, Some(b"src\tdst\ttype\na\tb\tcalls\n")),
        ("unknown-end", numbers, Some(b"src\tdst\ttype\n1\t2\tcalls\n")),
        ("bad-header", numbers, Some(b"from\tto\n")),
        ("too-few-fields", numbers, Some(b"src\tdst\ttype\tdata\n1\t5\n")),
        ("descending", b"{\"id\":5,\"kind\":\"k\",\"name\":\"a\"}\n{\"id\":1,\"kind\":\"k\",\"name\":\"b\"}\n", None),
        ("mixed-ids", b"{\"id\":5,\"kind\":\"k\",\"name\":\"a\"}\n{\"id\":\"x\",\"kind\":\"k\",\"name\":\"b\"}\n", None),
        ("no-json", b"{\"id\":", None),
        ("not-text", b"\xff\xfe\n", None),
        ("zipped-empty", &zipped, None),
        ("zipped-cut", &zipped[..12], None),
    ];
    for (name, nodes, edges) in graphs {
        seeds.add("import_text", name, input(nodes, edges));
    }
}
