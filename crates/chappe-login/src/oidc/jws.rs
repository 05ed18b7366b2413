//! The compact form of RFC 7515: three parts, one of four algorithms, no choice for the sender.

use base64ct::{Base64UrlUnpadded, Encoding as _};

use super::{Error, Keys};
use crate::json::{self, Json};

/// The algorithm that id_tokens of a client are signed by, chosen once at its registration.
///
/// core.telegram.org/bots/telegram-login; RFC 7518, RFC 8037, RFC 8812.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alg {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on secp256k1 with SHA-256.
    Es256k,
    /// RSASSA-PKCS1-v1_5 with SHA-256: what a client has that chose nothing.
    Rs256,
}

impl Alg {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::EdDsa, Self::Es256, Self::Es256k, Self::Rs256];

    /// Its name in JOSE.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es256k => "ES256K",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm of that name; `none` and those with a shared secret are not there.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.name() == name)
    }
}

/// A signed text whose signature holds.
pub(super) struct Opened<'a> {
    pub(super) payload: Vec<u8>,
    /// Header and payload as they were signed: the signature may have several forms.
    pub(super) signed: &'a str,
}

/// Checks a compact JWS by the one algorithm that is allowed and the keys that are known.
pub(super) fn open<'a>(compact: &'a str, alg: Alg, keys: &Keys) -> Result<Opened<'a>, Error> {
    if compact.len() > LENGTH {
        return Err(Error::TooLarge);
    }
    let (signed, signature) = compact.rsplit_once('.').ok_or(Error::Encoding)?;
    let (header, payload) = signed.split_once('.').ok_or(Error::Encoding)?;
    // A dot that is left over is no base64url: five parts are an encrypted token.
    let decode = |part| Base64UrlUnpadded::decode_vec(part).map_err(|_| Error::Encoding);
    let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);

    let header = json::object(&header).ok_or(Error::Json)?;
    if header.get("alg").and_then(Json::text) != Some(alg.name()) {
        return Err(Error::Algorithm);
    }
    if let Some(name) = FORBIDDEN.iter().find(|name| header.contains_key(**name)) {
        return Err(Error::Header(name));
    }
    match header.get("typ").map(Json::text) {
        None => {}
        Some(Some(kind)) if kind.eq_ignore_ascii_case("JWT") => {}
        Some(_) => return Err(Error::Header("typ")),
    }
    let kid = match header.get("kid") {
        None => None,
        Some(Json::Text(kid)) => Some(kid.as_str()),
        Some(_) => return Err(Error::Header("kid")),
    };
    keys.verify(alg, kid, signed.as_bytes(), &signature)?;
    Ok(Opened { payload, signed })
}

/// Headers that would change what is checked, or by which key.
const FORBIDDEN: &[&str] = &["b64", "crit", "enc", "jku", "jwk", "x5c", "x5u", "zip"];

/// The longest id_token, in bytes.
const LENGTH: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn the_signatures_of_the_rfcs_hold_and_no_other() {
        for (alg, key, text, payload) in VECTORS {
            let mut keys = Keys::new();
            keys.read(format!(r#"{{"keys":[{key}]}}"#).as_bytes(), SystemTime::UNIX_EPOCH).unwrap();
            let open = |text: &str| open(text, alg, &keys).map(|opened| opened.payload);
            assert_eq!(open(text).unwrap(), payload.as_bytes(), "{alg:?}");
            let (signed, signature) = text.rsplit_once('.').unwrap();
            let other = format!("{}A.{signature}", &signed[..signed.len() - 1]);
            assert!(matches!(open(&other), Err(Error::Signature | Error::Encoding)), "{alg:?}");
            let other = signature.replace(|c: char| c.is_ascii_lowercase(), "A");
            assert_eq!(open(&format!("{signed}.{other}")), Err(Error::Signature), "{alg:?}");
        }
    }

    const JOE: &str =
        "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

    /// Algorithm, public key, compact text, payload.
    const VECTORS: [(Alg, &str, &str, &str); 3] = [
        // RFC 7515 A.2.
        (
            Alg::Rs256,
            r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#,
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            JOE,
        ),
        // RFC 7515 A.3.
        (
            Alg::Es256,
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            JOE,
        ),
        // RFC 8037 A.4, whose key is that of A.2.
        (
            Alg::EdDsa,
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            "Example of Ed25519 signing",
        ),
    ];
}
