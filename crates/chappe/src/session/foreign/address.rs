//! `host:port`, with brackets around an IPv6 address.

use std::net::IpAddr;

use super::Flaw;

/// Puts an address together, if both parts can be dialled.
pub(super) fn join(host: &str, port: u16) -> Result<String, Flaw> {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_ip = host.parse::<IpAddr>().is_ok();
    let is_name = (1..=LONGEST).contains(&host.len()) && host.bytes().all(name);
    if port == 0 || !(is_ip || is_name) {
        return Err(Flaw::Address);
    }
    Ok(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}

/// Takes an address apart.
pub(super) fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match inside {
        Some(inside) => inside,
        None if host.is_empty() || host.contains(':') => return None,
        None => host,
    };
    let port = port.parse().ok().filter(|port| *port != 0)?;
    Some((host, port))
}

/// No name of a host is longer.
const LONGEST: usize = 253;
