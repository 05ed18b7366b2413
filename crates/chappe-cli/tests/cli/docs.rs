//! `chappe docs`: the reference in a terminal, in a pipe, for programs and in a browser.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::telegram::{Running, chappe, refused, stdout};

/// A section of the page for whoever is new.
const GUIDE: &str = "Peers and access hashes";

fn docs(arguments: &[&str]) -> Output {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path()).arg("docs").args(arguments).output().unwrap();
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "nothing is kept");
    output
}

fn told(arguments: &[&str]) -> String {
    let output = docs(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    stdout(&output)
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&told(&[arguments, &["--json"]].concat())).unwrap()
}

#[test]
fn a_name_in_any_spelling_gives_its_page_as_markdown_in_a_pipe() {
    let page = told(&["account.resetWebAuthorization"]);
    for said in ["# account.resetWebAuthorization\n", "```rust\n", "](errors/HASH_INVALID.md)"] {
        assert!(page.contains(said), "{page}");
    }
    assert!(!page.contains('\u{1b}'));
    for name in [
        "reset_web_authorization",
        "0x2d01b9ef",
        "functions.account.ResetWebAuthorizationRequest",
        "account::ResetWebAuthorization",
    ] {
        assert_eq!(told(&[name]), page, "{name}");
    }
    // An id as programs print it that read it with a sign.
    assert!(told(&["-1720552011"]).starts_with("# boolTrue\n"));
    assert!(told(&["FLOOD_WAIT_42"]).starts_with("# FLOOD\\_WAIT\\_X\n"));
    assert!(told(&["User"]).contains("## Constructors"));
    assert!(told(&["user"]).contains("## Fields"));
    assert!(told(&["account"]).contains("## Methods"));
    assert!(told(&[]).contains("## Namespaces"));
}

#[test]
fn what_is_several_things_or_none_is_asked_back() {
    refused(&docs(&["getMessages"]), 3, &["say which", "messages.getMessages (method)"]);
    let near = ["did you mean", "account.resetWebAuthorization (method)"];
    refused(&docs(&["account.resetWebAuthorisation"]), 3, &near);
    refused(&docs(&["qqqqqqqqqq"]), 3, &["nothing is called", "--search"]);
    refused(&docs(&["\u{1b}[2J"]), 3, &["\\u{1b}"]);
    let output = docs(&["getMessages", "--json"]);
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((&error["error"]["kind"], output.stdout.len()), (&"not_found".into(), 0));
}

#[test]
fn programs_get_the_page_as_json() {
    let page = json(&["account.resetWebAuthorization"]);
    assert_eq!((&page["kind"], &page["id"]), (&"method".into(), &"0x2d01b9ef".into()));
    assert_eq!(json(&[])["methods"].as_array().unwrap().len(), 850);
    assert_eq!(json(&["--layer", "230"])["diff"]["from"], 229);
    assert_eq!(json(&["--diff", "198..230"])["from"], 198);
}

#[test]
fn an_example_comes_alone() {
    let program = told(&["account.resetWebAuthorization", "--lang", "cli"]);
    assert_eq!(program, "chappe call account.resetWebAuthorization '{\"hash\":\"4457235\"}'\n");
    for (lang, said) in [
        ("rust", "account::ResetWebAuthorization { hash: 4457235 }"),
        ("js", "new Api.account.ResetWebAuthorization({"),
        ("ts", "import bigInt"),
        ("python", "functions.account.ResetWebAuthorizationRequest(hash=4457235)"),
    ] {
        let program = told(&["account.resetWebAuthorization", "--lang", lang]);
        assert!(program.contains(said), "{program}");
        let value = json(&["account.resetWebAuthorization", "--lang", lang]);
        assert_eq!(value["program"].as_str().unwrap().trim_end(), program.trim_end());
    }
    // The youngest methods are in no package: that is said, and nothing is made up.
    let new = "wallet.getState";
    refused(&docs(&[new, "--lang", "python"]), 3, &["No package"]);
    refused(&docs(&["User", "--lang", "rust"]), 2, &["is no method"]);
    refused(&docs(&["--lang", "rust"]), 2, &["NAME"]);
    refused(&docs(&["user", "--lang", "cobol"]), 2, &["python"]);
}

#[test]
fn what_is_searched_is_found_a_line_each() {
    let found = told(&["--search", "log", "out", "website"]);
    let mut lines = found.lines();
    assert_eq!(lines.next(), Some("KIND\tNAME\tABOUT"));
    assert!(lines.next().unwrap().starts_with("method\taccount.resetWebAuthorization\tEnds one"));
    assert_eq!(told(&["--limit", "3", "--search", "message"]).lines().count(), 4);
    assert!(told(&["--search", "-503"]).contains("error\tTimeout"));
    let found = json(&["--search", "phone_code_hash"]);
    let hits = found.as_array().unwrap();
    assert!(hits.iter().any(|hit| hit["param"] == "phone_code_hash"), "{found}");
    // What a beginner has to know is found, and shown by the name under which it was found.
    let found = json(&["--search", "access", "hash"]);
    assert_eq!((&found[0]["kind"], &found[0]["name"]), (&"guide".into(), &GUIDE.into()));
    assert!(told(&[GUIDE]).starts_with("# Peers and access hashes\n\nA request names"));
    assert_eq!(json(&[GUIDE])["html"], "start.html#peers");
    assert!(told(&["start"]).contains("## Peers and access hashes"));
    refused(&docs(&["--search", "qqqqqqqqqq"]), 3, &["nothing is found"]);
    refused(&docs(&["--search", "a", "--open"]), 2, &["--open"]);
}

#[test]
fn layers_tell_what_they_changed() {
    let layer = told(&["--layer", "216"]);
    assert!(layer.contains("Moves the methods of forum topics"), "{layer}");
    assert!(layer.contains("kurigram 2.2.14"), "{layer}");
    assert!(told(&["--diff", "214..216"]).contains("`channels.getForumTopics` removed"));
    refused(&docs(&["--layer", "159"]), 3, &["not known", "158, 186"]);
    refused(&docs(&["--diff", "198..999"]), 3, &["not known"]);
    refused(&docs(&["--diff", "198"]), 2, &["198..230"]);
    refused(&docs(&["user", "--layer", "230"]), 2, &["--layer"]);
}

#[test]
fn neither_account_nor_configuration_is_looked_at() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("config/chappe");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "this is no TOML").unwrap();
    let output = chappe(home.path()).args(["docs", "HASH_INVALID"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_shell_completes_names() {
    let home = TempDir::new().unwrap();
    let complete = |words: &[&str]| {
        let mut command = chappe(home.path());
        command.env("CHAPPE_COMPLETE", "fish").args(["--", "chappe"]).args(words);
        stdout(&command.output().unwrap())
    };
    let names = complete(&["docs", "account.resetWeb"]);
    let names: Vec<&str> = names.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(names, ["account.resetWebAuthorization", "account.resetWebAuthorizations"]);
    assert!(complete(&["docs", "HASH_INV"]).contains("HASH_INVALID"));
    assert!(complete(&["docs", "User"]).contains("UserFull"));
    assert!(complete(&["docs", "--lang", ""]).contains("python"));
    assert!(complete(&["call", "help.getNear"]).contains("help.getNearestDc"));
    assert!(!complete(&["call", "HASH_INV"]).contains("HASH_INVALID"));
}

/// What the pages' server answers to a request: status, head and body.
fn ask(port: u16, request: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

fn get(port: u16, path: &str, host: &str) -> (u16, String, String) {
    ask(port, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
}

#[cfg(unix)]
#[test]
fn the_pages_are_served_to_this_machine_until_somebody_ends_it() {
    let home = TempDir::new().unwrap();
    let mut command = chappe(home.path());
    command.args(["docs", "--open", "reset_web_authorization", "--json"]);
    let pages = Running::start(command);
    let url = pages.next()["url"].as_str().unwrap().to_owned();
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert_eq!(path, "methods/account.resetWebAuthorization.html");
    let port: u16 = host.strip_prefix("localhost:").unwrap().parse().unwrap();

    for (path, kind, said) in [
        (&*format!("/{path}"), "text/html", "account.resetWebAuthorization"),
        ("/", "text/html", "<!DOCTYPE html>"),
        ("/methods/", "text/html", "<!DOCTYPE html>"),
        ("/index.html?x=1", "text/html", "<!DOCTYPE html>"),
        ("/errors/HASH_INVALID.md", "text/markdown", "# HASH"),
        ("/types/User.json", "application/json", "\"kind\":\"type\""),
        ("/layers/feed.xml", "application/atom+xml", "<feed"),
        ("/search-index.js", "text/javascript", "globalThis.chappeSearchIndex="),
        ("/style.css", "text/css", "{"),
    ] {
        let (status, head, body) = get(port, path, host);
        assert_eq!(status, 200, "{path}: {body}");
        assert!(head.contains(&format!("content-type: {kind}")), "{path}: {head}");
        assert!(body.contains(said), "{path}: {body}");
    }
    for path in ["/../Cargo.toml", "/methods/..%2f..", "//", "/methods/none.html", "/none", "/%00"]
    {
        assert_eq!(get(port, path, host).0, 404, "{path}");
    }

    // Whatever is answered, a browser is told to load nothing of others and to guess nothing.
    for (path, host) in [("/", host), ("/none", host), ("/", "attacker.example")] {
        let (_, head, _) = get(port, path, host);
        for said in [
            "content-security-policy: default-src 'none';",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(head.contains(said), "{path}: {head}");
        }
        assert!(!head.contains("access-control-allow"), "{head}");
    }

    // A name that somebody pointed at this machine, another port, two hosts, none.
    let other = port ^ 1;
    for stranger in [
        "attacker.example".to_owned(),
        format!("attacker.example:{port}"),
        format!("localhost.attacker.example:{port}"),
        format!("localhost:{other}"),
        "localhost".to_owned(),
        format!("a@localhost:{port}"),
        format!("localhost:{port}\r\nHost: attacker.example"),
    ] {
        let (status, _, body) = get(port, "/", &stranger);
        assert!(matches!(status, 400 | 403) && !body.contains("DOCTYPE"), "{stranger}: {status}");
    }
    assert_eq!(get(port, "/", &format!("127.0.0.1:{port}")).0, 200);
    // Of this machine's addresses it listens at one: at no other machine can it be heard.
    assert!(TcpStream::connect(("127.0.0.2", port)).is_err());
    let nobody = ask(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert_eq!(nobody.0, 403);
    // What is not read is refused.
    let post = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let (status, head, _) = ask(port, &post);
    assert!(status == 405 && head.contains("allow: get, head"), "{head}");
    let head = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let (status, _, body) = ask(port, &head);
    assert_eq!((status, body.as_str()), (200, ""));

    pages.interrupt();
    assert_eq!(pages.end().0, Some(0));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_folder_of_somebody_else_is_not_written_over() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("letter.txt");
    std::fs::write(&file, "dear").unwrap();
    refused(&docs(&["--export", folder.path().to_str().unwrap()]), 1, &["not of a reference"]);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "dear");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    refused(&docs(&["User", "--export", "x"]), 2, &["--export"]);
}

#[cfg(unix)]
mod terminal {
    use super::{TempDir, chappe};
    use crate::terminal::Terminal;

    fn shown(pager: Option<&str>, arguments: &[&str]) -> (i32, String) {
        let home = TempDir::new().unwrap();
        let mut command = chappe(home.path());
        command.arg("docs").args(arguments).env("PATH", std::env::var_os("PATH").unwrap());
        if let Some(pager) = pager {
            command.env("PAGER", pager);
        }
        Terminal::start(command).end()
    }

    #[test]
    fn a_person_reads_a_page_by_the_pager_of_their_choice() {
        let (code, text) = shown(Some("sed 's/^/> /'"), &["HASH_INVALID"]);
        assert_eq!(code, 0, "{text}");
        assert!(text.starts_with("> HASH_INVALID\n> \n> No device"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100 + 2), "{text}");
        for (pager, arguments) in [
            ("false", &["HASH_INVALID", "--no-pager"][..]),
            ("cat", &["HASH_INVALID"]),
            ("", &["HASH_INVALID"]),
        ] {
            let (code, text) = shown(Some(pager), arguments);
            assert!(code == 0 && text.starts_with("HASH_INVALID\n\nNo device"), "{pager}: {text}");
        }
        // Whoever leaves before the end has read enough.
        assert_eq!(shown(Some("head -1"), &["messages.sendMessage"]).0, 0);
        let (code, text) = shown(Some("no-such-pager-of-anybody"), &["HASH_INVALID"]);
        assert!(code == 2 && text.contains("--no-pager"), "{code}: {text}");
    }

    #[test]
    fn a_person_reads_hits_with_what_they_are() {
        let (code, text) = shown(None, &["--search", "log out website"]);
        assert_eq!(code, 0);
        let first: Vec<&str> = text.lines().take(2).map(str::trim_end).collect();
        assert_eq!(
            first,
            [
                "method      account.resetWebAuthorization",
                "            Ends one login with Telegram on a website."
            ]
        );
    }
}
