//! What can be typed behind `chappe web approve`.

use clap::Args;

/// Which login to approve, and how far.
#[derive(Args, Debug)]
#[command(after_help = "\
All that is known of who asks is shown, and asked for a yes; a no declines the login. What the \
site wants besides the name is asked for one by one. Never approve a login that you did not begin \
yourself.

Examples:
  chappe web approve                          asks for the link, which is secret
  chappe web approve 'tg://oauth?token=...'
  chappe web approve 'https://t.me/oauth?startapp=...' --decline
  chappe web approve LINK --no-write --no-phone --match-code 🦊 --yes")]
pub(crate) struct Approve {
    /// The link that the site shows (tg://oauth?token=...), or the address of a page; - reads it from
    /// standard input
    #[arg(value_name = "LINK")]
    pub(crate) link: Option<String>,
    /// Let the bot of the site write to the account
    #[arg(long, conflicts_with = "no_write")]
    pub(crate) write: bool,
    /// Do not let it write
    #[arg(long)]
    pub(crate) no_write: bool,
    /// Tell the site the phone number of the account
    #[arg(long, conflicts_with = "no_phone")]
    pub(crate) phone: bool,
    /// Do not tell the phone number
    #[arg(long)]
    pub(crate) no_phone: bool,
    /// The picture that the browser shows, if it shows one
    #[arg(long, value_name = "EMOJI")]
    pub(crate) match_code: Option<String>,
    /// Show who asks, and decline it
    #[arg(long, conflicts_with_all = ["write", "no_write", "phone", "no_phone", "match_code"])]
    pub(crate) decline: bool,
}

impl Approve {
    /// What was said beforehand about messages of the bot.
    pub(crate) fn said_write(&self) -> Option<bool> {
        said(self.write, self.no_write)
    }

    /// What was said beforehand about the phone number.
    pub(crate) fn said_phone(&self) -> Option<bool> {
        said(self.phone, self.no_phone)
    }
}

fn said(yes: bool, no: bool) -> Option<bool> {
    (yes || no).then_some(yes)
}
