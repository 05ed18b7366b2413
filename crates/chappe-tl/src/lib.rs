//! The wire form of TL: reading, writing, the MTProto service types.
