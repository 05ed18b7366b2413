//! The programs on the pages of errors compile: they stand here, word for word.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "what is shown prints, and a test fails by a panic"
)]

use chappe::{Client, Error, api::help::GetNearestDc};
use chappe_reference::site;

/// This file.
const SOURCE: &str = include_str!("error_snippets.rs");

#[expect(dead_code, reason = "that it compiles is the test")]
async fn plain(client: &Client, request: GetNearestDc) -> Result<(), Error> {
    // plain:
    use chappe::errors;

    match client.invoke(&request).await {
        Ok(answer) => println!("{answer:?}"),
        Err(error) if error.is(errors::HASH_INVALID) => eprintln!("refused: {error}"),
        Err(error) => return Err(error),
    }
    // end
    Ok(())
}

#[expect(dead_code, reason = "that it compiles is the test")]
async fn numbered(client: &Client, request: GetNearestDc) -> Result<(), Error> {
    // numbered:
    use chappe::errors;

    match client.invoke(&request).await {
        Ok(answer) => println!("{answer:?}"),
        Err(error) if error.is(errors::EMAIL_UNCONFIRMED_X) => {
            let number = error.rpc().and_then(|refusal| refusal.value);
            eprintln!("refused with the number {number:?}");
        }
        Err(error) => return Err(error),
    }
    // end
    Ok(())
}

#[expect(dead_code, reason = "that it compiles is the test")]
async fn waiting(client: &Client, request: GetNearestDc) -> Result<(), Error> {
    // waiting:
    use chappe::errors;

    match client.invoke(&request).await {
        Ok(answer) => println!("{answer:?}"),
        Err(error) if error.is(errors::FLOOD_WAIT_X) => match error.retry_after() {
            Some(wait) => eprintln!("not before {} seconds are over", wait.as_secs()),
            None => return Err(error),
        },
        Err(error) => return Err(error),
    }
    // end
    Ok(())
}

/// What stands above between the mark and the end, as far to the left as it goes.
fn compiled(mark: &str) -> String {
    let (_, rest) = SOURCE.split_once(&format!("    // {mark}:\n")).unwrap();
    let (code, _) = rest.split_once("    // end\n").unwrap();
    let lines = code.lines().map(|line| line.strip_prefix("    ").unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// The code on a page.
fn shown(path: &str) -> String {
    let page = site::read(path).unwrap();
    let (_, rest) =
        page.split_once("<pre tabindex=\"0\" role=\"region\" aria-label=\"Rust\">").unwrap();
    let (code, _) = rest.split_once("</pre>").unwrap();
    let text: String =
        code.split('<').flat_map(|piece| piece.split_once('>')).map(|(_, it)| it).collect();
    text.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
}

#[test]
fn what_the_pages_of_errors_show_compiles() {
    assert_eq!(shown("errors/HASH_INVALID.html"), compiled("plain"));
    assert_eq!(shown("errors/FLOOD_WAIT_X.html"), compiled("waiting"));
    assert_eq!(shown("errors/EMAIL_UNCONFIRMED_X.html"), compiled("numbered"));
}
