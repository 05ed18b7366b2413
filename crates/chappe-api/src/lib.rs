//! The types and methods of the Telegram API, generated from its schema.
