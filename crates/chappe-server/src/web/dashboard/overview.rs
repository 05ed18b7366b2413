//! The first page: who asks, who is there, which bots.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{
    layout::{Frame, Part},
    words::{self, avatar, foreign},
};
use crate::{
    bots::BotInfo,
    logins::Login,
    world::{Person, User},
};

/// What the first page shows.
#[derive(Debug)]
pub(super) struct Overview {
    pub(super) logins: Vec<Login>,
    pub(super) people: Vec<Person>,
    /// How many accounts there are that are not shown.
    pub(super) more: usize,
    /// By username.
    pub(super) bots: BTreeMap<String, BotInfo>,
}

pub(super) fn page(frame: &Frame<'_>, shown: &Overview) -> Markup {
    let body = html! {
        h1 { "Overview" }
        section aria-labelledby="asking" {
            h2 #asking { "Waiting for an answer" }
            div #logins data-live { (waiting(frame, &shown.logins)) }
        }
        section aria-labelledby="accounts" {
            div.head {
                h2 #accounts { "Accounts" }
                a.button href=(frame.to("/accounts/new")) { "New account" }
            }
            div #people data-live { (people(frame, &shown.people, shown.more)) }
        }
        section aria-labelledby="bots" {
            div.head {
                h2 #bots { "Bots" }
                a.button href=(frame.to("/bots/new")) { "New bot" }
            }
            (bots(frame, &shown.bots))
        }
    };
    frame.page(Part::Overview, "Overview", &body)
}

/// The login requests that wait, each with the way to its page.
pub(super) fn waiting(frame: &Frame<'_>, logins: &[Login]) -> Markup {
    html! {
        @if logins.is_empty() {
            p.empty {
                "Nobody wants to log in. A click on “Log in with Telegram” on a website shows up here."
            }
        } @else {
            ul.rows.asking {
                @for login in logins {
                    li.row {
                        (avatar(login.bot.user_id, &login.bot.name, ""))
                        div.grow {
                            p.first { strong { (foreign(&login.domain)) } " wants to log you in" }
                            p.more { (foreign(&login.bot.name)) ", " (from(login)) }
                            p.more {
                                (foreign(place(&login.region, &login.ip)))
                                " · " (words::left(login.expires - frame.now)) " left"
                            }
                        }
                        a.button.primary href=(frame.to(&format!("/logins/{}", login.id))) {
                            "Review" span.unseen { " the login at " (words::plain(&login.domain)) }
                        }
                    }
                }
            }
        }
    }
}

/// Browser and platform, as far as they are known.
pub(super) fn from(login: &Login) -> Markup {
    device(&login.browser, &login.platform)
}

pub(super) fn device(browser: &str, platform: &str) -> Markup {
    html! {
        @match (browser.is_empty(), platform.is_empty()) {
            (true, true) => { "an unknown browser" },
            (false, true) => { (foreign(browser)) },
            (true, false) => { (foreign(platform)) },
            (false, false) => { (foreign(browser)) ", " (foreign(platform)) },
        }
    }
}

/// The region, or the address if it is not known.
pub(super) fn place<'a>(region: &'a str, ip: &'a str) -> &'a str {
    if region.is_empty() { ip } else { region }
}

fn people(frame: &Frame<'_>, people: &[Person], more: usize) -> Markup {
    html! {
        @if people.is_empty() {
            p.empty { "There is no account yet." }
        } @else {
            div.card.table {
                // The roles stay what they are where a small screen lays a row out in lines.
                table.people role="table" {
                    caption.unseen { "Accounts" }
                    thead role="rowgroup" {
                        tr role="row" {
                            th scope="col" role="columnheader" { "Name" }
                            th scope="col" role="columnheader" { "Code" }
                            th.number scope="col" role="columnheader" { "Devices" }
                            th.number scope="col" role="columnheader" { "Websites" }
                        }
                    }
                    tbody role="rowgroup" {
                        @for person in people { (person_row(frame, person)) }
                    }
                }
            }
            @if more > 0 {
                p.hint { (words::count(more, "account that was", "accounts that were")) " not seen for longer: not shown." }
            }
        }
    }
}

fn person_row(frame: &Frame<'_>, person: &Person) -> Markup {
    let user = &person.user;
    html! {
        tr role="row" {
            th scope="row" role="rowheader" {
                div.who {
                    (avatar(user.id, &user.first_name, &user.last_name))
                    div.grow {
                        a href=(frame.to(&format!("/accounts/{}", user.id))) { (name(user)) }
                        p.more { (phone(user)) }
                    }
                }
            }
            td role="cell" data-name="Code" { (code(person.code.as_deref())) }
            td.number role="cell" data-name="Devices" { (person.devices) }
            td.number role="cell" data-name="Websites" { (person.sites) }
        }
    }
}

pub(super) fn bots(frame: &Frame<'_>, bots: &BTreeMap<String, BotInfo>) -> Markup {
    html! {
        @if bots.is_empty() {
            p.empty { "There is no bot yet." }
        } @else {
            ul.rows {
                @for (username, BotInfo { user_id, name, settings }) in bots {
                    li.row {
                        (avatar(*user_id, name, ""))
                        div.grow {
                            p.first {
                                a href=(frame.to(&format!("/bots/{username}"))) { (foreign(name)) }
                            }
                            p.more { "@" (foreign(username)) }
                        }
                        p.tags {
                            @match &settings.domain {
                                Some(domain) => { span.tag { (foreign(domain)) } },
                                None => { span.tag.off { "no domain" } },
                            }
                            @if settings.oidc.is_some() { span.tag { "OpenID" } }
                        }
                    }
                }
            }
        }
    }
}

/// First and last name.
pub(super) fn name(user: &User) -> Markup {
    foreign(&user.full_name())
}

/// The phone number, as people write it.
pub(super) fn phone(user: &User) -> String {
    user.phone.as_ref().map(|phone| format!("+{phone}")).unwrap_or_default()
}

/// The code that always signs in, or where to find the one that does.
pub(super) fn code(code: Option<&str>) -> Markup {
    html! {
        @match code {
            Some(code) => { code { (code) } },
            None => { span.more { "by letter" } },
        }
    }
}
