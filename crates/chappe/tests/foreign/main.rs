//! Sessions of other libraries: what they wrote is read, what is written they wrote the same,
//! and what is damaged is refused with a reason.

#[cfg(test)]
mod damage;
#[cfg(test)]
mod files;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod roundtrip;
#[cfg(test)]
mod tdata;
#[cfg(test)]
mod vectors;
