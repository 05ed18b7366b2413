//! The server against a client that violates exactly one rule.
