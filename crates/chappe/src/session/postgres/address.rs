//! Where the database is, and whether keys may travel there in the clear.

use std::{fmt, net::IpAddr, path::Path, time::Duration};

use tokio::task::JoinHandle;
use tokio_postgres::{
    Client, Config, Connection, Error as DatabaseError, NoTls, Socket,
    config::{Host, SslMode},
    tls::TlsStream,
};

use super::tls::Tls;
use crate::error::Error;

/// How a database is reached.
#[derive(Clone)]
pub(super) struct Target {
    config: Config,
    /// Without it everybody between here and the database can read the keys.
    tls: Option<Tls>,
}

impl Target {
    /// Reads a URL. What it says of certificates is taken out first: the library below knows no
    /// words for it.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        if url.contains('#') {
            return Err(Error::Invalid("the URL of the database has a `#`; write it as %23"));
        }
        let (place, options) = url.split_once('?').unwrap_or((url, ""));
        if !place.starts_with("postgres://") && !place.starts_with("postgresql://") {
            return Err(Error::Invalid("the URL of the database does not begin with postgres://"));
        }
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(Path::new(value)),
                _ => rest.push(option),
            }
        }
        let url = format!("{place}?{}", rest.join("&"));
        // The error could quote what was meant as a password.
        let mut config: Config = url.parse().map_err(|_| {
            Error::Invalid(
                "the URL of the database cannot be read; percent-encode what is special in it",
            )
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            match Path::new(SOCKETS) {
                sockets if sockets.is_dir() => config.host_path(sockets),
                _ => config.host("localhost"),
            };
        }
        let is_encrypted = match mode {
            Some("disable") => false,
            Some("require" | "verify-ca" | "verify-full") => !is_all(&config, is_socket),
            None | Some("prefer" | "allow") if is_all(&config, is_here) => false,
            None => true,
            Some("prefer" | "allow") => {
                return Err(Error::Invalid(
                    "with this sslmode the keys of accounts may travel in the clear; say \
                     sslmode=require, or sslmode=disable if that is meant",
                ));
            }
            Some(_) => return Err(Error::Invalid("sslmode is require or disable")),
        };
        config.ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
        if config.get_application_name().is_none() {
            config.application_name("chappe");
        }
        let tls = is_encrypted.then(|| Tls::new(roots)).transpose();
        let tls = tls.map_err(|problem| Error::session(None, problem))?;
        Ok(Self { config, tls })
    }

    /// Connects. No address takes longer than this.
    pub(super) async fn connect(
        &self,
        limit: Duration,
    ) -> Result<(Client, JoinHandle<()>), DatabaseError> {
        let mut config = self.config.clone();
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(limit);
        }
        match &self.tls {
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                Ok((client, drive(connection)))
            }
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                Ok((client, drive(connection)))
            }
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("hosts", &self.config.get_hosts())
            .field("database", &self.config.get_dbname())
            .field("encrypted", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

/// Keeps a connection going. Why it ends, the statements on it say.
fn drive<T>(connection: Connection<Socket, T>) -> JoinHandle<()>
where
    T: TlsStream + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to the database ended");
        }
    })
}

/// Whether this is so of every place that may be dialled.
fn is_all(config: &Config, is: fn(&Host) -> bool) -> bool {
    let addresses = config.get_hostaddrs().iter();
    let addresses: Vec<_> = addresses.map(|address| Host::Tcp(address.to_string())).collect();
    // Where there are addresses, the hosts are only names.
    let places = if addresses.is_empty() { config.get_hosts() } else { &addresses };
    places.iter().all(is)
}

fn is_socket(host: &Host) -> bool {
    !matches!(host, Host::Tcp(_))
}

/// Whether what is sent there stays on this machine.
fn is_here(host: &Host) -> bool {
    let Host::Tcp(name) = host else { return true };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Where PostgreSQL listens if nothing else is said, as Debian has it.
const SOCKETS: &str = "/var/run/postgresql";

#[cfg(test)]
mod tests {
    use super::*;

    fn is_encrypted(url: &str) -> bool {
        Target::parse(url).unwrap().tls.is_some()
    }

    #[test]
    fn keys_leave_this_machine_encrypted_unless_the_url_says_otherwise_in_so_many_words() {
        for (url, expect) in [
            ("postgres://localhost/fleet", false),
            ("postgresql://me:secret@127.0.0.1:5433/fleet", false),
            ("postgres://[::1]/fleet", false),
            ("postgres:///fleet", false),
            ("postgres://%2Frun%2Fpostgresql/fleet", false),
            ("postgres://%2Frun%2Fpostgresql/fleet?sslmode=require", false),
            ("postgres://localhost/fleet?sslmode=prefer", false),
            ("postgres://localhost/fleet?sslmode=require", true),
            ("postgres://db.example.com/fleet", true),
            ("postgres://db.example.com/fleet?sslmode=verify-full", true),
            ("postgres://db.example.com/fleet?sslmode=disable", false),
            ("postgres://localhost,db.example.com/fleet", true),
            ("postgres://localhost/fleet?hostaddr=192.0.2.1", true),
            ("postgres://localhost.example.com/fleet?application_name=x", true),
        ] {
            assert_eq!(is_encrypted(url), expect, "{url}");
        }
        for url in ["prefer", "allow", "no"] {
            let url = format!("postgres://db.example.com/fleet?sslmode={url}");
            assert!(matches!(Target::parse(&url), Err(Error::Invalid(_))), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_quoting_it() {
        for url in [
            "mysql://localhost/fleet",
            "host=localhost",
            "postgres://me:sec#ret@localhost/fleet",
            "postgres://localhost:port/secret",
            "postgres://localhost/fleet?secret=1",
        ] {
            let error = Target::parse(url).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let target = Target::parse("postgres://me:secret@localhost/fleet").unwrap();
        let shown = format!("{target:?}");
        assert!(!shown.contains("secret") && shown.contains("fleet"), "{shown}");
        let error = Target::parse("postgres://db.example.com/x?sslrootcert=missing.pem");
        let error = error.unwrap_err().to_string();
        assert!(error.contains("missing.pem"), "{error}");
    }
}
