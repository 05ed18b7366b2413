//! The pages of the local Telegram: whatever a browser sends is answered, never by a failure of the
//! server, under the headers that guard a page, and with nothing of it out of its place.
#![no_main]

use std::{cell::RefCell, net::SocketAddr};

use chappe_fuzz::Script;
use chappe_server::{
    Handle, Server,
    bots::{BotSettings, OidcClient},
    faults::{Action, Scope},
};
use libfuzzer_sys::fuzz_target;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{Builder, Runtime},
};

/// After so many requests those that wait are let go: no more than 200 may wait at a time.
const ROUND: u32 = 100;

/// No page has this unless it is put into one unescaped.
const MARK: &str = "<xss";

/// A server and where its pages are.
struct Pages {
    runtime: Runtime,
    server: Handle,
    host: String,
    asked: u32,
    /// The cookie and the handle of the last login that began.
    login: Option<(String, String)>,
}

thread_local! {
    static PAGES: RefCell<Pages> = RefCell::new(Pages::open());
}

fuzz_target!(|data: &[u8]| {
    PAGES.with_borrow_mut(|pages| {
        let mut script = Script::new(data);
        match script.flag() {
            true => {
                let request = pages.compose(&mut script);
                pages.ask(&request, true);
            }
            false => pages.ask(script.rest(), false),
        }
    });
});

impl Pages {
    fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let client = OidcClient::new().url(CALLBACK).url("https://travel.example.com");
        let client = client.native_url("quayshop://tglogin");
        let settings = BotSettings::new().domain("travel.example.com").oidc(client);
        let server = Server::builder().seed(1).web(free).bot("ColumbusDemoBot", settings);
        let server = runtime.block_on(server.start()).expect("a server");
        let url = server.announcement().web.clone().expect("pages");
        let host = url.trim_start_matches("http://").to_owned();
        Self { runtime, server, host, asked: 0, login: None }
    }

    /// Sends a request that is whole, or that ends somewhere.
    fn ask(&mut self, request: &[u8], whole: bool) {
        self.asked += 1;
        let answer = self.runtime.block_on(async {
            if self.asked % ROUND == 0 {
                let passed = Action::PassTime { seconds: 600 };
                self.server.faults().act(passed, Scope::everything()).await.expect("time passes");
            }
            let mut stream = TcpStream::connect(&self.host).await.expect("a connection");
            // Who is refused early does not read all of it.
            let _ = stream.write_all(request).await;
            if !whole {
                let _ = stream.shutdown().await;
            }
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        });
        check(&answer);
        let between = |from, to| Some(answer.split_once(from)?.1.split_once(to)?.0.to_owned());
        let login = between("set-cookie: chappe_logins", ";").zip(between("data-request=\"", "\""));
        self.login = login.or(self.login.take());
    }

    /// A request that gets somewhere.
    fn compose(&self, script: &mut Script<'_>) -> Vec<u8> {
        let bots = self.server.bots();
        let bot = &bots[usize::from(script.byte()) % bots.len()];
        let path = match script.byte() % 18 {
            0 => "/".to_owned(),
            1 => format!("/embed/{}", bot.username),
            2 => format!("/embed/{}", encoded(&piece(script))),
            3 | 4 => "/auth".to_owned(),
            5 => "/auth/wait".to_owned(),
            6 => "/auth/request".to_owned(),
            7 => "/auth/login".to_owned(),
            8 => "/auth/accept".to_owned(),
            9 => "/auth/cancel".to_owned(),
            10 => "/auth/push".to_owned(),
            11 => "/auth/get".to_owned(),
            12 => "/js/telegram-widget.js".to_owned(),
            13 => "/token".to_owned(),
            14 => "/inapp".to_owned(),
            15 => "/crossapp".to_owned(),
            16 => "/.well-known/jwks.json".to_owned(),
            _ => format!("/i/userpic/320/{}", encoded(&piece(script))),
        };
        let who = if script.flag() { "client_id" } else { "bot_id" };
        let mut query = format!("{who}={}", bot.user_id);
        for _ in 0..script.byte() % 6 {
            let name = NAMES[usize::from(script.byte()) % NAMES.len()];
            query.push_str(&format!("&{name}={}", encoded(&piece(script))));
        }
        let login = self.login.as_ref().filter(|_| script.flag());
        if let Some((_, handle)) = login {
            query.push_str(&format!("&request={handle}"));
        }
        let method = if script.flag() { "POST" } else { "GET" };
        let target = match path.as_str() {
            // It takes no parameters in its address.
            "/token" => path,
            _ => format!("{path}?{query}"),
        };
        let body = if script.flag() { query.clone() } else { String::new() };
        let mut request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.host,
            body.len()
        )
        .into_bytes();
        if let Some((cookie, _)) = login {
            request.extend_from_slice(format!("Cookie: chappe_logins{cookie}\r\n").as_bytes());
        }
        for name in ["User-Agent", "Cookie", "Origin", "Authorization", "Content-Type"] {
            if script.flag() {
                let value: Vec<u8> =
                    piece(script).into_iter().filter(|byte| *byte >= b' ').collect();
                request.extend_from_slice(name.as_bytes());
                request.extend_from_slice(b": ");
                request.extend_from_slice(&value);
                request.extend_from_slice(b"\r\n");
            }
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body.as_bytes());
        request
    }
}

/// A value: one that is known, or any bytes.
fn piece(script: &mut Script<'_>) -> Vec<u8> {
    let known = usize::from(script.byte());
    match VALUES.get(known % (VALUES.len() + 4)) {
        Some(value) => value.as_bytes().to_vec(),
        None => {
            let length = usize::from(script.byte());
            let mut bytes: Vec<u8> = (0..length).map(|_| script.byte()).collect();
            if known >= 128 {
                bytes.extend_from_slice(MARK.as_bytes());
            }
            bytes
        }
    }
}

fn encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

fn check(answer: &str) {
    if answer.is_empty() {
        return;
    }
    let status = answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
    let status = status.expect("a status");
    assert!(status < 500, "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let head = head.to_ascii_lowercase();
    assert!(!body.contains(MARK), "{answer}");
    // What is no HTTP at all is refused before there is a page.
    if !body.is_empty() || head.contains("content-type") {
        let policy = head.split("content-security-policy: ").nth(1).expect("a policy");
        let policy = policy.split("\r\n").next().expect("a line");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    }
    if let Some(to) = head.split("location: ").nth(1) {
        let host = to.strip_prefix("https://").unwrap_or_default();
        let host = host.split(['/', ':', '?', '#']).next().unwrap_or_default();
        let to_app = to.starts_with("quayshop://tglogin?");
        assert!(to.starts_with("/auth/") || SITES.contains(&host) || to_app, "{to}");
    }
}

/// The sites of the seeded bots.
const SITES: [&str; 3] = ["travel.example.com", "news.example.org", "shop.example.net"];

/// A redirect URI.
const CALLBACK: &str = "https://travel.example.com/callback";

const NAMES: [&str; 26] = [
    "origin",
    "return_to",
    "request_access",
    "lang",
    "embed",
    "size",
    "radius",
    "userpic",
    "request",
    "how",
    "note",
    "phone",
    "write",
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "grant_type",
    "code",
    "client_secret",
    "code_verifier",
];

const VALUES: [&str; 22] = [
    "https://travel.example.com",
    "https://travel.example.com/a?b#c",
    "https://news.example.org",
    "https://shop.example.net/",
    "write",
    "message",
    "1",
    "+999 66 2 1234",
    "chappe_logins_80=a.b.c~d.e.f",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "https://travel.example.com@evil.example",
    "sent",
    CALLBACK,
    "quayshop://tglogin",
    "code",
    "post_message",
    "openid profile phone",
    "S256",
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "authorization_code",
    "application/x-www-form-urlencoded",
    "Basic MTIzOmFiYw==",
];
