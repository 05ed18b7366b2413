//! Programs that tests need and that not every machine has. Tests of several crates have this file.

use std::{
    env,
    ffi::OsStr,
    io::{self, Write as _},
    process::{Command, Stdio},
};

/// Whether a program runs here with these arguments. Where it does not, the words say what is
/// skipped, past the harness, which would keep them to itself; with `CHAPPE_NO_SKIP` set, as in
/// `.ci/run`, the test fails instead.
pub(crate) fn runs_here(what: &str, program: impl AsRef<OsStr>, arguments: &[&str]) -> bool {
    let program = program.as_ref();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let runs = command.status().is_ok_and(|status| status.success());
    if !runs {
        let words = format!("SKIPPED: {what}, since {} does not run here", program.display());
        assert!(env::var_os("CHAPPE_NO_SKIP").is_none_or(|it| it.is_empty()), "{words}");
        let _ = writeln!(io::stderr(), "{words}");
    }
    runs
}
