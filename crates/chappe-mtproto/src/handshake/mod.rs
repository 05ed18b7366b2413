//! Creation of an authorization key: the client's and the server's half, as steps over message bodies.
//!
//! Both halves take and give the *bodies* of unencrypted messages; the envelope around them is
//! [`crate::packet`]'s. Neither reads a clock nor draws entropy: the time and the generator are arguments.
//!
//! See core.telegram.org/mtproto/auth_key.

pub mod client;
pub mod server;

#[cfg(test)]
mod tests;
