//! Links that somebody follows: where one seems to lead, a browser goes. The other reader is the `url`
//! crate, which follows the standard of browsers.
#![no_main]

use chappe::UrlAuthLink;
use chappe_fuzz::Script;
use libfuzzer_sys::fuzz_target;
use url::{Host, Url};

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let link = if script.flag() {
        String::from_utf8_lossy(script.rest()).into_owned()
    } else {
        pieces(&mut script)
    };
    let seen = Url::parse(&link);
    match UrlAuthLink::read(&link) {
        Some(UrlAuthLink::Site { secure, host }) => {
            // What a browser does not open leads nowhere.
            let Ok(url) = seen else { return };
            assert_eq!(url.scheme(), if secure { "https" } else { "http" }, "{link}");
            assert!(url.username().is_empty() && url.password().is_none(), "{link}");
            let same = match url.host() {
                Some(Host::Domain(domain)) => domain == host,
                Some(Host::Ipv4(address)) => address.to_string() == host,
                Some(Host::Ipv6(address)) => format!("[{address}]") == host,
                None => false,
            };
            assert!(same, "{link}: {host} instead of {:?}", url.host_str());
        }
        Some(UrlAuthLink::Request) => {
            let Ok(url) = seen else { return };
            match url.scheme() {
                "tg" => assert!(link.contains("oauth"), "{link}"),
                "https" => {
                    let host = url.host_str().unwrap_or_default();
                    assert!(["t.me", "telegram.me", "telegram.dog"].contains(&host), "{link}");
                    assert!(["/oauth", "/oauth/"].contains(&url.path()), "{link}");
                }
                other => panic!("{other}: {link}"),
            }
        }
        Some(_) => assert!(link.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("http"))),
        None => {
            let web = seen.is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
            // Browsers forgive what stands in front of a scheme, and in the middle of it.
            let clear = link.chars().all(|it| it.is_ascii_graphic());
            assert!(!web || !clear, "{link} is the address of a page");
        }
    }
});

/// Parts of links, in any order, and a few bytes between them.
fn pieces(script: &mut Script<'_>) -> String {
    let mut link = String::new();
    while !script.is_empty() && link.len() < 300 {
        match script.byte() {
            byte @ 0..=199 => link.push_str(PIECES[usize::from(byte) % PIECES.len()]),
            _ => link.push_str(&String::from_utf8_lossy(script.piece())),
        }
    }
    link
}

const PIECES: [&str; 48] = [
    "https://",
    "http://",
    "https:",
    "tg://",
    "tg:",
    "javascript:",
    "HTTPS://",
    "//",
    "/",
    "\\",
    "@",
    ":",
    "?",
    "#",
    "&",
    "=",
    ".",
    "%",
    "%2e",
    "[",
    "]",
    "::1",
    "127.0.0.1",
    "0x7f",
    "2130706433",
    "0177",
    "t.me",
    "telegram.me",
    "T.ME",
    "example.com",
    "xn--bcher-kva",
    "-",
    "oauth",
    "resolve",
    "domain=oauth",
    "startapp=a",
    "token=a",
    ":443",
    ":80",
    ":99999",
    "\t",
    "\n",
    " ",
    "\u{202e}",
    "ä",
    "。",
    "user:password@",
    "..",
];
