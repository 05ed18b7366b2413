//! Constructor ids: the CRC32 of a definition's normal form.

/// Names whose printed id is not the CRC32 of their line; the printed id counts.
///
/// Observed: the first is the hash of the line with `bytes` left as it is, the others belong
/// to older wordings of their lines.
pub const IRREGULAR_IDS: [&str; 3] = ["accessPointRule", "help.configSimple", "ipPortSecret"];

/// The id that a line's text hashes to (core.telegram.org/mtproto/TL).
#[must_use]
pub fn compute_id(line: &str) -> u32 {
    crc32fast::hash(normal_form(line).as_bytes())
}

/// The wording of a line that its id is the hash of: without id, semicolon, `true` flags and
/// brackets, with `string` for `bytes`.
///
/// Observed: this is the wording under which every id of the API schema fits.
#[must_use]
pub fn normal_form(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.trim().trim_end_matches(';').split_whitespace() {
        let word = match word.split_once('#') {
            Some((name, id)) if words.is_empty() && !id.is_empty() => name,
            _ => word,
        };
        let is_true_flag = word
            .split_once(':')
            .and_then(|(_, ty)| ty.split_once('?'))
            .is_some_and(|(flag, ty)| ty == "true" && flag.contains('.'));
        if is_true_flag {
            continue;
        }
        let word = match word.strip_suffix("bytes") {
            Some(head) if head.ends_with([':', '?']) => format!("{head}string"),
            _ => word.to_owned(),
        };
        let word = word.replace('<', " ").replace(['>', '{', '}'], "");
        words.extend(word.split_whitespace().map(str::to_owned));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{IRREGULAR_IDS, compute_id, normal_form};

    #[test]
    fn known_lines_hash_to_their_ids() {
        for (line, id) in [
            ("boolTrue#997275b5 = Bool;", 0x997275b5),
            ("boolFalse = Bool", 0xbc799737),
            ("vector#1cb5c415 {t:Type} # [ t ] = Vector t;", 0x1cb5c415),
            ("ping#7abe77ec ping_id:long = Pong;", 0x7abe77ec),
            ("msg_container#73f1f8dc messages:vector<message> = MessageContainer;", 0x73f1f8dc),
            ("rpc_result#f35c6d01 req_msg_id:long result:Object = RpcResult;", 0xf35c6d01),
            ("gzip_packed#3072cfa1 packed_data:bytes = Object;", 0x3072cfa1),
            (
                "resPQ#05162463 nonce:int128 server_nonce:int128 pq:bytes \
                 server_public_key_fingerprints:Vector<long> = ResPQ;",
                0x05162463,
            ),
            (
                "authorization#ad01d61d flags:# current:flags.0?true official_app:flags.1?true \
                 password_pending:flags.2?true encrypted_requests_disabled:flags.3?true \
                 call_requests_disabled:flags.4?true unconfirmed:flags.5?true hash:long \
                 device_model:string platform:string system_version:string api_id:int \
                 app_name:string app_version:string date_created:int date_active:int ip:string \
                 country:string region:string = Authorization;",
                0xad01d61d,
            ),
            (
                "initConnection#c1cd5ea9 {X:Type} flags:# api_id:int device_model:string \
                 system_version:string app_version:string system_lang_code:string \
                 lang_pack:string lang_code:string proxy:flags.0?InputClientProxy \
                 params:flags.1?JSONValue query:!X = X;",
                0xc1cd5ea9,
            ),
            (
                "webAuthorization hash:long bot_id:int domain:string browser:string \
                 platform:string date_created:int date_active:int ip:string region:string = \
                 WebAuthorization",
                0xcac943f2,
            ),
        ] {
            assert_eq!(compute_id(line), id, "{line}");
        }
    }

    #[test]
    fn the_normal_form_keeps_bytes_inside_vectors() {
        assert_eq!(
            normal_form("a#1 b:flags.0?Vector<bytes> c:flags.1?bytes d:bytes e:flags2.1?true = F;"),
            "a b:flags.0?Vector bytes c:flags.1?string d:string = F"
        );
    }

    #[test]
    fn every_id_of_the_bundled_schemas_fits_its_line() {
        for definition in [crate::api(), crate::mtproto()].into_iter().flat_map(|s| s.definitions())
        {
            let fits = compute_id(&definition.text) == definition.id;
            let irregular = IRREGULAR_IDS.contains(&definition.name.as_str());
            assert_ne!(fits, irregular, "{}", definition.text);
        }
    }
}
