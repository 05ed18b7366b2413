//! The page that waits for a person's yes. It works without a script, too: then it looks again by
//! itself once a message is on its way, and by a link before that.

use axum::response::Response;
use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};

use super::{pages, ticket::Ticket, widget::plane};
use crate::logins::Source;
use crate::world::{NewUrlAuth, UrlAuth, User, Userpic, links_of};

/// How often the page looks again without a script, in seconds.
const REFRESH: u32 = 4;

/// How many empty modules stand around a QR code. (ISO/IEC 18004)
const QUIET_ZONE: usize = 4;

/// What the page says about the step before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// Nothing.
    None,
    /// A message is on its way, if somebody has that number.
    Sent,
    /// That was no phone number.
    WrongPhone,
}

impl Note {
    /// Its name in the address.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Sent => "sent",
            Self::WrongPhone => "phone",
        }
    }

    /// The note of this name.
    pub(crate) fn read(name: &str) -> Self {
        let known = [Self::Sent, Self::WrongPhone].into_iter().find(|note| note.name() == name);
        known.unwrap_or(Self::None)
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting<'a> {
    /// The request.
    pub(crate) request: &'a UrlAuth,
    /// The bot of the site.
    pub(crate) bot: &'a User,
    /// Who this browser belongs to, if that is known.
    pub(crate) known: Option<&'a User>,
    /// What this browser has.
    pub(crate) ticket: &'a Ticket,
    /// The time, unix seconds.
    pub(crate) now: i32,
    /// What happened before.
    pub(crate) note: Note,
}

impl Waiting<'_> {
    /// The title of the page.
    pub(crate) fn title(&self) -> String {
        format!("Log in to {}", self.asked().login.domain)
    }

    /// What looks again when there is no script. A page with an empty field does not: what is being
    /// typed would be lost.
    pub(crate) fn head(&self) -> Markup {
        let again = format!("{REFRESH};url={}", self.again());
        html! {
            @if self.note == Note::Sent {
                noscript { meta http-equiv="refresh" content=(again); }
            }
            script src="/js/login-wait.js" defer {}
        }
    }

    /// The page.
    pub(crate) fn body(&self) -> Markup {
        html! {
            section.card.login data-request=(self.ticket.handle()) {
                (self.who_asks())
                @match (self.known, self.note) {
                    (Some(user), _) => (self.confirm(user)),
                    (None, Note::Sent) => (self.sent()),
                    (None, note) => (self.ways(note)),
                }
                (self.end())
            }
        }
    }

    fn asked(&self) -> &NewUrlAuth {
        &self.request.asked
    }

    fn again(&self) -> String {
        format!("/auth/wait?request={}&note={}", self.ticket.handle(), self.note.name())
    }

    fn action(&self, name: &str) -> String {
        format!("/auth/{name}?request={}", self.ticket.handle())
    }

    fn who_asks(&self) -> Markup {
        let asked = self.asked();
        html! {
            header.who {
                img src=(Userpic::of(self.bot).path()) alt="" width="64" height="64";
                h1 { "Log in to " span.domain { (asked.login.domain) } }
                p.quiet {
                    "with Telegram, by "
                    bdi { (self.bot.full_name()) }
                    @if let Some(username) = &self.bot.username { " @" (username) }
                }
            }
            div.scopes {
                h2 { "This site gets" }
                ul {
                    @if asked.scopes.profile { li { "your name, username and picture" } }
                    @else { li { "a name for you that only it knows" } }
                    @if asked.scopes.phone { li { "your phone number, if you share it" } }
                    @if asked.scopes.write { li { "leave to message you, if you give it" } }
                }
            }
        }
    }

    /// Both ways to say yes. The one that the site's way is known for is open.
    fn ways(&self, note: Note) -> Markup {
        let widget = self.asked().source == Source::Widget;
        let by_phone = widget || note == Note::WrongPhone;
        html! {
            @if self.request.for_user.is_some() {
                // Once a number was typed, a link would be good for the account of that number only.
                (self.phone())
            } @else if by_phone {
                (self.phone())
                details.other {
                    summary { "Use a QR code or a link" }
                    (self.scan())
                }
            } @else {
                (self.scan())
                details.other {
                    summary { "Use a phone number" }
                    (self.phone())
                }
            }
        }
    }

    /// Two clicks: this browser was authorised before.
    fn confirm(&self, user: &User) -> Markup {
        let asked = self.asked();
        html! {
            form method="post" action=(self.action("accept")) {
                input type="hidden" name="how" value="";
                input type="hidden" name="user" value=(user.id);
                div.person {
                    img src=(Userpic::of(user).path()) alt="" width="44" height="44";
                    div {
                        strong { bdi { (user.full_name()) } }
                        @if let Some(username) = &user.username { div.quiet { "@" (username) } }
                    }
                }
                @if asked.scopes.phone {
                    label.tick { input type="checkbox" name="share_phone" value="1"; "Share my phone number" }
                }
                @if asked.scopes.write {
                    label.tick { input type="checkbox" name="write" value="1" checked; "Let the bot send me messages" }
                }
                button type="submit" { "Log in as " bdi { (user.first_name) } }
            }
            form.center method="post" action=(self.action("logout")) {
                span.quiet { "Not you? " }
                button.plain type="submit" { "Use another account" }
            }
        }
    }

    fn phone(&self) -> Markup {
        html! {
            form method="post" action=(self.action("request")) {
                label for="phone" { "Your phone number, as Telegram knows it" }
                input #phone type="tel" name="phone" required autocomplete="tel" inputmode="tel"
                    maxlength="32" placeholder="+999 66 2 1234"
                    autofocus[self.asked().source == Source::Widget]
                    aria-invalid[self.note == Note::WrongPhone]
                    aria-describedby="phone-help";
                p #phone-help.quiet.wrong[self.note == Note::WrongPhone] {
                    @match self.note {
                        Note::WrongPhone => { "That is no phone number. Begin with the country code." }
                        _ => { "Telegram sends a message there to confirm that it is you." }
                    }
                }
                button type="submit" { "Next" }
            }
        }
    }

    fn sent(&self) -> Markup {
        html! {
            div.sent role="status" {
                div.plane { (plane()) }
                h2 { "Look at Telegram" }
                p {
                    "If an account has this number, Telegram has just sent it a message. Confirm it there, "
                    "and this page goes on by itself."
                }
                (self.match_code())
                p.quiet {
                    "Nothing came? "
                    a href={ "/auth/wait?request=" (self.ticket.handle()) } { "Try another number" }
                    "."
                }
            }
        }
    }

    fn scan(&self) -> Markup {
        let [app, page] = links_of(&self.ticket.token);
        html! {
            div.scan {
                @if let Some(code) = qr(&page) { (code) }
                p.center { "Scan it with Telegram, or open the link." }
                (self.match_code())
                a.button.second href=(app) { "Open Telegram on this device" }
                p.quiet {
                    "This is a local Telegram: its dashboard shows this request, and "
                    code { "chappe web approve" }
                    " takes this link:"
                }
                p { code.link { (app) } }
                noscript {
                    p.center { a href=(self.again()) { "I have confirmed it" } }
                }
            }
        }
    }

    fn match_code(&self) -> Markup {
        html! {
            @if let Some(code) = &self.ticket.match_code {
                div.match {
                    span { "Telegram asks which picture you see:" }
                    strong role="img" aria-label={ "The picture " (code) } { (code) }
                }
            }
        }
    }

    fn end(&self) -> Markup {
        let login = &self.asked().login;
        let left = self.request.expires.saturating_sub(self.now).max(0);
        html! {
            footer {
                p.quiet {
                    "Asked by " (login.browser) ", " (login.platform) " · " (login.ip) ", " (login.region)
                }
                div.row {
                    span.quiet role="timer" { "Open for " span data-left=(left) { (left / 60) ":" (format!("{:02}", left % 60)) } }
                    form method="post" action=(self.action("cancel")) {
                        input type="hidden" name="how" value="";
                        button.plain type="submit" { "Cancel" }
                    }
                }
            }
        }
    }
}

/// A QR code as a picture.
fn qr(text: &str) -> Option<Markup> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (width, colours) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (row, line) in colours.chunks(width).enumerate() {
        for (column, colour) in line.iter().enumerate() {
            if *colour == Color::Dark {
                path.push_str(&format!("M{} {}h1v1h-1z", column + QUIET_ZONE, row + QUIET_ZONE));
            }
        }
    }
    let size = width + 2 * QUIET_ZONE;
    Some(html! {
        svg.qr viewBox={ "0 0 " (size) " " (size) } role="img" aria-label="QR code for Telegram"
            shape-rendering="crispEdges" {
            rect width=(size) height=(size) fill="#fff" {}
            path d=(path) fill="#17212b" {}
        }
    })
}

/// The page behind a request that nobody answered.
pub(crate) fn too_late(domain: &str, again: &str) -> Response {
    pages::page(
        "The time is over",
        html! {
            section.card {
                h1 { "The time is over" }
                p { "Nobody confirmed the login to " strong { (domain) } " in time. Nothing was shared." }
                a.button href=(again) { "Try again" }
            }
        },
    )
}
