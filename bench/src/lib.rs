//! What the benchmarks share: a counting allocator and a table of ratios.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The system's allocator, counting every allocation.
///
/// Install it in a benchmark with `#[global_allocator]`.
#[derive(Debug)]
pub struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every method hands its arguments to the system's allocator unchanged, so that its
// guarantees are the system's; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of this method, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of this method, which is the same.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of this method, which is the same.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

/// Counts the allocations of a call; meaningful with [`Counting`] installed and one thread.
pub fn allocations<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let value = f();
    (value, ALLOCATIONS.load(Ordering::Relaxed) - before)
}

/// Times two ways of doing the same in turns, so that both see the same machine, and returns
/// the time of a call in the best of `rounds` rounds of about `slice` each: what else runs on
/// the machine can only add to a time.
pub fn duel(
    rounds: usize,
    slice: Duration,
    mut ours: impl FnMut(),
    mut theirs: impl FnMut(),
) -> (Duration, Duration) {
    let calls = |f: &mut dyn FnMut()| {
        let start = Instant::now();
        let mut calls = 0_u32;
        while start.elapsed() < slice {
            f();
            calls += 1;
        }
        calls.max(1)
    };
    let (our_calls, their_calls) = (calls(&mut ours), calls(&mut theirs));
    let time = |f: &mut dyn FnMut(), calls: u32| {
        let start = Instant::now();
        for _ in 0..calls {
            f();
        }
        start.elapsed() / calls
    };
    let (mine, other): (Vec<_>, Vec<_>) =
        (0..rounds).map(|_| (time(&mut ours, our_calls), time(&mut theirs, their_calls))).unzip();
    let best = |times: Vec<Duration>| times.into_iter().min().unwrap_or_default();
    (best(mine), best(other))
}

/// One line of a table of ratios.
#[derive(Debug)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The best time of chappe.
    pub ours: Duration,
    /// The best time of the peer.
    pub theirs: Duration,
    /// The bar: how many times as fast chappe is to be, or 0 without a bar.
    pub bar: f64,
}

impl Row {
    /// How many times as fast chappe is.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.theirs.as_secs_f64() / self.ours.as_secs_f64()
    }
}

/// Prints a table and panics if a line misses its bar.
///
/// # Panics
///
/// If a ratio is below its bar and `CHAPPE_BENCH_LENIENT` is not set.
pub fn report(peer: &str, rows: &[Row]) {
    println!("\n| what | chappe | {peer} | ratio | bar |");
    println!("|---|---|---|---|---|");
    for row in rows {
        let bar = if row.bar > 0.0 { format!("{:.1}", row.bar) } else { "-".into() };
        println!(
            "| {} | {:.3?} | {:.3?} | {:.2} | {bar} |",
            row.name,
            row.ours,
            row.theirs,
            row.ratio(),
        );
    }
    let missed: Vec<_> = rows.iter().filter(|row| row.ratio() < row.bar).collect();
    assert!(
        missed.is_empty() || std::env::var_os("CHAPPE_BENCH_LENIENT").is_some(),
        "bars missed: {missed:?}",
    );
}
