//! What all pages have in common.

use maud::{Markup, PreEscaped, html};

use super::{super::pages::document, words};

/// What a page knows of where it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// The folder that all pages are in, without a slash at the end.
    pub(super) room: &'a str,
    /// What a form must show to be believed.
    pub(super) ticket: &'a str,
    /// The server's time, unix seconds.
    pub(super) now: i32,
    /// How many login requests wait for an answer.
    pub(super) waiting: i64,
    /// What was just done, if this page is where that ended.
    pub(super) notice: Option<&'static str>,
}

/// The parts of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Bots,
    Calls,
    Letters,
    Logins,
    Overview,
}

impl Part {
    fn path(self) -> &'static str {
        match self {
            Self::Bots => "/bots",
            Self::Calls => "/calls",
            Self::Letters => "/letters",
            Self::Logins => "/logins",
            Self::Overview => "/",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bots => "Bots",
            Self::Calls => "Calls",
            Self::Letters => "Letters",
            Self::Logins => "Logins",
            Self::Overview => "Overview",
        }
    }
}

impl Frame<'_> {
    /// The address of a page.
    pub(super) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.room)
    }

    /// What every form has in it.
    pub(super) fn ticket(&self) -> Markup {
        html! { input type="hidden" name="ticket" value=(self.ticket); }
    }

    /// A whole page.
    pub(super) fn page(&self, part: Part, title: &str, body: &Markup) -> Markup {
        let title = match self.waiting {
            0 => format!("{title} · chappe"),
            waiting => format!("({waiting}) {title} · chappe"),
        };
        let head = html! {
            link rel="icon" href=(self.to("/icon.svg")) type="image/svg+xml";
            link rel="stylesheet" href=(self.to("/dashboard.css"));
            script src=(self.to("/dashboard.js")) defer {}
        };
        let body = html! {
            a.skip href="#content" { "Skip to the content" }
            header.top {
                div.bar {
                    a.brand href=(self.to("/")) {
                        (TELEGRAPH) span { "chappe" } span.of { "local Telegram" }
                    }
                    nav aria-label="Dashboard" { (self.links(part)) }
                }
            }
            main #content tabindex="-1" {
                @if let Some(notice) = self.notice {
                    p.notice role="status" { (notice) }
                }
                (body)
            }
            footer.foot {
                p {
                    "The server's time is " (words::clock(self.now)) " UTC. "
                    "Nothing here leaves this machine."
                }
                p {
                    button.plain #pause type="button" hidden {
                        "Stop updating this page"
                    }
                }
            }
        };
        document(&title, &head, &body)
    }

    fn links(&self, current: Part) -> Markup {
        html! {
            ul {
                @for part in PARTS {
                    li {
                        a href=(self.to(part.path())) aria-current=[(part == current).then_some("page")] {
                            (part.name())
                            @if part == Part::Logins {
                                span #waiting data-live {
                                    @if self.waiting > 0 {
                                        " " span.badge { (self.waiting) span.unseen { " waiting" } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// A page that says why there is nothing to see, or nothing was done.
    pub(super) fn sorry(&self, part: Part, title: &str, reason: &str) -> Markup {
        let body = html! {
            h1 { (title) }
            p.lead { (words::reason(reason)) }
            p { a.button href=(self.to("/")) { "To the overview" } }
        };
        self.page(part, title, &body)
    }

    /// A page that asks once more before something is done that cannot be undone. `action` is where
    /// the answer goes, `back` where a no leads.
    pub(super) fn confirm(&self, part: Part, question: &Question<'_>) -> Markup {
        let body = html! {
            div.card.narrow {
                h1 { (question.title) }
                (question.text)
                form method="post" action=(self.to(question.action)) {
                    (self.ticket())
                    (question.choices)
                    div.actions {
                        button.danger type="submit" { (question.yes) }
                        a.button href=(self.to(question.back)) { "Cancel" }
                    }
                }
            }
        };
        self.page(part, question.title, &body)
    }
}

/// What a page of confirmation asks.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// The question.
    pub(super) title: &'a str,
    /// What exactly happens.
    pub(super) text: Markup,
    /// What can be chosen.
    pub(super) choices: Markup,
    /// What the button says.
    pub(super) yes: &'a str,
    /// Where the answer goes.
    pub(super) action: &'a str,
    /// Where a no leads.
    pub(super) back: &'a str,
}

/// What whoever comes without the key sees, wherever they come.
pub(super) fn locked(reason: &str) -> Markup {
    let body = html! { main { h1 { "This page is locked" } p { (reason) } } };
    document("Locked · chappe", &no_icon(), &body)
}

/// What whoever comes with the key sees for a moment. The next page is fetched by this one, so that
/// the cookie goes along even if the link with the key was followed from another site.
pub(super) fn entered(room: &str) -> Markup {
    let home = format!("{room}/");
    let head = html! {
        meta http-equiv="refresh" content=(format!("0; url={home}"));
        (no_icon())
    };
    document("chappe", &head, &html! { main { p { a href=(home) { "To the dashboard" } } } })
}

/// Without it browsers ask for an icon of their own.
fn no_icon() -> Markup {
    html! { link rel="icon" href="data:,"; }
}

const PARTS: [Part; 5] = [Part::Overview, Part::Logins, Part::Bots, Part::Calls, Part::Letters];

/// Chappe's optical telegraph: a mast, a beam, two arms.
const TELEGRAPH: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" aria-hidden="true"><path d="M12 9v13M9 22h6M5 12 19 6M5 12V6M19 6v6"/></svg>"#,
);
