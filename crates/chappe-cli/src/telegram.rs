//! Which Telegram is meant.

use chappe::Client;

use crate::args::{Global, ServerName};
use crate::output::Failure;

/// Which Telegram to speak to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Telegram {
    Production,
    /// One with a key of its own.
    Server {
        address: String,
        pem: String,
    },
    /// Telegram's own for tests.
    Test,
}

/// The Telegram that is meant.
pub(crate) fn telegram(global: &Global) -> Result<Telegram, Failure> {
    match (global.server, &global.server_key) {
        (Some(ServerName::Address(_)), _) if global.test_servers => {
            Err(Failure::usage("--server and --test-servers are both given")
                .hint("--server production leaves a configured server out"))
        }
        (Some(ServerName::Address(address)), Some(file)) => {
            let pem = std::fs::read_to_string(file).map_err(|error| {
                Failure::usage(format!("cannot read the server's key {}: {error}", file.display()))
                    .hint("`chappe serve` prints the key; --json has it as rsa_public_key_pem")
            })?;
            let address = address.to_string();
            // Whether it is a key at all is known before any session is looked for.
            drop(Client::builder(1, "").server(&address, &pem).map_err(|error| {
                Failure::usage(format!("{}: {error}", file.display()))
                    .hint("`chappe serve --json` has the key as rsa_public_key_pem")
            })?);
            Ok(Telegram::Server { address, pem })
        }
        (Some(ServerName::Address(_)), None) => Err(Failure::usage(
            "--server is given, but no --server-key",
        )
        .hint("save the key that `chappe serve` prints, and name it: --server-key FILE.pem")),
        // Nobody who names a key wants to speak to production Telegram.
        (None, Some(_)) => Err(Failure::usage("--server-key is given, but no --server")
            .hint("add the address of the server: --server HOST:PORT")),
        (Some(ServerName::Production) | None, _) if global.test_servers => Ok(Telegram::Test),
        (Some(ServerName::Production) | None, _) => Ok(Telegram::Production),
    }
}
