//! Thousands of schedules of clients and a server on a virtual clock, with a network between them
//! that fails and peers that lie; whatever happens, nothing is lost, doubled or stuck.
//!
//! One seed is one schedule. `CHAPPE_SIM_SEED=7 cargo test -p chappe-mtproto --test simulation
//! replay -- --nocapture` shows one; `CHAPPE_SIM_SCHEDULES=1000000 CHAPPE_SIM_FROM=0 cargo test
//! --release -p chappe-mtproto --test simulation schedules -- --nocapture` runs many.

#[cfg(test)]
#[expect(dead_code, unreachable_pub, reason = "what the tests of both files share")]
mod common;
#[cfg(test)]
#[path = "simulation/mod.rs"]
#[expect(unreachable_pub, reason = "what the modules of the simulation share")]
mod sim;

use sim::plan::{Family, Plan};
use sim::run;
use sim::world::Sabotage;

/// A number of the environment: how this test is told to run longer, or what to show.
#[expect(clippy::disallowed_methods, reason = "it chooses what is run, never how")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn number(name: &str) -> Option<u64> {
    let text = setting(name)?;
    let number = text.parse();
    assert!(number.is_ok(), "{name} is no number: {text}");
    number.ok()
}

#[test]
fn ten_thousand_schedules_lose_nothing_double_nothing_and_end() {
    let from = number("CHAPPE_SIM_FROM").unwrap_or(0);
    let count = number("CHAPPE_SIM_SCHEDULES").unwrap_or(SCHEDULES);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let sums = run::many(from, count, threads, |sums| {
        if count > SCHEDULES && sums.schedules % 10_000 == 0 {
            eprintln!("{sums:?}");
        }
    });
    eprintln!("{sums:#?}");
    for failure in &sums.failures {
        eprintln!("seed {}, {:?}: {}", failure.seed, failure.family, failure.what);
    }
    if let Some(first) = sums.failures.first() {
        panic!("{}", run::report(first.seed));
    }
}

#[test]
fn every_rule_that_is_broken_on_purpose_is_noticed() {
    for (sabotage, complaint) in [
        (Sabotage::RunTwice, "ran  times and ended"),
        (Sabotage::AnswerUnrun, "ran  times and ended"),
        (Sabotage::LoseEvents, "has not ended"),
        (Sabotage::PushTwice, "was shown  times"),
        (Sabotage::MixAnswers, "got what answers something else"),
        (Sabotage::ReportCancelled, "is cancelled and was heard of"),
        (Sabotage::SendAgain, "was sent a second time"),
        (Sabotage::StopServerClock, "without sockets the server holds"),
        (Sabotage::WakeAlways, "no rest"),
        (Sabotage::ForgetRequest, "open calls, holds"),
    ] {
        let noticed = (0..400).any(|seed| {
            let plan = Plan::of(seed, Family::Sockets);
            let broken = run::judge(&plan, Some(sabotage), false).1;
            broken.is_some_and(|what| run::kind(&what).contains(complaint))
        });
        assert!(noticed, "{sabotage:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_schedule() {
    for seed in 0..40 {
        let trace = || run::judge(&Plan::new(seed), None, true).0.trace;
        assert!(trace() == trace(), "seed {seed}");
    }
}

#[test]
fn a_failing_schedule_is_made_smaller() {
    let broken = |plan: &Plan| run::judge(plan, Some(Sabotage::RunTwice), false).1;
    let plan = (0..).map(|seed| Plan::of(seed, Family::Calm)).find(|plan| broken(plan).is_some());
    let plan = plan.expect("an endless range");
    let places = run::shrink(&plan, Some(Sabotage::RunTwice));
    // Four calls are needed for one that runs twice, in at most four steps.
    assert!((1..=4).contains(&places.len()), "{places:?} of {}", plan.steps.len());
    assert!(broken(&plan.keep(&places)).is_some());
}

#[test]
fn replay() {
    let seed = number("CHAPPE_SIM_SEED").unwrap_or(12);
    if setting("CHAPPE_SIM_STEPS").as_deref() == Some("fewest") {
        return println!("{}", run::report(seed));
    }
    let mut plan = Plan::new(seed);
    if let Some(steps) = setting("CHAPPE_SIM_STEPS") {
        let places = steps.split(',').filter_map(|place| place.parse().ok());
        plan = plan.keep(&places.collect::<Vec<usize>>());
    }
    let (world, broken) = run::judge(&plan, None, true);
    for line in world.trace.unwrap_or_default() {
        println!("{line}");
    }
    assert_eq!(broken, None, "seed {seed}");
}

/// Schedules that are run without being asked for more.
const SCHEDULES: u64 = 10_000;
