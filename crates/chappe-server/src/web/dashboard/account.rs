//! One account: its devices, the sites that it is logged in to, what Telegram wrote to it.

use maud::{Markup, PreEscaped, html};

use super::{
    layout::{Frame, Part, Question},
    letters, overview, words,
    words::{avatar, foreign, whole},
};
use crate::{
    letters::Letter,
    world::{Authorization, Message, Person, User, WebAuthorization},
};

/// What the page of an account shows.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) person: Person,
    /// The data centre where it lives.
    pub(super) dc: i32,
    /// Whether two-step verification is on.
    pub(super) password: bool,
    pub(super) devices: Vec<Authorization>,
    pub(super) sites: Vec<Site>,
    /// What 777000 wrote, the newest first.
    pub(super) notes: Vec<Message>,
    /// The newest first.
    pub(super) letters: Vec<Letter>,
    pub(super) blocked: Vec<User>,
}

/// A site that an account is logged in to.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) row: WebAuthorization,
    pub(super) bot: User,
}

pub(super) fn page(frame: &Frame<'_>, shown: &Account) -> Markup {
    let user = &shown.person.user;
    let body = html! {
        div.card.hero {
            (avatar(user.id, &user.first_name, &user.last_name))
            h1 { (overview::name(user)) }
            p.more { (overview::phone(user)) }
            dl.chips {
                div { dt { "Login code" } dd { (overview::code(shown.person.code.as_deref())) } }
                div { dt { "User id" } dd { code { (user.id) } } }
                div { dt { "Data centre" } dd { (shown.dc) } }
                div { dt { "Password" } dd { @if shown.password { "on" } @else { "off" } } }
                @if let Some(username) = &user.username {
                    div { dt { "Username" } dd { "@" (foreign(username)) } }
                }
            }
        }
        section #sites data-live aria-labelledby="sites-title" {
            div.head {
                h2 #sites-title { "Logged in with Telegram" }
                @if shown.sites.len() > 1 {
                    a.button.risky href=(frame.to(&format!("/accounts/{}/sites/disconnect", user.id))) {
                        "Disconnect all websites"
                    }
                }
            }
            (sites(frame, user.id, &shown.sites))
            p.hint { "Websites where this account logged in with Telegram." }
        }
        section #devices data-live aria-labelledby="devices-title" {
            div.head {
                h2 #devices-title { "Devices" }
                @if shown.devices.len() > 1 {
                    a.button.risky href=(frame.to(&format!("/accounts/{}/devices/terminate", user.id))) {
                        "Terminate other devices"
                    }
                }
            }
            (devices(frame, user.id, &shown.devices))
        }
        section aria-labelledby="notes-title" {
            h2 #notes-title { "Messages from Telegram" }
            div #notes data-live { (notes(frame, &shown.notes)) }
        }
        section aria-labelledby="letters-title" {
            h2 #letters-title { "Letters to this number" }
            div #letters data-live { (letters::table(frame, &shown.letters)) }
        }
        @if !shown.blocked.is_empty() {
            section aria-labelledby="blocked-title" {
                h2 #blocked-title { "Blocked" }
                ul.rows {
                    @for other in &shown.blocked {
                        li.row {
                            (avatar(other.id, &other.first_name, &other.last_name))
                            div.grow {
                                p.first { (overview::name(other)) }
                                @if let Some(username) = &other.username { p.more { "@" (foreign(username)) } }
                            }
                        }
                    }
                }
            }
        }
    };
    let title = words::plain(&user.full_name());
    frame.page(Part::Overview, &title, &body)
}

fn sites(frame: &Frame<'_>, user_id: i64, sites: &[Site]) -> Markup {
    html! {
        @if sites.is_empty() {
            p.empty { "No website. One shows up here when a login is approved." }
        } @else {
            ul.rows {
                @for Site { row, bot } in sites {
                    @let path = format!("/accounts/{user_id}/sites/{}", row.hash);
                    li.row {
                        (avatar(bot.id, &bot.first_name, ""))
                        div.grow {
                            p.first { a href=(frame.to(&path)) { (overview::name(bot)) } }
                            p.more {
                                (foreign(&row.login.domain)) ", "
                                (overview::device(&row.login.browser, &row.login.platform))
                            }
                            p.more {
                                (foreign(overview::place(&row.login.region, &row.login.ip)))
                                " – " (last_active(frame, row))
                            }
                        }
                        a.button.risky href=(frame.to(&format!("{path}/disconnect"))) {
                            "Disconnect" span.unseen { " " (words::plain(&row.login.domain)) }
                        }
                    }
                }
            }
        }
    }
}

/// As the apps: when it was last used, or else when it was made.
fn last_active(frame: &Frame<'_>, row: &WebAuthorization) -> Markup {
    let date = if row.active == 0 { row.created } else { row.active };
    words::ago(frame.now, date)
}

fn devices(frame: &Frame<'_>, user_id: i64, devices: &[Authorization]) -> Markup {
    html! {
        @if devices.is_empty() {
            p.empty { "Nobody is signed in to this account." }
        } @else {
            ul.rows {
                @for row in devices {
                    li.row {
                        (icon(row))
                        div.grow {
                            p.first {
                                (device_name(row))
                                @if row.password_pending { " " span.tag.warn { "owes the password" } }
                                @if row.unconfirmed { " " span.tag.warn { "not confirmed" } }
                            }
                            p.more { (application(row)) }
                            p.more { (device_place(row)) " – " (words::ago(frame.now, row.active)) }
                        }
                        a.button.risky
                            href=(frame.to(&format!("/accounts/{user_id}/devices/{}/terminate", row.hash))) {
                            "Terminate" span.unseen { " " (words::plain(&row.device.device_model)) }
                        }
                    }
                }
            }
        }
    }
}

fn device_name(row: &Authorization) -> Markup {
    match row.device.device_model.trim().is_empty() {
        true => html! { "Unknown device" },
        false => foreign(&row.device.device_model),
    }
}

fn application(row: &Authorization) -> Markup {
    html! {
        "Application " (row.device.api_id) " " (foreign(&row.device.app_version))
        @if !row.device.system_version.is_empty() { ", " (foreign(&row.device.system_version)) }
    }
}

fn device_place(row: &Authorization) -> Markup {
    html! {
        @if row.place.region.is_empty() { (row.place.country) } @else { (row.place.region) }
        " · " (foreign(&row.ip))
    }
}

/// The picture of a phone or of a computer, by what the system calls itself.
fn icon(row: &Authorization) -> Markup {
    let system = row.device.system_version.to_lowercase();
    let phone = ["android", "ios", "sdk"].iter().any(|name| system.starts_with(name));
    html! { span.avatar.device aria-hidden="true" { (if phone { PHONE } else { COMPUTER }) } }
}

fn notes(frame: &Frame<'_>, notes: &[Message]) -> Markup {
    html! {
        @if notes.is_empty() {
            p.empty { "Telegram has written nothing yet." }
        } @else {
            ol.notes {
                @for note in notes {
                    li.note {
                        p.text { (foreign_lines(&note.content.text)) }
                        p.more { (words::ago(frame.now, note.date)) }
                    }
                }
            }
        }
    }
}

fn foreign_lines(text: &str) -> Markup {
    html! {
        @for (number, line) in text.lines().enumerate() {
            @if number > 0 { br; }
            bdi { (words::spelled(line)) }
        }
    }
}

/// The page of one site.
pub(super) fn site(frame: &Frame<'_>, user: &User, Site { row, bot }: &Site) -> Markup {
    let body = html! {
        div.card.narrow {
            (back(frame, user))
            div.hero {
                (avatar(bot.id, &bot.first_name, ""))
                h1 { (overview::name(bot)) }
                p.more { (whole(&row.login.domain)) }
            }
            h2 { "Session info" }
            dl.facts {
                dt { "Browser" } dd { (overview::device(&row.login.browser, &row.login.platform)) }
                dt { "IP address" } dd { (foreign(&row.login.ip)) }
                dt { "Location" } dd { (foreign(overview::place(&row.login.region, "unknown"))) }
                dt { "Last active" } dd { (words::ago(frame.now, row.active)) }
                dt { "Logged in" } dd { (words::ago(frame.now, row.created)) }
                dt { "Bot" } dd {
                    @let username = bot.username.as_deref().unwrap_or_default();
                    a href=(frame.to(&format!("/bots/{username}"))) { "@" (foreign(username)) }
                }
                dt { "Hash" } dd { code { (row.hash) } }
            }
            p.hint { "The location is estimated from the IP address." }
            div.actions {
                a.button.risky
                    href=(frame.to(&format!("/accounts/{}/sites/{}/disconnect", user.id, row.hash))) {
                    "Disconnect"
                }
                a.button href=(frame.to(&format!("/accounts/{}", user.id))) { "Done" }
            }
        }
    };
    frame.page(Part::Overview, "Website", &body)
}

fn back(frame: &Frame<'_>, user: &User) -> Markup {
    html! {
        p.back {
            a href=(frame.to(&format!("/accounts/{}", user.id))) { "← " (overview::name(user)) }
        }
    }
}

/// Asks whether to end the login at a site.
pub(super) fn ask_disconnect(frame: &Frame<'_>, user: &User, Site { row, bot }: &Site) -> Markup {
    let question = Question {
        title: "Disconnect this website?",
        text: html! {
            p {
                "This ends the login of " strong { (overview::name(user)) } " at "
                strong { (whole(&row.login.domain)) } " with "
                (overview::device(&row.login.browser, &row.login.platform)) "."
            }
            p.hint {
                "Telegram forgets the login. The website is not told: whether it still knows you by its own cookie is its own affair."
            }
        },
        choices: html! {
            label.check {
                input type="checkbox" name="block" value="yes";
                span { "Block " (overview::name(bot)) }
            }
        },
        yes: "Disconnect",
        action: &format!("/accounts/{}/sites/{}/disconnect", user.id, row.hash),
        back: &format!("/accounts/{}", user.id),
    };
    frame.confirm(Part::Overview, &question)
}

/// Asks whether to end the logins at all sites.
pub(super) fn ask_disconnect_all(frame: &Frame<'_>, user: &User, sites: &[Site]) -> Markup {
    let question = Question {
        title: "Disconnect all websites?",
        text: html! {
            p {
                "This ends " (words::count(sites.len(), "login", "logins")) " of "
                strong { (overview::name(user)) } ":"
            }
            ul.plain {
                @for Site { row, bot } in sites.iter().take(MANY) {
                    li { (foreign(&row.login.domain)) span.more { " · " (overview::name(bot)) } }
                }
                @if let Some(more) = sites.len().checked_sub(MANY).filter(|more| *more > 0) {
                    li.more { "and " (more) " more" }
                }
            }
        },
        choices: html! {},
        yes: "Disconnect all",
        action: &format!("/accounts/{}/sites/disconnect", user.id),
        back: &format!("/accounts/{}", user.id),
    };
    frame.confirm(Part::Overview, &question)
}

/// Asks whether to end a device session.
pub(super) fn ask_terminate(frame: &Frame<'_>, user: &User, row: &Authorization) -> Markup {
    let question = Question {
        title: "Terminate this device?",
        text: html! {
            p {
                strong { (overview::name(user)) } " is signed out on "
                strong { (device_name(row)) } " (" (application(row)) ")."
            }
        },
        choices: html! {},
        yes: "Terminate",
        action: &format!("/accounts/{}/devices/{}/terminate", user.id, row.hash),
        back: &format!("/accounts/{}", user.id),
    };
    frame.confirm(Part::Overview, &question)
}

/// Asks which device session stays when all others are ended.
pub(super) fn ask_terminate_others(
    frame: &Frame<'_>,
    user: &User,
    devices: &[Authorization],
) -> Markup {
    let question = Question {
        title: "Terminate other devices?",
        text: html! {
            p { strong { (overview::name(user)) } " is signed out everywhere but on the device that stays." }
        },
        choices: html! {
            fieldset {
                legend { "Which one stays?" }
                @for (number, row) in devices.iter().filter(|row| !row.password_pending).enumerate() {
                    label.check {
                        input type="radio" name="keep" value=(row.hash) checked[number == 0] required;
                        span {
                            (device_name(row))
                            span.more { " · " (application(row)) " · " (words::ago(frame.now, row.active)) }
                        }
                    }
                }
                label.check {
                    input type="radio" name="keep" value="none" required;
                    span { "None" }
                }
            }
        },
        yes: "Terminate",
        action: &format!("/accounts/{}/devices/terminate", user.id),
        back: &format!("/accounts/{}", user.id),
    };
    frame.confirm(Part::Overview, &question)
}

/// What is known of an account that is to be made.
#[derive(Clone, Debug, Default)]
pub(super) struct NewAccount {
    pub(super) phone: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    /// Why it was not made.
    pub(super) problem: Option<String>,
}

/// Asks for a new account.
pub(super) fn ask_new(frame: &Frame<'_>, typed: &NewAccount) -> Markup {
    let body = html! {
        form.card.narrow method="post" action=(frame.to("/accounts/new")) {
            h1 { "New account" }
            @if let Some(problem) = &typed.problem { p.problem role="alert" { (words::reason(problem)) } }
            (frame.ticket())
            div.field {
                label for="phone" { "Phone number" }
                input #phone name="phone" type="tel" required maxlength="32" autocomplete="off"
                    value=(typed.phone) placeholder="+999 66 2 5678" aria-describedby="phone-hint";
                p.hint #phone-hint {
                    "+999 66 X YYYY signs in with the code XXXXX, where X is 1, 2 or 3. For other numbers the code comes as a letter."
                }
            }
            div.field {
                label for="first" { "First name" }
                input #first name="first_name" required maxlength="64" autocomplete="off" value=(typed.first_name);
            }
            div.field {
                label for="last" { "Last name " span.more { "(may be empty)" } }
                input #last name="last_name" maxlength="64" autocomplete="off" value=(typed.last_name);
            }
            div.actions {
                button.primary type="submit" { "Make the account" }
                a.button href=(frame.to("/")) { "Cancel" }
            }
        }
    };
    frame.page(Part::Overview, "New account", &body)
}

/// How many sites a question names.
const MANY: usize = 12;

const PHONE: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 24 24" width="22" height="22" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"><rect x="7" y="2.500" width="10" height="19" rx="2.500"/><path d="M11 18.500h2"/></svg>"#,
);

const COMPUTER: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 24 24" width="22" height="22" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><rect x="3" y="4" width="18" height="12" rx="2"/><path d="M9 20h6M12 16v4"/></svg>"#,
);
