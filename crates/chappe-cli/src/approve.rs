//! `chappe web approve`: the consent to a login on a website or in an app.

use std::cell::Cell;

use chappe::api::types::User;
use chappe::{Client, UrlAuth, UrlAuthConsent, UrlAuthGrant};
use serde_json::{Value, json};

use crate::args::Approve;
use crate::connect::Target;
use crate::errors::failure;
use crate::output::{Exit, Failure, Output, bad, bold, dim, good, notice, paint, printable};
use crate::prompt;
use crate::user::{describe, name, user_json};

/// `chappe web approve`; `begun` is set before an answer is given.
pub(crate) async fn approve(
    target: &Target,
    options: &Approve,
    yes: bool,
    begun: &Cell<bool>,
    output: Output,
) -> Result<(), Failure> {
    let client = target.resume().await?;
    let me = target.who(&client).await?;
    let link = match options.link.as_deref() {
        Some("-") => prompt::from_stdin("a login link").await?,
        Some(link) => link.to_owned(),
        None => prompt::line("Login link (tg://oauth?token=...)", "LINK, or - for stdin").await?,
    };
    let answer = client.url_auth(link.trim()).await.map_err(failure)?;
    let outcome = match answer {
        UrlAuth::Consent(consent) => decide(&client, &consent, &me, options, yes, begun).await?,
        UrlAuth::Accepted { .. } if options.decline => {
            return Err(Failure::new(Exit::Conflict, "this login was approved already")
                .hint("`chappe web list` shows it, and `chappe web reset` ends it"));
        }
        UrlAuth::Autologin { .. } | UrlAuth::Plain { .. } if options.decline => {
            return Err(Failure::usage("this link asks for no login: there is nothing to decline")
                .hint("a login link looks like tg://oauth?token=... or https://t.me/oauth?startapp=..."));
        }
        UrlAuth::Accepted { url } => Outcome::new("accepted", url),
        UrlAuth::Autologin { url } => Outcome::new("autologin", Some(url)),
        UrlAuth::Plain { url } => Outcome::new("plain", Some(url)),
        _ => return Err(Failure::new(Exit::Other, "this version does not know such a login")),
    };
    client.close().await.map_err(failure)?;
    output.answer(&outcome.json(), || outcome.text())
}

/// What it came to.
struct Outcome {
    word: &'static str,
    /// What to open now.
    url: Option<String>,
    /// What was asked and answered.
    about: Option<Value>,
    domain: Option<String>,
}

impl Outcome {
    fn new(word: &'static str, url: Option<String>) -> Self {
        Self { word, url, about: None, domain: None }
    }

    fn about(word: &'static str, url: Option<String>, consent: &UrlAuthConsent) -> Self {
        let domain = Some(consent.domain().to_owned());
        Self { word, url, about: Some(consent_json(consent)), domain }
    }

    fn json(&self) -> Value {
        let mut value = json!({ "outcome": self.word, "url": self.url });
        if let Some(about) = &self.about {
            value["login"] = about.clone();
        }
        value
    }

    fn text(&self) -> String {
        let domain = self.domain.as_deref().map(printable).unwrap_or_default();
        let said = match self.word {
            "approved" => format!("{} {domain}", paint(good(), "logged in to")),
            "declined" => format!("{} {domain}: nobody was let in", paint(good(), "declined")),
            "accepted" => paint(good(), "there is nothing to approve: it is done"),
            "autologin" => "a page of Telegram's own, which logs in whoever opens it:".to_owned(),
            _ => "an ordinary link; nobody is told who opens it:".to_owned(),
        };
        match &self.url {
            Some(url) => format!("{said}\n{}", printable(url)),
            None => said,
        }
    }
}

/// Shows who asks for what, and has the person decide.
async fn decide(
    client: &Client,
    consent: &UrlAuthConsent,
    me: &User,
    options: &Approve,
    yes: bool,
    begun: &Cell<bool>,
) -> Result<Outcome, Failure> {
    notice(&shown(consent, me));
    if options.decline {
        begun.set(true);
        consent.decline().await.map_err(failure)?;
        let plain = consent.plain_url().map(str::to_owned);
        return Ok(Outcome::about("declined", plain, consent));
    }
    check_flags(consent, options, yes)?;
    let answered = questions(consent, me, options, yes).await;
    let grant = match answered {
        Ok(Some(grant)) => grant,
        Ok(None) => {
            begun.set(true);
            consent.decline().await.map_err(failure)?;
            client.close().await.map_err(failure)?;
            return Err(Failure::new(Exit::Other, "declined: nobody was let in"));
        }
        Err(failure) => return Err(failure),
    };
    begun.set(true);
    let url = consent.accept(&grant).await.map_err(failure)?;
    Ok(Outcome::about("approved", url, consent))
}

/// What has to be said on the command line where nobody can be asked.
fn check_flags(consent: &UrlAuthConsent, options: &Approve, yes: bool) -> Result<(), Failure> {
    if options.match_code.is_some() && consent.match_codes().is_empty() {
        return Err(Failure::usage("this login shows no picture, but --match-code names one").hint(
            "the browser that shows it waits for another link: do not approve this one unless you \
             know whose it is",
        ));
    }
    if prompt::is_possible() {
        return Ok(());
    }
    let mut missing = Vec::new();
    if !yes {
        missing.push("--yes");
    }
    if consent.asks_write() && options.said_write().is_none() {
        missing.push("--write or --no-write");
    }
    if consent.asks_phone() && options.said_phone().is_none() {
        missing.push("--phone or --no-phone");
    }
    if !consent.match_codes().is_empty() && options.match_code.is_none() {
        missing.push("--match-code with the picture that the browser shows");
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Failure::usage("nobody can be asked here, and not all of it was said")
            .hint(format!("give {}, or --decline", missing.join(", ")))),
    }
}

/// Asks what was not said. `None`: the person does not want it.
async fn questions(
    consent: &UrlAuthConsent,
    me: &User,
    options: &Approve,
    yes: bool,
) -> Result<Option<UrlAuthGrant>, Failure> {
    let mut grant = UrlAuthGrant::new();
    let first = consent.match_codes_first();
    if first {
        let Some(code) = pick(consent, options).await? else { return Ok(None) };
        consent.check_match_code(&code).await.map_err(failure)?;
        grant = grant.match_code(&code);
    }
    let question = format!("Log in to {} as {}?", printable(consent.domain()), name(me));
    if !yes && !prompt::agrees(&question, "--yes").await? {
        return Ok(None);
    }
    if consent.asks_write() {
        let question = format!("Let {} write to you?", bot(consent));
        grant = grant.write(match options.said_write() {
            Some(said) => said,
            None => prompt::agrees(&question, "--write or --no-write").await?,
        });
    }
    if consent.asks_phone() {
        let question = format!("Tell {} your phone number?", printable(consent.domain()));
        grant = grant.phone(match options.said_phone() {
            Some(said) => said,
            None => prompt::agrees(&question, "--phone or --no-phone").await?,
        });
    }
    if !first && !consent.match_codes().is_empty() {
        let Some(code) = pick(consent, options).await? else { return Ok(None) };
        grant = grant.match_code(&code);
    }
    Ok(Some(grant))
}

/// The picture that the browser shows. `None`: none of them.
async fn pick(consent: &UrlAuthConsent, options: &Approve) -> Result<Option<String>, Failure> {
    let codes = consent.match_codes();
    let offered: Vec<_> = codes.iter().map(|code| printable(code)).collect();
    if let Some(code) = &options.match_code {
        let found = codes.iter().find(|known| known.as_str() == code);
        let unknown = || {
            Failure::usage("--match-code is none of the pictures that the login offers").hint(
                format!("it offers {}; does the browser wait for this link?", offered.join(" ")),
            )
        };
        return found.map(|code| Some(code.to_string())).ok_or_else(unknown);
    }
    for (number, code) in (1..).zip(&offered) {
        notice(&format!("{number:>3}  {code}"));
    }
    notice("  0  none of them");
    let question = format!("Which one does the browser show, 0 to {}", codes.len());
    loop {
        let answer = prompt::line(&question, "--match-code").await?;
        let answer = answer.trim();
        if answer == "0" {
            return Ok(None);
        }
        let place = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let picked = place.and_then(|place| codes.get(place));
        match picked.or_else(|| codes.iter().find(|code| code.as_str() == answer)) {
            Some(code) => return Ok(Some(code.to_string())),
            None => notice("This is none of the numbers."),
        }
    }
}

/// All that is known of who asks, for what, from where. Every word of it may be a stranger's.
fn shown(consent: &UrlAuthConsent, me: &User) -> String {
    let domain = paint(bold(), &printable(consent.domain()));
    let mut text = format!("{domain} wants to know who you are.\n");
    let mut row = |label: &str, value: &str| {
        text.push_str(&format!("\n{} {value}", paint(dim(), &format!("{label:<8}"))));
    };
    row("Site", &printable(consent.domain()));
    row("Bot", &consent.bot().map_or_else(|| "a deleted one".to_owned(), describe));
    match (consent.is_app(), consent.verified_app_name()) {
        (true, Some(name)) => row("App", &format!("{}  (verified by Telegram)", printable(name))),
        (true, None) => row("App", &paint(bad(), "unverified: it can call itself anything")),
        (false, _) => {}
    }
    let words = |words: [Option<&str>; 2]| {
        let words = words.into_iter().flatten().filter(|word| !word.is_empty());
        let words: Vec<_> = words.map(printable).collect();
        if words.is_empty() { "not known".to_owned() } else { words.join(", ") }
    };
    match consent.browser() {
        Some(browser) => {
            row("Browser", &words([Some(browser), consent.platform()]));
            row("Address", &words([consent.ip(), consent.region()]));
        }
        None => row("Browser", "the one that opens the page from here"),
    }
    let mut wants = vec!["your name and username"];
    wants.extend(consent.asks_phone().then_some("your phone number, if you say so"));
    wants.extend(consent.asks_write().then_some("to write to you, if you say so"));
    row("It wants", &wants.join("; "));
    row("Account", &describe(me));
    if let Some(known) = consent.user_id_hint().filter(|known| *known != me.id) {
        text.push_str(&format!(
            "\n\nThe browser knows another account, id {known}: `chappe --account NAME web approve`."
        ));
    }
    text.push_str("\n\nDid you begin this login yourself, just now? If not, say no.");
    text
}

/// How the bot is called in a question.
fn bot(consent: &UrlAuthConsent) -> String {
    consent.bot().map_or_else(|| "the bot".to_owned(), name)
}

/// What was asked, for programs.
fn consent_json(consent: &UrlAuthConsent) -> Value {
    json!({
        "domain": consent.domain(),
        "bot": consent.bot().map(user_json),
        "app": consent.is_app().then(|| json!({ "verified_name": consent.verified_app_name() })),
        "browser": consent.browser(),
        "platform": consent.platform(),
        "ip": consent.ip(),
        "region": consent.region(),
        "asks_write": consent.asks_write(),
        "asks_phone": consent.asks_phone(),
        "user_id_hint": consent.user_id_hint(),
    })
}
