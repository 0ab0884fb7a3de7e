//! Bugs on purpose: places where a test can make the engine wrong, to see whether anything notices.
//!
//! Only a build with `--cfg vellum_plant` has them. In every other, [`planted!`] is the literal `false`, and
//! what it guards is no part of the program. One bug at a time is chosen for the whole process.

#[cfg(not(vellum_plant))]
macro_rules! planted {
    ($bug:literal) => {
        false
    };
}

#[cfg(vellum_plant)]
macro_rules! planted {
    ($bug:literal) => {{
        const BUG: u64 = $crate::plant::number($bug);
        $crate::plant::is_planted(BUG)
    }};
}

pub(crate) use planted;

#[cfg(vellum_plant)]
static PLANTED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// Chooses the bug that the engine has from now on; no bug has an empty name.
#[cfg(vellum_plant)]
pub fn plant(bug: &str) {
    PLANTED.store(number(bug), std::sync::atomic::Ordering::SeqCst);
}

/// A number for a name (FNV-1a), and none for no name.
#[cfg(vellum_plant)]
pub(crate) const fn number(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = if bytes.is_empty() {
        0
    } else {
        0xcbf2_9ce4_8422_2325_u64
    };
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(vellum_plant)]
pub(crate) fn is_planted(bug: u64) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::Relaxed) == bug
}
