//! What somebody has to know before the first call: the page `start`, in pieces.

/// A piece of the page.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece {
    /// What is typed into a shell.
    Shell(&'static str),
    /// A section begins: its anchor and its name.
    Section(&'static str, &'static str),
    /// Words, in paragraphs and marked up as those of `schema/docs`.
    Words(&'static str),
}

/// The name of the page.
pub(crate) const TITLE: &str = "Start";

/// What it is about in a sentence.
pub(crate) const ABOUT: &str =
    "What to know before the first call: keys, sessions, peers, numbers, errors.";

/// Where it is, from the root of the reference and without an ending.
pub(crate) const ADDRESS: &str = "start";

/// The page from top to bottom.
pub(crate) const PIECES: &[Piece] = &[
    Piece::Section("run", "Run an example"),
    Piece::Words(
        "Each method has a whole program in five languages. All of them take from the environment what \
         is yours: the id and the hash of your application, which my.telegram.org/apps gives, and the \
         session of an account.",
    ),
    Piece::Shell("export TELEGRAM_API_ID=12345 TELEGRAM_API_HASH=0123456789abcdef0123456789abcdef"),
    Piece::Words(
        "A session is what a sign-in leaves behind: a key that Telegram knows as the account's. Whoever \
         has it is the account, so keep it like a password. Sign in once, with `chappe login` (or \
         `chappe login --bot` for a bot), and the command line is ready. The programs in Rust read the \
         file `me.session` of the folder that they run in (`bot.session` for methods that only bots may \
         call); the others read `STRING_SESSION` (`BOT_STRING_SESSION`). One sign-in gives all of them:",
    ),
    Piece::Shell(
        "chappe login\n\
         # Rust\n\
         chappe session export --format chappe -o me.session\n\
         # JavaScript and TypeScript\n\
         export STRING_SESSION=\"$(chappe session export --format gramjs --reveal)\"\n\
         # Python\n\
         export STRING_SESSION=\"$(chappe session export --format telethon --reveal)\"",
    ),
    Piece::Words(
        "Never let two programs use one session at the same time: Telegram ends it with \
         `AUTH_KEY_DUPLICATED`. To try things out without Telegram, `chappe serve` runs a local one.",
    ),
    Piece::Section("names", "Names"),
    Piece::Words(
        "The pages use the names of TL, Telegram's description of its API: `account.resetWebAuthorization` \
         with `hash`. In GramJS and teleproto it is `Api.account.ResetWebAuthorization`, and names of \
         parameters lose their underscores (`phoneNumber`); in Telethon \
         `functions.account.ResetWebAuthorizationRequest`; in Rust `account::ResetWebAuthorization`. The \
         search finds all of these, and ids such as `0x2d01b9ef`.\n\n\
         A method answers a type, such as `WebAuthorization`. A type has one constructor or several; which \
         one a value is says `_` in JSON, `className` in GramJS, the class in Telethon, the variant in Rust.",
    ),
    Piece::Section("peers", "Peers and access hashes"),
    Piece::Words(
        "A request names a user, group or channel by an `InputPeer`, `InputUser` or `InputChannel`: mostly \
         its id together with its `access_hash`. This hash is a number that Telegram gave this very account \
         with the user or channel; that of another account is refused (`PEER_ID_INVALID`, `CHANNEL_INVALID`, \
         `USER_ID_INVALID`). Every answer with users and chats brings it, in `user` and `channel`: \
         `messages.getDialogs` for those whom the account writes with, `contacts.resolveUsername` for a \
         username, `contacts.getContacts`, `channels.getParticipants`, any message.\n\n\
         Without a hash go `inputPeerSelf`, which is yourself and Saved Messages, and `inputPeerChat`, a \
         basic group. A bot may send 0 for users who wrote to it. A user or channel with the flag `min` \
         brings a hash that is good for little: name it by the message where it was seen, with \
         `inputPeerUserFromMessage`.\n\n\
         GramJS, teleproto and Telethon ask for the hash themselves: where an example names a peer, they \
         take a username, too, as in `peer: \"username\"`. Rust and the command line send what they are given.\n\n\
         The Bot API writes other ids: -100 in front of a channel's, a minus before that of a basic group. \
         Take that away.",
    ),
    Piece::Section("values", "Numbers, flags, lists"),
    Piece::Words(
        "A `long` has 64 bits, more than a number of JavaScript or of many JSON readers holds. TL-JSON \
         writes it as a string, GramJS takes what `big-integer` makes. `bytes` are base64 in TL-JSON. Times \
         are Unix time in seconds.\n\n\
         Optional parameters have a bit in `flags`, which libraries set by themselves; one of the type \
         `true` is nothing but its bit.\n\n\
         Where a list has a parameter `hash`, send 0, or the number that tells which list you hold: an \
         unchanged one is answered by a constructor that ends in `NotModified`, and costs nothing. \
         `random_id` is a number of your own that makes a repeated request harmless. Long lists come in \
         pages: `offset_id` and the like say where the last one ended.",
    ),
    Piece::Section("updates", "Updates"),
    Piece::Words(
        "What changes something often answers `Updates`: the same events that other devices of the account \
         get by themselves, such as `updateNewMessage`. Events that count have a number (`pts`, `qts`, \
         `seq`). Whoever misses one fetches it with `updates.getDifference`, and in a channel with \
         `updates.getChannelDifference`.",
    ),
    Piece::Section("errors", "Errors"),
    Piece::Words(
        "An error has a code and a name. The code is a class: 303 another data centre, 400 a request that \
         cannot be done, 401 not signed in, 403 not allowed, 406 nothing to show to the person, 420 too \
         fast, 500 a failure of Telegram. Go by the name, as some come with one code here and another one \
         there. A number in a name stands as `X` in this reference: `FLOOD_WAIT_42` is `FLOOD_WAIT_X`, and \
         42 are the seconds to wait.\n\n\
         The tables say what each means for a method, and whether to send the request again. They hold what \
         is known; Telegram publishes no whole list.",
    ),
    Piece::Section("layers", "Layers"),
    Piece::Words(
        "A layer is a version of the API. A client says which one it speaks with `invokeWithLayer`, and \
         Telegram answers in it for years. Each page says since which layer a thing is there and what \
         changed; a package of JavaScript or Python may be some layers behind.",
    ),
    Piece::Section("programs", "For programs"),
    Piece::Words(
        "Each page is there as Markdown and JSON, too, under the same name with `.md` and `.json`. \
         `llms.txt` says what there is, `index.json` has all names, `layers/feed.xml` tells of new layers. \
         `chappe docs` shows the same pages in a terminal, and `chappe docs --open` in a browser without a \
         network.",
    ),
];

/// What the errors with a code have in common, in the words of the page; `None` for a code that it does not
/// name.
#[must_use]
pub fn code_class(code: i32) -> Option<&'static str> {
    CLASSES.iter().find(|(it, _)| *it == code).map(|(_, class)| *class)
}

/// The codes of errors. What is below zero is of the transport or of a server behind the one that is asked.
const CLASSES: &[(i32, &str)] = &[
    (303, "another data centre"),
    (400, "a request that cannot be done"),
    (401, "not signed in"),
    (403, "not allowed"),
    (406, "nothing to show to the person"),
    (420, "too fast"),
    (500, "a failure of Telegram"),
];

/// The sections: their anchors, their names, what is in them.
pub(crate) fn sections() -> impl Iterator<Item = (&'static str, &'static str, &'static [Piece])> {
    let is_begin = |piece: &Piece| matches!(piece, Piece::Section(..));
    PIECES.iter().enumerate().filter_map(move |(place, piece)| {
        let Piece::Section(anchor, title) = piece else { return None };
        let rest = PIECES.get(place + 1..).unwrap_or_default();
        let end = rest.iter().position(is_begin).unwrap_or(rest.len());
        Some((*anchor, *title, rest.get(..end).unwrap_or_default()))
    })
}

/// The name of the page and those of its sections.
pub(crate) fn titles() -> impl Iterator<Item = &'static str> {
    std::iter::once(TITLE).chain(sections().map(|(_, title, _)| title))
}

/// The anchor of a section by its name.
pub(crate) fn anchor(title: &str) -> Option<&'static str> {
    sections().find(|(_, it, _)| *it == title).map(|(anchor, ..)| anchor)
}

/// What a section is about: its first sentence; of the page's name, what the page is about.
pub(crate) fn summary(title: &str) -> Option<&'static str> {
    if title == TITLE {
        return Some(ABOUT);
    }
    let (_, _, pieces) = sections().find(|(_, it, _)| *it == title)?;
    let words = pieces.iter().find_map(|piece| match piece {
        Piece::Words(words) => Some(*words),
        Piece::Section(..) | Piece::Shell(_) => None,
    })?;
    Some(words.split_once(". ").map_or(words, |(first, _)| first))
}

#[cfg(test)]
mod tests {
    use chappe_schema::words::{Span, paragraphs};

    use super::{CLASSES, PIECES, Piece};
    use crate::Reference;

    #[test]
    fn classes_of_errors_are_what_the_page_says() {
        let (_, _, pieces) = super::sections().find(|(anchor, ..)| *anchor == "errors").unwrap();
        let [Piece::Words(words)] = pieces else { panic!("{pieces:?}") };
        for (code, class) in CLASSES {
            assert!(words.contains(&format!("{code} {class}")), "{code}");
        }
        let mut codes: Vec<i32> = Reference::get().errors().iter().map(|it| it.code).collect();
        codes.retain(|code| *code > 0 && super::code_class(*code).is_none());
        assert_eq!(codes, [0; 0], "the page names them all");
    }

    #[test]
    fn the_names_on_the_page_are_those_of_the_schema() {
        // What looks like a name of the schema and is none of this layer's.
        const OTHERS: &[&str] = &["BOT_STRING_SESSION", "FLOOD_WAIT_42", "STRING_SESSION"];
        let mut links = 0;
        for piece in PIECES {
            let Piece::Words(words) = piece else { continue };
            for span in paragraphs(words, None).into_iter().flatten() {
                let code = match span {
                    Span::Code(code) => code,
                    Span::Name(..) => {
                        links += 1;
                        continue;
                    }
                    Span::Text(_) => continue,
                };
                let is_error =
                    code.len() > 1 && code.chars().all(|it| it.is_ascii_uppercase() || it == '_');
                let front = code.split_once('.').map(|(front, _)| front);
                let is_method = front.is_some_and(|it| Reference::get().namespace(it).is_some());
                assert!(OTHERS.contains(&code) || !is_error && !is_method, "`{code}` has no page");
            }
        }
        assert!(links > 20, "{links}");
    }
}
