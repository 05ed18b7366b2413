//! The client against a server that violates exactly one rule.
