//! What the server offers over HTTP, all of it off unless its builder was asked for it.

pub(crate) mod control;
