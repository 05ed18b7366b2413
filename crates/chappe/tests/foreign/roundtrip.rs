//! What is written is read again, whatever the session says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use chappe::session::{
    Foreign, Format,
    foreign::{self, ForeignError},
};
use proptest::{collection::vec, option, prelude::*};

fn keys() -> impl Strategy<Value = [u8; 256]> {
    // Runs of zeros are what MTKruto packs.
    let byte = prop_oneof![3 => any::<u8>(), 1 => Just(0)];
    vec(byte, 256)
        .prop_map(|key| <[u8; 256]>::try_from(key).unwrap())
        .prop_filter("a key", |key| key.iter().any(|byte| *byte != 0))
}

fn addresses() -> impl Strategy<Value = String> {
    let port = 1_u16..;
    let v4 = any::<u32>().prop_map(|bits| IpAddr::from(Ipv4Addr::from_bits(bits)));
    let v6 = any::<u128>().prop_map(|bits| IpAddr::from(Ipv6Addr::from_bits(bits)));
    let numbers = (prop_oneof![v4, v6], port.clone())
        .prop_map(|(ip, port)| SocketAddr::new(ip, port).to_string());
    let names = ("[a-z0-9-]{1,20}(\\.[a-z]{2,8}){1,3}", port)
        .prop_map(|(name, port)| format!("{name}:{port}"));
    prop_oneof![3 => numbers, 1 => names]
}

pub(crate) fn sessions() -> impl Strategy<Value = Foreign> {
    let user = option::of((1..1_i64 << 53, any::<bool>()));
    let rest = (option::of(any::<bool>()), option::of(1_i32..));
    (1..=255_i32, keys(), option::of(addresses()), user, rest).prop_map(
        |(dc_id, key, address, user, (test, api_id))| {
            let mut session = Foreign::new(dc_id, key);
            session.address = address;
            (session.user_id, session.bot) = user.unzip();
            (session.test, session.api_id) = (test, api_id);
            session
        },
    )
}

/// What the format does not keep is not known of what is read.
fn as_kept(session: &Foreign, format: Format, older: bool) -> Foreign {
    let mut kept = session.clone();
    let knows_user = !matches!(format, Format::GramJs | Format::Telethon);
    let knows_user = knows_user && !(format == Format::MtKruto && older);
    if !knows_user {
        (kept.user_id, kept.bot) = (None, None);
    }
    if older || !matches!(format, Format::Pyrogram | Format::MtKruto) {
        kept.api_id = None;
    }
    if matches!(format, Format::Pyrogram | Format::MtKruto) {
        kept.address = None;
    }
    kept.test = Some(session.test.unwrap_or(false));
    kept
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(session in sessions(), older: bool) {
        for format in Format::ALL.into_iter().filter(|format| format.is_text()) {
            let written = match older {
                true => session.write_older(format),
                false => session.write(format),
            };
            let written = match written {
                Ok(written) => written,
                Err(ForeignError::Missing { .. } | ForeignError::Unwritable { .. }) => continue,
                Err(other) => panic!("{format}: {other}"),
            };
            prop_assert_eq!(foreign::guess(written.as_ref()), Some(format));
            let read = Foreign::read(format, written.as_ref()).unwrap();
            let mut kept = as_kept(&session, format, older);
            if !matches!(format, Format::Pyrogram | Format::MtKruto | Format::Mtcute) {
                kept.test = read.test;
            }
            if kept.address.is_none() || format == Format::Telethon {
                // Where Telegram's own are is said for the session that does not say it.
                kept.address.clone_from(&read.address);
            }
            prop_assert_eq!(&read, &kept);
            let again = match older {
                true => read.write_older(format),
                false => read.write(format),
            };
            let again = again.unwrap();
            prop_assert_eq!(again.as_ref(), written.as_ref());
        }
    }

    #[test]
    fn a_session_goes_from_format_to_format(session in sessions()) {
        let formats = Format::ALL.into_iter().filter(|format| format.is_text());
        for (from, to) in formats.clone().flat_map(|from| formats.clone().map(move |to| (from, to))) {
            let Ok(first) = session.write_older(from) else { continue };
            let read = Foreign::read(from, first.as_ref()).unwrap();
            let Ok(second) = read.write_older(to) else { continue };
            let last = Foreign::read(to, second.as_ref()).unwrap();
            prop_assert_eq!(last.dc_id(), session.dc_id());
            prop_assert_eq!(last.key(last.dc_id()), session.key(session.dc_id()));
            prop_assert!(last.user_id.is_none() || last.user_id == session.user_id);
            prop_assert!(last.bot.is_none() || last.bot == session.bot);
        }
    }

    #[test]
    fn any_text_is_refused_or_read(text in "[1-3]?[A-Za-z0-9+/_=-]{0,400}") {
        for format in Format::ALL {
            if let Ok(session) = Foreign::read(format, text.as_bytes()) {
                prop_assert!(session.key(session.dc_id()).is_some());
            }
        }
        foreign::guess(text.as_bytes());
    }
}
