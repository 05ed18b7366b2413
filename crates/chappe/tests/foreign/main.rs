//! Sessions of other libraries: what they wrote is read, what is written they wrote the same,
//! and what is damaged is refused with a reason.

mod damage;
mod golden;
mod roundtrip;
mod vectors;
