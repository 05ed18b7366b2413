//! The address book: where each data centre can be reached, and in which order to try.
//!
//! See core.telegram.org/api/datacenter and core.telegram.org/constructor/dcOption.

use std::{
    collections::{BTreeSet, HashSet},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{api::types, error::Error};

/// One address of one data centre.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DcOption {
    /// The number of the data centre; accounts live at 1 to 5.
    pub dc_id: i32,
    /// The address, as `host:port`.
    pub address: String,
    /// Whether it is an IPv6 address.
    pub ipv6: bool,
    /// Whether only files are transferred there.
    pub media_only: bool,
    /// Whether it is spoken to in obfuscated form only.
    pub tcpo_only: bool,
    /// Whether it holds copies of public files only.
    pub cdn: bool,
    /// Whether it does not change, so that it can stand in a list of what a firewall lets pass.
    pub is_static: bool,
    /// Whether no other port of the same host is to be tried.
    pub this_port_only: bool,
    /// Whether it wants a secret of its own, as a proxy does. Such an address is not dialled.
    pub secret: bool,
}

impl DcOption {
    pub(crate) fn new(dc_id: i32, address: impl Into<String>) -> Self {
        let address = address.into();
        Self {
            dc_id,
            ipv6: address.starts_with('['),
            address,
            media_only: false,
            tcpo_only: false,
            cdn: false,
            is_static: false,
            this_port_only: false,
            secret: false,
        }
    }

    /// What a server says; `None` if that cannot be dialled.
    fn read(option: &types::DcOption) -> Option<Self> {
        let port = u16::try_from(option.port).ok().filter(|port| *port != 0)?;
        let ip: IpAddr = option.ip_address.parse().ok()?;
        Some(Self {
            media_only: option.media_only,
            tcpo_only: option.tcpo_only,
            cdn: option.cdn,
            is_static: option.r#static,
            this_port_only: option.this_port_only,
            secret: option.secret.is_some(),
            ..Self::new(option.id, std::net::SocketAddr::new(ip, port).to_string())
        })
    }

    /// The same host at Telegram's other ports, if this is one of them.
    fn other_ports(&self) -> impl Iterator<Item = Self> + '_ {
        let host = self.address.rsplit_once(':').filter(|(_, port)| PORTS.contains(port));
        let host = host.filter(|_| !self.this_port_only).map(|(host, _)| host);
        host.into_iter().flat_map(move |host| {
            let addresses = PORTS.iter().map(move |port| format!("{host}:{port}"));
            addresses.map(|address| Self { address, ..self.clone() })
        })
    }
}

/// Whether addresses of IPv6 are dialled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ipv6 {
    /// After those of IPv4. The default.
    #[default]
    Allow,
    /// Never.
    Avoid,
    /// Before those of IPv4.
    Prefer,
}

impl From<bool> for Ipv6 {
    /// `true` allows them, `false` avoids them.
    fn from(allowed: bool) -> Self {
        if allowed { Self::Allow } else { Self::Avoid }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// Calls, and at home the updates.
    Main,
    /// Files.
    Media,
}

/// Where each data centre can be reached.
#[derive(Debug)]
pub(crate) struct AddressBook {
    ipv6: Ipv6,
    obfuscated: bool,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    /// What the program says: there no other address is tried.
    given: Vec<DcOption>,
    /// What the session says.
    remembered: Vec<DcOption>,
    learned: Vec<DcOption>,
    built_in: Vec<DcOption>,
    /// Addresses that failed when they were tried last: others come first.
    doubtful: HashSet<String>,
}

impl AddressBook {
    pub(crate) fn new(
        ipv6: Ipv6,
        obfuscated: bool,
        given: Vec<DcOption>,
        remembered: Vec<DcOption>,
        built_in: Vec<DcOption>,
    ) -> Self {
        let pages = Pages { given, remembered, built_in, ..Pages::default() };
        Self { ipv6, obfuscated, pages: Mutex::new(pages) }
    }

    /// Replaces what was learned before.
    pub(crate) fn learn(&self, options: &[types::DcOption]) {
        let mut learned: Vec<_> =
            options.iter().take(MOST_OPTIONS).filter_map(DcOption::read).collect();
        let mut dcs = BTreeSet::new();
        learned.retain(|option| {
            dcs.contains(&option.dc_id) || dcs.len() < MOST_DCS && dcs.insert(option.dc_id)
        });
        tracing::debug!(options = learned.len(), dcs = dcs.len(), "addresses learned");
        self.lock().learned = learned;
    }

    /// All that is known: what was given, what the session remembers, what was learned, what is
    /// built in.
    pub(crate) fn options(&self) -> Vec<DcOption> {
        let pages = self.lock();
        let known = pages.given.iter().chain(&pages.remembered);
        let known = known.chain(&pages.learned).chain(&pages.built_in);
        let mut seen = HashSet::new();
        known
            .filter(|option| seen.insert((option.dc_id, option.address.clone())))
            .cloned()
            .collect()
    }

    /// Where to dial for such a connection, in the order of trying; empty for a data centre that
    /// is not known. An address that the program gave goes without others: a proxy or a test
    /// stands there on purpose.
    pub(crate) fn candidates(&self, dc_id: i32, kind: Kind) -> Vec<DcOption> {
        let mut options = self.options();
        let pages = self.lock();
        let is_given = pages.given.iter().any(|option| option.dc_id == dc_id);
        options.retain(|option| {
            let carries = kind == Kind::Media || !option.media_only;
            let speaks = !option.secret && (self.obfuscated || !option.tcpo_only);
            let family = self.ipv6 != Ipv6::Avoid || !option.ipv6;
            let usable = carries && speaks && family && !option.cdn;
            let wanted = if is_given { pages.given.contains(option) } else { usable };
            option.dc_id == dc_id && wanted
        });
        if !is_given {
            let others: Vec<_> = options.iter().flat_map(DcOption::other_ports).collect();
            options.extend(others);
        }
        let mut seen = HashSet::new();
        options.retain(|option| seen.insert(option.address.clone()));
        options.sort_by_key(|option| {
            let doubtful = pages.doubtful.contains(&option.address);
            let general = kind == Kind::Media && !option.media_only;
            let wrong_family = option.ipv6 != (self.ipv6 == Ipv6::Prefer);
            (doubtful, general, wrong_family)
        });
        options
    }

    /// Tries others before this address next time.
    pub(crate) fn doubt(&self, address: &str) {
        let mut pages = self.lock();
        if pages.doubtful.len() >= MOST_OPTIONS {
            pages.doubtful.clear();
        }
        pages.doubtful.insert(address.to_owned());
    }

    /// Takes a doubt back.
    pub(crate) fn trust(&self, address: &str) {
        self.lock().doubtful.remove(address);
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The addresses of Telegram's own data centres.
/// Observed: the built-in tables of TDLib and other clients agree on these.
pub(crate) fn built_in(test: bool) -> Vec<DcOption> {
    let hosts: &[&str] = if test { &TEST } else { &PRODUCTION };
    let hosts = hosts.iter().map(|host| format!("{host}:443"));
    // The tables are by number: IPv4 first, then IPv6 in the same order.
    let count = if test { TEST_DCS } else { PRODUCTION_DCS };
    (1..=count).cycle().zip(hosts).map(|(dc_id, address)| DcOption::new(dc_id, address)).collect()
}

/// Whether an address is of Telegram's test servers; `None` if it is none of those that are
/// built in.
pub(crate) fn is_test(host: &str) -> Option<bool> {
    let is_in = |hosts: &[&str]| {
        let ip: Option<IpAddr> = host.parse().ok();
        let known = hosts.iter().map(|host| host.trim_matches(['[', ']']).parse().ok());
        ip.is_some() && known.into_iter().any(|known| known == ip)
    };
    if is_in(&PRODUCTION) {
        return Some(false);
    }
    is_in(&TEST).then_some(true)
}

/// How long what a server says is good.
pub(crate) fn validity(config: &types::Config) -> Duration {
    let seconds = config.expires.saturating_sub(config.date);
    let validity = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    validity.clamp(SHORTEST_VALIDITY, LONGEST_VALIDITY)
}

/// Says whether Telegram has such a data centre.
pub(crate) fn check(dc_id: i32, test: bool) -> Result<(), Error> {
    match test {
        false if (1..=PRODUCTION_DCS).contains(&dc_id) => Ok(()),
        true if (1..=TEST_DCS).contains(&dc_id) => Ok(()),
        false => Err(Error::Invalid("data centres are numbered from 1 to 5")),
        true => Err(Error::Invalid("test data centres are numbered from 1 to 3")),
    }
}

const PRODUCTION_DCS: i32 = 5;
const PRODUCTION: [&str; 10] = [
    "149.154.175.50",
    "149.154.167.51",
    "149.154.175.100",
    "149.154.167.91",
    "149.154.171.5",
    "[2001:b28:f23d:f001::a]",
    "[2001:67c:4e8:f002::a]",
    "[2001:b28:f23d:f003::a]",
    "[2001:67c:4e8:f004::a]",
    "[2001:b28:f23f:f005::a]",
];
const TEST_DCS: i32 = 3;
const TEST: [&str; 6] = [
    "149.154.175.10",
    "149.154.167.40",
    "149.154.175.117",
    "[2001:b28:f23d:f001::e]",
    "[2001:67c:4e8:f002::e]",
    "[2001:b28:f23d:f003::e]",
];
/// The ports that Telegram's servers listen on.
const PORTS: [&str; 3] = ["443", "80", "5222"];
/// Addresses that are kept of what a server says.
const MOST_OPTIONS: usize = 128;
/// Data centres that are kept of what a server says.
const MOST_DCS: usize = 16;
/// What a server says is good for this long at least.
const SHORTEST_VALIDITY: Duration = Duration::from_secs(60);
/// And for this long at most.
const LONGEST_VALIDITY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn book(ipv6: Ipv6, obfuscated: bool, given: &[&str]) -> AddressBook {
        let given = given.iter().map(|address| DcOption::new(2, *address)).collect();
        AddressBook::new(ipv6, obfuscated, given, vec![], vec![])
    }

    fn addresses(book: &AddressBook, dc_id: i32, kind: Kind) -> Vec<String> {
        book.candidates(dc_id, kind).into_iter().map(|option| option.address).collect()
    }

    fn local(option: types::DcOption) -> types::DcOption {
        types::DcOption { this_port_only: true, ..option }
    }

    #[test]
    fn every_data_centre_of_telegram_has_two_addresses() {
        for (test, count) in [(false, 5), (true, 3)] {
            let book = AddressBook::new(Ipv6::Allow, false, vec![], vec![], built_in(test));
            for dc_id in 1..=count {
                let found = addresses(&book, dc_id, Kind::Main);
                assert_eq!(found.len(), 6, "{found:?}");
                assert!(found[0].ends_with(":443") && !found[0].starts_with('['), "{found:?}");
                assert!(found.iter().any(|address| address.starts_with("[2001:")));
                assert!(check(dc_id, test).is_ok());
            }
            assert!(addresses(&book, count + 1, Kind::Main).is_empty());
            assert!(check(count + 1, test).is_err() && check(0, test).is_err());
        }
        let two = AddressBook::new(Ipv6::Avoid, false, vec![], vec![], built_in(false));
        let two = addresses(&two, 2, Kind::Main);
        let ports: Vec<_> = two.iter().filter_map(|address| address.rsplit_once(':')).collect();
        assert_eq!(ports.iter().map(|(_, port)| *port).collect::<Vec<_>>(), PORTS);
        assert!(ports.iter().all(|(host, _)| *host == PRODUCTION[1]));
    }

    #[test]
    fn flags_say_who_may_dial_an_address() {
        let option = |port| local(types::DcOption::new(4, "127.0.0.4", port));
        let learned = vec![
            types::DcOption { cdn: true, ..option(1) },
            types::DcOption { tcpo_only: true, ..option(2) },
            types::DcOption { secret: Some(vec![1].into()), ..option(3) },
            types::DcOption { media_only: true, ..option(4) },
            option(5),
            types::DcOption { ipv6: true, ip_address: "::1".into(), ..option(6) },
            option(0),
            types::DcOption { ip_address: "four.example".into(), ..option(7) },
        ];
        let plain = book(Ipv6::Allow, false, &[]);
        plain.learn(&learned);
        assert_eq!(plain.options().len(), 6);
        assert_eq!(addresses(&plain, 4, Kind::Main), ["127.0.0.4:5", "[::1]:6"]);
        assert_eq!(addresses(&plain, 4, Kind::Media), ["127.0.0.4:4", "127.0.0.4:5", "[::1]:6"]);
        assert!(addresses(&plain, 2, Kind::Main).is_empty());

        let hidden = book(Ipv6::Prefer, true, &[]);
        hidden.learn(&learned);
        assert_eq!(addresses(&hidden, 4, Kind::Main), ["[::1]:6", "127.0.0.4:2", "127.0.0.4:5"]);
        let old = book(Ipv6::Avoid, false, &["[::2]:7"]);
        old.learn(&learned);
        assert_eq!(addresses(&old, 4, Kind::Main), ["127.0.0.4:5"]);
        assert_eq!(addresses(&old, 2, Kind::Main), ["[::2]:7"]);
    }

    #[test]
    fn an_address_that_failed_is_tried_last_until_it_works() {
        let remembered = vec![DcOption::new(2, "one:1"), DcOption::new(2, "two:2")];
        let book = AddressBook::new(Ipv6::Allow, false, vec![], remembered, vec![]);
        book.learn(&[local(types::DcOption::new(2, "127.0.0.1", 3))]);
        assert_eq!(addresses(&book, 2, Kind::Main), ["one:1", "two:2", "127.0.0.1:3"]);
        book.doubt("one:1");
        assert_eq!(addresses(&book, 2, Kind::Main), ["two:2", "127.0.0.1:3", "one:1"]);
        book.trust("one:1");
        assert_eq!(addresses(&book, 2, Kind::Main), ["one:1", "two:2", "127.0.0.1:3"]);
    }

    #[test]
    fn an_address_that_the_program_gave_goes_without_others() {
        let book = book(Ipv6::Allow, false, &["proxy:443"]);
        let learned = [2, 4].map(|dc_id| local(types::DcOption::new(dc_id, "127.0.0.1", dc_id)));
        book.learn(&learned);
        for kind in [Kind::Main, Kind::Media] {
            assert_eq!(addresses(&book, 2, kind), ["proxy:443"]);
            assert_eq!(addresses(&book, 4, kind), ["127.0.0.1:4"]);
        }
        assert_eq!(book.options().len(), 3);
    }

    #[test]
    fn what_a_server_says_is_bounded_and_replaced() {
        let book = book(Ipv6::Allow, false, &[]);
        let many: Vec<_> =
            (1..=1_000).map(|dc| local(types::DcOption::new(dc, "127.0.0.1", 443))).collect();
        book.learn(&many);
        let dcs: BTreeSet<_> = book.options().iter().map(|option| option.dc_id).collect();
        assert_eq!(dcs.len(), MOST_DCS);
        book.learn(&[]);
        assert!(book.options().is_empty());
    }
}
