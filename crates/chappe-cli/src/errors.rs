//! From the errors of the client to words and exit codes.

use chappe::{Ended, Error, PasswordProblem, RpcError, SessionProblem, UrlAuthProblem, errors};

use crate::output::{Exit, Failure};

/// Turns what the client met into words and an exit code.
pub(crate) fn failure(error: Error) -> Failure {
    let exit = exit_of(&error);
    let mut failure = Failure::new(exit, error.to_string());
    if let Some(rpc) = error.rpc() {
        failure = failure.rpc(rpc.code, rpc.text.as_str());
    }
    if let Some(wait) = error.retry_after() {
        failure = failure.retry_after(wait);
    }
    let lost = error.ended().is_some_and(Ended::is_session_lost);
    if lost || error.is(errors::AUTH_KEY_UNREGISTERED) {
        failure = failure.hint("sign in again: `chappe login`");
    }
    if let Error::Session(session) = &error
        && matches!(session.problem(), SessionProblem::NotASession)
    {
        failure = failure.hint(
            "one of another library is brought by `chappe session import FILE`, without --session",
        );
    }
    failure
}

fn exit_of(error: &Error) -> Exit {
    match error {
        Error::Network(_) | Error::TimedOut(_) | Error::Lost(_) => Exit::Network,
        Error::SignedOut | Error::KeyUnknown => Exit::Permission,
        Error::WrongServerKey => Exit::Conflict,
        Error::Ended(Ended::KeyDuplicated) => Exit::Conflict,
        Error::Ended(reason) if reason.is_session_lost() => Exit::Permission,
        Error::Invalid(_) | Error::TooLarge(_) => Exit::Usage,
        Error::Password(problem) => match problem {
            PasswordProblem::Empty
            | PasswordProblem::HintIsPassword
            | PasswordProblem::InvalidEmail => Exit::Usage,
            PasswordProblem::NoRecoveryEmail | PasswordProblem::NotSet => Exit::NotFound,
            PasswordProblem::Needed | PasswordProblem::PassportData => Exit::Conflict,
            _ => Exit::Permission,
        },
        Error::UrlAuth(problem) => match problem {
            UrlAuthProblem::Expired | UrlAuthProblem::Unknown => Exit::NotFound,
            UrlAuthProblem::Unserved | UrlAuthProblem::WrongMatchCode => Exit::Permission,
            _ => Exit::Other,
        },
        Error::Session(session) => match session.problem() {
            SessionProblem::InUse { .. }
            | SessionProblem::OtherServer { .. }
            | SessionProblem::OtherDc { .. } => Exit::Conflict,
            SessionProblem::WrongPassphrase => Exit::Permission,
            _ => Exit::Other,
        },
        Error::Rpc(rpc) => match rpc.code {
            _ if rpc.is(errors::BOT_METHOD_INVALID) || rpc.is(errors::USER_BOT_REQUIRED) => {
                Exit::Permission
            }
            _ if rpc.is(errors::HASH_INVALID) => Exit::NotFound,
            _ if is_mistyped(rpc) => Exit::Usage,
            _ if is_shut_out(rpc) => Exit::Permission,
            401 | 403 => Exit::Permission,
            404 => Exit::NotFound,
            406 => Exit::Conflict,
            420 => Exit::FloodWait,
            _ => Exit::Other,
        },
        _ => Exit::Other,
    }
}

/// Whether somebody typed what cannot be.
fn is_mistyped(error: &RpcError) -> bool {
    [errors::PHONE_NUMBER_INVALID, errors::API_ID_INVALID, errors::FIRSTNAME_INVALID]
        .into_iter()
        .any(|name| error.is(name))
}

/// Whether what somebody showed opens no account.
fn is_shut_out(error: &RpcError) -> bool {
    [
        errors::ACCESS_TOKEN_INVALID,
        errors::ACCESS_TOKEN_EXPIRED,
        errors::FRESH_RESET_AUTHORISATION_FORBIDDEN,
        errors::PHONE_CODE_EXPIRED,
    ]
    .into_iter()
    .any(|name| error.is(name))
}
