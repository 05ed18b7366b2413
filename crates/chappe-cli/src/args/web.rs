//! What can be typed behind `chappe web`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::Approve;
use super::value::{is_host, parse_bot, parse_hash_of};

/// What to do with web sessions.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  chappe web list --inactive-for 90d      what was not used for three months
  chappe web show travel.example.com      one of them, as the apps show it
  chappe web reset travel.example.com     log out of a site, in every browser
  chappe web reset --bot @ShopBot --older-than 1w --dry-run
  chappe web approve                      answer a login that waits for a yes
  chappe web watch --json                 what comes, goes or is used")]
pub(crate) enum Web {
    /// Let a site or an app know who you are, or decline it
    Approve(Approve),
    /// List them, last active first
    List(ListWeb),
    /// Show one, as the official apps do
    Show {
        /// The hash, as `chappe web list` prints it, or the domain
        #[arg(value_name = "HASH|DOMAIN", allow_negative_numbers = true, value_parser = parse_site)]
        site: Site,
    },
    /// Log out of some sites, or of all
    Reset(ResetWeb),
    /// Print a line for each that comes, goes or is used, until Ctrl-C
    Watch(WatchWeb),
}

/// Options of `chappe web list`.
#[derive(Args, Debug)]
pub(crate) struct ListWeb {
    /// Print comma-separated values (RFC 4180), for a spreadsheet
    #[arg(long)]
    pub(crate) csv: bool,
    #[command(flatten)]
    pub(crate) filter: WebFilter,
}

/// Which web sessions to reset.
#[derive(Args, Debug)]
#[command(
    override_usage = "chappe web reset <HASH|DOMAIN>... [FILTERS]\n       chappe web reset <FILTERS>\n       chappe web reset --all",
    after_help = "\
A domain stands for all sessions there. What ends is shown, and ends after a yes, or with --yes.

Examples:
  chappe web reset travel.example.com             in every browser
  chappe web reset --inactive-for 90d --dry-run   what would end
  chappe web reset --bot @ShopBot --block-bot     and hear no more of it"
)]
pub(crate) struct ResetWeb {
    /// Hashes, as `chappe web list` prints them, and domains
    #[arg(
        value_name = "HASH|DOMAIN",
        allow_negative_numbers = true,
        required_unless_present_any = ["all", "domain", "bot", "inactive_for", "older_than"],
        value_parser = parse_site
    )]
    pub(crate) sites: Vec<Site>,
    /// Log out of every site
    #[arg(
        long,
        conflicts_with_all = ["sites", "domain", "bot", "inactive_for", "older_than"]
    )]
    pub(crate) all: bool,
    /// Block the bots of the sites, too: they cannot write to the account any more
    #[arg(long)]
    pub(crate) block_bot: bool,
    /// Show what would end, and end nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) filter: WebFilter,
}

/// Options of `chappe web watch`.
#[derive(Args, Debug)]
pub(crate) struct WatchWeb {
    /// Ask Telegram so often, as it does not tell by itself: 30s, 5m
    #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = parse_span)]
    pub(crate) every: Duration,
    #[command(flatten)]
    pub(crate) whose: Whose,
}

/// Which web sessions are meant; all of it has to fit.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters, all of which have to fit")]
pub(crate) struct WebFilter {
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// Those that were not used for so long: 45s, 30m, 12h, 90d, 2w
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    pub(crate) inactive_for: Option<Duration>,
    /// Those that began so long ago, or earlier
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    pub(crate) older_than: Option<Duration>,
}

/// Whose web sessions are meant.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters, all of which have to fit")]
pub(crate) struct Whose {
    /// Those at this domain; * stands for anything: '*.example.com'
    #[arg(long, value_name = "PATTERN", value_parser = parse_pattern)]
    pub(crate) domain: Option<String>,
    /// Those of this bot
    #[arg(long, value_name = "@NAME", value_parser = parse_bot)]
    pub(crate) bot: Option<String>,
}

/// What names web sessions on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    Domain(String),
    Hash(i64),
}

/// A word of digits is a hash, one that looks like a host a domain.
fn parse_site(text: &str) -> Result<Site, String> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if is_number || !is_host(text) {
        return parse_hash_of(text, "chappe web list").map(Site::Hash);
    }
    // `12x` is rather a slip of the finger than a host.
    if text.contains(['.', ':']) || !text.contains(|c: char| c.is_ascii_digit()) {
        return Ok(Site::Domain(text.to_owned()));
    }
    parse_hash_of(text, "chappe web list").map(Site::Hash)
}

/// A host, in which * may stand for anything.
fn parse_pattern(text: &str) -> Result<String, String> {
    match is_host(&text.replace('*', "x")) {
        true => Ok(text.to_owned()),
        false => Err("a domain is a host without anything around it, such as shop.example or \
                      '*.example'"
            .to_owned()),
    }
}

/// A length of time: a whole number and its unit.
fn parse_span(text: &str) -> Result<Duration, String> {
    let explain = "a span is a whole number above 0 and a unit: 45s, 30m, 12h, 90d or 2w";
    let unit = match text.bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(b'd') => 86_400,
        Some(b'w') => 604_800,
        _ => return Err(explain.to_owned()),
    };
    let number = &text[..text.len() - 1];
    // The standard library takes a plus sign, too.
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(explain.to_owned());
    }
    let long = || format!("`{text}` is longer than a century; {explain}");
    let count: u64 = number.parse().map_err(|_| long())?;
    match count.checked_mul(unit) {
        Some(0) => Err(explain.to_owned()),
        Some(seconds @ 1..=CENTURY) => Ok(Duration::from_secs(seconds)),
        _ => Err(long()),
    }
}

/// In seconds.
const CENTURY: u64 = 36_525 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};

    fn read(words: &[&str]) -> Result<Web, String> {
        let words = ["chappe", "web"].iter().chain(words);
        match Cli::read(words).map_err(|error| error.to_string())?.command {
            Command::Web(web) => Ok(web),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_negative_hash_is_a_value_and_not_a_flag() {
        let words = ["reset", "-81985529216486895", "shop.example.net", "--yes", "7"];
        let Ok(Web::Reset(reset)) = read(&words) else { panic!("another command") };
        let hash = Site::Hash(-81_985_529_216_486_895);
        assert_eq!(reset.sites, [hash, Site::Domain("shop.example.net".into()), Site::Hash(7)]);
    }

    #[test]
    fn a_mistyped_hash_says_what_a_hash_is() {
        for word in ["12x", "", "--", "1 2", "9223372036854775808", "1-2", "a b.c"] {
            let error = read(&["show", word]).unwrap_err();
            assert!(error.contains("chappe web list") || word == "--", "{word}: {error}");
        }
        for word in ["localhost", "127.0.0.1", "[::1]", "münchen.example", "localhost:8080"] {
            let Ok(Web::Show { site }) = read(&["show", word]) else { panic!("{word}") };
            assert_eq!(site, Site::Domain(word.to_owned()));
        }
    }

    #[test]
    fn a_span_is_a_number_and_a_unit_and_nothing_else() {
        for (text, seconds) in
            [("45s", 45), ("30m", 1_800), ("12h", 43_200), ("90d", 7_776_000), ("2w", 1_209_600)]
        {
            assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "", "90", "d", "0d", "-1d", "+1d", "1.5d", "1 d", "1D", "1mo", "1y", "1d1h", "١d", "1é",
        ] {
            assert!(parse_span(text).unwrap_err().contains("90d"), "{text}");
        }
        for text in ["99999999999999999999d", "18446744073709551615w", "36526d"] {
            assert!(parse_span(text).unwrap_err().contains("century"), "{text}");
        }
    }

    #[test]
    fn what_is_reset_is_said_in_one_way() {
        for words in [
            &["reset"][..],
            &["reset", "--all", "7"],
            &["reset", "--all", "--bot", "@ShopBot"],
            &["reset", "--block-bot"],
            &["reset", "--older-than", "90"],
            &["list", "--bot", "@"],
        ] {
            assert!(read(words).is_err(), "{words:?}");
        }
        let words = ["reset", "a.example", "--domain", "*.example", "--inactive-for", "1d"];
        assert!(read(&words).is_ok());
    }
}
