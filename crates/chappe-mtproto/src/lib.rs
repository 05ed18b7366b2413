//! MTProto 2.0 as state machines, both sides, without clock, entropy or sockets.
