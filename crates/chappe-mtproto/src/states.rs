//! The states of messages as the bytes of `msgs_state_info` tell them, of either side.
//!
//! See core.telegram.org/mtproto/service_messages_about_messages#informational-message-regarding-status-of-messages.

/// The bits that say what is known of the message itself.
pub(crate) const KIND: u8 = 7;

/// The message may have been received, and was forgotten since.
pub(crate) const FORGOTTEN: u8 = 1;

/// The message was not received.
pub(crate) const NOT_RECEIVED: u8 = 2;

/// The message was not received: its id is higher than any that was.
pub(crate) const TOO_HIGH: u8 = 3;

/// The message was received.
pub(crate) const RECEIVED: u8 = 4;

/// The message was acknowledged.
pub(crate) const ACKNOWLEDGED: u8 = 8;

/// The message needs no acknowledgement.
pub(crate) const NOT_CONTENT: u8 = 16;

/// The message is a request that is being worked on.
pub(crate) const RUNNING: u8 = 32;

/// An answer to it was made.
pub(crate) const ANSWERED: u8 = 64;

/// The other end is known to have that answer, or can have it no longer.
pub(crate) const TAKEN: u8 = 128;
