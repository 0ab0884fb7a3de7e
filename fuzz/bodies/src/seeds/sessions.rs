//! Sessions of operations, written by hand.

use super::Seeds;

/// An operation's bytes. See `session::Step`.
type Step = [u8; 4];

const NODE: u8 = 0;
const PLACED: u8 = 4;
const RESERVE: u8 = 5;
const UPDATE: u8 = 6;
const DELETE: u8 = 7;
const EDGE: u8 = 8;
const RETURNING: u8 = 11;
const UPDATE_EDGE: u8 = 13;
const DELETE_EDGE: u8 = 14;
const HUB: u8 = 15;
const SAVE: u8 = 16;
const ROLL_BACK: u8 = 17;
const COMMIT: u8 = 18;
const DROP: u8 = 23;
const CHECKPOINT: u8 = 24;
const REOPEN: u8 = 25;
const HOLD: u8 = 27;
const RELEASE: u8 = 28;
const LOOK: u8 = 29;
const BULK: u8 = 30;
const BACKUP: u8 = 31;

/// Options: names and parallel edges, the least cache.
const PLAIN: [u8; 2] = [0, 0];
const UNIQUE_NAMELESS: [u8; 2] = [3, 0];
const LARGE_PAGES: [u8; 2] = [4, 40];

pub(super) fn add(seeds: &mut Seeds) {
    for (name, setup, steps) in sessions() {
        let operations = steps.concat();
        for (options, setup) in [
            ("plain", PLAIN),
            ("unique", UNIQUE_NAMELESS),
            ("large-pages", LARGE_PAGES),
        ] {
            let name = format!("{name}-{options}");
            seeds.add("ops_model", &*name, [&setup[..], &operations].concat());
            let before = [&setup[..], &[4], &operations].concat();
            seeds.add("readers_snapshot", name, before);
        }
        for (cut, first, second) in [
            (
                "late",
                cut(0xf000, 0x5555_5555, 0x0f, 1),
                cut(0x8000, 0, 0, 0),
            ),
            (
                "middle",
                cut(0xb000, 0x3333_3333, 0xff, 0),
                cut(0xc000, 0, 0xff, 0),
            ),
            (
                "early",
                cut(0x6000, u32::MAX, 0x55, 2),
                cut(u16::MAX, u32::MAX, 0x55, 0),
            ),
        ] {
            let input = [&setup[..], &first, &second, &operations].concat();
            seeds.add("ops_crash", format!("{name}-{cut}"), input);
        }
        for (trouble, bytes) in TROUBLES {
            let power = cut(0xf000, 0x5555_5555, 0xff, 0);
            let input = [&setup[..], &bytes[..], &power, &operations].concat();
            seeds.add("ops_io_fault", format!("{name}-{trouble}"), input);
        }
    }
}

/// The call, the kind of failure, whether it lasts.
const TROUBLES: &[(&str, &[u8; 4])] = &[
    ("fails", &[30, 0, 0, 0]),
    ("full", &[40, 0, 1, 1]),
    ("sync-dirty", &[10, 0, 2, 1]),
    ("sync-dropped", &[12, 0, 2 + 6 * 6, 1]),
    ("short", &[5, 0, 4, 1]),
    ("create", &[2, 0, 0, 1]),
];

/// The bytes of a `power::Cut`.
fn cut(at: u16, keep: u32, sectors: u8, fill: u8) -> Vec<u8> {
    [&at.to_le_bytes()[..], &keep.to_le_bytes(), &[sectors, fill]].concat()
}

fn sessions() -> [(&'static str, [u8; 2], Vec<Step>); 5] {
    let few = |count: u8| (0..count).map(|i| [NODE, i, i, i.wrapping_mul(41)]);
    let links = |count: u8| (0..count).map(|i| [EDGE, i, i.wrapping_mul(3), i]);
    let everyday: Vec<Step> = few(12)
        .chain(links(20))
        .chain([[RETURNING, 1, 1, 7], [RETURNING, 1, 1, 7]])
        .chain([[COMMIT, 1, 0, 0], [HOLD, 0, 0, 0], [CHECKPOINT, 0, 0, 0]])
        .chain([
            [UPDATE, 1, 7, 9],
            [DELETE, 4, 0, 0],
            [UPDATE_EDGE, 3, 0, 99],
        ])
        .chain([[DELETE_EDGE, 5, 0, 0], [LOOK, 0, 0, 0], [COMMIT, 0, 0, 0]])
        .chain([[LOOK, 0, 0, 0], [REOPEN, 0, 0, 0], [REOPEN, 1, 0, 0]])
        .collect();
    let taken_back: Vec<Step> = few(4)
        .chain([[COMMIT, 1, 0, 0], [SAVE, 0, 0, 0]])
        .chain(few(6))
        .chain(links(9))
        .chain([[SAVE, 0, 0, 0], [DELETE, 1, 0, 0], [ROLL_BACK, 1, 0, 0]])
        .chain([[LOOK, 0, 0, 0], [ROLL_BACK, 0, 0, 0], [NODE, 1, 1, 1]])
        .chain([
            [COMMIT, 2, 0, 0],
            [NODE, 2, 2, 2],
            [DROP, 0, 0, 0],
            [REOPEN, 2, 0, 0],
        ])
        .collect();
    let large: Vec<Step> = [[NODE, 0, 0, 255], [NODE, 1, 1, 254], [HUB, 0, 1, 255]]
        .into_iter()
        .chain([[NODE, 0, 4, 254], [COMMIT, 1, 0, 0], [HOLD, 0, 0, 0]])
        .chain([[HUB, 1, 0, 200], [COMMIT, 3, 0, 0], [CHECKPOINT, 0, 0, 0]])
        .chain([[DELETE, 0, 0, 0], [COMMIT, 1, 0, 0], [CHECKPOINT, 0, 0, 0]])
        .chain([[RELEASE, 0, 0, 0], [NODE, 3, 3, 3], [COMMIT, 1, 0, 0]])
        .chain([[CHECKPOINT, 0, 0, 0], [BACKUP, 0, 0, 0], [BACKUP, 1, 0, 0]])
        .collect();
    let ids: Vec<Step> = [[PLACED, 200, 20, 1], [RESERVE, 9, 0, 0], [PLACED, 3, 0, 1]]
        .into_iter()
        .chain(few(3))
        .chain([[COMMIT, 1, 0, 0], [BULK, 30, 2, 4], [LOOK, 0, 0, 0]])
        .chain([[DELETE, 2, 0, 0], [DELETE, 2, 0, 0], [COMMIT, 1, 0, 0]])
        .chain([
            [CHECKPOINT, 0, 0, 0],
            [BULK, 3, 200, 210],
            [REOPEN, 0, 0, 0],
        ])
        .collect();
    let unsynced: Vec<Step> = (0..10)
        .flat_map(|i| [[NODE, i, i, 235], [EDGE, i, 0, i], [COMMIT, i % 5, 0, 0]])
        .collect();
    [
        ("everyday", PLAIN, everyday),
        ("taken-back", PLAIN, taken_back),
        ("large", LARGE_PAGES, large),
        ("ids", UNIQUE_NAMELESS, ids),
        ("unsynced", PLAIN, unsynced),
    ]
}
