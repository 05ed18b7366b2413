//! A Telegram in a box: an offline, embeddable, deterministic server.
