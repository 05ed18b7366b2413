//! `chappe web approve`: the consent to a login, at a terminal and without one.

use serde_json::{Value, json};

use crate::telegram::{Telegram, control, refused, stderr, stdout};
#[cfg(unix)]
use crate::terminal::Terminal;

/// A server with its control port, and the demonstration account signed in.
fn telegram() -> Telegram {
    let telegram = Telegram::start_with(&["--control"]);
    telegram.login();
    telegram
}

/// A browser that waits, as the control port plays it.
struct Browser<'t> {
    telegram: &'t Telegram,
    told: Value,
}

impl<'t> Browser<'t> {
    fn begin(telegram: &'t Telegram, login: &Value) -> Self {
        let mut login = login.clone();
        login["bot"] = json!("ColumbusDemoBot");
        let (status, told) = Self::ask(telegram, "/browsers", &login);
        assert_eq!(status, 201, "{told}");
        Self { telegram, told }
    }

    fn ask(telegram: &Telegram, path: &str, body: &Value) -> (u16, Value) {
        let url = telegram.announcement["control"].as_str().unwrap();
        control(url, "POST", path, &body.to_string())
    }

    fn link(&self) -> &str {
        self.told["link"].as_str().unwrap()
    }

    fn match_code(&self) -> &str {
        self.told["match_code"].as_str().unwrap()
    }

    fn progress(&self) -> String {
        let named = json!({ "browser": self.told["browser"] });
        let (_, answer) = Self::ask(self.telegram, "/browsers/progress", &named);
        answer["progress"].as_str().unwrap().to_owned()
    }

    fn claim(&self) -> Value {
        let named = json!({ "browser": self.told["browser"] });
        Self::ask(self.telegram, "/browsers/claim", &named).1["logged_in"].clone()
    }
}

#[test]
fn without_a_terminal_everything_is_said_beforehand() {
    let telegram = telegram();
    let all = json!({ "write": true, "phone": true, "match_code": "asked" });
    let browser = Browser::begin(&telegram, &all);
    let code = ["--match-code", browser.match_code()];
    let said =
        |words: &[&str]| telegram.run(&[&["web", "approve", browser.link()], words].concat());
    refused(&said(&[]), 2, &["nobody can be asked", "--yes, --write or --no-write, --phone"]);
    refused(&said(&["--yes", "--write"]), 2, &["--phone or --no-phone", "--match-code"]);
    refused(
        &said(&[&code[..], &["--yes", "--phone"]].concat()),
        2,
        &["give --write or --no-write"],
    );
    refused(&said(&["--yes", "--write", "--no-write"]), 2, &["--no-write"]);
    refused(&said(&["--decline", "--write"]), 2, &["--decline"]);
    let wrong = ["--yes", "--write", "--no-phone", "--match-code", "🧨"];
    refused(&said(&wrong), 2, &["none of the pictures", browser.match_code()]);
    assert_eq!(browser.progress(), "pending", "nothing of it was an answer");

    let words = [&["web", "approve", browser.link(), "--yes", "--write", "--no-phone"], &code[..]];
    let answer = telegram.json(&words.concat());
    assert_eq!((&answer["outcome"], &answer["url"]), (&json!("approved"), &Value::Null));
    assert_eq!(answer["login"]["domain"], "travel.example.com");
    assert_eq!(answer["login"]["bot"]["username"], "ColumbusDemoBot");
    assert!(answer["login"]["asks_write"] == true && answer["login"]["asks_phone"] == true);
    let claimed = browser.claim();
    let account = &telegram.announcement["accounts"][0];
    assert_eq!(claimed["user_id"], account["user_id"]);
    assert!(claimed["write"] == true && claimed["phone"] == false, "{claimed}");
    // Again: it is done. And the row can be ended.
    let again = telegram.json(&["web", "approve", browser.link(), "--yes"]);
    assert_eq!(again, json!({ "outcome": "accepted", "url": null }));
    let hash = claimed["hash"].as_str().unwrap();
    let ended = telegram.json(&["web", "reset", hash, "--yes"]);
    assert_eq!(ended["reset"][0]["hash"], hash, "{ended}");
}

#[test]
fn a_login_is_declined_by_a_word() {
    let telegram = telegram();
    let browser = Browser::begin(&telegram, &json!({ "write": true }));
    let declined = telegram.json(&["web", "approve", browser.link(), "--decline"]);
    assert_eq!(declined["outcome"], "declined");
    assert_eq!(browser.progress(), "declined");
    let late = telegram.run(&["web", "approve", browser.link(), "--yes", "--no-write"]);
    refused(&late, 3, &["this login link is over", "begin the login again"]);

    // What cannot be declined any more, or never could, is no success.
    let browser = Browser::begin(&telegram, &json!({}));
    telegram.json(&["web", "approve", browser.link(), "--yes"]);
    let late = telegram.run(&["web", "approve", browser.link(), "--decline"]);
    refused(&late, 5, &["this login was approved already", "chappe web reset"]);
    let page = telegram.run(&["web", "approve", "https://example.com/", "--decline"]);
    refused(&page, 2, &["there is nothing to decline", "tg://oauth?token="]);
}

#[test]
fn a_wrong_picture_is_the_end_of_the_login() {
    let telegram = telegram();
    for when in ["asked", "first"] {
        let browser = Browser::begin(&telegram, &json!({ "match_code": when }));
        let wrong = ["web", "approve", browser.link(), "--yes", "--match-code", "🧨"];
        let refusal = telegram.run(&wrong);
        refused(&refusal, 2, &["none of the pictures"]);
        let text = stderr(&refusal);
        let offered = text.split("it offers ").nth(1).unwrap().split(';').next().unwrap();
        let wrong = offered.split(' ').find(|code| *code != browser.match_code()).unwrap();
        let wrong =
            telegram.run(&["web", "approve", browser.link(), "--yes", "--match-code", wrong]);
        refused(&wrong, 4, &["not the picture", "declined"]);
        assert_eq!(browser.progress(), "declined");
    }
    // A picture where none is shown: the link is another one than the browser's.
    let browser = Browser::begin(&telegram, &json!({}));
    let odd = telegram.run(&["web", "approve", browser.link(), "--yes", "--match-code", "🦊"]);
    refused(&odd, 2, &["shows no picture", "another link"]);
    assert_eq!(browser.progress(), "pending");
}

#[test]
fn other_links_are_told_from_logins() {
    let telegram = telegram();
    for link in ["javascript:alert(1)", "tg://login?token=a", "travel.example.com"] {
        refused(&telegram.run(&["web", "approve", link, "--yes"]), 2, &["tg://oauth?token="]);
    }
    let unknown = telegram.run(&["web", "approve", "tg://oauth?token=nobodys", "--yes"]);
    refused(&unknown, 3, &["does not know this login link"]);
    refused(&telegram.run(&["web", "approve", "--yes"]), 2, &["LINK, or - for stdin"]);
    let plain =
        telegram.json(&["web", "approve", "https://travel.example.com@evil.example/", "--yes"]);
    assert_eq!(plain["outcome"], "plain");
    let url = "https://autologin.example.com/";
    let autologin = telegram.json(&["web", "approve", url, "--yes"]);
    assert_eq!(autologin["outcome"], "autologin");
    assert!(autologin["url"].as_str().unwrap().contains("autologin_token="));
    // A page of a site, first with a question, then without.
    telegram.json(&["web", "reset", "--all", "--yes"]);
    for outcome in ["approved", "accepted"] {
        let page = telegram.json(&["web", "approve", "https://shop.example.net/cart", "--yes"]);
        assert_eq!(page["outcome"], outcome);
        let url = page["url"].as_str().unwrap();
        assert!(
            url.starts_with("https://shop.example.net/cart?id=") && url.contains("&hash="),
            "{url}"
        );
    }
    let declined = telegram.json(&["web", "approve", "https://news.example.org/", "--decline"]);
    assert_eq!(declined["url"], "https://news.example.org/");
}

#[test]
fn a_bot_approves_nothing() {
    let telegram = Telegram::start_with(&["--control"]);
    let token = telegram.announcement["bots"][0]["token"].as_str().unwrap();
    let login = telegram.command(&["login", "--bot"]).env("TELEGRAM_BOT_TOKEN", token).output();
    assert!(login.unwrap().status.success());
    let browser = Browser::begin(&telegram, &json!({}));
    let refusal = telegram.run(&["web", "approve", browser.link(), "--yes"]);
    refused(&refusal, 4, &["BOT_METHOD_INVALID"]);
}

#[test]
fn a_link_comes_by_standard_input_so_that_no_history_keeps_it() {
    use std::io::Write as _;
    use std::process::Stdio;
    let telegram = telegram();
    let browser = Browser::begin(&telegram, &json!({}));
    let mut child = telegram
        .command(&["web", "approve", "-", "--yes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", browser.link()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("logged in to travel.example.com"));
    assert_eq!(browser.progress(), "approved");
    let token = browser.link().split_once('=').unwrap().1;
    assert!(!stdout(&output).contains(token) && !stderr(&output).contains(token));
}

#[cfg(unix)]
#[test]
fn a_person_sees_all_of_it_and_is_asked_one_by_one() {
    let telegram = telegram();
    let login = json!({
        "write": true, "phone": true, "match_code": "asked", "user_id_hint": 77,
        "from": { "browser": "Safari 20", "platform": "iOS", "ip": "203.0.113.5" },
    });
    let browser = Browser::begin(&telegram, &login);
    let mut terminal = Terminal::start(telegram.command(&["web", "approve"]));
    terminal.expect("Login link");
    terminal.enter(browser.link());
    let shown = terminal.expect("Log in to travel.example.com as Claude Chappe?");
    for words in [
        "travel.example.com wants to know who you are",
        "@ColumbusDemoBot",
        "Safari 20, iOS",
        "203.0.113.5",
        "your phone number, if you say so",
        "to write to you, if you say so",
        "another account, id 77",
        "Did you begin this login yourself",
    ] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    assert!(!shown.contains("App "), "a browser: {shown}");
    terminal.enter("y");
    terminal.expect("Let Columbus Travel write to you?");
    terminal.enter("n");
    terminal.expect("Tell travel.example.com your phone number?");
    terminal.enter("y");
    let pictures = terminal.expect("Which one does the browser show, 0 to 3");
    let right = pictures.lines().find(|line| line.contains(browser.match_code())).unwrap();
    let number = right.split_whitespace().next().unwrap();
    terminal.enter("9");
    terminal.expect("none of the numbers");
    terminal.expect("Which one");
    terminal.enter(number);
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("logged in to travel.example.com"), "{shown}");
    let claimed = browser.claim();
    assert!(claimed["write"] == false && claimed["phone"] == true, "{claimed}");
}

#[cfg(unix)]
#[test]
fn a_no_declines() {
    let telegram = telegram();
    let browser = Browser::begin(&telegram, &json!({}));
    let mut terminal = Terminal::start(telegram.command(&["web", "approve", browser.link()]));
    terminal.expect("Log in to travel.example.com");
    terminal.enter("n");
    let (exit, shown) = terminal.end();
    assert!(exit == 1 && shown.contains("declined: nobody was let in"), "{shown}");
    assert_eq!(browser.progress(), "declined");

    // None of the pictures is a no, too, and comes before anything else where it has to.
    let browser = Browser::begin(&telegram, &json!({ "match_code": "first" }));
    let mut terminal = Terminal::start(telegram.command(&["web", "approve", browser.link()]));
    let shown = terminal.expect("Which one does the browser show");
    assert!(!shown.contains("as Claude Chappe?"), "{shown}");
    terminal.enter("0");
    let (exit, shown) = terminal.end();
    assert!(exit == 1 && shown.contains("nobody was let in"), "{shown}");
    assert_eq!(browser.progress(), "declined");
}

#[test]
fn a_stranger_moves_no_cursor() {
    let telegram = telegram();
    let name = "Col\u{1b}[2J\u{202e}umbus\r\nVerified";
    let login = json!({ "app": { "verified_name": name } });
    let browser = Browser::begin(&telegram, &login);
    let output = telegram.run(&["web", "approve", browser.link(), "--yes"]);
    assert!(output.status.success());
    let text = stderr(&output);
    assert!(text.contains("Col\\u{1b}[2J\\u{202e}umbus\\u{d} Verified  (verified"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text:?}");
    let browser = Browser::begin(&telegram, &json!({ "app": {} }));
    let text = stderr(&telegram.run(&["web", "approve", browser.link(), "--yes"]));
    assert!(text.contains("unverified"), "{text}");
}
