//! Bots: their tokens, their domains, their OpenID clients.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{
    layout::{Frame, Part, Question},
    overview, words,
    words::{avatar, foreign, whole},
};
use crate::bots::{Alg, BotInfo, ClientSecret, MatchCode, Nonce, OidcClient};

/// What the page of a bot shows.
#[derive(Clone, Debug)]
pub(super) struct Bot {
    pub(super) username: String,
    pub(super) info: BotInfo,
    pub(super) token: String,
    /// Where the pages are that stand for oauth.telegram.org, if there are some.
    pub(super) web: Option<String>,
    /// What was wrong with what was typed in.
    pub(super) problem: Option<String>,
}

/// The page of all.
pub(super) fn list(frame: &Frame<'_>, bots: &BTreeMap<String, BotInfo>) -> Markup {
    let body = html! {
        div.head {
            h1 { "Bots" }
            a.button href=(frame.to("/bots/new")) { "New bot" }
        }
        p.lead {
            "A website that logs people in with Telegram belongs to a bot. What @BotFather would set is set here."
        }
        (overview::bots(frame, bots))
    };
    frame.page(Part::Bots, "Bots", &body)
}

/// The page of one.
pub(super) fn page(frame: &Frame<'_>, bot: &Bot) -> Markup {
    let body = html! {
        @if let Some(problem) = &bot.problem { p.problem role="alert" { (words::reason(problem)) } }
        div.card.hero {
            (avatar(bot.info.user_id, &bot.info.name, ""))
            h1 { (foreign(&bot.info.name)) }
            p.more { "@" (foreign(&bot.username)) }
            dl.chips {
                div { dt { "User id" } dd { code { (bot.info.user_id) } } }
                div {
                    dt { "Token" }
                    dd {
                        details {
                            summary { "Show" }
                            code.secret { (bot.token) }
                        }
                    }
                }
            }
        }
        section aria-labelledby="domain-title" {
            h2 #domain-title { "Domain" }
            (domain(frame, bot))
        }
        section aria-labelledby="openid-title" {
            h2 #openid-title { "OpenID Connect" }
            (openid(frame, bot))
        }
    };
    frame.page(Part::Bots, "Bot", &body)
}

fn domain(frame: &Frame<'_>, bot: &Bot) -> Markup {
    html! {
        form.card method="post" action=(frame.to(&format!("/bots/{}/domain", bot.username))) {
            (frame.ticket())
            div.field {
                label for="domain" { "Domain of the website" }
                input #domain name="domain" maxlength="253" autocomplete="off" autocapitalize="none"
                    spellcheck="false" placeholder="localhost" aria-describedby="domain-hint"
                    value=(bot.info.settings.domain.as_deref().unwrap_or_default());
                p.hint #domain-hint {
                    "For the login widget and for login buttons, as /setdomain of @BotFather: a bare host, without scheme and port. Empty for none."
                }
            }
            div.actions { button.primary type="submit" { "Save" } }
        }
    }
}

fn openid(frame: &Frame<'_>, bot: &Bot) -> Markup {
    let path = format!("/bots/{}/openid", bot.username);
    let registered = bot.info.settings.oidc.as_ref();
    let none = OidcClient::new();
    let client = registered.unwrap_or(&none);
    html! {
        form.card method="post" action=(frame.to(&path)) {
            (frame.ticket())
            @match registered {
                Some(_) => {
                    dl.facts {
                        dt { "client_id" } dd { code { (bot.info.user_id) } }
                        @if let Some(web) = &bot.web { dt { "Issuer" } dd { code { (web) } } }
                        dt { "client_secret" } dd { "told once, when it was made" }
                    }
                },
                None => {
                    p.hint {
                        "Not registered. To register, say which addresses of the site are served; the secret is shown once."
                    }
                },
            }
            div.field {
                label for="urls" { "Allowed URLs, one a line" }
                textarea #urls name="urls" spellcheck="false" autocapitalize="none" aria-describedby="urls-hint"
                    placeholder="http://localhost:8080/callback" { (client.urls.join("\n")) }
                p.hint #urls-hint {
                    "Origins, for the JavaScript library, and redirect URIs, which a request must name byte by byte: https, or http for this machine."
                }
            }
            details open[!client.native_urls.is_empty()] {
                summary { "Native apps" }
                div.field {
                    label for="native" { "Redirect URIs of native apps, one a line" }
                    textarea #native name="native_urls" spellcheck="false" autocapitalize="none"
                        placeholder="myshop://tglogin" { (client.native_urls.join("\n")) }
                }
            }
            div.field {
                label for="alg" { "Signature of ID tokens" }
                select #alg name="alg" {
                    @for alg in ALGS {
                        option value=(alg.name()) selected[client.alg == alg] { (alg.name()) }
                    }
                }
            }
            div.field {
                label for="nonce" { "ID tokens that repeat the nonce" }
                select #nonce name="nonce" {
                    @for (nonce, name, words) in NONCES {
                        option value=(name) selected[client.nonce == nonce] { (words) }
                    }
                }
            }
            div.field {
                label for="match_codes" { "Picture to pick in Telegram" }
                select #match_codes name="match_codes" {
                    @for (codes, name, words) in MATCH_CODES {
                        option value=(name) selected[client.match_codes == codes] { (words) }
                    }
                }
            }
            label.check {
                input type="checkbox" name="enabled" value="yes" checked[client.enabled];
                span { "May be used" }
            }
            div.actions {
                button.primary type="submit" { @if registered.is_some() { "Save" } @else { "Register" } }
                @if registered.is_some() {
                    a.button href=(frame.to(&format!("{path}/secret"))) { "New secret" }
                    a.button.risky href=(frame.to(&format!("{path}/remove"))) { "Remove" }
                }
            }
        }
    }
}

/// Asks whether to replace the secret.
pub(super) fn ask_secret(frame: &Frame<'_>, bot: &Bot) -> Markup {
    let question = Question {
        title: "Make a new secret?",
        text: html! {
            p {
                "The secret that the site of " strong { "@" (foreign(&bot.username)) }
                " uses now is void at once: it can log nobody in until it has the new one."
            }
        },
        choices: html! {},
        yes: "Make a new secret",
        action: &format!("/bots/{}/openid/secret", bot.username),
        back: &format!("/bots/{}", bot.username),
    };
    frame.confirm(Part::Bots, &question)
}

/// Asks whether to remove the OpenID client.
pub(super) fn ask_remove(frame: &Frame<'_>, bot: &Bot) -> Markup {
    let question = Question {
        title: "Remove the OpenID client?",
        text: html! {
            p {
                "Nobody can log in by OpenID Connect to the site of "
                strong { "@" (foreign(&bot.username)) }
                " any more. Its secret is void; who registers again gets another one."
            }
        },
        choices: html! {},
        yes: "Remove",
        action: &format!("/bots/{}/openid/remove", bot.username),
        back: &format!("/bots/{}", bot.username),
    };
    frame.confirm(Part::Bots, &question)
}

/// Shows a secret, the only time.
pub(super) fn secret(frame: &Frame<'_>, bot: &Bot, secret: &ClientSecret) -> Markup {
    let body = html! {
        div.card.narrow {
            h1 { "Keep this secret" }
            p { "It is shown once; the server keeps no more than its hash." }
            dl.facts {
                dt { "client_id" } dd { code { (bot.info.user_id) } }
                dt { "client_secret" } dd { code.secret { (secret.as_str()) } }
                @if let Some(web) = &bot.web { dt { "Issuer" } dd { code { (whole(web)) } } }
            }
            div.actions {
                a.button.primary href=(frame.to(&format!("/bots/{}", bot.username))) { "I have it" }
            }
        }
    };
    frame.page(Part::Bots, "Secret", &body)
}

/// What is known of a bot that is to be made.
#[derive(Debug, Default)]
pub(super) struct NewBot {
    pub(super) username: String,
    pub(super) name: String,
    /// Why it was not made.
    pub(super) problem: Option<String>,
}

/// Asks for a new bot.
pub(super) fn ask_new(frame: &Frame<'_>, typed: &NewBot) -> Markup {
    let body = html! {
        form.card.narrow method="post" action=(frame.to("/bots/new")) {
            h1 { "New bot" }
            @if let Some(problem) = &typed.problem { p.problem role="alert" { (words::reason(problem)) } }
            (frame.ticket())
            div.field {
                label for="name" { "Name" }
                input #name name="name" required maxlength="64" autocomplete="off" value=(typed.name)
                    placeholder="Quay Shop";
            }
            div.field {
                label for="username" { "Username" }
                input #username name="username" required maxlength="33" autocomplete="off" autocapitalize="none"
                    spellcheck="false" value=(typed.username) placeholder="QuayShopBot"
                    aria-describedby="username-hint";
                p.hint #username-hint { "Letters, digits and underscores, and “bot” at the end." }
            }
            div.actions {
                button.primary type="submit" { "Make the bot" }
                a.button href=(frame.to("/bots")) { "Cancel" }
            }
        }
    };
    frame.page(Part::Bots, "New bot", &body)
}

/// The ways to sign ID tokens.
pub(super) const ALGS: [Alg; 4] = [Alg::Rs256, Alg::Es256, Alg::EdDsa, Alg::Es256k];

/// Which ID tokens repeat the nonce: the setting, its name in the form, and for people.
pub(super) const NONCES: [(Nonce, &str, &str); 3] = [
    (Nonce::Popup, "popup", "Those that the JavaScript library gets"),
    (Nonce::Always, "always", "All"),
    (Nonce::Never, "never", "None"),
];

/// Whether a login shows a picture: the setting, its name in the form, and for people.
pub(super) const MATCH_CODES: [(MatchCode, &str, &str); 3] = [
    (MatchCode::None, "none", "None"),
    (MatchCode::Asked, "asked", "The login page shows one"),
    (MatchCode::First, "first", "It shows one, and the app asks for it first"),
];
