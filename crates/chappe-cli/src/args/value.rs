//! Values that can be typed: what each has to look like, and what is said of one that does not.

use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::net::{SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;

/// Which Telegram is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerName {
    Address(SocketAddr),
    Production,
}

impl Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Production => f.write_str("production"),
        }
    }
}

/// Reads the name of a server: an address, or `production`.
pub(crate) fn parse_server(text: &str) -> Result<ServerName, String> {
    match text {
        "production" => Ok(ServerName::Production),
        text => parse_address(text)
            .map(ServerName::Address)
            .map_err(|why| format!("{why}, or `production`")),
    }
}

pub(super) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let explain = |why: &str| format!("{why}; an address is HOST:PORT, such as 127.0.0.1:4430");
    let Some((_, port)) = text.rsplit_once(':') else { return Err(explain("the port is missing")) };
    if port.parse::<u16>().is_err() {
        return Err(explain("its port is no number up to 65535"));
    }
    let mut found = text
        .to_socket_addrs()
        .map_err(|error| explain(&format!("its host is not found ({error})")))?;
    found.next().ok_or_else(|| explain("no machine has this name"))
}

pub(super) fn parse_bot_domain(text: &str) -> Result<(String, String), String> {
    let named = text.split_once('=').and_then(|(bot, domain)| {
        let bot = bot.strip_prefix('@').unwrap_or(bot);
        (is_username(bot) && is_host(domain)).then(|| (bot.to_owned(), domain.to_owned()))
    });
    named.ok_or_else(|| "give a username and a host, such as MyShopBot=localhost".to_owned())
}

pub(super) fn parse_bot(text: &str) -> Result<String, String> {
    match is_username(text.strip_prefix('@').unwrap_or(text)) {
        true => Ok(text.to_owned()),
        false => Err("a bot is named by its username, such as @ShopBot, or its id".to_owned()),
    }
}

pub(super) fn parse_hash_of_device(text: &str) -> Result<i64, String> {
    parse_hash_of(text, "chappe account devices")
}

pub(super) fn parse_hash_of(text: &str, list: &str) -> Result<i64, String> {
    text.parse().map_err(|_| {
        format!(
            "a hash is a whole number of up to 19 digits, perhaps negative, such as \
             -81985529216486895; `{list}` prints them"
        )
    })
}

/// Reads a whole number of a range; `explain` says what is wanted, with an example.
pub(super) fn number<T>(
    range: RangeInclusive<T>,
    explain: &'static str,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: Clone + FromStr + PartialOrd + Send + Sync + 'static,
{
    move |text| {
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| explain.to_owned())
    }
}

/// Whether it can be a username, or an id.
fn is_username(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether it can be a host, perhaps with its port.
pub(super) fn is_host(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c) || !c.is_ascii();
    !text.is_empty() && text.chars().all(|c| is_part(c) && !c.is_whitespace())
}

/// The application's id. What is typed instead may be its hash, which no message repeats.
#[derive(Clone)]
pub(super) struct ApiId;

impl TypedValueParser for ApiId {
    type Value = i32;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<i32, clap::Error> {
        let number = value.to_str().and_then(|text| text.trim().parse().ok());
        number
            .filter(|number| *number > 0)
            .ok_or_else(|| wrong_id(command, "--api-id, or TELEGRAM_API_ID,"))
    }
}

/// Says what the application's id is, of a place where something else is.
pub(super) fn wrong_id(command: &clap::Command, place: impl Display) -> clap::Error {
    let said = format!(
        "{place} wants a number, such as 12345: the api_id of my.telegram.org/apps, not the api_hash\n"
    );
    clap::Error::raw(ErrorKind::ValueValidation, said).with_cmd(command)
}

#[cfg(test)]
mod tests {
    use crate::args::Cli;

    #[test]
    fn whoever_types_a_wrong_value_is_told_what_is_good_with_an_example() {
        for (line, said) in [
            ("--account Work whoami", "such as work"),
            ("--account ../work whoami", "lower-case letters"),
            (
                "--server nowhere whoami",
                "the port is missing; an address is HOST:PORT, such as 127",
            ),
            ("--server 1.2.3.4:x whoami", "no number up to 65535"),
            ("--server 1.2.3.4:70000 whoami", "127.0.0.1:4430, or `production`"),
            ("--api-id x whoami", "wants a number, such as 12345"),
            ("--api-id -1 whoami", "wants a number, such as 12345"),
            ("--timeout x whoami", "seconds above 0, such as 30"),
            ("--timeout 0 whoami", "seconds above 0, such as 30"),
            ("--timeout 1.5 whoami", "seconds above 0, such as 30"),
            ("serve --listen 4430", "127.0.0.1:4430"),
            ("serve --control x", "127.0.0.1:4430"),
            ("serve --web x", "127.0.0.1:4430"),
            ("serve --dashboard x:", "127.0.0.1:4430"),
            ("serve --dcs 0", "from 1 to 255, such as 5"),
            ("serve --seed x", "above or equal to 0, such as 42"),
            ("serve --bot-domain ShopBot", "MyShopBot=localhost"),
            ("serve --bot-domain ShopBot=https://shop.example", "MyShopBot=localhost"),
            ("serve --bot-domain =localhost", "MyShopBot=localhost"),
            ("accounts use Work", "such as work"),
            ("accounts rename work w-", "such as work"),
            ("session show --format x", "possible values: chappe, gramjs"),
            ("session import --number 0", "from 1 on, such as 2"),
            ("session convert --to gramjs --number x", "from 1 on, such as 2"),
            ("session convert --to gramjs --user-id x", "above 0, such as 5097314184"),
            ("account devices reset 12x", "such as -81985529216486895; `chappe account devices`"),
            ("account devices confirm x", "such as -81985529216486895; `chappe account devices`"),
            ("account devices ttl 0", "from 1 to 366, such as 30"),
            ("account devices ttl week", "from 1 to 366, such as 30"),
            ("web show 12x", "such as -81985529216486895; `chappe web list`"),
            ("web reset 12x", "such as -81985529216486895; `chappe web list`"),
            ("web list --inactive-for 90", "45s, 30m, 12h, 90d or 2w"),
            ("web list --older-than 1y", "45s, 30m, 12h, 90d or 2w"),
            ("web watch --every 0s", "45s, 30m, 12h, 90d or 2w"),
            ("web list --bot @", "such as @ShopBot"),
            ("web list --domain https://shop.example/", "such as shop.example or '*.example'"),
            ("docs --layer x", "such as 230; known are 158, "),
            ("docs --layer -1", "such as 230; known are 158, "),
            ("docs --diff 198", "such as 198..230; known are 158, "),
            ("docs --diff 198..x", "such as 198..230; known are 158, "),
            ("docs --limit 0 --search x", "from 1 to 65535, such as 20"),
            ("docs user --lang cobol", "possible values: rust, js"),
            ("completions dos", "possible values: bash"),
        ] {
            let words = ["chappe"].into_iter().chain(line.split(' '));
            let error = Cli::read(words).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
            let text = error.to_string();
            assert!(text.contains(said), "{line}: {text}");
        }
    }

    #[test]
    fn a_hash_in_the_place_of_the_id_is_not_repeated() {
        let hash = "0123456789abcdef0123456789abcdef";
        let error = Cli::read(["chappe", "--api-id", hash, "whoami"]).unwrap_err().to_string();
        assert!(!error.contains(hash), "{error}");
    }
}
