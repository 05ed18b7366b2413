//! A PostgreSQL server of our own, in a temporary folder, on a unix socket and on loopback.

use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use programs::runs_here;
use tempfile::TempDir;

#[path = "../../../chappe-reference/tests/programs/mod.rs"]
mod programs;

/// A running server. It is stopped and removed when this is dropped.
pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    port: u16,
}

/// The folder of PostgreSQL's programs: the newest of Debian's, or that of one in the path. `None`,
/// too, without the program that makes the server's certificate.
pub(crate) fn programs() -> Option<PathBuf> {
    let what = "all stories of PostgreSQL (Debian: apt-get install postgresql openssl)";
    let is_complete = |folder: &PathBuf| {
        ["initdb", "pg_ctl", "psql"].iter().all(|name| folder.join(name).is_file())
    };
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .filter(|(_, folder)| is_complete(folder))
        .collect();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folder = debian.pop().map(|(_, folder)| folder);
    let folder = folder.or_else(|| std::env::split_paths(&path).find(is_complete));
    let folder = folder.unwrap_or_default();
    let is_there = runs_here(what, "openssl", &["version"])
        && runs_here(what, folder.join("initdb"), &["--version"]);
    is_there.then_some(folder)
}

/// Sends a signal; returns whether there is such a process.
pub(crate) fn send_signal(name: &str, pid: &str) -> bool {
    // The shell has one built in.
    let kill = format!("kill -s {name} {pid}");
    Command::new("sh").args(["-c", &kill]).output().unwrap().status.success()
}

/// Whom the server runs as: it refuses to be root.
fn user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let found = ["postgres:", "nobody:"].iter().find_map(|name| {
        let line = users.lines().find(|line| line.starts_with(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    Some(found.expect("a user that is not root"))
}

/// A port that nobody has, and nobody is given who asks for any: it has to be free later, too, and
/// whenever the server starts again.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    let given: u32 = range.split_whitespace().next().unwrap().parse().unwrap();
    let ours = FIRST_PORT..given.max(FIRST_PORT + 1);
    loop {
        // Another run of these stories begins elsewhere.
        let number = std::process::id() * 64 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = ours.start + number % (ours.end - ours.start);
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Ports below are for servers of a name.
const FIRST_PORT: u32 = 10_000;

impl Cluster {
    pub(crate) fn start(programs: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let user = user();
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let port = free_port();
        let cluster = Self { folder, programs: programs.to_owned(), user, port };
        cluster.run(
            "initdb",
            &[
                "-D",
                "data",
                "-U",
                "chappe",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ],
        );
        cluster.certify();
        let sockets = cluster.folder.path().display();
        let settings = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{sockets}'\n\
             fsync = off\nshared_buffers = 16MB\nmax_connections = 60\nssl = on\n\
             ssl_cert_file = '{sockets}/localhost.pem'\nssl_key_file = '{sockets}/localhost.key'\n"
        );
        let file = cluster.folder.path().join("data/postgresql.auto.conf");
        fs::write(file, settings).unwrap();
        cluster.control(&["start"]);
        cluster
    }

    /// The URL of the database; more may follow behind a `?`.
    pub(crate) fn url(&self) -> String {
        let sockets = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://chappe@{sockets}:{}/postgres", self.port)
    }

    /// The same by TCP, to this name of the machine.
    pub(crate) fn tcp_url(&self, host: &str) -> String {
        format!("postgres://chappe@{host}:{}/postgres", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A file beside the server's.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the statement gives: a line a row, fields apart by `|`.
    pub(crate) fn sql(&self, statement: &str) -> String {
        let port = self.port.to_string();
        let sockets = self.folder.path().to_str().unwrap();
        self.run(
            "psql",
            &["-h", sockets, "-p", &port, "-U", "chappe", "-d", "postgres", "-qAtc", statement],
        )
        .trim()
        .to_owned()
    }

    /// Ends the server without a goodbye, as a crash would.
    pub(crate) fn crash(&self) {
        self.control(&["stop", "-m", "immediate"]);
    }

    pub(crate) fn start_again(&self) {
        self.control(&["start"]);
    }

    /// Stops all processes of the server or lets them go on: who is connected hears nothing.
    pub(crate) fn freeze(&self, frozen: bool) {
        let pid = fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap();
        let signal = if frozen { "STOP" } else { "CONT" };
        // The first of them first: then there are no new ones.
        assert!(send_signal(signal, pid));
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        for child in children.split_whitespace() {
            // It may end by itself just now.
            send_signal(signal, child);
        }
    }

    fn control(&self, what: &[&str]) {
        let log = self.folder.path().join("log");
        let log = log.to_str().unwrap();
        self.run("pg_ctl", &[&["-D", "data", "-l", log, "-w", "-t", "60", "-s"], what].concat());
    }

    /// A certificate for `localhost` that vouches for itself.
    fn certify(&self) {
        let arguments = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            "localhost.key",
            "-out",
            "localhost.pem",
        ];
        self.spawn("openssl".as_ref(), &arguments);
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        self.spawn(&self.programs.join(program), arguments)
    }

    fn spawn(&self, program: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path());
        // What a server inherits it keeps open.
        command.stdin(std::process::Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        let detached = arguments.contains(&"start");
        if detached {
            let status = command
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .status()
                .unwrap();
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(status.success(), "{log}");
            return String::new();
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", program.display());
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut command = Command::new(self.programs.join("pg_ctl"));
        command.args(["-D", "data", "-m", "immediate", "-s", "stop"]);
        command.current_dir(self.folder.path());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        // A story may have stopped it already.
        drop(command.output());
    }
}
