//! Words for a person about the errors of Telegram that people meet; what a program does about an
//! error is decided by its name, never by these.

/// What is left of a redirection that the client could not follow.
const MIGRATES: &str = "Telegram sends this to data centre {}, which is not known or sends it on; \
                        try again later";

/// Words for the errors that people meet. `{}` is the number in the name.
pub(super) const EXPLANATIONS: &[(&str, &str)] = &[
    ("ACCESS_TOKEN_EXPIRED", "this bot token was revoked; ask BotFather for the new one"),
    ("ACCESS_TOKEN_INVALID", "this is no valid bot token; copy it again from BotFather"),
    ("API_ID_INVALID", "the api id and api hash do not belong together; copy both again"),
    (
        "API_ID_PUBLISHED_FLOOD",
        "this api id was published and may not be used here; get one of your own",
    ),
    (
        "AUTH_KEY_DUPLICATED",
        "the session was used from two places at once and is void; sign in again",
    ),
    ("AUTH_KEY_UNREGISTERED", "nobody is signed in with this session; sign in first"),
    ("AUTH_RESTART", "Telegram wants the sign-in to begin again"),
    ("AUTH_RESTART_X", "Telegram wants the sign-in to begin again"),
    (
        "AUTH_TOKEN_ALREADY_ACCEPTED",
        "this login code was used already; scan the one that is shown now",
    ),
    ("AUTH_TOKEN_EXCEPTION", "this account is on that device already, or it is the device itself"),
    ("AUTH_TOKEN_EXPIRED", "this login code is too old; scan the one that is shown now"),
    ("AUTH_TOKEN_INVALID", "this is no login code that Telegram gave out; scan the code again"),
    ("AUTH_TOKEN_INVALIDX", "this is no login code that Telegram gave out; scan the code again"),
    ("BOT_METHOD_INVALID", "only people may call this method, a bot is signed in"),
    ("BUSINESS_CONNECTION_NOT_ALLOWED", "this cannot be done on behalf of a business account"),
    ("CODE_EMPTY", "the code is missing"),
    ("CODE_INVALID", "the code is wrong"),
    ("CONNECTION_API_ID_INVALID", "Telegram does not know this api id; copy it again"),
    ("EMAIL_HASH_EXPIRED", "no address waits for a code, or the code is too old; have one sent"),
    (
        "EMAIL_INSTALL_MISSING",
        "codes do not go to an email address; ask for the code in another way",
    ),
    ("EMAIL_INVALID", "this is no email address that Telegram can write to; check it"),
    ("EMAIL_NOT_ALLOWED", "Telegram takes no address of this provider; give another one"),
    (
        "EMAIL_UNCONFIRMED_X",
        "a code of {} digits went to the address; with it the change comes into effect",
    ),
    ("EMAIL_VERIFY_EXPIRED", "the code is too old, or was tried too often; ask for a new one"),
    ("FIRSTNAME_INVALID", "this first name is not accepted; give another one"),
    ("FLOOD_WAIT_X", "too many calls; wait {} seconds before the next one"),
    ("FLOOD_PREMIUM_WAIT_X", "too many transfers; wait {} seconds, or less with Premium"),
    (
        "FRESH_RESET_AUTHORISATION_FORBIDDEN",
        "this session is younger than 24 hours and may not end others yet; \
         use an older device, or come back when a day has passed",
    ),
    ("FROZEN_METHOD_INVALID", "the account is frozen and may not do this"),
    ("HASH_INVALID", "there is no session with this hash, or no longer; list them again"),
    ("INPUT_METHOD_INVALID_X", "the server does not know this method; it speaks an older layer"),
    ("LASTNAME_INVALID", "this last name is not accepted; give another one"),
    ("METHOD_INVALID", "the server does not know this method, or does not implement it"),
    ("NETWORK_MIGRATE_X", MIGRATES),
    ("PASSWORD_EMPTY", "the account has no password"),
    ("PASSWORD_HASH_INVALID", "the password is wrong"),
    ("PASSWORD_RECOVERY_EXPIRED", "the code is too old, or was tried too often; ask for a new one"),
    (
        "PASSWORD_RECOVERY_NA",
        "the account has no recovery email; a device that is signed in can have the password reset",
    ),
    ("PHONE_CODE_EMPTY", "the code is missing"),
    ("PHONE_CODE_EXPIRED", "the code is too old, or was tried too often; ask for a new one"),
    ("PHONE_CODE_INVALID", "the code is wrong"),
    ("PHONE_HASH_EXPIRED", "too much time went by; begin the sign-in again"),
    ("PHONE_MIGRATE_X", MIGRATES),
    ("PHONE_NUMBER_APP_SIGNUP_FORBIDDEN", "this app may not register new accounts"),
    ("PHONE_NUMBER_BANNED", "this phone number is banned from Telegram"),
    ("PHONE_NUMBER_FLOOD", "too many codes were asked for; come back later"),
    ("PHONE_NUMBER_INVALID", "this is no phone number; write it with + and the country code"),
    ("PHONE_NUMBER_OCCUPIED", "this phone number has an account already; sign in"),
    ("PHONE_NUMBER_UNOCCUPIED", "this phone number has no account yet; sign up"),
    ("PHONE_PASSWORD_FLOOD", "too many passwords were tried; come back later"),
    (
        "SEND_CODE_UNAVAILABLE",
        "there is no other way to send a code; use the one that was sent, or come back later",
    ),
    ("RESET_REQUEST_MISSING", "nobody asked for the removal of the password"),
    ("SESSION_EXPIRED", "the session is too old; sign in again"),
    ("SESSION_PASSWORD_NEEDED", "the account has a password; give it to finish the sign-in"),
    ("SESSION_REVOKED", "this session was ended from another device; sign in again"),
    ("SIGN_IN_FAILED", "Telegram could not sign in; begin the sign-in again"),
    ("SLOWMODE_WAIT_X", "this chat is in slow mode; wait {} seconds"),
    ("SMS_CODE_CREATE_FAILED", "Telegram could not send an SMS; come back later"),
    ("SRP_ID_INVALID", "the password check is too old; try again"),
    ("SRP_PASSWORD_CHANGED", "the password was changed meanwhile; try again"),
    ("TAKEOUT_INIT_DELAY_X", "confirm the export on another device, or wait {} seconds"),
    (
        "TASK_ALREADY_EXISTS",
        "this was asked for already and takes its time; come back when it is over",
    ),
    ("TTL_DAYS_INVALID", "so many days are not accepted; give another number"),
    ("UPDATE_APP_TO_LOGIN", "Telegram refuses sign-ins of this version; update the app"),
    ("USER_BOT_REQUIRED", "only bots may call this method, a person is signed in"),
    ("USER_DEACTIVATED", "the account was deleted"),
    ("USER_DEACTIVATED_BAN", "the account is banned from Telegram"),
    ("USER_MIGRATE_X", MIGRATES),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_explained_once() {
        let mut names: Vec<_> = EXPLANATIONS.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), EXPLANATIONS.len());
    }
}
