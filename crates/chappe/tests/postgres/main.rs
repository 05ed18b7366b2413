//! Many processes share accounts in a PostgreSQL database: stories against the real server, and
//! with real processes, which are this program again.
//!
//! Where PostgreSQL is not installed, the stories are skipped, and say so. This has a harness of
//! its own, because a process of a fleet must not be a test of itself.

#[cfg(test)]
#[cfg(target_os = "linux")]
mod cluster;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod process;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod stories;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod way;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod world;

#[cfg(not(target_os = "linux"))]
fn main() {
    use std::io::Write;
    let words = "SKIPPED: the stories of PostgreSQL stop and kill processes as on Linux";
    writeln!(std::io::stdout(), "{words}").unwrap();
}

#[cfg(test)]
#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    if let Some(role) = std::env::var_os(process::ROLE) {
        process::live(&role.to_string_lossy());
        return std::process::ExitCode::SUCCESS;
    }
    world::tell(stories::ALL)
}
