//! `chappe demo --web`: a web login and back, played by the command itself, and by a person with a
//! browser.

use serde_json::Value;
use tempfile::TempDir;

use crate::telegram::{chappe, refused, stderr, stdout};

#[test]
fn the_circle_of_a_web_login_is_played_and_every_step_holds() {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path()).args(["--json", "demo", "--web"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    let steps: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |way: &str| -> Vec<&str> {
        let steps = steps.iter().filter(|step| step["way"] == way);
        steps.map(|step| step["step"].as_str().unwrap()).collect()
    };
    let round = ["click", "consent", "greeting", "replay", "list", "reset", "cookie"];
    assert_eq!(of("widget"), round);
    assert_eq!(of("openid"), [&round[..], &["click", "decline"]].concat());
    let listed: Vec<_> = steps.iter().filter(|step| step["step"] == "list").collect();
    for step in &listed {
        let row = &step["web_authorization"];
        assert_eq!((&row["domain"], &row["ip"]), (&"localhost".into(), &"127.0.0.1".into()));
        assert_eq!(row["bot_username"], "ExampleSiteBot");
        assert!(row["browser"].as_str().unwrap().starts_with("ChappeDemo"), "{row}");
    }
    assert_ne!(listed[0]["web_authorization"]["hash"], listed[1]["web_authorization"]["hash"]);

    // In a pipe it is told in words; there is nobody to open a browser for.
    refused(
        &chappe(home.path()).args(["demo", "--web", "--open"]).output().unwrap(),
        2,
        &["--open"],
    );
    refused(&chappe(home.path()).args(["demo", "--open"]).output().unwrap(), 2, &["--web"]);
}

#[cfg(unix)]
mod person {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use chappe_login::Fields;
    use tempfile::TempDir;

    use crate::telegram::{chappe, stderr, stdout};
    use crate::terminal::Terminal;

    /// A browser that does what the test says; cookies by host, as ports are not told apart.
    #[derive(Default)]
    struct Browser {
        cookies: BTreeMap<String, BTreeMap<String, String>>,
    }

    impl Browser {
        /// Opens a page and follows where it leads; gives the last page.
        fn open(&mut self, url: &str) -> String {
            self.ask("GET", url, "")
        }

        fn submit(&mut self, url: &str, form: &str) -> String {
            self.ask("POST", url, form)
        }

        fn ask(&mut self, method: &str, url: &str, form: &str) -> String {
            let rest = url.strip_prefix("http://").unwrap();
            let (host, path) = rest.split_once('/').unwrap();
            let jar = self.cookies.entry(host.split(':').next().unwrap().to_owned()).or_default();
            let cookies: Vec<_> =
                jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let mut stream = TcpStream::connect(host).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
            write!(
                stream,
                "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nOrigin: http://{host}\r\n\
                 User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
                 Cookie: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: {}\r\n\r\n{form}",
                cookies.join("; "),
                form.len()
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
            let mut to = None;
            for (name, value) in headers {
                match name.to_ascii_lowercase().as_str() {
                    "set-cookie" => {
                        let (name, value) =
                            value.split(';').next().unwrap().split_once('=').unwrap();
                        jar.insert(name.to_owned(), value.to_owned());
                    }
                    "location" => to = Some(value.to_owned()),
                    _ => {}
                }
            }
            match to {
                Some(to) if to.starts_with('/') => self.open(&format!("http://{host}{to}")),
                Some(to) => self.open(&to),
                None => body.to_owned(),
            }
        }
    }

    /// What stands between two marks of a page.
    fn between(page: &str, from: &str, to: &str) -> String {
        let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from:?} in {page}"));
        let text = rest.split_once(to).unwrap().0;
        text.replace("&quot;", "\"").replace("&amp;", "&")
    }

    /// A click on the site's widget; the page of Telegram that waits then, and where its result goes.
    struct Click {
        handle: String,
        back: String,
    }

    impl Click {
        fn on(site: &str, web: &str, browser: &mut Browser) -> Self {
            let page = browser.open(site);
            let back = between(&page, "data-auth-url=\"", "\"");
            let asks = [("origin", site.trim_end_matches('/')), ("return_to", &back)];
            let asks = Fields::from_pairs(asks).unwrap().to_query();
            let frame =
                browser.open(&format!("{web}/embed/ExampleSiteBot?request_access=write&{asks}"));
            let window = between(&frame, "href=\"/auth?", "\"");
            let page = browser.open(&format!("{web}/auth?{window}"));
            Self { handle: between(&page, "data-request=\"", "\""), back }
        }

        /// What the window tells the site's page in the end.
        fn result(&self, web: &str, browser: &mut Browser) -> String {
            let page =
                browser.open(&format!("{web}/auth/push?request={}&how=message", self.handle));
            let message = between(&page, "data-message=\"", "\"");
            let message: serde_json::Value = serde_json::from_str(&message).unwrap();
            message["result"].to_string()
        }

        fn enter(&self, web: &str, browser: &mut Browser) -> String {
            let fields = Fields::from_json(&self.result(web, browser)).unwrap();
            browser.open(&format!("{}?{}", self.back, fields.to_query()))
        }
    }

    #[test]
    fn a_person_goes_round_the_circle_at_a_terminal_with_a_browser() {
        let home = TempDir::new().unwrap();
        // Openers of two platforms that write down what they are to open.
        for name in ["open", "xdg-open"] {
            let opener = home.path().join(name);
            fs::write(&opener, "#!/bin/sh\necho \"$#\" \"$@\" > \"$HOME/opened\"\n").unwrap();
            fs::set_permissions(&opener, fs::Permissions::from_mode(0o700)).unwrap();
        }
        let mut command = chappe(home.path());
        command.args(["demo", "--web", "--open"]).env("PATH", home.path());
        let mut terminal = Terminal::start(command);
        let mut told = |label: &str| {
            terminal.expect(label);
            terminal.expect("\n").trim().to_owned()
        };
        let site = told("\nsite ");
        let dashboard = told("dashboard ");
        let elsewhere = told("elsewhere ");
        assert!(site.starts_with("http://localhost:") && dashboard.contains("?key="), "{site}");
        terminal.expect("the site's affair");
        terminal.expect("Ctrl-C ends it");
        // Where the widget's script comes from is where the pages are.
        let mut browser = Browser::default();
        let web = between(&browser.open(&site), "script async src=\"", "/js/telegram-widget.js");

        let click = Click::on(&site, &web, &mut browser);
        let asked = terminal.expect("Log in to localhost? [y/n]");
        assert!(asked.contains("localhost (@ExampleSiteBot) asks who you are"), "{asked}");
        assert!(asked.contains("Firefox 128 on Linux") && asked.contains("may write"), "{asked}");
        terminal.say("perhaps");
        terminal.expect("`perhaps` is no answer.");
        terminal.say("y");
        terminal.expect("Let @ExampleSiteBot write to you? [y/n]");
        terminal.say("n");
        terminal.expect("Approved. The browser goes on by itself.");
        assert!(click.enter(&web, &mut browser).contains("Hello, <bdi>Claude Chappe"));
        terminal.expect("Listed now: localhost (@ExampleSiteBot)");

        // Another terminal has a session of its own, by the command that was shown.
        let mut command = chappe(home.path());
        let output = command.args(elsewhere.split(' ').skip(1)).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stdout(&output).contains("localhost"), "{}", stdout(&output));

        // No is told to the site, and the next one is asked about.
        let no = Click::on(&site, &web, &mut Browser::default());
        terminal.expect("Log in to localhost? [y/n]");
        terminal.say("n");
        terminal.expect("Declined.");
        drop(no);

        // Yes on the dashboard, while it is asked here.
        let mut other = Browser::default();
        let click = Click::on(&site, &web, &mut other);
        terminal.expect("Log in to localhost? [y/n]");
        let mut own = Browser::default();
        own.open(&dashboard);
        let room = dashboard.split('?').next().unwrap();
        let login = between(&own.open(room), "/logins/", "\"");
        let page = own.open(&format!("{room}logins/{login}"));
        let ticket = between(&page, "name=\"ticket\" value=\"", "\"");
        let user = between(&page, "<option value=\"", "\"");
        let form = format!("ticket={ticket}&user={user}");
        own.submit(&format!("{room}logins/{login}/approve"), &form);
        terminal.expect("answered elsewhere");
        assert!(click.enter(&web, &mut other).contains("Hello, <bdi>Claude Chappe"));

        // A no in the browser, while it is asked here.
        let mut third = Browser::default();
        let click = Click::on(&site, &web, &mut third);
        terminal.expect("Log in to localhost? [y/n]");
        third.submit(&format!("{web}/auth/cancel?request={}", click.handle), "");
        terminal.expect("answered elsewhere");

        // All that can be typed can be typed at a question, too, which is asked again.
        Click::on(&site, &web, &mut Browser::default());
        terminal.expect("Log in to localhost? [y/n]");
        terminal.say("help");
        terminal.expect("reset [HASH|DOMAIN]");
        terminal.expect("Log in to localhost? [y/n]");
        terminal.say("n");
        terminal.expect("Declined.");
        terminal.say("list");
        terminal.expect("travel.example.com");
        terminal.say("reset nowhere.example");
        terminal.expect("no web session is at nowhere.example");
        terminal.say("reset");
        terminal.expect("logged out of localhost (@ExampleSiteBot)");
        terminal.expect("Gone from the list: localhost");
        // Its own cookie is the site's affair.
        assert!(browser.open(&site).contains("Hello, <bdi>"));
        terminal.say("fly");
        terminal.expect("`fly` is not known here.");
        terminal.say("quit");
        let (exit, shown) = terminal.end();
        assert_eq!(exit, 0, "{shown}");
        assert_eq!(fs::read_to_string(home.path().join("opened")).unwrap(), format!("1 {site}\n"));
        let room = elsewhere.split(' ').find(|word| word.ends_with(".session")).unwrap();
        assert!(!std::path::Path::new(room).exists(), "and nothing is left");
    }

    #[test]
    fn a_terminal_that_is_closed_leaves_nothing_behind() {
        let home = TempDir::new().unwrap();
        let mut command = chappe(home.path());
        command.args(["demo", "--web"]).env("TMPDIR", home.path());
        let mut terminal = Terminal::start(command);
        terminal.expect("Ctrl-C ends it");
        let left = || -> Vec<_> {
            let entries = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
            entries.filter(|path| path.join("second.session").exists()).collect()
        };
        assert_eq!(left().len(), 1, "the session of the second terminal");
        terminal.hang_up();
        let (exit, shown) = terminal.end();
        assert_eq!((exit, left().len()), (0, 0), "{shown}");
    }
}
