//! How chappe's client meets an error: what it does about it alone, and what a program does that is told of it.

use chappe_schema::words::Retry;

use crate::model::{ErrorInfo, is_numbered};

/// What the client does before a program hears of the error; none where it hears of it at once.
/// One sentence or more, in the markup of `schema/docs`.
pub(super) fn alone(error: &ErrorInfo) -> Option<&'static str> {
    Some(match (error.code, error.name) {
        (420, "FLOOD_WAIT_X" | "FLOOD_PREMIUM_WAIT_X") => {
            "The client sleeps through waits that are no longer than its `flood_threshold`, and holds back other \
             calls of the same method meanwhile. A program is told of longer ones."
        }
        (303, _) => {
            "The client sends the request on to the data centre that the number names, with a key for that one. A \
             program is told only if that data centre is not known, or sends it on without an end."
        }
        (400, "CONNECTION_NOT_INITED" | "CONNECTION_LAYER_INVALID") => {
            "The client tells the layer and the device anew and sends the request again. A program is told only if \
             that does not help."
        }
        (401, "AUTH_KEY_UNREGISTERED") => {
            "At another data centre than the account's, the client brings the sign-in there and sends the request \
             again. At the account's own it means that nobody is signed in, and a program is told."
        }
        (401, "SESSION_PASSWORD_NEEDED") => {
            "A sign-in by `sign_in_phone` or `sign_in_qr` takes it as the step `SignIn::Password`. A program is told \
             only if it invokes the method itself."
        }
        (_, name) if ANSWERS.contains(&name) => return None,
        (500..600 | -599..=-500, _) => {
            "The client sends the request again a few times, after 1, 2, 4 seconds and so on, unless the call is \
             marked `no_resend`. A program is told if that does not help."
        }
        _ => return None,
    })
}

/// The lines of Rust that handle the error.
pub(super) fn snippet(error: &ErrorInfo) -> String {
    let constant = constant(error.name);
    let arm = match error.words.map(|words| words.retry) {
        Some(Retry::Wait) => format!(
            "    Err(error) if error.is(errors::{constant}) => match error.retry_after() {{
        Some(wait) => eprintln!(\"not before {{}} seconds are over\", wait.as_secs()),
        None => return Err(error),
    }},
"
        ),
        _ if is_numbered(error.name) => format!(
            "    Err(error) if error.is(errors::{constant}) => {{
        let number = error.rpc().and_then(|refusal| refusal.value);
        eprintln!(\"refused with the number {{number:?}}\");
    }}
"
        ),
        _ => format!(
            "    Err(error) if error.is(errors::{constant}) => eprintln!(\"refused: {{error}}\"),\n"
        ),
    };
    format!(
        "\
use chappe::errors;

match client.invoke(&request).await {{
    Ok(answer) => println!(\"{{answer:?}}\"),
{arm}    Err(error) => return Err(error),
}}
"
    )
}

/// What `chappe::errors` calls an error.
fn constant(name: &str) -> String {
    let upper = name.to_uppercase();
    if upper.starts_with(|c: char| c.is_ascii_digit()) { format!("_{upper}") } else { upper }
}

/// Failures inside of Telegram by their code that are answers all the same: never sent again.
const ANSWERS: &[&str] = &[
    "AUTH_RESTART",
    "AUTH_RESTART_X",
    "OAUTH_REQUEST_INVALID",
    "RANDOM_ID_DUPLICATE",
    "SIGN_IN_FAILED",
];

#[cfg(test)]
mod tests {
    use chappe_schema::words::Retry;

    use super::{ANSWERS, alone, constant, snippet};
    use crate::Reference;

    #[test]
    fn every_error_is_called_what_the_client_calls_it() {
        let errors = include_str!("../../../chappe-api/src/errors.rs");
        for error in Reference::get().errors() {
            let constant = constant(error.name);
            let line = format!("pub const {constant}: tl::ErrorName = ");
            assert!(errors.contains(&line), "{line}");
            assert!(snippet(error).contains(&format!("errors::{constant})")));
            let waits = error.words.is_some_and(|words| words.retry == Retry::Wait);
            assert_eq!(snippet(error).contains("retry_after"), waits, "{}", error.name);
        }
    }

    /// What the client repeats stands in `next_step` of its `invoke.rs`, where it goes on to in `pool/way.rs`.
    #[test]
    fn what_the_client_does_alone_is_what_its_source_names() {
        let invoke = include_str!("../../../chappe/src/invoke.rs");
        let (invoke, _) = invoke.split_once("#[cfg(test)]").unwrap();
        let source = format!("{invoke}{}", include_str!("../../../chappe/src/pool/way.rs"));
        for error in Reference::get().errors() {
            let named = source.contains(&format!("\"{}\"", error.name));
            let fails_inside = (500..600).contains(&error.code) || error.code < 0;
            let is_step = error.name == "SESSION_PASSWORD_NEEDED";
            let is_answer = ANSWERS.contains(&error.name);
            let expected = (named || fails_inside || is_step) && !is_answer;
            // A key that is void is a matter of the connection, and never an answer to a call.
            if error.name != "AUTH_KEY_DUPLICATED" {
                assert_eq!(alone(error).is_some(), expected, "{}", error.name);
            }
            assert!(!is_answer || named, "{} is no longer an answer", error.name);
        }
    }
}
