//! MTProto service types.
