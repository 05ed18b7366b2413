//! Letters: the codes that went to phones and mailboxes.

use maud::{Markup, html};

use super::{
    layout::{Frame, Part},
    words::{self, foreign},
};
use crate::letters::{Letter, Subject, Way};

pub(super) fn page(frame: &Frame<'_>, letters: &[Letter]) -> Markup {
    let body = html! {
        h1 { "Letters" }
        p.lead { "What this server would have sent to phones and mailboxes: login codes above all." }
        div #letters data-live { (table(frame, letters)) }
    };
    frame.page(Part::Letters, "Letters", &body)
}

/// Letters, the newest first.
pub(super) fn table(frame: &Frame<'_>, letters: &[Letter]) -> Markup {
    html! {
        @if letters.is_empty() {
            p.empty { "No letter was sent yet." }
        } @else {
            div.card.table.scroll tabindex="0" role="region" aria-label="Letters, the newest first" {
                table.log {
                    caption.unseen { "Letters, the newest first" }
                    thead {
                        tr {
                            th scope="col" { "Sent" }
                            th scope="col" { "To" }
                            th scope="col" { "Code" }
                            th scope="col" { "For" }
                            th.spare scope="col" { "By" }
                        }
                    }
                    tbody {
                        @for letter in letters {
                            tr {
                                td { (words::ago(frame.now, letter.date)) }
                                th scope="row" { (recipient(&letter.to)) }
                                td { code.loud { (foreign(&letter.code)) } }
                                td { (subject(letter.subject)) }
                                td.spare { (way(letter.way)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn recipient(to: &str) -> Markup {
    let phone = to.bytes().all(|byte| byte.is_ascii_digit());
    html! { @if phone { "+" (to) } @else { (foreign(to)) } }
}

fn subject(subject: Subject) -> &'static str {
    match subject {
        Subject::SignIn => "signing in",
        Subject::LoginEmail => "a mailbox for login codes",
        Subject::RecoveryEmail => "a mailbox for recovery",
        Subject::PasswordRecovery => "a forgotten password",
    }
}

fn way(way: Way) -> &'static str {
    match way {
        Way::App => "message in the app",
        Way::Call => "call",
        Way::Email => "email",
        Way::Firebase => "Firebase SMS",
        Way::FlashCall => "flash call",
        Way::Fragment => "fragment.com",
        Way::MissedCall => "missed call",
        Way::Sms => "SMS",
        Way::SmsPhrase => "SMS, a phrase",
        Way::SmsWord => "SMS, a word",
    }
}
