//! How much memory a piece of work holds at most: an allocator that counts for the thread that asks.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, with a count beside it. A program that names it as its global allocator can
/// measure; in any other, `peak` says nothing.
#[derive(Debug)]
pub struct Counting;

/// Threads that measure just now. Nothing is counted while there are none.
static MEASURING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Bytes that this thread holds more than when it began to measure, and the most that it held.
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn note(bytes: isize) {
    if MEASURING.load(Ordering::Relaxed) > 0 {
        // A thread that is ending has nothing left to count with.
        let _ = HELD.try_with(|held| {
            let (now, most) = held.get();
            let now = now.saturating_add(bytes);
            held.set((now, most.max(now)));
        });
    }
}

fn size(layout: Layout) -> isize {
    layout.size().cast_signed()
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
#[expect(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(size(layout));
        // SAFETY: the caller keeps the promises that this call asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(size(layout));
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(-size(layout));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new: usize) -> *mut u8 {
        note(new.cast_signed() - size(layout));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new) }
    }
}

/// Does the work, and says how many bytes this thread held at most for it; `None` where nothing counts.
pub(crate) fn peak<T>(work: impl FnOnce() -> T) -> (T, Option<u64>) {
    MEASURING.fetch_add(1, Ordering::Relaxed);
    HELD.set((0, 0));
    // Shows whether anything counts at all.
    drop(std::hint::black_box(Box::new(0u64)));
    let done = work();
    let (_, most) = HELD.get();
    MEASURING.fetch_sub(1, Ordering::Relaxed);
    (done, (most > 0).then_some(most.cast_unsigned() as u64))
}
