//! `chappe docs`: the reference in a terminal, in a pipe, for programs and in a browser.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::telegram::{Running, chappe, refused, stderr, stdout};

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
    // What people call it that other libraries have a name for.
    let near = stderr(&docs(&["disconnectWebsite"]));
    let first = near.lines().nth(2).unwrap().trim();
    assert!(first.starts_with("account.resetWebAuthorization (method): Ends one login"), "{near}");
    refused(&docs(&["\u{1b}[2J"]), 3, &["\\u{1b}"]);
    refused(&docs(&[""]), 2, &["the name is empty"]);
    let output = docs(&["getMessages", "--json"]);
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((&error["error"]["kind"], output.stdout.len()), (&"not_found".into(), 0));
}

#[test]
fn what_others_call_it_shows_the_method_that_they_call_and_says_so() {
    let page = told(&["messages.sendMedia"]);
    for (name, whose) in [
        ("sendPhoto", "`sendPhoto` is a name of the HTTP Bot API"),
        ("send_photo", "`send_photo` is a name of kurigram (Pyrogram)"),
        ("await client.send_photo(chat, file)", "`send_photo` is a name of kurigram (Pyrogram)"),
        (
            "https://core.telegram.org/bots/api#sendphoto",
            "`sendPhoto` is a name of the HTTP Bot API",
        ),
    ] {
        let said = format!("> {whose}; what it calls is `messages.sendMedia`.\n\n{page}");
        assert_eq!(told(&[name]), said, "{name}");
    }
    assert_eq!(json(&["sendPhoto"])["name"], "messages.sendMedia");
    // TL has it twice, and they all mean the one.
    let shown = told(&["sendMessage"]);
    assert!(
        shown.starts_with("> `sendMessage` is a name of the HTTP Bot API, GramJS and"),
        "{shown}"
    );
    assert!(shown.contains("\n# messages.sendMessage\n"), "{shown}");
    // The example alone stays alone.
    let output = docs(&["sendPhoto", "--lang", "cli"]);
    assert!(stdout(&output).starts_with("chappe call messages.sendMedia"), "{output:?}");
    assert!(stderr(&output).starts_with("sendPhoto is a name of the HTTP Bot API"), "{output:?}");
    // What makes several is asked back, the likeliest first; what is another's in TL's place is nobody's.
    let output = docs(&["leaveChat"]);
    refused(&output, 3, &["leaveChat is a name of the HTTP Bot API and mtcute", "say which"]);
    let third = stderr(&output).lines().nth(2).unwrap_or_default().trim().to_owned();
    assert!(third.starts_with("channels.leaveChannel (method): "), "{third}");
    refused(&docs(&["messages.sendPhoto"]), 3, &["nothing is called `messages.sendPhoto`"]);
}

#[test]
fn a_name_is_found_in_what_people_copy() {
    let reset = "# account.resetWebAuthorization";
    for (copied, want) in [
        // Addresses of pages: ours, Telegram's, those of other libraries.
        ("methods/account.resetWebAuthorization.html", reset),
        ("errors/HASH_INVALID.md", "# HASH\\_INVALID"),
        ("start.html#peers", "# Peers and access hashes"),
        ("peers", "# Peers and access hashes"),
        ("https://example.com/reference/start.html#peers", "# Peers and access hashes"),
        ("http://127.0.0.1:8089/core/flags.html", "# #"),
        ("https://example.com/gone/help.getAppChangelog.html", "# help.getAppChangelog"),
        ("http://127.0.0.1:8089/constructors/user.html#history", "# user"),
        ("https://core.telegram.org/method/account.resetWebAuthorization", reset),
        ("core.telegram.org/constructor/updates", "# updates"),
        ("https://core.telegram.org/type/Updates", "# Updates"),
        ("https://tl.telethon.dev/methods/account/reset_web_authorization.html", reset),
        ("https://docs.pyrogram.org/telegram/functions/account/reset-web-authorization", reset),
        ("https://gram.js.org/tl/account/ResetWebAuthorization", reset),
        // Lines of TL and of programs.
        ("account.resetWebAuthorization#2d01b9ef hash:long = Bool;", reset),
        ("flags.3?Vector<InputUser>", "# InputUser"),
        ("flags.0?true", "# true"),
        ("functions.account.ResetWebAuthorizationRequest(hash=1)", reset),
        ("new Api.account.ResetWebAuthorization({ hash })", reset),
        ("tl::functions::account::ResetWebAuthorization { hash: 1 }", reset),
        // Errors as libraries tell them.
        ("FloodWaitError", "# FLOOD\\_WAIT\\_X"),
        ("RPCError: 420: FLOOD_WAIT_42 (caused by messages.SendMessage)", "# FLOOD\\_WAIT\\_X"),
        ("[400 PEER_ID_INVALID] - The peer id is invalid", "# PEER\\_ID\\_INVALID"),
        ("layer 230", "# Layer 230"),
    ] {
        assert_eq!(told(&[copied]).lines().next(), Some(want), "{copied}");
    }
    for nothing in
        ["https://example.com/", "Vector<", "flags.1?", "#", "HASH_INVALID or USER_BANNED"]
    {
        let output = docs(&[nothing]);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{nothing}: {output:?}");
    }
    refused(&docs(&["https://example.com/"]), 3, &["nothing is called"]);
    refused(&docs(&["HASH_INVALID or USER_BOT_INVALID"]), 3, &["nothing is called"]);
}

#[test]
fn what_tl_is_made_of_is_told_with_how_programs_write_it() {
    let long = told(&["long"]);
    for said in ["# long\n", "Eight bytes", "13 03 44 00", "- Rust: `i64`", "(start.md)"] {
        assert!(long.contains(said), "{said}: {long}");
    }
    for name in ["int", "double", "string", "bytes", "#", "!X", "int128", "int256", "Vector"] {
        assert!(told(&[name]).contains("## In programs"), "{name}");
    }
    // What has a page has the same on it.
    for name in ["true", "Bool", "vector"] {
        let page = told(&[name]);
        assert!(page.contains("## Constructors") || page.contains("## TL"), "{page}");
        assert!(page.contains("## In programs"), "{page}");
    }
    let long = json(&["long"]);
    assert_eq!((&long["kind"], &long["name"]), (&"core type".into(), &"long".into()));
    assert_eq!(long["sample"]["json"], "\"4457235\"");
    refused(&docs(&["long", "--lang", "rust"]), 2, &["`long` is no method"]);
}

#[test]
fn what_only_older_layers_had_is_told_with_what_is_taken_instead() {
    let gone = told(&["channels.getForumTopics"]);
    assert!(gone.contains("removed between layers 214 and 216: see"), "{gone}");
    assert!(gone.contains("(methods/messages.getForumTopics.md)"), "{gone}");
    assert_eq!(told(&["get_forum_topics"]), told(&["messages.getForumTopics"]));
    let page = json(&["keyboardButtonUrl"]);
    assert_eq!((&page["kind"], &page["see"][1]), (&"gone".into(), &"inlineButtonTypeUrl".into()));
    // An id of before is that of what has another one now, also inside of a message.
    for named in ["0x020b1422", "34280482", "The server sent an unknown constructor: 0x20b1422"] {
        let page = told(&[named]);
        assert!(page.contains("\n# user\n"), "{named}: {page}");
        assert!(page.contains("the id of `user` in layers 201 to 216"), "{named}: {page}");
    }
    let found = json(&["--search", "0x020b1422"]);
    assert_eq!(
        (&found[0]["name"], &found[0]["id_of"]),
        (&"user".into(), &"layers 201 to 216".into())
    );
}

#[test]
fn a_code_gives_the_errors_that_come_with_it() {
    let fast = told(&["420"]);
    assert!(fast.starts_with("# Errors with code 420\n\n"), "{fast}");
    assert!(fast.contains("too fast") && fast.contains("[`FLOOD_WAIT_X`]"), "{fast}");
    assert!(!fast.contains("HASH_INVALID"), "{fast}");
    assert!(told(&["-503"]).contains("[`Timeout`]"));
    let codes = json(&["303"]);
    assert_eq!((&codes["kind"], codes["errors"].as_array().unwrap().len()), (&"code".into(), 5));
    refused(&docs(&["404"]), 3, &["nothing is called"]);
}

#[test]
fn several_names_give_their_pages_one_after_the_other() {
    let both = told(&["User", "HASH_INVALID"]);
    assert_eq!(both, format!("{}\n{}", told(&["User"]), told(&["HASH_INVALID"])));
    let both = told(&["User", "HASH_INVALID", "--json"]);
    let kinds: Vec<Value> = both
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone())
        .collect();
    assert_eq!(kinds, ["type", "error"]);
    // Words that are one name together are that.
    assert_eq!(told(&["account", "resetWebAuthorization"]), told(&["0x2d01b9ef"]));
    assert_eq!(told(&["flood", "wait", "42"]), told(&["FLOOD_WAIT_X"]));
    // One that is wrong is named; words that are no names are a search.
    refused(&docs(&["User", "HASH_INVALIT"]), 3, &["`HASH_INVALIT`"]);
    let near = ["`log out website`", "account.resetWebAuthorization (method)"];
    refused(&docs(&["log", "out", "website"]), 3, &near);
    refused(&docs(&["User", "Chat", "--open"]), 2, &["--open goes with one name"]);
    refused(&docs(&["User", "Chat", "--lang", "rust"]), 2, &["--lang goes with one name"]);
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
    refused(&docs(&["--search", ""]), 2, &["no words", "chappe docs --search log out"]);
    refused(&docs(&["--search", "a", "--open"]), 2, &["--open"]);
}

#[test]
fn layers_tell_what_they_changed() {
    let layer = told(&["--layer", "216"]);
    assert!(layer.contains("Moves the methods of forum topics"), "{layer}");
    assert!(layer.contains("kurigram 2.2.14"), "{layer}");
    let moved = "[`channels.getForumTopics`](gone/channels.getForumTopics.md): removed; see";
    assert!(told(&["--diff", "214..216"]).contains(moved));
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
    // Beside a name is the sentence with which its page begins.
    let page = told(&["HASH_INVALID"]);
    let about = page.lines().nth(2).unwrap();
    assert!(complete(&["docs", "HASH_INV"]).contains(&format!("HASH_INVALID\t{about}")), "{about}");
    // A name without its namespace, and in other letters.
    let near = complete(&["docs", "resetwebauthorizations"]);
    assert!(near.starts_with("account.resetWebAuthorizations\t"), "{near}");
    assert!(complete(&["docs", "stor"]).lines().any(|line| line == "stories"));
    assert!(complete(&["docs", "lon"]).contains("long\t"));
    assert!(complete(&["docs", "User", "HASH_INV"]).contains("HASH_INVALID"));
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
}

#[test]
fn a_folder_of_somebody_else_is_not_written_over() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("letter.txt");
    std::fs::write(&file, "dear").unwrap();
    refused(&docs(&["--export", folder.path().to_str().unwrap()]), 5, &["not of a reference"]);
    // Neither is a file, nor is anything made below one.
    for path in [file.clone(), file.join("pages")] {
        let said = ["letter.txt", "is a file", "folder that is empty or not there yet"];
        refused(&docs(&["--export", path.to_str().unwrap()]), 5, &said);
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), "dear");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    refused(&docs(&["User", "--export", "x"]), 2, &["--export"]);
}

#[cfg(unix)]
mod terminal {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use rustix::process::Signal;

    use super::{TempDir, chappe};
    use crate::terminal::Terminal;

    fn command(home: &TempDir, pager: Option<&str>, arguments: &[&str]) -> Command {
        let mut command = chappe(home.path());
        command.arg("docs").args(arguments).env("PATH", std::env::var_os("PATH").unwrap());
        if let Some(pager) = pager {
            command.env("PAGER", pager);
        }
        command
    }

    fn shown(pager: Option<&str>, arguments: &[&str]) -> (i32, String) {
        let home = TempDir::new().unwrap();
        Terminal::start(command(&home, pager, arguments)).end()
    }

    #[test]
    fn a_person_reads_a_page_by_the_pager_of_their_choice() {
        let (code, text) = shown(Some("sed 's/^/> /'"), &["HASH_INVALID"]);
        assert_eq!(code, 0, "{text}");
        assert!(text.starts_with("> HASH_INVALID\n> \n>     No device"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100 + 2), "{text}");
        for (pager, arguments) in [
            ("false", &["HASH_INVALID", "--no-pager"][..]),
            ("cat", &["HASH_INVALID"]),
            ("", &["HASH_INVALID"]),
        ] {
            let (code, text) = shown(Some(pager), arguments);
            assert!(
                code == 0 && text.starts_with("HASH_INVALID\n\n    No device"),
                "{pager}: {text}"
            );
        }
        // Whoever leaves before the end has read enough.
        let (code, text) = shown(Some("head -1"), &["messages.sendMessage"]);
        assert_eq!((code, text.as_str()), (0, "messages.sendMessage\n"));
    }

    #[test]
    fn the_pager_of_chappe_is_asked_first_and_none_where_a_terminal_is_too_plain_for_it() {
        let home = TempDir::new().unwrap();
        let mut ours = command(&home, Some("false"), &["HASH_INVALID"]);
        ours.env("CHAPPE_PAGER", "tail -n +3");
        let (code, text) = Terminal::start(ours).end();
        assert!(code == 0 && text.starts_with("    No device"), "{text}");

        let mut plain = command(&home, Some("sed s/^/>/"), &["HASH_INVALID"]);
        plain.env("TERM", "dumb");
        let (code, text) = Terminal::start(plain).end();
        assert!(code == 0 && text.starts_with("HASH_INVALID\n\n    No device"), "{text}");
    }

    #[test]
    fn a_pager_gets_colours_unless_nobody_wants_them() {
        let home = TempDir::new().unwrap();
        for (no_color, is_coloured) in [("", true), ("1", false)] {
            let mut command = command(&home, Some("cat -v"), &["HASH_INVALID"]);
            command.env("NO_COLOR", no_color);
            let (_, text) = Terminal::start(command).end();
            assert_eq!(text.contains("^[["), is_coloured, "{text}");
        }
    }

    #[test]
    fn without_colours_a_page_is_told_apart_by_where_its_lines_begin() {
        let home = TempDir::new().unwrap();
        let mut command = command(&home, Some("cat"), &["account.resetWebAuthorization", "long"]);
        command.env("NO_COLOR", "1");
        let (code, text) = Terminal::start(command).end();
        assert!(code == 0 && !text.contains('\u{1b}'), "{text}");
        let begun = |set_in: &str| -> Vec<&str> {
            let lines = text.lines().filter_map(|line| line.strip_prefix(set_in));
            lines.filter(|line| line.starts_with(|c: char| c.is_alphabetic())).collect()
        };
        let titles = begun("");
        assert_eq!(titles[..3], ["account.resetWebAuthorization", "EXAMPLE", "TL"], "{text}");
        assert!(titles.ends_with(&["HISTORY", "long", "ON THE WIRE", "IN PROGRAMS"]), "{titles:?}");
        assert_eq!(begun("  ")[..2], ["Rust", "Gives the values it needs"], "{text}");
        assert!(begun("    ").contains(&"Ends one login with Telegram on a website."), "{text}");
    }

    #[test]
    fn a_page_is_shown_although_its_pager_is_not_there_or_fails() {
        for (pager, why) in [
            ("no-such-pager-of-anybody -R", "cannot be started"),
            ("no-such-pager-of-anybody | cat - nothing", "failed with exit code 1"),
            ("no-such-pager-of-anybody;", "is not there"),
            ("false", "failed with exit code 1"),
            ("kill -SEGV $$", "was ended"),
        ] {
            let (code, text) = shown(Some(pager), &["messages.sendMessage"]);
            let said = format!("The pager `{pager}` {why}");
            assert!(code == 0 && text.contains(&said), "{pager}: {text}");
            let page = "\n\nmessages.sendMessage\n\n    Sends a text message";
            assert!(text.contains(page), "{pager}: {text}");
        }
        // Where nobody chose one, nobody misses it.
        let home = TempDir::new().unwrap();
        let mut bare = command(&home, None, &["HASH_INVALID"]);
        bare.env("PATH", home.path());
        let (code, text) = Terminal::start(bare).end();
        assert!(code == 0 && text.starts_with("HASH_INVALID\n\n    No device"), "{text}");
    }

    #[test]
    fn who_ends_the_command_ends_its_pager_and_gets_the_terminal_back() {
        let home = TempDir::new().unwrap();
        // A pager that reads keys; one that a shell started beside another program; one that will not go.
        for (pager, is_leader) in [
            ("stty -icanon -echo <&2; echo ready; exec sleep 1000", false),
            ("cat | sh -c 'stty -icanon -echo <&2; echo ready; exec sleep 1000'", true),
            ("trap '' TERM; stty -icanon -echo <&2; echo ready; exec sleep 1000", false),
        ] {
            let mut command = command(&home, Some(pager), &["messages.sendMessage"]);
            if is_leader {
                command.process_group(0);
            }
            let mut terminal = Terminal::start(command);
            terminal.expect("ready");
            assert!(!terminal.is_plain(), "{pager}");
            terminal.signal(Signal::TERM);
            // It ends when the last process at it is gone.
            assert_eq!(terminal.left(), (130, true), "{pager}");
        }
    }

    #[test]
    fn ctrl_c_is_a_key_of_the_pager() {
        let home = TempDir::new().unwrap();
        let pager = "echo ready; read line <&2; echo $line; exit 2";
        let mut terminal = Terminal::start(command(&home, Some(pager), &["HASH_INVALID"]));
        terminal.expect("ready");
        terminal.signal(Signal::INT);
        terminal.say("still there");
        let (code, text) = terminal.end();
        assert!(code == 0 && text.contains("still there"), "{text}");
        assert!(!text.contains("HASH_INVALID"), "whoever pressed it wants to read no more: {text}");
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
        // Why something is one that has another name.
        for (asked, want) in [
            ("0x020b1422", "constructor user  id of layers 201 to 216"),
            ("phone_code_hash", "method      auth.cancelCode  param phone_code_hash"),
        ] {
            let (_, text) = shown(None, &["--search", asked]);
            assert!(text.lines().any(|line| line.trim_end() == want), "{asked}: {text}");
        }
    }
}
