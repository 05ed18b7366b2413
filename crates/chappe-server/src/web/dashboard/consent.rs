//! Login requests: the list of those that wait, and what a person is asked about one.

use maud::{Markup, html};

use super::{
    layout::{Frame, Part},
    overview, words,
    words::{avatar, foreign, whole},
};
use crate::{
    logins::{Login, Source},
    world::Person,
};

/// What the page of one request shows.
#[derive(Debug)]
pub(super) struct Consent {
    pub(super) login: Login,
    /// Who can approve it.
    pub(super) people: Vec<Person>,
    /// What was wrong with the answer, if one was given.
    pub(super) problem: Option<String>,
}

/// The page of those that wait.
pub(super) fn list(frame: &Frame<'_>, logins: &[Login]) -> Markup {
    let body = html! {
        h1 { "Logins" }
        p.lead {
            "What websites and apps ask for, as the Telegram app would show it. A request is good for five minutes."
        }
        div #logins data-live { (overview::waiting(frame, logins)) }
    };
    frame.page(Part::Logins, "Logins", &body)
}

/// The page of one.
pub(super) fn page(frame: &Frame<'_>, shown: &Consent) -> Markup {
    let login = &shown.login;
    let path = format!("/logins/{}", login.id);
    let body = html! {
        @if let Some(problem) = &shown.problem { p.problem.narrow role="alert" { (words::reason(problem)) } }
        div.card.narrow {
            div.hero {
                (avatar(login.bot.user_id, &login.bot.name, ""))
                h1 { "Log in to " (foreign(&login.domain)) "?" }
                p.more { (foreign(&login.bot.name)) " · @" (foreign(&login.bot.username)) }
                p #state data-live role="timer" { (remains(frame, login)) }
            }
            @if login.domain.chars().count() > words::SHORT {
                p { "The whole name of the site:" }
                p { (whole(&login.domain)) }
            }
            p {
                @if login.asks.profile { "The site will know your name, your username and your profile picture." }
                @else { "The site will know a name for you that only it knows, and nothing else of your profile." }
            }
            h2 { "Where this comes from" }
            dl.facts {
                @if let Some(app) = &login.app {
                    dt { "App" }
                    dd {
                        @match &app.verified_name {
                            Some(name) => { (foreign(name)) " " span.tag { "verified" } },
                            None => { span.tag.warn { "unverified app" } },
                        }
                    }
                }
                dt { "Browser" } dd { (overview::from(login)) }
                dt { "IP address" } dd { (foreign(&login.ip)) }
                dt { "Location" } dd { (foreign(overview::place(&login.region, "unknown"))) }
                dt { "Way" } dd { (way(login.source)) }
            }
            p.hint { "The location is estimated from the IP address." }
            form method="post" action=(frame.to(&format!("{path}/approve"))) {
                (frame.ticket())
                (answer(shown))
                div.actions {
                    button.primary type="submit" { "Log in" }
                    button type="submit" formaction=(frame.to(&format!("{path}/decline"))) formnovalidate {
                        "Decline"
                    }
                }
            }
        }
    };
    frame.page(Part::Logins, "Log in to a site?", &body)
}

fn answer(shown: &Consent) -> Markup {
    let login = &shown.login;
    let chosen = login.user_id.or(login.user_id_hint);
    html! {
        @if !login.match_codes.is_empty() {
            fieldset.codes {
                legend { "Which one does the browser show?" }
                div {
                    @for (number, code) in login.match_codes.iter().enumerate() {
                        label {
                            input type="radio" name="match_code" value=(code) required
                                aria-label=(format!("Picture {}: {code}", number + 1));
                            span { (code) }
                        }
                    }
                }
            }
        }
        div.field {
            label for="user" { "Log in as" }
            select #user name="user" required {
                @for person in &shown.people {
                    @let user = &person.user;
                    option value=(user.id) selected[chosen == Some(user.id)] {
                        (words::plain(&user.full_name()))
                        " · " (overview::phone(user))
                    }
                }
            }
            @if login.user_id.is_some() {
                p.hint { "The number of this account was typed in at the site: nobody else can answer." }
            }
        }
        @if login.asks.write {
            label.check {
                input type="checkbox" name="write" value="yes";
                span { "Allow " (foreign(&login.bot.name)) " to message me" }
            }
        }
        @if login.asks.phone {
            label.check {
                input type="checkbox" name="phone" value="yes";
                span { "Share my phone number with the site" }
            }
        }
    }
}

fn remains(frame: &Frame<'_>, login: &Login) -> Markup {
    html! {
        @if login.expires > frame.now {
            span.tag { (words::left(login.expires - frame.now)) " left" }
        } @else {
            span.tag.warn { "This request is over" }
        }
    }
}

/// The page of a request that is over, or never was, and why if an answer ended it.
pub(super) fn gone(frame: &Frame<'_>, problem: Option<&str>) -> Markup {
    let body = html! {
        @if let Some(problem) = problem { p.problem role="alert" { (words::reason(problem)) } }
        h1 { "Nothing to answer" }
        p.lead #state data-live {
            "This login request was answered, or its five minutes are over. The site can ask again."
        }
        p { a.button href=(frame.to("/logins")) { "To the logins" } }
    };
    frame.page(Part::Logins, "Nothing to answer", &body)
}

/// What the app opens after an approval, for there is no browser that waits.
pub(super) fn opens(frame: &Frame<'_>, url: &str) -> Markup {
    let followed = url.starts_with("https://") || url.starts_with("http://");
    let body = html! {
        h1 { "Approved" }
        p.lead { "The app that asked goes on at this address, which is good once and for a short time:" }
        p { (whole(url)) }
        @if followed { p { a.button.primary href=(url) rel="noreferrer" { "Open it" } } }
        p { a.button href=(frame.to("/logins")) { "To the logins" } }
    };
    frame.page(Part::Logins, "Approved", &body)
}

fn way(source: Source) -> &'static str {
    match source {
        Source::InApp => "A mini app",
        Source::Native => "A native app",
        Source::Oidc => "“Log in with Telegram” (OpenID Connect)",
        Source::Widget => "The login widget",
    }
}
