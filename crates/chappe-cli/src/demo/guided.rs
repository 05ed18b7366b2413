//! `chappe demo --web` at a terminal: a person goes round the circle with a browser, and this terminal
//! is the person's Telegram.

use std::collections::VecDeque;
use std::io::{self, BufRead as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use chappe::{Client, SignIn, WebSessionChange};
use chappe_server::logins::{Grant, Login};
use tempfile::TempDir;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{MissedTickBehavior, interval};

use super::played::asks;
use super::stage::Stage;
use crate::args::Site;
use crate::errors::failure;
use crate::interrupt::Interrupt;
use crate::open;
use crate::output::{Exit, Failure, Output, bad, bold, dim, good, notice, paint, printable};
use crate::serve;
use crate::web::{self, view};

/// Shows the way round until the person has enough.
pub(super) async fn guide(stage: &Stage, open: bool, output: Output) -> Result<(), Failure> {
    let mut interrupt = Interrupt::listen_at_a_terminal()?;
    let elsewhere = TempDir::new().map_err(|error| {
        Failure::new(Exit::Other, format!("there is no room for a second session: {error}"))
    })?;
    let command = another_device(stage, elsewhere.path()).await?;
    // Before anybody knows the address: whoever clicks at once is asked about, too.
    let mut arrivals = stage.server.logins().arrivals();
    let known = stage.client.web_sessions().await.map_err(failure)?;
    output.line(&welcome(stage, &command))?;
    if open && let Err(why) = open::page(&format!("{}/", stage.site)) {
        notice(&format!("No browser could be opened: {why}. Open the site yourself."));
    }
    let mut guide = Guide { stage, output, asked: None, waiting: VecDeque::new() };
    let mut watch = stage.client.watch_web_sessions().since(known).every(GLANCE);
    let mut lines = typed();
    let mut glance = interval(GLANCE);
    glance.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = interrupt.wait() => return Ok(()),
            line = lines.recv() => match line {
                Some(line) => {
                    if guide.heard(line.trim()).await? {
                        return Ok(());
                    }
                }
                None => return Ok(()),
            },
            login = arrivals.next() => {
                guide.waiting.push_back(login.map_err(serve::failure)?);
                guide.ask_next()?;
            }
            change = watch.next() => match change.map_err(failure)? {
                Some(change) => guide.seen(change)?,
                None => return Ok(()),
            },
            _ = glance.tick(), if guide.asked.is_some() => guide.look_after().await?,
        }
    }
}

/// What is typed, line by line; it ends with the input. A thread of its own waits for it, since nobody
/// can be kept from saying yes on the dashboard instead.
fn typed() -> Receiver<String> {
    let (sender, lines) = channel(1);
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// Signs the account in once more, with a session that another terminal may use: this process has its
/// own. Gives the command.
async fn another_device(stage: &Stage, room: &Path) -> Result<String, Failure> {
    let (key, session) = (room.join("server.pem"), room.join("second.session"));
    std::fs::write(&key, stage.server.public_key_pem()).map_err(|error| {
        Failure::new(Exit::Other, format!("cannot write {}: {error}", key.display()))
    })?;
    let account = stage.server.accounts().first();
    let account = account.ok_or_else(|| super::unexpected("an account"))?;
    let client = Client::builder(1, "0".repeat(32))
        .server(stage.server.address(), stage.server.public_key_pem())
        .map_err(failure)?
        .session(session.as_path())
        .connect()
        .await
        .map_err(failure)?;
    let step = client.sign_in_phone(&account.phone).await.map_err(failure)?;
    let SignIn::Code(code) = step else { return Err(super::unexpected("a code")) };
    let SignIn::Done(_) = code.submit(&account.code).await.map_err(failure)? else {
        return Err(super::unexpected("the end of the sign-in"));
    };
    client.close().await.map_err(failure)?;
    Ok(format!(
        "chappe --server {} --server-key {} --session {} web list",
        stage.server.address(),
        key.display(),
        session.display()
    ))
}

fn welcome(stage: &Stage, command: &str) -> String {
    let label = |text: &str| paint(dim(), &format!("{text:<10}"));
    format!(
        "\n{}\n\n\
         {} {}\n{} {}\n{} {command}\n\n\
         1. Open the site and click \"Log in with Telegram\".\n\
         2. Say yes here, or on the dashboard, where you are Claude Chappe.\n\
         3. The site greets you, and the login is in the list.\n\
         4. Type `reset`, or reset it elsewhere: Telegram forgets the login. The site's own cookie is\n   \
            the site's affair: it lets you in until its session ends after 15 minutes, or you log\n   \
            out there.\n\n\
         Type `help` for what can be typed here. Ctrl-C ends it, and nothing is left.",
        paint(bold(), "A web login and back, all of it on this machine"),
        label("site"),
        paint(bold(), &format!("{}/", stage.site)),
        label("dashboard"),
        stage.dashboard,
        label("elsewhere"),
    )
}

struct Guide<'a> {
    stage: &'a Stage,
    output: Output,
    /// The login that the person is asked about.
    asked: Option<Asked>,
    /// Logins behind it.
    waiting: VecDeque<Login>,
}

/// A login, what was said about it, and what is to be asked.
struct Asked {
    login: Login,
    grant: Grant,
    questions: VecDeque<Question>,
}

#[derive(Clone, Copy)]
enum Question {
    Login,
    Phone,
    Picture,
    Write,
}

impl Asked {
    fn about(login: Login) -> Self {
        let mut questions = VecDeque::from([Question::Login]);
        questions.extend((!login.match_codes.is_empty()).then_some(Question::Picture));
        questions.extend(login.asks.write.then_some(Question::Write));
        questions.extend(login.asks.phone.then_some(Question::Phone));
        Self { login, grant: Grant::new(), questions }
    }

    fn question(&self) -> String {
        let bot = printable(&self.login.bot.username);
        match self.questions.front() {
            None => String::new(),
            Some(Question::Login) => {
                format!("{}\nLog in to {}? [y/n]", asks(&self.login), printable(&self.login.domain))
            }
            Some(Question::Phone) => "Give the site your phone number? [y/n]".to_owned(),
            Some(Question::Write) => format!("Let @{bot} write to you? [y/n]"),
            Some(Question::Picture) => {
                let codes = self.login.match_codes.iter().enumerate();
                let codes = codes.map(|(at, code)| format!("{} {}", at + 1, printable(code)));
                let codes = codes.collect::<Vec<_>>().join("   ");
                format!("Which picture does the browser show? {codes}  [number]")
            }
        }
    }

    /// Takes an answer. `None`: it is none; `Some(false)`: the person does not want to log in.
    fn answer(&mut self, line: &str) -> Option<bool> {
        let yes = match line.to_ascii_lowercase().as_str() {
            "y" | "yes" => Some(true),
            "n" | "no" => Some(false),
            _ => None,
        };
        match *self.questions.front()? {
            Question::Login => {
                if !yes? {
                    return Some(false);
                }
            }
            Question::Phone if yes? => self.grant.phone = true,
            Question::Write if yes? => self.grant.write = true,
            Question::Phone | Question::Write => {}
            Question::Picture => {
                let at = line.parse::<usize>().ok()?.checked_sub(1)?;
                self.grant.match_code = Some(self.login.match_codes.get(at)?.clone());
            }
        }
        self.questions.pop_front();
        Some(true)
    }
}

impl Guide<'_> {
    fn say(&self, text: &str) -> Result<(), Failure> {
        self.output.line(text)
    }

    /// Asks about the next login, if nothing else is asked.
    fn ask_next(&mut self) -> Result<(), Failure> {
        if self.asked.is_none()
            && let Some(login) = self.waiting.pop_front()
        {
            let asked = Asked::about(login);
            self.say(&format!("\n{} {}", paint(bold(), "A site asks:"), asked.question()))?;
            self.asked = Some(asked);
        }
        Ok(())
    }

    /// Takes a line that was typed; says whether it is the last.
    async fn heard(&mut self, line: &str) -> Result<bool, Failure> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "list" | "ls" => {
                let sites = self.stage.client.web_sessions().await.map_err(failure)?;
                self.say(&view::table(&sites, self.output))?;
            }
            "reset" => self.reset(rest.trim()).await?,
            "quit" | "exit" => return Ok(true),
            "help" => self.say(HELP)?,
            _ if self.asked.is_some() => return self.answered(line).await.map(|()| false),
            "" => {}
            _ => self.say(&format!("`{}` is not known here.\n{HELP}", printable(word)))?,
        }
        if let Some(asked) = &self.asked {
            self.say(&asked.question())?;
        }
        Ok(false)
    }

    /// Takes a line as the answer to what is asked.
    async fn answered(&mut self, line: &str) -> Result<(), Failure> {
        let Some(mut asked) = self.asked.take() else { return Ok(()) };
        match asked.answer(line) {
            None if line.is_empty() => self.say(&asked.question())?,
            None => {
                let text = format!("`{}` is no answer.\n{}", printable(line), asked.question());
                self.say(&text)?;
            }
            Some(true) if !asked.questions.is_empty() => self.say(&asked.question())?,
            Some(yes) => {
                self.settle(asked, yes).await?;
                return self.ask_next();
            }
        }
        self.asked = Some(asked);
        Ok(())
    }

    async fn settle(&self, asked: Asked, yes: bool) -> Result<(), Failure> {
        let (logins, id) = (self.stage.server.logins(), asked.login.id);
        let done = match yes {
            true => logins.approve(id, self.stage.user_id, asked.grant).await.map(drop),
            false => logins.decline(id).await,
        };
        match done {
            Ok(()) if yes => {
                self.say(&format!("{} The browser goes on by itself.", paint(good(), "Approved.")))
            }
            Ok(()) => self.say("Declined. The site learns that nobody wants to log in."),
            Err(chappe_server::Error::Stopped) => {
                Err(serve::failure(chappe_server::Error::Stopped))
            }
            Err(why) => self.say(&printable(&why.to_string())),
        }
    }

    /// Tells what the list of web sessions shows that it did not show before.
    fn seen(&self, change: WebSessionChange) -> Result<(), Failure> {
        match change {
            WebSessionChange::Added(site) => {
                self.say(&format!("{} {}", paint(good(), "Listed now:"), view::line(&site)))?;
                self.say("`reset` ends it; `list` shows all.")?;
            }
            WebSessionChange::Removed(site) => {
                let text =
                    format!("{} {}", paint(bad(), "Gone from the list:"), view::called(&site));
                self.say(&text)?;
                self.say("The site's own session goes on: open it again, it still knows you.")?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Gives up what waits no more: the person may have answered on the dashboard or in the browser,
    /// or not at all. The next login must not wait behind it.
    async fn look_after(&mut self) -> Result<(), Failure> {
        let pending = self.stage.server.logins().pending().await.map_err(serve::failure)?;
        let waits = |login: &Login| pending.iter().any(|known| known.id == login.id);
        self.waiting.retain(waits);
        if self.asked.take_if(|asked| !waits(&asked.login)).is_some() {
            self.say("What was asked here is over: it was answered elsewhere, or took too long.")?;
            self.ask_next()?;
        }
        Ok(())
    }

    /// Ends the sessions of a domain or a hash; without one those that were made here.
    async fn reset(&self, which: &str) -> Result<(), Failure> {
        let which = match (which, which.parse()) {
            ("", _) => Site::Domain("localhost".to_owned()),
            (_, Ok(hash)) => Site::Hash(hash),
            (domain, _) => Site::Domain(domain.to_owned()),
        };
        let sites = self.stage.client.web_sessions().await.map_err(failure)?;
        let chosen: Vec<_> = match web::find(&sites, &which) {
            Ok(chosen) => chosen.into_iter().cloned().collect(),
            Err(none) => return self.say(&none.to_string()),
        };
        let report = self.stage.client.reset_web_sessions(&chosen).await.map_err(failure)?;
        self.say(&web::told(&report))
    }
}

/// What can be typed.
const HELP: &str = concat!(
    "  list                   the sites that the account is logged in to\n",
    "  reset [HASH|DOMAIN]    log out of one; of the example site without a word\n",
    "  y, n                   answer a site that asks\n",
    "  quit                   end it all"
);
/// How often the list of web sessions is looked at, and whether a login still waits.
const GLANCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked() -> Asked {
        let login = json!({
            "id": 1,
            "source": "oidc",
            "bot": { "user_id": 7, "username": "ShopBot", "name": "Shop" },
            "domain": "shop.example.net",
            "browser": "Firefox\u{1b}[2J",
            "platform": "Linux",
            "ip": "192.0.2.1",
            "region": "Nowhere",
            "asks": { "write": true, "phone": true },
            "match_codes": ["🦊", "🐢"],
            "created": 0,
            "expires": 300,
        });
        Asked::about(serde_json::from_value(login).unwrap())
    }

    #[test]
    fn nothing_is_given_that_was_not_said_yes_to() {
        let mut all = asked();
        assert!(!all.question().contains('\u{1b}'), "{}", all.question());
        for (question, wrong, answer) in [
            ("Log in to shop.example.net?", "yep", "y"),
            ("1 🦊   2 🐢", "3", "2"),
            ("Let @ShopBot write", "2", "YES"),
            ("your phone number?", "", "yes"),
        ] {
            assert!(all.question().contains(question), "{}", all.question());
            assert_eq!(all.answer(wrong), None, "{wrong}");
            assert_eq!(all.answer(answer), Some(true));
        }
        assert!(all.questions.is_empty());
        assert!(all.grant == Grant::new().write().phone().match_code("🐢"));

        let mut little = asked();
        for answer in ["y", "1", "n", "no"] {
            assert_eq!(little.answer(answer), Some(true));
        }
        assert!(little.grant == Grant::new().match_code("🦊"));
        assert_eq!(asked().answer("n"), Some(false));
        for wrong in ["0", "-1", "fox", ""] {
            let mut picture = asked();
            picture.answer("y");
            assert_eq!(picture.answer(wrong), None, "{wrong}");
        }
    }
}
