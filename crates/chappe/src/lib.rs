//! Telegram for Rust.
