//! Many schedules on all cores, and what is said about the one that fails.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::plan::{Family, Plan};
use super::world::{End, Sabotage, World};

/// What became of many schedules.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    pub schedules: u64,
    pub families: BTreeMap<Family, Tally>,
    pub most_requests: usize,
    pub most_kept: usize,
    /// Schedules that broke a rule.
    pub failures: Vec<Failure>,
}

/// What became of the schedules of one family.
#[derive(Clone, Copy, Default)]
pub struct Tally {
    schedules: u64,
    answered: u64,
    cancelled: u64,
    /// Ended without an answer although they might have been sent twice.
    failed: u64,
    /// Ended without an answer, as somebody wished who did not want them sent twice.
    lost: u64,
    /// Ended with their connection.
    terminal: u64,
    pushes: u64,
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedules, answered, cancelled, failed, lost, terminal, pushes } = self;
        write!(f, "{schedules} schedules, {answered} answered, {cancelled} cancelled, ")?;
        write!(f, "{failed} failed, {lost} lost, {terminal} terminal, {pushes} pushes")
    }
}

/// A schedule that broke a rule.
#[derive(Clone, Debug)]
pub struct Failure {
    pub seed: u64,
    pub family: Family,
    pub what: String,
}

/// Runs one schedule to its end; says what broke, a panic included.
pub fn judge(plan: &Plan, sabotage: Option<Sabotage>, traced: bool) -> (World, Option<String>) {
    let mut world = World::new(plan, sabotage, traced);
    let panicked = catch_unwind(AssertUnwindSafe(|| world.judge())).err();
    let panicked = panicked.map(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!("panic: {}", text.unwrap_or_default())
    });
    let broken = panicked.or_else(|| world.violation.clone());
    (world, broken)
}

/// Runs the schedules of a range of seeds on so many threads.
pub fn many(from: u64, count: u64, threads: usize, progress: impl Fn(&Sums) + Sync) -> Sums {
    let next = AtomicU64::new(0);
    let sums = Mutex::new(Sums::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let begin = next.fetch_add(BATCH, Ordering::Relaxed);
                    if begin >= count || sums.lock().unwrap().failures.len() >= MAX_FAILURES {
                        return;
                    }
                    let mut own = Sums::default();
                    for seed in (begin..count.min(begin + BATCH)).map(|place| from + place) {
                        let plan = Plan::new(seed);
                        let (world, broken) = judge(&plan, None, false);
                        own.add(&world);
                        if let Some(what) = broken {
                            own.failures.push(Failure { seed, family: plan.family, what });
                        }
                    }
                    let mut sums = sums.lock().unwrap();
                    sums.join(own);
                    progress(&sums);
                }
            });
        }
    });
    let mut sums = sums.into_inner().unwrap();
    sums.failures.sort_by_key(|failure| failure.seed);
    sums
}

impl Sums {
    fn add(&mut self, world: &World) {
        self.schedules += 1;
        let tally = self.families.entry(world.plan.family).or_default();
        tally.schedules += 1;
        for call in &world.calls {
            match call.end {
                Some(End::Answered) => tally.answered += 1,
                Some(End::Failed(_)) if call.ask.no_resend => tally.lost += 1,
                Some(End::Failed(_)) => tally.failed += 1,
                Some(End::Terminal) => tally.terminal += 1,
                Some(End::Cancelled) => tally.cancelled += 1,
                None => {}
            }
        }
        tally.pushes += u64::try_from(world.pushes.len()).unwrap();
        self.most_requests = self.most_requests.max(world.peak.requests);
        self.most_kept = self.most_kept.max(world.peak.kept);
    }

    fn join(&mut self, other: Self) {
        self.schedules += other.schedules;
        for (family, more) in other.families {
            let tally = self.families.entry(family).or_default();
            tally.schedules += more.schedules;
            tally.answered += more.answered;
            tally.cancelled += more.cancelled;
            tally.failed += more.failed;
            tally.lost += more.lost;
            tally.terminal += more.terminal;
            tally.pushes += more.pushes;
        }
        self.most_requests = self.most_requests.max(other.most_requests);
        self.most_kept = self.most_kept.max(other.most_kept);
        self.failures.extend(other.failures);
    }
}

/// The steps of a failing plan without which it does not fail, by their places: first the
/// shortest beginning, then without one after the other, for as long as that is cheap.
pub fn shrink(plan: &Plan, sabotage: Option<Sabotage>) -> Vec<usize> {
    let wanted = judge(plan, sabotage, false).1.map(|what| kind(&what));
    let mut tries = 0;
    let mut fails = |places: &[usize]| {
        tries += 1;
        let broken = |places| judge(&plan.keep(places), sabotage, false).1;
        tries <= MAX_TRIES && broken(places).map(|what| kind(&what)) == wanted
    };
    let mut places: Vec<usize> = (0..plan.steps.len()).collect();
    let mut width = places.len() / 2;
    while width > 0 {
        let mut from = 0;
        while from < places.len() {
            let mut fewer = places.clone();
            fewer.drain(from..places.len().min(from + width));
            if fails(&fewer) {
                places = fewer;
            } else {
                from += width;
            }
        }
        width /= 2;
    }
    places
}

/// What broke, without its numbers: so that a smaller plan still shows the same.
pub fn kind(what: &str) -> String {
    what.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// All that somebody needs to understand a failure: what broke, the smallest plan that still
/// breaks something, its last events, and the command that shows all of them.
pub fn report(seed: u64) -> String {
    let plan = Plan::new(seed);
    let places = shrink(&plan, None);
    let small = plan.keep(&places);
    let (world, broken) = judge(&small, None, true);
    let what = broken.unwrap_or_default();
    let setup = &plan.setup;
    let mut out = format!("seed {seed}, family {:?}: {what}\n{setup:#?}\n", plan.family);
    for (place, step) in places.iter().zip(&small.steps) {
        out.push_str(&format!("step {place} at {:?}: {:?}\n", step.at, step.action));
    }
    let mut trace = world.trace.unwrap_or_default();
    trace.retain(|line| !is_dull(line));
    for line in trace.iter().skip(trace.len().saturating_sub(TRACE)) {
        out.push_str(line);
        out.push('\n');
    }
    let keep: Vec<String> = places.iter().map(usize::to_string).collect();
    out.push_str(&format!(
        "the whole trace: CHAPPE_SIM_SEED={seed} CHAPPE_SIM_STEPS={} \
         cargo test -p chappe-mtproto --test simulation replay -- --nocapture\n",
        keep.join(","),
    ));
    out
}

/// Whether a line of the trace is about a ping or its answer alone.
fn is_dull(line: &str) -> bool {
    let only = |constructor: &str| line.ends_with(constructor) && line.matches('=').count() == 1;
    ["=f3427b8c", "=347773c5", "=da69fb52", "=04deb57d"].into_iter().any(only)
}

/// How many seeds a thread takes at once.
const BATCH: u64 = 25;

/// More failures are not collected.
const MAX_FAILURES: usize = 200;

/// How often a failing plan is tried with fewer steps.
const MAX_TRIES: u32 = 300;

/// How many of the last events are printed.
const TRACE: usize = 40;
