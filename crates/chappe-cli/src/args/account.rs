//! What can be typed behind `chappe account`.

use clap::{Args, Subcommand};

use super::value::{number, parse_hash_of_device};

/// What to look after at Telegram.
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// The password of two-step verification
    Password(Password),
    /// The devices that the account is signed in on
    Devices(Devices),
}

/// Options of `chappe account password`.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Passwords are asked for on a terminal. Elsewhere they come from standard input, a line each: \
first the current one with --password-stdin, then the new one with --new-password-stdin.

Examples:
  chappe account password                        whether there is one
  chappe account password set --hint 'the dog'   it is asked for twice
  chappe account password email me@example.com   where codes of a reset go
  chappe account password recover                replace it by such a code
  printf '%s\\n' \"$OLD\" \"$NEW\" |
      chappe account password change --password-stdin --new-password-stdin"
)]
pub(crate) struct Password {
    #[command(subcommand)]
    pub(crate) command: Option<PasswordCommand>,
}

/// What to do with the password.
#[derive(Debug, Subcommand)]
pub(crate) enum PasswordCommand {
    /// Show whether there is one, and how it could be recovered
    Status,
    /// Set one where there is none
    Set(SetPassword),
    /// Replace it by another one
    Change(ChangePassword),
    /// Remove it, and its recovery address with it
    Remove(CurrentPassword),
    /// Show the recovery address, set it, or remove it
    Email(RecoveryAddress),
    /// Confirm a new recovery address with the code that went to it
    Confirm {
        /// The code of the letter
        #[arg(value_name = "CODE")]
        code: String,
    },
    /// Send another code to the address that waits to be confirmed
    Resend,
    /// Give up the address that waits to be confirmed
    CancelEmail,
    /// Replace or remove a forgotten password by a code that goes to the recovery address
    Recover(Recover),
    /// Have a forgotten password removed without a recovery address: a week after this was asked
    /// for, ask again
    Reset,
    /// Decline the removal that `reset` asked for, here or on another device
    Decline,
}

/// Where the current password comes from.
#[derive(Args, Debug)]
pub(crate) struct CurrentPassword {
    /// Read the current password from the first line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// Where the new password comes from.
#[derive(Args, Debug)]
pub(crate) struct NewPassword {
    /// Read the new password from the next line of standard input
    #[arg(long)]
    pub(crate) new_password_stdin: bool,
    /// What to remember the new password by; everybody sees it who gets as far as the password
    #[arg(long, value_name = "TEXT")]
    pub(crate) hint: Option<String>,
}

/// Options of `chappe account password set`.
#[derive(Args, Debug)]
pub(crate) struct SetPassword {
    #[command(flatten)]
    pub(crate) new: NewPassword,
}

/// Options of `chappe account password change`.
#[derive(Args, Debug)]
pub(crate) struct ChangePassword {
    #[command(flatten)]
    pub(crate) current: CurrentPassword,
    #[command(flatten)]
    pub(crate) new: NewPassword,
}

/// Options of `chappe account password email`.
#[derive(Args, Debug)]
#[command(
    override_usage = "chappe account password email [ADDRESS]\n       chappe account password email --remove"
)]
pub(crate) struct RecoveryAddress {
    /// The new address, which gets a code [default: show the one that there is]
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
    /// Remove the address: a forgotten password could not be recovered
    #[arg(long, conflicts_with = "address")]
    pub(crate) remove: bool,
    #[command(flatten)]
    pub(crate) current: CurrentPassword,
}

/// Options of `chappe account password recover`.
#[derive(Args, Debug)]
pub(crate) struct Recover {
    /// The code of the letter; without it one is sent
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Set no new password
    #[arg(long, conflicts_with_all = ["new_password_stdin", "hint"])]
    pub(crate) remove: bool,
    #[command(flatten)]
    pub(crate) new: NewPassword,
}

/// Options of `chappe account devices`.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  chappe account devices                        where the account is signed in
  chappe account devices reset -8198552921648   sign one of them out
  chappe account devices reset --others         sign all but this one out
  chappe account devices ttl 30                after 30 days without use"
)]
pub(crate) struct Devices {
    #[command(subcommand)]
    pub(crate) command: Option<DevicesCommand>,
}

/// What to do with the devices.
#[derive(Debug, Subcommand)]
pub(crate) enum DevicesCommand {
    /// List them, this one first
    List,
    /// Sign out one other device, or all others
    Reset(ResetDevice),
    /// Set after how many days without use a device is signed out
    Ttl {
        /// How many days, 1 to 366
        #[arg(
            value_name = "DAYS",
            value_parser = number(1..=366, "a whole number of days from 1 to 366, such as 30")
        )]
        days: i32,
    },
    /// Say of a new device that it is yours
    Confirm {
        /// The hash, as `chappe account devices` prints it
        #[arg(value_name = "HASH", allow_hyphen_values = true, value_parser = parse_hash_of_device)]
        hash: i64,
    },
}

/// Which devices to sign out.
#[derive(Args, Debug)]
#[command(
    override_usage = "chappe account devices reset <HASH>\n       chappe account devices reset --others"
)]
pub(crate) struct ResetDevice {
    /// The hash, as `chappe account devices` prints it
    #[arg(
        value_name = "HASH",
        allow_hyphen_values = true,
        required_unless_present = "others",
        value_parser = parse_hash_of_device
    )]
    pub(crate) hash: Option<i64>,
    /// Sign out every device but this one
    #[arg(long, conflicts_with = "hash")]
    pub(crate) others: bool,
}
