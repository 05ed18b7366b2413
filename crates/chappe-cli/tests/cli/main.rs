//! The command from outside: processes, pipes, files and exit codes, against `chappe serve`.

#[cfg(test)]
mod account;
#[cfg(test)]
mod accounts;
#[cfg(test)]
mod approve;
#[cfg(test)]
mod command;
#[cfg(unix)]
#[cfg(test)]
mod completion;
#[cfg(test)]
mod config;
#[cfg(test)]
mod convert;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod docs;
#[cfg(unix)]
#[cfg(test)]
mod first_steps;
#[cfg(unix)]
#[cfg(test)]
#[path = "../../../chappe-reference/tests/programs/mod.rs"]
mod programs;
#[cfg(unix)]
#[cfg(test)]
mod prompts;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod session;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod telegram;
#[cfg(unix)]
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod web;
