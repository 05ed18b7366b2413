//! A simulation: schedules drawn from seeds, a world that runs them, rules that have to hold.

pub mod chance;
pub mod drive;
pub mod evil;
pub mod plan;
pub mod rogue;
pub mod run;
pub mod strange;
pub mod traffic;
pub mod verdict;
pub mod watch;
pub mod wire;
pub mod world;
