//! From a session of another library to one of chappe, and back.

use chappe_crypto::rsa::PublicKey;

use super::{Flaw, Foreign, ForeignError, Format, address};
use crate::{
    dc,
    error::SessionProblem,
    session::{ForeignDc, Owner, Session},
};

/// Whose servers a session of another library is for, which most formats do not say.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum Home<'a> {
    /// Telegram's: those for tests if the session says so, else those for production.
    #[default]
    Auto,
    /// Telegram's production servers.
    Production,
    /// Telegram's test servers.
    Test,
    /// A server of one's own, like the local Telegram.
    Own {
        /// Where its data centre is that the account lives at, as `host:port`; empty for what
        /// the session says.
        address: &'a str,
        /// Its public key, as [`Builder::server`](crate::Builder::server) takes it.
        public_key_pem: &'a str,
    },
}

impl Foreign {
    /// Makes the session that chappe connects with. Nothing is asked of a server: whether the
    /// key is still good is seen when it is used.
    ///
    /// # Errors
    /// [`ForeignError::OwnServer`] if the address can be none of Telegram's and no server is
    /// named; [`ForeignError::Home`] if it cannot be a session of the server that is.
    pub fn into_session(self, home: Home<'_>) -> Result<Session, ForeignError> {
        self.home_key(Format::Chappe)?;
        let telegrams = |test| {
            let key = if test { PublicKey::test() } else { PublicKey::production() };
            (key.fingerprint(), Some(test))
        };
        let (fingerprint, test) = match home {
            Home::Production => telegrams(false),
            Home::Test => telegrams(true),
            Home::Own { public_key_pem, .. } => {
                let key = PublicKey::from_pem(public_key_pem);
                let flawed = "the server's key is no RSA public key of 2048 bits in PEM form";
                (key.map_err(|_| ForeignError::Home(flawed))?.fingerprint(), None)
            }
            Home::Auto => match self.server {
                Some(fingerprint) => (fingerprint, test_of(fingerprint)),
                None if self.is_elsewhere() => return Err(ForeignError::OwnServer),
                None => telegrams(self.test.unwrap_or(false)),
            },
        };
        if let Some(test) = test {
            let flawed = if test {
                "its data centre is none of Telegram's test servers, which are numbered from 1 to 3"
            } else {
                "its data centre is none of Telegram's, which are numbered from 1 to 5"
            };
            dc::check(self.dc_id, test).map_err(|_| ForeignError::Home(flawed))?;
        }
        let address = match home {
            Home::Own { address, .. } if !address.is_empty() => Some(address.to_owned()),
            // Telegram's own are known better than by where somebody once reached them.
            _ if test.is_some() => None,
            _ => self.address,
        };
        let owner = match (self.user_id, self.bot) {
            (Some(user_id), Some(true)) => Owner::Bot(user_id),
            (Some(user_id), Some(false)) => Owner::User(user_id),
            _ => Owner::Unknown,
        };
        let there = |dc_id| test.is_none_or(|test| dc::check(dc_id, test).is_ok());
        let home = self.dc_id;
        let dcs = self.keys.into_iter().filter(|(dc_id, _)| there(*dc_id)).map(|(dc_id, key)| {
            let address = if dc_id == home { address.clone() } else { None };
            ForeignDc { dc_id, address, key }
        });
        Session::assemble(home, fingerprint, owner, self.api_id, dcs)
            .map_err(|_| ForeignError::malformed(Format::Chappe, Flaw::NoKey))
    }

    /// Says what a session of chappe does, for [`write`](Self::write).
    ///
    /// # Errors
    /// [`ForeignError::Malformed`] if nobody is signed in with it.
    pub fn from_session(session: &Session) -> Result<Self, ForeignError> {
        let home = session.dcs.get(&session.home).filter(|home| {
            session.owner.is_somebody() && home.key.as_bytes().iter().any(|byte| *byte != 0)
        });
        let home = home.ok_or_else(|| ForeignError::malformed(Format::Chappe, Flaw::NoKey))?;
        let (user_id, bot) = match session.owner {
            Owner::User(user_id) => (Some(user_id), Some(false)),
            Owner::Bot(user_id) => (Some(user_id), Some(true)),
            Owner::Nobody | Owner::Unknown => (None, None),
        };
        Ok(Self {
            address: Some(home.address.clone()).filter(|address| !address.is_empty()),
            user_id,
            bot,
            test: test_of(session.server_fingerprint),
            api_id: session.api_id,
            dc_id: session.home,
            keys: session.dcs.iter().map(|(dc_id, dc)| (*dc_id, dc.key.clone())).collect(),
            server: Some(session.server_fingerprint),
        })
    }

    /// Whether the address leads to this machine or its network.
    pub(super) fn is_elsewhere(&self) -> bool {
        let host = self.address.as_deref().and_then(address::split).map(|(host, _)| host);
        host.is_some_and(|host| match host.parse() {
            Ok(std::net::IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
            Ok(std::net::IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
            Err(_) => host == "localhost",
        })
    }
}

/// Whether a key is that of Telegram's test servers; `None` if it is none of Telegram's.
pub(super) fn test_of(fingerprint: i64) -> Option<bool> {
    if fingerprint == PublicKey::production().fingerprint() {
        return Some(false);
    }
    (fingerprint == PublicKey::test().fingerprint()).then_some(true)
}

/// Reads chappe's own file.
pub(super) fn read(input: &[u8]) -> Result<Foreign, ForeignError> {
    const FORMAT: Format = Format::Chappe;
    let session = Session::from_bytes(input).map_err(|error| {
        let problem = match error {
            crate::Error::Session(error) => error.into_problem(),
            _ => SessionProblem::NotASession,
        };
        match problem {
            SessionProblem::Newer { version } => {
                ForeignError::Version { format: FORMAT, version: version.into() }
            }
            SessionProblem::Damaged => ForeignError::malformed(FORMAT, Flaw::Checksum),
            SessionProblem::Sealed => {
                let words = "it is encrypted with a passphrase; open it with that first";
                ForeignError::malformed(FORMAT, Flaw::Field(words))
            }
            _ => ForeignError::malformed(FORMAT, Flaw::Field("it begins like something else")),
        }
    })?;
    Foreign::from_session(&session)
}
