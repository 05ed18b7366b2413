//! The session file of gotd, JSON:
//!
//! ```text
//! {"Version":1,"Data":{"Config":{..},"DC":2,"Addr":"","AuthKey":"..","AuthKeyID":"..","Salt":0}}
//! ```
//!
//! Bytes are standard base64, padded. `AuthKeyID` are the last 8 bytes of the SHA-1 of the key.
//! `Config` is the answer of help.getConfig with Go's names; of it are read where the home data
//! centre is, and whether it is one for tests. Observed: gotd writes no `Addr`, and some
//! converters write one without a port; it goes to where its options say, whatever the file does.

use std::net::IpAddr;

use chappe_crypto::AuthKey;
use serde::Deserialize;
use zeroize::Zeroize;

use super::{
    Buffer, Flaw, Foreign, ForeignError, Format, address,
    fields::{self, Fields},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    version: i64,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    #[serde(default)]
    config: Config,
    #[serde(rename = "DC", default)]
    dc: i32,
    #[serde(default)]
    addr: String,
    auth_key: Option<String>,
    #[serde(rename = "AuthKeyID")]
    auth_key_id: Option<String>,
}

impl Drop for Data {
    fn drop(&mut self) {
        self.auth_key.zeroize();
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    test_mode: bool,
    #[serde(rename = "ThisDC")]
    this_dc: i32,
    #[serde(rename = "DCOptions")]
    dc_options: Option<Vec<DcOption>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DcOption {
    #[serde(rename = "ID")]
    id: i32,
    #[serde(rename = "IPAddress")]
    ip_address: String,
    port: i64,
    ipv6: bool,
    media_only: bool,
    #[serde(rename = "TCPObfuscatedOnly")]
    tcp_obfuscated_only: bool,
    #[serde(rename = "CDN")]
    cdn: bool,
}

pub(super) fn read(input: &[u8]) -> Result<Foreign, ForeignError> {
    const FORMAT: Format = Format::Gotd;
    let flawed = |flaw| ForeignError::malformed(FORMAT, flaw);
    if input.len() > LARGEST {
        return Err(ForeignError::TooLarge);
    }
    let file: File = serde_json::from_slice(input).map_err(|_| flawed(Flaw::Json))?;
    if file.version != VERSION {
        return Err(ForeignError::Version { format: FORMAT, version: file.version });
    }
    let data = file.data.ok_or_else(|| flawed(Flaw::Json))?;
    read_data(&data).map_err(flawed)
}

fn read_data(data: &Data) -> Result<Foreign, Flaw> {
    let key = fields::decode(data.auth_key.as_deref().ok_or(Flaw::NoKey)?)?;
    if key.is_empty() {
        return Err(Flaw::NoKey);
    }
    if key.len() != 256 {
        return Err(Flaw::length(key.len(), "a key of 256 bytes"));
    }
    let session = Foreign::checked(data.dc, &*Fields(&key).key()?)?;
    let id = fields::decode(data.auth_key_id.as_deref().unwrap_or_default())?;
    if session.keys.values().any(|key| key.id().to_le_bytes() != **id) {
        return Err(Flaw::Checksum);
    }
    let mut session = match home(data) {
        Some(address) => session.at(address),
        None => session,
    };
    if data.config.this_dc != 0 {
        session.test = Some(data.config.test_mode);
    }
    Ok(session)
}

/// Where the home data centre is.
fn home(data: &Data) -> Option<String> {
    if let Some((host, port)) = address::split(&data.addr) {
        return address::join(host, port).ok();
    }
    if let Ok(ip) = data.addr.parse::<IpAddr>() {
        return address::join(&ip.to_string(), USUAL_PORT).ok();
    }
    let mut options = data.config.dc_options.iter().flatten();
    let option = options.find(|option| {
        let general = !option.media_only && !option.tcp_obfuscated_only && !option.cdn;
        option.id == data.dc && general && !option.ipv6
    })?;
    address::join(&option.ip_address, u16::try_from(option.port).ok()?).ok()
}

pub(super) fn write(session: &Foreign) -> Result<Buffer, ForeignError> {
    const FORMAT: Format = Format::Gotd;
    let key = session.home_key(FORMAT)?;
    let (host, port) = session.home_address(FORMAT)?;
    let address =
        address::join(&host, port).map_err(|flaw| ForeignError::malformed(FORMAT, flaw))?;
    let dc_id = session.dc_id;
    let id = session.keys.get(&dc_id).map_or(0, AuthKey::id).to_le_bytes();
    let config = match session.test {
        Some(test) => format!("{{\"TestMode\":{test},\"ThisDC\":{dc_id}}}"),
        None => "{}".to_owned(),
    };
    // Nothing in these has to be escaped.
    let front = format!(
        "{{\"Version\":{VERSION},\"Data\":{{\"Config\":{config},\"DC\":{dc_id},\
         \"Addr\":\"{address}\",\"AuthKey\":\""
    );
    let mut out = fields::buffer();
    out.extend_from_slice(front.as_bytes());
    out.extend_from_slice(&fields::encode_standard(key));
    out.extend_from_slice(b"\",\"AuthKeyID\":\"");
    out.extend_from_slice(&fields::encode_standard(&id));
    out.extend_from_slice(b"\",\"Salt\":0}}");
    Ok(out)
}

const VERSION: i64 = 1;
/// No file is larger: most of it is the list of data centres.
const LARGEST: usize = 1024 * 1024;
/// The port of Telegram's servers, where none is said.
const USUAL_PORT: u16 = 443;
