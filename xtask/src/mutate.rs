//! `cargo xtask mutate`: breaks one check at a time and expects a test to fail.
//!
//! The list is `xtask/mutations.toml`. Each entry names a file, a text that occurs in it exactly
//! once, what replaces it, and the package whose tests must notice:
//!
//! ```toml
//! [[mutation]]
//! name = "packet: the message key is not compared"
//! file = "crates/chappe-crypto/src/message_key.rs"
//! find = "if expected.ct_eq(found).into() {"
//! replace = "if true {"
//! package = "chappe-crypto"
//! ```
//!
//! Two more keys only save time: `target = "pair"` names the integration test that should notice
//! (without it the tests in the library or the program should), and `tests = "name"` says what its tests have in
//! their name. If these do not notice, all tests of the package are built and run. Everything
//! happens in a copy under `target/mutate`, which keeps a build folder of its own: the tree
//! itself is never written to.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::Value;

/// Where the list of mutations is.
pub(crate) const LIST: &str = "xtask/mutations.toml";

/// A test program that takes longer than it may unharmed hangs.
const UNHARMED_LIMIT: Duration = Duration::from_secs(1_800);

/// One that takes so many times longer than the slowest of its package did unharmed, and a minute, has
/// met an endless loop: the mutation was noticed.
const PATIENCE: u32 = 3;
const GRACE: Duration = Duration::from_secs(60);

/// How many schedules the simulation of chappe-mtproto runs for a mutation: it has thousands.
const SCHEDULES: (&str, &str) = ("CHAPPE_SIM_SCHEDULES", "500");

/// What the copy leaves out: what is built, and what no test of a crate reads.
const NOT_COPIED: &[&str] = &[".git", "target", "interop", "browser", "fuzz", "bench", ".ci"];

/// One check, broken.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mutation {
    /// What is broken, for people.
    pub(crate) name: String,
    /// The file, from the root of the repository.
    pub(crate) file: String,
    /// Text of the file that occurs in it once.
    pub(crate) find: String,
    /// What stands there instead.
    pub(crate) replace: String,
    /// The package whose tests must fail.
    pub(crate) package: String,
    /// The integration test to begin with; those in the library, or in the program of a package without
    /// one, if there is none.
    #[serde(default)]
    pub(crate) target: Option<String>,
    /// The tests to begin with have this in their name.
    #[serde(default)]
    pub(crate) tests: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    mutation: Vec<Mutation>,
}

/// Why mutations could not be tried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The list is not what it should be.
    #[error("cannot read {LIST}: {0}")]
    List(#[from] toml::de::Error),
    /// A file or a program did not answer.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
    /// Without a mutation the tests fail already.
    #[error("without any mutation the tests of {0} do not pass: {1}")]
    Unsound(String, String),
    /// No entry has a wanted name.
    #[error("no mutation in {LIST} has one of {0:?} in its name")]
    Nothing(Vec<String>),
}

/// Reads a list of mutations.
///
/// # Errors
///
/// When the text is not a list of mutations.
pub(crate) fn parse(text: &str) -> Result<Vec<Mutation>, toml::de::Error> {
    Ok(toml::from_str::<List>(text)?.mutation)
}

/// Tries every mutation with one of `only` in its name, or all if `only` is empty, and prints a
/// table; true if each was noticed.
///
/// # Errors
///
/// When the list or the copy cannot be made, or the tests fail without a mutation.
pub(crate) fn run(root: &Path, only: &[&str]) -> Result<bool, Error> {
    let list = root.join(LIST);
    let mut mutations = parse(&fs::read_to_string(&list).map_err(at(&list))?)?;
    if !only.is_empty() {
        mutations.retain(|mutation| only.iter().any(|name| mutation.name.contains(name)));
    }
    if mutations.is_empty() {
        return Err(Error::Nothing(only.iter().map(|&name| name.to_owned()).collect()));
    }
    let bench = Bench::new(root)?;
    let mut packages: Vec<&str> = mutations.iter().map(|m| m.package.as_str()).collect();
    packages.sort_unstable();
    packages.dedup();
    let mut limits = BTreeMap::new();
    for package in packages {
        say(format_args!("tests of {package}, unharmed"))?;
        let (verdict, slowest) = bench.test(package, &[], None, UNHARMED_LIMIT)?;
        if !matches!(verdict, Verdict::Survived) {
            return Err(Error::Unsound(package.to_owned(), verdict.to_string()));
        }
        limits.insert(package, slowest * PATIENCE + GRACE);
    }
    let mut noticed = 0;
    for mutation in &mutations {
        let begun = Instant::now();
        let limit = limits.get(mutation.package.as_str()).copied().unwrap_or(UNHARMED_LIMIT);
        let verdict = bench.try_one(mutation, limit)?;
        noticed += usize::from(verdict.is_noticed());
        let seconds = begun.elapsed().as_secs_f64();
        let Mutation { name, package, .. } = mutation;
        say(format_args!(
            "{:<10} {name}  ({package}, {seconds:.0} s) {}",
            verdict.word(),
            verdict
        ))?;
    }
    say(format_args!("{noticed} of {} mutations were noticed", mutations.len()))?;
    Ok(noticed == mutations.len())
}

/// What came of a mutation.
enum Verdict {
    /// A test failed: its name.
    Caught(String),
    /// The tests did not end.
    Hung,
    /// Every test passed: a check without a test.
    Survived,
    /// The mutated code does not compile, which says nothing.
    Unbuildable(String),
    /// The text to replace is not in the file exactly once.
    Stale(usize),
}

impl Verdict {
    fn is_noticed(&self) -> bool {
        matches!(self, Self::Caught(_) | Self::Hung)
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Caught(_) | Self::Hung => "caught",
            Self::Survived => "SURVIVED",
            Self::Unbuildable(_) => "UNBUILT",
            Self::Stale(_) => "STALE",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught(test) => write!(f, "{test} failed"),
            Self::Hung => write!(f, "the tests did not end"),
            Self::Survived => write!(f, "no test noticed"),
            Self::Unbuildable(error) => write!(f, "{error}"),
            Self::Stale(count) => write!(f, "the text to replace occurs {count} times"),
        }
    }
}

/// A copy of the repository to break things in.
struct Bench {
    tree: PathBuf,
    target: PathBuf,
}

impl Bench {
    /// Brings the copy up to date; unchanged files keep their time, so that little is rebuilt.
    fn new(root: &Path) -> Result<Self, Error> {
        let folder = root.join("target/mutate");
        let bench = Self { tree: folder.join("tree"), target: folder.join("target") };
        copy_folder(root, &bench.tree)?;
        Ok(bench)
    }

    fn try_one(&self, mutation: &Mutation, limit: Duration) -> Result<Verdict, Error> {
        let path = self.tree.join(&mutation.file);
        let sound = fs::read_to_string(&path).map_err(at(&path))?;
        let count = sound.matches(&mutation.find).count();
        if count != 1 {
            return Ok(Verdict::Stale(count));
        }
        let broken = sound.replacen(&mutation.find, &mutation.replace, 1);
        fs::write(&path, broken).map_err(at(&path))?;
        let verdict = self.judge(mutation, limit);
        fs::write(&path, sound).map_err(at(&path))?;
        verdict
    }

    /// Runs the tests that should notice, and only if they do not all others.
    fn judge(&self, mutation: &Mutation, limit: Duration) -> Result<Verdict, Error> {
        let Mutation { package, target, tests, .. } = mutation;
        let likely = match target.as_deref() {
            Some(target) => &["--test", target][..],
            None if self.tree.join("crates").join(package).join("src/lib.rs").exists() => {
                &["--lib"]
            }
            None => &["--bins"],
        };
        match self.test(package, likely, tests.as_deref(), limit)? {
            (Verdict::Survived, _) => Ok(self.test(package, &[], None, limit)?.0),
            (verdict, _) => Ok(verdict),
        }
    }

    /// Builds the tests of a package, then runs each test program until one fails; tells how long the
    /// slowest took, too.
    fn test(
        &self,
        package: &str,
        targets: &[&str],
        tests: Option<&str>,
        limit: Duration,
    ) -> Result<(Verdict, Duration), Error> {
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["test", "--no-run", "--quiet", "--message-format=json", "--package", package])
            .args(targets)
            // As the tests of the whole workspace, where the command wants all of them.
            .arg("--all-features")
            // Nobody looks into these programs with a debugger.
            .args(["--config", "profile.dev.debug=false"])
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::null())
            .output()
            .map_err(at(&self.tree))?;
        let messages = String::from_utf8_lossy(&built.stdout);
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        if !built.status.success() {
            let error = messages
                .filter(|message| message["message"]["level"] == "error")
                .find_map(|message| message["message"]["message"].as_str().map(str::to_owned));
            // Where no code is wrong but the command, only cargo itself says so.
            let said = String::from_utf8_lossy(&built.stderr);
            let error = error.unwrap_or_else(|| said.trim().to_owned());
            return Ok((Verdict::Unbuildable(error), Duration::ZERO));
        }
        let mut slowest = Duration::ZERO;
        for message in messages.filter(|message| message["profile"]["test"] == true) {
            let (Some(program), Some(manifest)) =
                (message["executable"].as_str(), message["manifest_path"].as_str())
            else {
                continue;
            };
            let begun = Instant::now();
            let verdict = run_tests(Path::new(program), Path::new(manifest), tests, limit)?;
            slowest = slowest.max(begun.elapsed());
            if !matches!(verdict, Verdict::Survived) {
                return Ok((verdict, slowest));
            }
        }
        Ok((Verdict::Survived, slowest))
    }
}

/// Runs one test program to its end, to its first failure, or to the time limit.
fn run_tests(
    program: &Path,
    manifest: &Path,
    tests: Option<&str>,
    limit: Duration,
) -> Result<Verdict, Error> {
    let mut child = Command::new(program)
        .args(tests)
        .env(SCHEDULES.0, SCHEDULES.1)
        .current_dir(manifest.parent().unwrap_or(manifest))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(at(program))?;
    let (told, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            // Once the verdict is there nobody listens any more.
            let _ = lines.map(|line| told.send(line)).find(Result::is_err);
        });
    }
    let begun = Instant::now();
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        let verdict = match lines.recv_timeout(left) {
            Ok(line) => match failure(&line) {
                Some(test) => Verdict::Caught(test.to_owned()),
                None => continue,
            },
            Err(mpsc::RecvTimeoutError::Timeout) => Verdict::Hung,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let passed = child.wait().map_err(at(program))?.success();
                return Ok(if passed {
                    Verdict::Survived
                } else {
                    Verdict::Caught("an abort".to_owned())
                });
            }
        };
        child.kill().map_err(at(program))?;
        child.wait().map_err(at(program))?;
        return Ok(verdict);
    }
}

/// The test that failed by a line of a test program.
fn failure(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

/// Makes `to` the same as `from`, writing only what differs.
fn copy_folder(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(at(to))?;
    let mut names = Vec::new();
    for entry in fs::read_dir(from).map_err(at(from))? {
        let entry = entry.map_err(at(from))?;
        let name = entry.file_name();
        if NOT_COPIED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        let (source, copy) = (entry.path(), to.join(&name));
        if entry.file_type().map_err(at(&source))?.is_dir() {
            copy_folder(&source, &copy)?;
        } else {
            let wanted = fs::read(&source).map_err(at(&source))?;
            if fs::read(&copy).ok().as_ref() != Some(&wanted) {
                fs::write(&copy, wanted).map_err(at(&copy))?;
            }
        }
        names.push(name);
    }
    for entry in fs::read_dir(to).map_err(at(to))? {
        let entry = entry.map_err(at(to))?;
        let stale = entry.path();
        if names.contains(&entry.file_name()) {
            continue;
        }
        let removed =
            if stale.is_dir() { fs::remove_dir_all(&stale) } else { fs::remove_file(&stale) };
        removed.map_err(at(&stale))?;
    }
    Ok(())
}

fn say(line: fmt::Arguments<'_>) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(at(Path::new("stdout")))
}

fn at(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    move |error| Error::Io(path.to_owned(), error)
}
