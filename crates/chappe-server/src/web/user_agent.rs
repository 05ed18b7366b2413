//! What a `User-Agent` header says about browser and operating system, in the words of a list of
//! logins: "Firefox 128", "Linux".
//!
//! Telegram documents neither its words nor its rules; these are ours (Assumed), in the style of what
//! its applications show. What a header says is what somebody wrote into it: the answer is short and
//! printable whatever that is. Client hints are not asked for.

/// The most bytes of a header that are read.
const MAX_HEADER: usize = 512;

/// The most characters of a name that is not in the tables.
const MAX_NAME: usize = 32;

/// The most digits of a version.
const MAX_VERSION: usize = 5;

/// What a header without a known browser, or none at all, stands for.
const NO_BROWSER: &str = "Unknown browser";

/// What a header without a known system stands for.
const NO_SYSTEM: &str = "Unknown system";

/// Products by which browsers show themselves, the special ones first: nearly all of them also call
/// themselves Chrome, and that one Safari.
const BROWSERS: [(&str, &str); 37] = [
    ("Googlebot", "Googlebot"),
    ("bingbot", "bingbot"),
    ("TelegramBot", "TelegramBot"),
    ("Edg", "Edge"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("Edge", "Edge"),
    ("OPR", "Opera"),
    ("OPT", "Opera"),
    ("OPX", "Opera"),
    ("OPiOS", "Opera"),
    ("Opera Mini", "Opera Mini"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("YaBrowser", "Yandex"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Ddg", "DuckDuckGo"),
    ("UCBrowser", "UC Browser"),
    ("MiuiBrowser", "Mi Browser"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("Whale", "Whale"),
    ("Silk", "Silk"),
    ("QQBrowser", "QQ Browser"),
    ("Brave", "Brave"),
    ("Electron", "Electron"),
    ("SeaMonkey", "SeaMonkey"),
    ("PaleMoon", "Pale Moon"),
    ("Focus", "Firefox Focus"),
    ("Klar", "Firefox Klar"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Headless Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Konqueror", "Konqueror"),
    ("MSIE", "Internet Explorer"),
];

/// What systems are known by, the special ones first: an Android is a Linux, and an iPhone is
/// "like Mac OS X".
const SYSTEMS: [(&str, &str); 23] = [
    ("Xbox", "Xbox"),
    ("PlayStation", "PlayStation"),
    ("Nintendo", "Nintendo"),
    ("Windows Phone", "Windows Phone"),
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("KAIOS", "KaiOS"),
    ("Tizen", "Tizen"),
    ("Web0S", "webOS"),
    ("Android", "Android"),
    ("iPad", "iPadOS"),
    ("iPhone", "iOS"),
    ("iPod", "iOS"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("NetBSD", "NetBSD"),
    ("SunOS", "Solaris"),
    ("Linux", "Linux"),
    ("X11", "Unix"),
];

/// A browser and its system, for people: printable ASCII, at most 50 characters each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agent {
    /// The browser with its version, like `Firefox 128`.
    pub(crate) browser: String,
    /// The operating system, like `Linux`.
    pub(crate) platform: String,
}

/// Reads a header.
pub(crate) fn read(header: &[u8]) -> Agent {
    let text: String = header
        .iter()
        .take(MAX_HEADER)
        .map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => ' ',
        })
        .collect();
    Agent {
        browser: browser(&text).unwrap_or_else(|| NO_BROWSER.to_owned()),
        platform: system(&text).unwrap_or(NO_SYSTEM).to_owned(),
    }
}

fn browser(text: &str) -> Option<String> {
    for (product, name) in BROWSERS {
        if let Some(version) = version(text, product) {
            return Some(named(name, version));
        }
    }
    // Internet Explorer 11 dropped its own name.
    if text.contains("Trident/") {
        return Some(named("Internet Explorer", after(text, "rv:").unwrap_or_default()));
    }
    if word(text, "Safari").is_some() || text.contains("AppleWebKit/") {
        return Some(match version(text, "Version") {
            Some(version) => named("Safari", version),
            // A view of the web inside of an application.
            None => "Safari".to_owned(),
        });
    }
    // Not a browser, but perhaps a program that says its name: `curl/8.5.0`.
    let first = text.split([' ', '(', ';']).next().filter(|first| !first.starts_with("Mozilla"))?;
    let (name, version) = first.split_once('/').unwrap_or((first, ""));
    let name: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .take(MAX_NAME)
        .collect();
    (!name.is_empty()).then(|| named(&name, number(version)))
}

fn system(text: &str) -> Option<&'static str> {
    SYSTEMS.iter().find(|(sign, _)| text.contains(sign)).map(|(_, name)| *name)
}

/// A name with its version, if that is known.
fn named(name: &str, version: &str) -> String {
    match version {
        "" => name.to_owned(),
        version => format!("{name} {version}"),
    }
}

/// The main version of a product, if it is there: `Edg/139.0.0.0` is 139. `MSIE 10.0` is an old way
/// to say the same.
fn version<'t>(text: &'t str, product: &str) -> Option<&'t str> {
    let rest = word(text, product)?;
    rest.strip_prefix('/')
        .or_else(|| rest.strip_prefix(' ').filter(|_| product == "MSIE"))
        .map(number)
}

/// What follows the first whole word that is this one.
fn word<'t>(text: &'t str, wanted: &str) -> Option<&'t str> {
    text.match_indices(wanted).find_map(|(at, _)| {
        let before = text.get(..at)?.chars().next_back();
        let rest = text.get(at + wanted.len()..)?;
        let whole = |c: char| !c.is_ascii_alphanumeric();
        (before.is_none_or(whole) && rest.chars().next().is_none_or(whole)).then_some(rest)
    })
}

fn after<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    text.split_once(mark).map(|(_, rest)| number(rest))
}

/// The digits that a text begins with; nothing if there are none or too many.
fn number(text: &str) -> &str {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        0..=MAX_VERSION => text.get(..digits).unwrap_or_default(),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers as browsers send them, and what a list of logins says.
    const REAL: &[(&str, &str, &str)] = &[
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox 128",
            "Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
            "Firefox 143",
            "Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox 140",
            "macOS",
        ),
        (
            "Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0",
            "Firefox 142",
            "Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/142.0 Mobile/15E148 Safari/605.1.15",
            "Firefox 142",
            "iOS",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
            "Chrome 139",
            "Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            "Chrome 140",
            "Linux",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
            "Headless Chrome 140",
            "Linux",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
            "Chrome 139",
            "ChromeOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36",
            "Chrome 139",
            "Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/139.0.7258.76 Mobile/15E148 Safari/604.1",
            "Chrome 139",
            "iOS",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
            "Edge 139",
            "Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; HD1913) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36 EdgA/138.0.3351.98",
            "Edge 138",
            "Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/138.0.3351.109 Mobile/15E148 Safari/605.1.15",
            "Edge 138",
            "iOS",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36 Edge/18.19582",
            "Edge 18",
            "Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 OPR/120.0.0.0",
            "Opera 120",
            "macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; VOG-L29) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36 OPR/76.2.4027.73374",
            "Opera 76",
            "Android",
        ),
        ("Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.16", "Opera 9", "Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
            "Safari 18",
            "macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Safari 18",
            "iOS",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
            "Safari 16",
            "iPadOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
            "Safari",
            "iOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Samsung Internet 28",
            "Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 YaBrowser/25.8.0.0 Safari/537.36",
            "Yandex 25",
            "Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Vivaldi/7.5.3735.62",
            "Vivaldi 7",
            "Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15 Ddg/18.5",
            "DuckDuckGo 18",
            "macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/138.4.11 like Chrome/138.0.7204.179 Safari/537.36",
            "Silk 138",
            "Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
            "Internet Explorer 11",
            "Windows",
        ),
        (
            "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
            "Internet Explorer 10",
            "Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edge/44.18363.8131",
            "Edge 44",
            "Xbox",
        ),
        (
            "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile",
            "Chrome 114",
            "HarmonyOS",
        ),
        (
            "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36",
            "Chrome 94",
            "webOS",
        ),
        (
            "Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox 128",
            "FreeBSD",
        ),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Googlebot 2",
            NO_SYSTEM,
        ),
        (
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
            "bingbot 2",
            NO_SYSTEM,
        ),
        ("curl/8.5.0", "curl 8", NO_SYSTEM),
        ("python-requests/2.32.3", "python-requests 2", NO_SYSTEM),
        ("Wget/1.21.4", "Wget 1", NO_SYSTEM),
        ("node", "node", NO_SYSTEM),
        ("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UD1A)", "Dalvik 2", "Android"),
    ];

    #[test]
    fn browsers_and_systems_are_told_as_a_list_of_logins_shows_them() {
        for (header, browser, platform) in REAL {
            let agent = read(header.as_bytes());
            assert_eq!(
                (agent.browser.as_str(), agent.platform.as_str()),
                (*browser, *platform),
                "{header}"
            );
        }
    }

    #[test]
    fn whatever_is_sent_the_answer_is_short_and_printable() {
        let long = "x".repeat(100_000);
        let digits = format!("Firefox/{}", "9".repeat(400));
        let hostile: [&[u8]; 12] = [
            b"",
            b" ",
            b"Mozilla/5.0",
            b"\x1b[31mred\x07",
            b"<script>alert(1)</script>/1",
            b"a\r\nSet-Cookie: x=y",
            "Firefox/\u{202e}128".as_bytes(),
            &[0xff; 600],
            long.as_bytes(),
            digits.as_bytes(),
            b"/1",
            b"Mozilla/5.0 Firefox",
        ];
        for header in hostile {
            check(header);
        }
        assert_eq!(read(b"").browser, NO_BROWSER);
        assert_eq!(read(digits.as_bytes()).browser, "Firefox");
        assert_eq!(read(b"<script>alert(1)</script>/1").browser, "scriptalert");
        assert_eq!(
            read(b"NotFirefox/1").browser,
            "NotFirefox 1",
            "a part of a word is not the word"
        );
    }

    fn check(header: &[u8]) {
        let Agent { browser, platform } = read(header);
        for shown in [browser, platform] {
            assert!((1..=50).contains(&shown.len()), "{shown:?}");
            assert!(shown.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{shown:?}");
            assert!(!shown.contains(['<', '>', '"', '&']), "{shown:?}");
        }
    }
}
