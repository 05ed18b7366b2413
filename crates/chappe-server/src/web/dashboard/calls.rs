//! The log of calls.

use maud::{Markup, html};

use super::{
    layout::{Frame, Part},
    words::{self, foreign},
};
use crate::faults::Call;

/// What the log shows.
#[derive(Debug)]
pub(super) struct Log {
    /// The newest first.
    pub(super) rows: Vec<Row>,
    /// How many calls there were since the server began.
    pub(super) total: u64,
    /// What the names of the methods that are shown have in them.
    pub(super) filter: String,
}

/// A call, and who is signed in now with the key that it was made with.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) call: Call,
    pub(super) user: Option<(i64, String)>,
}

pub(super) fn page(frame: &Frame<'_>, log: &Log) -> Markup {
    let body = html! {
        h1 { "Calls" }
        form.search method="get" action=(frame.to("/calls")) role="search" {
            label for="method" { "Method" }
            input #method type="search" name="method" value=(log.filter) maxlength="64"
                placeholder="account.*, sign, …" autocomplete="off" spellcheck="false";
            button type="submit" { "Show" }
            @if !log.filter.is_empty() { a.button href=(frame.to("/calls")) { "Show all" } }
        }
        div #calls data-live { (table(frame, log)) }
    };
    frame.page(Part::Calls, "Calls", &body)
}

fn table(frame: &Frame<'_>, log: &Log) -> Markup {
    html! {
        @if log.rows.is_empty() {
            p.empty {
                @if log.filter.is_empty() { "No client has called a method yet." }
                @else { "No call fits, among the last ones." }
            }
        } @else {
            div.card.table.scroll tabindex="0" role="region" aria-label="Calls, the newest first" {
                table.log.calls {
                    caption.unseen { "Calls, the newest first" }
                    thead {
                        tr {
                            th scope="col" { "Time" }
                            th scope="col" { "Method" }
                            th scope="col" { "Outcome" }
                            th scope="col" { "Account now" }
                            th.number.spare scope="col" { "DC" }
                            th.number.spare scope="col" { "No." }
                        }
                    }
                    tbody {
                        @for Row { call, user } in &log.rows {
                            tr {
                                td { (words::clock(call.date)) }
                                th scope="row" { code { (foreign(&call.method)) } }
                                td { (outcome(call)) }
                                td {
                                    @match user {
                                        Some((id, name)) => {
                                            a href=(frame.to(&format!("/accounts/{id}"))) { (foreign(name)) }
                                        },
                                        None => { span.more { "nobody" } },
                                    }
                                }
                                td.number.spare { (call.dc) }
                                td.number.spare { (call.number) }
                            }
                        }
                    }
                }
            }
            p.hint {
                (log.total) @if log.total == 1 { " call" } @else { " calls" }
                " since the server began; the last ones are shown."
            }
        }
    }
}

fn outcome(call: &Call) -> Markup {
    html! {
        @match (&call.error, call.answered) {
            (_, false) => { span.tag.warn { "no answer" } },
            (Some(error), true) => { span.tag.bad { (foreign(error)) } },
            (None, true) => { span.tag.good { "ok" } },
        }
        @if call.received > 1 { " " span.more { "came " (call.received) " times" } }
    }
}
