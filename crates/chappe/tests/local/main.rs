//! The client against the local Telegram, in this process: over TCP on loopback, and over pipes
//! that can be cut.

#[cfg(test)]
mod centres;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod dcs;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod forward_secrecy;
#[cfg(test)]
mod lease;
#[cfg(test)]
mod life;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod password;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod script;
#[cfg(test)]
mod session;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod telegram;
#[cfg(test)]
mod updates;
#[cfg(test)]
mod url_auth;
#[cfg(test)]
mod web_session;
#[cfg(test)]
mod wire;
