//! `chappe web watch`: a line for each web session that comes, goes or is used.

use chappe::{WebSession, WebSessionChange};
use serde_json::json;

use super::{is_theirs, view};
use crate::args::WatchWeb;
use crate::connect::Target;
use crate::errors::failure;
use crate::output::{Failure, Output, bad, dim, good, notice, paint};
use crate::when;

pub(super) async fn watch(
    target: &Target,
    options: &WatchWeb,
    output: Output,
) -> Result<(), Failure> {
    tokio::select! {
        done = tell_all(target, options, output) => done,
        // Who reads no more is not to wait for the next change.
        unread = output.unread() => Err(unread),
    }
}

async fn tell_all(target: &Target, options: &WatchWeb, output: Output) -> Result<(), Failure> {
    let client = target.resume().await?;
    let sites = client.web_sessions().await.map_err(failure)?;
    let theirs = || sites.iter().filter(|site| is_theirs(&options.whose, site));
    if output.is_json() {
        let rows = view::rows_json(theirs());
        let listed = json!({ "event": "listed", "time": when::now(), "web_authorizations": rows });
        output.line(&listed.to_string())?;
    } else {
        let text = format!(
            "Watching {}; Telegram is asked every {}. Ctrl-C stops.",
            view::count(theirs().count()),
            when::span(options.every)
        );
        notice(&paint(dim(), &text));
    }
    let mut watch = client.watch_web_sessions().since(sites).every(options.every);
    while let Some(change) = watch.next().await.map_err(failure)? {
        let (word, before, now) = match &change {
            WebSessionChange::Added(site) => ("added", None, site),
            WebSessionChange::Removed(site) => ("removed", None, site),
            WebSessionChange::Changed { before, now } => ("changed", Some(before), now),
            _ => continue,
        };
        if is_theirs(&options.whose, now) {
            tell(word, before, now, output)?;
        }
    }
    Ok(())
}

fn tell(
    word: &str,
    before: Option<&WebSession>,
    now: &WebSession,
    output: Output,
) -> Result<(), Failure> {
    let time = when::now();
    let mut event = json!({
        "event": word,
        "time": time,
        "web_authorization": view::row_json(now),
    });
    if let Some(before) = before {
        event["before"] = view::row_json(before);
    }
    output.answer(&event, || {
        let style = match word {
            "added" => good(),
            "removed" => bad(),
            _ => dim(),
        };
        let word = paint(style, &format!("{word:<7}"));
        format!("{}  {word}  {}", when::second(time), view::line(now))
    })
}
