//! Where an address is, by data: this server asks nobody.

use std::net::IpAddr;

/// The country that `help.getNearestDc` names: that of data centre 2.
pub(crate) const NEAREST_COUNTRY: &str = "NL";

/// Where an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The country.
    pub(crate) country: &'static str,
    /// The region or city.
    pub(crate) region: &'static str,
}

/// Tells where an address is.
pub(crate) fn place(ip: IpAddr) -> Place {
    let near = match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    if ip.is_loopback() {
        Place { country: "Loopback", region: "This machine" }
    } else if near {
        Place { country: "Local network", region: "" }
    } else {
        Place { country: "Unknown", region: "" }
    }
}
