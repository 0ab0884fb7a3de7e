//! LMDB: integer keys, and each direction of edges as sorted duplicates of fixed width. It has no cache of its
//! own: the kernel's holds its pages. `docs/peers.md` says why each setting is its best.

use heed::byteorder::NativeEndian;
use heed::types::{Bytes, Str, U64};
use heed::{
    CommitOrAbort, Database, DatabaseFlags, DefaultComparator, Env, EnvOpenOptions,
    IntegerComparator, PutFlags, RoTxn, RwTxn, WithoutTls,
};

use crate::failure::Failure;
use crate::results::Setting;

use super::batch;
use super::graph::{Edge, Graph, Node};
use super::subject::{Change, Config, Reader, Session, Store, Way};

type Number = U64<NativeEndian>;
/// Node to record.
type Records = Database<'static, Number, Bytes, IntegerComparator>;
/// Node to label and peer, or kind to node.
type Lists = Database<'static, Number, Number, IntegerComparator, IntegerComparator>;
type Names = Database<'static, Str, Number, DefaultComparator, IntegerComparator>;

/// Address space for the map, which is no size of the file.
const MAP_BYTES: usize = 64 << 30;
/// A label stands above the peer's id, so that duplicates are sorted by it.
const LABEL_SHIFT: u32 = 56;

impl From<heed::Error> for Failure {
    fn from(error: heed::Error) -> Failure {
        Failure::lab(format!("LMDB: {error}"))
    }
}

#[derive(Clone)]
pub(super) struct Lmdb {
    env: Env<WithoutTls>,
    databases: Databases,
    name_index: bool,
}

#[derive(Clone, Copy)]
struct Databases {
    nodes: Records,
    edges: [Lists; 2],
    kinds: Lists,
    names: Names,
}

impl Databases {
    /// Opened once, for as long as the environment lives.
    fn open(env: &Env<WithoutTls>) -> Result<Databases, Failure> {
        let opened = env.create_databases_and_commit(env.write_txn()?, |opener, txn| {
            let mut options = opener
                .database_options()
                .types::<Number, Bytes>()
                .key_comparator::<IntegerComparator>();
            let nodes = options.name("node").create(txn)?;
            let mut options = opener
                .database_options()
                .types::<Number, Number>()
                .key_comparator::<IntegerComparator>()
                .dup_sort_comparator::<IntegerComparator>();
            options.flags(DatabaseFlags::DUP_SORT | DatabaseFlags::DUP_FIXED);
            let edges = [
                options.name("out").create(txn)?,
                options.name("in").create(txn)?,
            ];
            let kinds = options.name("kind").create(txn)?;
            let mut options = opener
                .database_options()
                .types::<Str, Number>()
                .dup_sort_comparator::<IntegerComparator>();
            options.flags(DatabaseFlags::DUP_SORT | DatabaseFlags::DUP_FIXED);
            let names = options.name("name").create(txn)?;
            Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit((nodes, edges, kinds, names)))
        })?;
        let (nodes, edges, kinds, names) = opened.unwrap_commit();
        Ok(Databases {
            nodes,
            edges,
            kinds,
            names,
        })
    }

    fn link(
        &self,
        txn: &mut RwTxn<'_>,
        links: &[Vec<Edge>; 2],
        flags: PutFlags,
    ) -> Result<(), Failure> {
        for (way, edges) in links.iter().enumerate() {
            for edge in edges {
                let (key, value) = entries(edge)[way];
                self.edges[way].put_with_flags(txn, flags, &key, &value)?;
            }
        }
        Ok(())
    }

    fn insert(
        &self,
        txn: &mut RwTxn<'_>,
        node: &Node<'_>,
        name_index: bool,
        value: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        batch::record(node, value);
        self.nodes
            .put_with_flags(txn, PutFlags::APPEND, &node.id, value)?;
        self.kinds.put(txn, &u64::from(node.kind), &node.id)?;
        if name_index {
            self.names.put(txn, node.name, &node.id)?;
        }
        Ok(())
    }

    fn delete(
        &self,
        txn: &mut RwTxn<'_>,
        node: &Node<'_>,
        name_index: bool,
    ) -> Result<(), Failure> {
        for (here, there) in [(0, 1), (1, 0)] {
            let mut gone = Vec::new();
            if let Some(found) = self.edges[here].get_duplicates(txn, &node.id)? {
                for entry in found {
                    gone.push(entry?.1);
                }
            }
            self.edges[here].delete(txn, &node.id)?;
            for value in gone {
                let (label, peer) = parts(value);
                let mirrored = u64::from(label) << LABEL_SHIFT | node.id;
                self.edges[there].delete_one_duplicate(txn, &peer, &mirrored)?;
            }
        }
        self.nodes.delete(txn, &node.id)?;
        self.kinds
            .delete_one_duplicate(txn, &u64::from(node.kind), &node.id)?;
        if name_index {
            self.names.delete_one_duplicate(txn, node.name, &node.id)?;
        }
        Ok(())
    }
}

fn entries(edge: &Edge) -> [(u64, u64); 2] {
    let (source, target) = (u64::from(edge.source), u64::from(edge.target));
    let label = u64::from(edge.label) << LABEL_SHIFT;
    [(source, label | target), (target, label | source)]
}

fn parts(value: u64) -> (u8, u64) {
    (
        (value >> LABEL_SHIFT) as u8,
        value & ((1 << LABEL_SHIFT) - 1),
    )
}

impl Store for Lmdb {
    type Session = Lmdb;

    fn open(config: &Config) -> Result<Lmdb, Failure> {
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.map_size(MAP_BYTES).max_dbs(8).max_readers(64);
        // SAFETY: nobody else changes the file that is mapped; the folder is this process's own.
        #[expect(
            unsafe_code,
            reason = "heed maps a file, and has no safe way to open one"
        )]
        let env = unsafe { options.open(&config.folder) }?;
        Ok(Lmdb {
            databases: Databases::open(&env)?,
            env,
            name_index: config.name_index,
        })
    }

    fn session(&self) -> Result<Lmdb, Failure> {
        Ok(self.clone())
    }

    fn commit(&self, changes: &[Change<'_>]) -> Result<(), Failure> {
        let mut txn = self.env.write_txn()?;
        let databases = &self.databases;
        let mut value = Vec::new();
        for change in changes {
            match change {
                Change::Insert(node) => {
                    databases.insert(&mut txn, node, self.name_index, &mut value)?;
                }
                Change::Update(node) => {
                    batch::record(node, &mut value);
                    databases.nodes.put(&mut txn, &node.id, &value)?;
                }
                Change::Delete(node) => databases.delete(&mut txn, node, self.name_index)?,
                Change::Unlink(edge) => {
                    for (way, (key, value)) in entries(edge).into_iter().enumerate() {
                        databases.edges[way].delete_one_duplicate(&mut txn, &key, &value)?;
                    }
                }
                Change::Link(_) => {}
            }
        }
        databases.link(&mut txn, &batch::links(changes), PutFlags::empty())?;
        Ok(txn.commit()?)
    }

    fn bulk(&self, graph: &Graph) -> Result<(), Failure> {
        let edges = [
            batch::by_source(&graph.edges),
            batch::by_target(&graph.edges),
        ];
        let mut txn = self.env.write_txn()?;
        let databases = &self.databases;
        let mut value = Vec::new();
        for node in graph.all_nodes() {
            databases.insert(&mut txn, &node, self.name_index, &mut value)?;
        }
        databases.link(&mut txn, &edges, PutFlags::APPEND_DUP)?;
        Ok(txn.commit()?)
    }

    fn close(self) -> Result<(), Failure> {
        self.env.prepare_for_closing().wait();
        Ok(())
    }

    fn settings(&self) -> Result<Vec<Setting>, Failure> {
        let version = heed::lmdb_version();
        Ok(vec![
            Setting::new("LMDB", version.string),
            Setting::new(
                "flags",
                format!("{:?} (0: a sync at every commit)", self.env.flags()?),
            ),
            Setting::new("map", self.env.info().map_size.to_string()),
            Setting::new("cache", "the kernel's, without a bound"),
        ])
    }
}

pub(super) struct Snapshot<'s> {
    env: &'s Env<WithoutTls>,
    databases: Databases,
    txn: Option<RoTxn<'s, WithoutTls>>,
}

impl Session for Lmdb {
    type Reader<'s> = Snapshot<'s>;

    fn reader(&self) -> Result<Snapshot<'_>, Failure> {
        Ok(Snapshot {
            env: &self.env,
            databases: self.databases,
            txn: Some(self.env.read_txn()?),
        })
    }
}

impl<'s> Snapshot<'s> {
    fn txn(&self) -> Result<&RoTxn<'s, WithoutTls>, Failure> {
        self.txn
            .as_ref()
            .ok_or_else(|| Failure::lab("LMDB: no snapshot is held"))
    }
}

fn values<'t, K: 't>(
    found: Option<impl Iterator<Item = heed::Result<(K, u64)>> + 't>,
    mut see: impl FnMut(u64),
) -> Result<(), Failure> {
    for entry in found.into_iter().flatten() {
        see(entry?.1);
    }
    Ok(())
}

impl Reader for Snapshot<'_> {
    fn refresh(&mut self) -> Result<(), Failure> {
        // First given up, so that its slot among the readers is free for the next.
        self.txn = None;
        self.txn = Some(self.env.read_txn()?);
        Ok(())
    }

    fn node(&mut self, id: u64, see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure> {
        let Some(record) = self.databases.nodes.get(self.txn()?, &id)? else {
            return Ok(false);
        };
        let (kind, name, data) =
            batch::parts(record).ok_or_else(|| Failure::wrong("LMDB: no record of a node"))?;
        see(kind, name, data);
        Ok(true)
    }

    fn neighbours(
        &mut self,
        id: u64,
        way: Way,
        mut see: impl FnMut(u8, u64),
    ) -> Result<(), Failure> {
        let list = self.databases.edges[usize::from(way == Way::In)];
        values(list.get_duplicates(self.txn()?, &id)?, |value| {
            let (label, peer) = parts(value);
            see(label, peer);
        })
    }

    fn of_kind(&mut self, kind: u8, see: impl FnMut(u64)) -> Result<(), Failure> {
        let found = self
            .databases
            .kinds
            .get_duplicates(self.txn()?, &u64::from(kind))?;
        values(found, see)
    }

    fn named(&mut self, name: &str, see: impl FnMut(u64)) -> Result<(), Failure> {
        values(self.databases.names.get_duplicates(self.txn()?, name)?, see)
    }

    fn prefixed(&mut self, prefix: &str, see: impl FnMut(u64)) -> Result<(), Failure> {
        values(
            Some(self.databases.names.prefix_iter(self.txn()?, prefix)?),
            see,
        )
    }
}
