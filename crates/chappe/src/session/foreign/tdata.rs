//! The folder `tdata` of Telegram Desktop.
//!
//! Of its files these are read and written; NAME is of an account, see [`account_name`]:
//!
//! | file | what |
//! |---|---|
//! | `key_datas` | the salt, the local key sealed with the key of the passcode, and sealed with the local key which accounts there are, and which of them is open |
//! | `NAMEs` | who is signed in, the home data centre and the auth keys, sealed with the local key |
//! | `NAME/config` + `s` | the environment (production or test) and the data centres, sealed |
//! | `NAME/maps` | which other files there are, sealed; not read, and written empty |
//!
//! Each file is `TDF$`, the version of the program (4 bytes, little endian), the content, and
//! the MD5 of content, its length (4, little endian), version and `TDF$`. The content is byte
//! arrays, each its length (4 bytes, big endian; all ones for none) and its bytes. Sealing is
//! described in [`chappe_crypto::local`]. Numbers inside are big endian.
//!
//! Telegram Desktop keeps the newest of a file under the name with an `s` behind it; under `0` and `1`
//! are those of versions before 1.9. Folders of before 2.0, without `key_datas`, are not read.
//!
//! Observed: the sources of Telegram Desktop 2.9 to 5.8 (`storage/storage_domain.cpp`,
//! `main/main_account.cpp`, `mtproto/mtproto_config.cpp`); what `@mtcute/convert` 0.29.7 wrote is
//! read, and what is written here was read by it and by opentele 1.15.1.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use chappe_crypto::{
    AuthKey,
    local::{open, passcode_key, seal},
};
use md5::{Digest, Md5};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use super::{
    Buffer, Flaw, Foreign, ForeignError, Format, address, fields::Fields, load::read_whole,
};
use crate::{builder::entropy, dc};

/// Reads the accounts of Telegram Desktop in a folder `tdata`, or one that has it inside: the one
/// that is open first. Nothing is changed in it.
///
/// # Errors
/// [`ForeignError::Passcode`] if the folder is locked with a local passcode, and this is not it;
/// what is wrong with the files, or keeps them from being read.
pub fn read_tdata(
    folder: impl AsRef<Path>,
    passcode: Option<&str>,
) -> Result<Vec<Foreign>, ForeignError> {
    let folder = folder.as_ref();
    let inside = folder.join(TDATA);
    let has_keys = |folder: &Path| {
        SUFFIXES.iter().any(|suffix| folder.join(format!("{KEY_DATA}{suffix}")).is_file())
    };
    let folder = if !has_keys(folder) && has_keys(&inside) { &inside } else { folder };

    let content = read_file(folder, KEY_DATA)?.ok_or_else(|| {
        let text =
            format!("{} has no {KEY_DATA}s in it: it is no folder {TDATA}", folder.display());
        ForeignError::Io(io::Error::new(io::ErrorKind::NotFound, text))
    })?;
    let (local_key, accounts) = read_keys(&content, passcode.unwrap_or_default().as_bytes())?;
    let mut found = Vec::new();
    for index in accounts {
        let name = account_name(index);
        // Telegram Desktop goes without an account whose file is not there.
        let Some(content) = read_file(folder, &name)? else { continue };
        let opened = opened(&content, &local_key)?;
        let Some(mut session) = read_account(Fields(&opened)).map_err(flawed)? else { continue };
        let config = read_file(&folder.join(name), CONFIG)?;
        session.test = Some(false);
        if let Some(config) = config {
            let opened = self::opened(&config, &local_key)?;
            read_config(Fields(&opened), &mut session).map_err(flawed)?;
        }
        found.push(session);
    }
    if found.is_empty() {
        return Err(flawed(Flaw::NoKey));
    }
    Ok(found)
}

/// Writes a folder for Telegram Desktop, for a program that is not running: its name must be
/// `tdata`, and the first account is the one that opens. It must not be there yet, or be empty.
///
/// Without a passcode whoever has the folder has the accounts.
///
/// # Errors
/// [`ForeignError::Missing`] if it is not known who is signed in, [`ForeignError::Unwritable`]
/// for bots, for no account and for too many; what keeps the files from being written.
pub fn write_tdata(
    folder: impl AsRef<Path>,
    accounts: &[Foreign],
    passcode: Option<&str>,
) -> Result<(), ForeignError> {
    let folder = folder.as_ref();
    let failed = |error| failed(folder, "written", error);
    if accounts.is_empty() || accounts.len() > MOST_ACCOUNTS {
        return Err(unwritable("Telegram Desktop has room for one to six accounts"));
    }
    let mut random = entropy()
        .map(ChaCha20Rng::from_seed)
        .map_err(|_| failed(io::Error::other("the operating system gives no random bytes")))?;
    let mut key = Zeroizing::new([0; 256]);
    random.fill_bytes(&mut *key);
    let key = AuthKey::from_bytes(*key);

    let mut files = Vec::new();
    for (index, session) in (0..).zip(accounts) {
        let name = PathBuf::from(account_name(index));
        let account = write_account(session)?;
        let config = array(&write_config(session)?)?;
        files.push((name.join(MAP), content(&[&[], &[]], &[], &key, &mut random)?));
        files.push((name.join(CONFIG), content(&[], &config, &key, &mut random)?));
        files.push((name, content(&[], &account, &key, &mut random)?));
    }
    let mut salt = [0; SALT];
    random.fill_bytes(&mut salt);
    let passcode = passcode_key(passcode.unwrap_or_default().as_bytes(), &salt);
    let locked = sealed(key.as_bytes(), &passcode, &mut random)?;
    let mut info = Vec::new();
    // How many accounts there are, their numbers, and the one that is open.
    let count = u32::try_from(accounts.len()).unwrap_or(0);
    for number in [count].into_iter().chain(0..count).chain([0]) {
        info.extend_from_slice(&number.to_be_bytes());
    }
    // It comes last: without it there is nothing.
    files.push((KEY_DATA.into(), content(&[&salt, &locked], &info, &key, &mut random)?));

    create_folder(folder).map_err(failed)?;
    if fs::read_dir(folder).map_err(failed)?.next().is_some() {
        return Err(failed(io::Error::other("there is something in it; name another folder")));
    }
    for (name, content) in files {
        let path = folder.join(name);
        if let Some(folder) = path.parent() {
            create_folder(folder).map_err(failed)?;
        }
        write_file(&path, &content).map_err(failed)?;
    }
    Ok(())
}

/// The local key, and the numbers of the accounts: the one that is open first.
fn read_keys(content: &[u8], passcode: &[u8]) -> Result<(AuthKey, Vec<u32>), ForeignError> {
    let mut fields = Fields(content);
    let mut array = || read_array(&mut fields).map_err(flawed);
    let (salt, locked, info) = (array()?, array()?, array()?);
    if salt.len() != SALT {
        return Err(flawed(Flaw::length(salt.len(), "a salt of 32 bytes")));
    }
    let key = match open(&passcode_key(passcode, salt), locked) {
        Ok(key) => key,
        Err(chappe_crypto::Error::MessageKey) => return Err(ForeignError::Passcode),
        Err(_) => return Err(flawed(Flaw::Field("its local key has an impossible length"))),
    };
    if key.len() != 256 {
        return Err(flawed(Flaw::length(key.len(), "a local key of 256 bytes")));
    }
    let key = Fields(&key).key().map_err(flawed)?;
    let key = AuthKey::from_bytes(*key);
    let info = open(&key, info).map_err(|_| flawed(Flaw::Checksum))?;
    Ok((key, read_info(Fields(&info)).map_err(flawed)?))
}

fn read_info(mut fields: Fields<'_>) -> Result<Vec<u32>, Flaw> {
    let count = u32::from_be_bytes(fields.take()?);
    let count = usize::try_from(count).ok().filter(|count| (1..=MOST_READ).contains(count));
    let mut accounts = Vec::new();
    for _ in 0..count.ok_or(Flaw::Field("the number of its accounts is none"))? {
        accounts.push(u32::from_be_bytes(fields.take()?));
    }
    if let Ok(active) = fields.take().map(u32::from_be_bytes)
        && let Some(at) = accounts.iter().position(|account| *account == active)
    {
        let open = accounts.remove(at);
        accounts.insert(0, open);
    }
    let numbers: BTreeSet<_> = accounts.iter().collect();
    let highest = numbers.last().and_then(|highest| usize::try_from(**highest).ok());
    if numbers.len() != accounts.len() || highest.is_none_or(|highest| highest >= MOST_READ) {
        return Err(Flaw::Field("the numbers of its accounts are none"));
    }
    Ok(accounts)
}

/// `None` if nobody is signed in.
fn read_account(mut fields: Fields<'_>) -> Result<Option<Foreign>, Flaw> {
    if u32::from_be_bytes(fields.take()?) != AUTHORIZATION {
        return Err(Flaw::Field("its keys stand behind something else"));
    }
    let mut fields = Fields(read_array(&mut fields)?);
    let (user_id, home) = match fields.take::<8>()? {
        WIDE => (u64::from_be_bytes(fields.take()?), i32::from_be_bytes(fields.take()?)),
        [a, b, c, d, home @ ..] => {
            (u64::from(u32::from_be_bytes([a, b, c, d])), i32::from_be_bytes(home))
        }
    };
    if user_id == 0 {
        return Ok(None);
    }
    let mut session: Option<Foreign> = None;
    let mut others = Vec::new();
    for _ in 0..u32::from_be_bytes(fields.take()?) {
        let dc_id = i32::from_be_bytes(fields.take()?);
        let key = fields.key()?;
        // Longer numbers are temporary data centres.
        if !(1..=MOST_DC).contains(&dc_id) {
            continue;
        }
        if dc_id == home {
            session = Some(Foreign::checked(dc_id, &key)?);
        } else if others.len() < MOST_READ {
            others.push((dc_id, key));
        }
    }
    // What follows are keys that are to be given up.
    let mut session = session.ok_or(Flaw::NoKey)?;
    for (dc_id, key) in others {
        session.set_key(dc_id, *key);
    }
    // Telegram Desktop signs in people only.
    session.set_user(user_id, false)?;
    Ok(Some(session))
}

fn write_account(session: &Foreign) -> Result<Buffer, ForeignError> {
    let (user_id, bot) = session.user(Format::Tdata)?;
    if bot {
        return Err(unwritable("Telegram Desktop signs in people, and this is a bot"));
    }
    session.home_key(Format::Tdata)?;
    if session.dc_ids().any(|dc_id| !(1..=MOST_DC).contains(&dc_id)) {
        return Err(unwritable("the number of one of its data centres is none"));
    }
    let mut inside = Zeroizing::new(Vec::with_capacity(32 + 260 * session.keys.len()));
    inside.extend_from_slice(&WIDE);
    inside.extend_from_slice(&user_id.to_be_bytes());
    inside.extend_from_slice(&session.dc_id.to_be_bytes());
    let count = u32::try_from(session.keys.len()).unwrap_or(u32::MAX);
    inside.extend_from_slice(&count.to_be_bytes());
    for (dc_id, key) in &session.keys {
        inside.extend_from_slice(&dc_id.to_be_bytes());
        inside.extend_from_slice(key.as_bytes());
    }
    // No keys to give up.
    inside.extend_from_slice(&[0; 4]);
    let mut out = Zeroizing::new(Vec::with_capacity(8 + inside.len()));
    out.extend_from_slice(&AUTHORIZATION.to_be_bytes());
    out.extend_from_slice(&array(&inside)?);
    Ok(out)
}

/// Whether it is for the test servers, and where the home is.
fn read_config(mut fields: Fields<'_>, session: &mut Foreign) -> Result<(), Flaw> {
    let mut fields = Fields(read_array(&mut fields)?);
    if u32::from_be_bytes(fields.take()?) != CONFIG_VERSION {
        return Err(Flaw::Field("the version of its settings is not known"));
    }
    let test = fields.take().map(u32::from_be_bytes)?;
    if test > 1 {
        return Err(Flaw::Field("it does not say whether it is for tests"));
    }
    let mut fields = Fields(read_array(&mut fields)?);
    let version = i32::from_be_bytes(fields.take()?);
    // The first layout began with the number of options.
    let count = if version < 0 { i32::from_be_bytes(fields.take()?) } else { version };
    for _ in 0..count {
        let dc_id = i32::from_be_bytes(fields.take()?);
        let flags = u32::from_be_bytes(fields.take()?);
        let port = u32::from_be_bytes(fields.take()?);
        let host = read_array(&mut fields)?;
        if version < 0 {
            read_array(&mut fields)?;
        }
        let host = std::str::from_utf8(host).map_err(|_| Flaw::Address)?;
        let port = u16::try_from(port).map_err(|_| Flaw::Address)?;
        let dialled = flags & !STATIC == 0;
        if dc_id == session.dc_id && dialled && session.address.is_none() {
            session.address = Some(address::join(host, port)?);
        }
    }
    session.test = Some(test == 1);
    Ok(())
}

/// What Telegram Desktop begins with, and the server's address if it is not one of Telegram's.
fn write_config(session: &Foreign) -> Result<Vec<u8>, ForeignError> {
    let test = session.test.unwrap_or(false);
    let mut options = dc::built_in(test);
    options.retain(|option| !option.ipv6);
    if let Some(address) = session.address.as_deref().filter(|_| session.is_of_own_server()) {
        options.retain(|option| option.dc_id != session.dc_id);
        options.push(dc::DcOption::new(session.dc_id, address));
    }
    let mut list = Vec::new();
    let number = |out: &mut Vec<u8>, number: i32| out.extend_from_slice(&number.to_be_bytes());
    number(&mut list, -2);
    number(&mut list, i32::try_from(options.len()).unwrap_or(0));
    for option in &options {
        let (host, port) = address::split(&option.address)
            .ok_or(unwritable("its address is no host with a port"))?;
        number(&mut list, option.dc_id);
        number(&mut list, 0);
        number(&mut list, port.into());
        list.extend_from_slice(&array(host.as_bytes())?);
        list.extend_from_slice(&array(&[])?);
    }
    // No keys of data centres for files.
    number(&mut list, 0);

    let mut out = Vec::new();
    out.extend_from_slice(&CONFIG_VERSION.to_be_bytes());
    number(&mut out, test.into());
    out.extend_from_slice(&array(&list)?);
    for value in LIMITS {
        number(&mut out, value);
    }
    out.extend_from_slice(&text("https://t.me/")?);
    for value in TIMES {
        number(&mut out, value);
    }
    number(&mut out, if test { 2 } else { 4 });
    out.extend_from_slice(&text(if test { "tapv3.stel.com" } else { "apv3.stel.com" })?);
    for value in [1, 0, 1024] {
        number(&mut out, value);
    }
    Ok(out)
}

/// A file's name without its suffix: of the MD5 of `data`, or `data#2` for the second account and
/// so on, eight bytes in hexadecimal, the lower digit of each first.
fn account_name(index: u32) -> String {
    let name = match index {
        0 => "data".to_owned(),
        index => format!("data#{}", index + 1),
    };
    let hash = Md5::digest(name.as_bytes());
    let digits = hash.iter().take(8).flat_map(|byte| [byte & 15, byte >> 4]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect::<String>().to_uppercase()
}

/// The content of a file, the newest that is whole; `None` if there is none.
fn read_file(folder: &Path, name: &str) -> Result<Option<Buffer>, ForeignError> {
    let mut paths = Vec::new();
    for suffix in SUFFIXES {
        let path = folder.join(format!("{name}{suffix}"));
        match fs::metadata(&path) {
            // A link may lead to something that never ends.
            Ok(found) if !found.is_file() => {
                let error = io::Error::other("it is no ordinary file");
                return Err(failed(&path, "read", error));
            }
            Ok(found) => paths.push((suffix != "s", found.modified().ok(), path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path, "read", error)),
        }
    }
    // The one with an `s` first, then the younger one.
    paths.sort_by(|one, other| (one.0, &other.1).cmp(&(other.0, &one.1)));
    let mut result = Ok(None);
    for (_, _, path) in paths {
        let file = read_whole(&path, LARGEST).map_err(|error| failed(&path, "read", error))?;
        match unwrap(file.ok_or(ForeignError::TooLarge)?) {
            Ok(content) => return Ok(Some(content)),
            Err(flaw) => result = result.and(Err(flawed(flaw))),
        }
    }
    result
}

/// Takes a content out of its file.
fn unwrap(file: Buffer) -> Result<Buffer, Flaw> {
    let mut fields = Fields(&file);
    if &fields.take()? != MAGIC {
        return Err(Flaw::Field("a file of it does not begin with TDF$"));
    }
    let version = fields.take()?;
    let (content, hash) = fields.0.split_last_chunk::<16>().ok_or(Flaw::TooShort)?;
    if checksum(content, version) != *hash {
        return Err(Flaw::Checksum);
    }
    Ok(Zeroizing::new(content.to_vec()))
}

fn checksum(content: &[u8], version: [u8; 4]) -> [u8; 16] {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let mut hash = Md5::new();
    for part in [content, &length.to_le_bytes(), &version, MAGIC] {
        hash.update(part);
    }
    hash.finalize().into()
}

fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push("s");
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(name)?;
    for part in [MAGIC, &VERSION, content, &checksum(content, VERSION)] {
        file.write_all(part)?;
    }
    file.sync_all()
}

fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens what is sealed in a file that holds nothing else.
fn opened(content: &[u8], key: &AuthKey) -> Result<Buffer, ForeignError> {
    let sealed = read_array(&mut Fields(content)).map_err(flawed)?;
    open(key, sealed).map_err(|_| flawed(Flaw::Checksum))
}

fn sealed(data: &[u8], key: &AuthKey, random: &mut ChaCha20Rng) -> Result<Vec<u8>, ForeignError> {
    let mut padding = [0; 15];
    random.fill_bytes(&mut padding);
    seal(key, data, &padding).map_err(|_| ForeignError::TooLarge)
}

/// The content of a file: some arrays, and one that is sealed.
fn content(
    front: &[&[u8]],
    data: &[u8],
    key: &AuthKey,
    random: &mut ChaCha20Rng,
) -> Result<Vec<u8>, ForeignError> {
    let mut out = Vec::new();
    for part in front {
        out.extend_from_slice(&array(part)?);
    }
    out.extend_from_slice(&array(&sealed(data, key, random)?)?);
    Ok(out)
}

fn read_array<'a>(fields: &mut Fields<'a>) -> Result<&'a [u8], Flaw> {
    match u32::from_be_bytes(fields.take()?) {
        u32::MAX => Ok(&[]),
        length => fields.bytes(usize::try_from(length).map_err(|_| Flaw::TooShort)?),
    }
}

fn array(bytes: &[u8]) -> Result<Buffer, ForeignError> {
    let length = u32::try_from(bytes.len()).map_err(|_| ForeignError::TooLarge)?;
    let mut out = Zeroizing::new(Vec::with_capacity(4 + bytes.len()));
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(out)
}

/// A text in UTF-16, big endian.
fn text(text: &str) -> Result<Buffer, ForeignError> {
    array(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>())
}

const fn flawed(flaw: Flaw) -> ForeignError {
    ForeignError::malformed(Format::Tdata, flaw)
}

const fn unwritable(why: &'static str) -> ForeignError {
    ForeignError::Unwritable { format: Format::Tdata, why }
}

fn failed(path: &Path, verb: &str, error: io::Error) -> ForeignError {
    let text = format!("{} cannot be {verb}: {error}", path.display());
    ForeignError::Io(io::Error::new(error.kind(), text))
}

const TDATA: &str = "tdata";
const KEY_DATA: &str = "key_data";
const CONFIG: &str = "config";
const MAP: &str = "map";
const SUFFIXES: [&str; 3] = ["s", "0", "1"];
const MAGIC: &[u8; 4] = b"TDF$";
/// 5.0.0, as the program that wrote a file. Newer ones read it, older ones may refuse.
const VERSION: [u8; 4] = 5_000_000_u32.to_le_bytes();
const SALT: usize = 32;
/// No file that is read is larger.
const LARGEST: u64 = 1024 * 1024;
/// Accounts that are written: what Telegram Desktop has room for, with Premium.
const MOST_ACCOUNTS: usize = 6;
/// Accounts, and keys besides that of the home, that are read.
const MOST_READ: usize = 64;
/// The highest number of a data centre that is not a temporary one.
const MOST_DC: i32 = 1000;
/// The block of settings that holds the keys, `dbiMtpAuthorization`.
const AUTHORIZATION: u32 = 75;
/// In the place of a user id of four bytes and the home: both follow, the id in eight.
const WIDE: [u8; 8] = [0xff; 8];
const CONFIG_VERSION: u32 = 1;
/// The flag of an address that says nothing of how it is dialled.
const STATIC: u32 = 1 << 4;
/// Limits and periods that Telegram says anew at every start: of chats, forwarding, being online,
/// notifications, editing and deleting, stickers.
const LIMITS: [i32; 19] = [
    200, 10_000, 100, 120_000, 5_000, 30_000, 1_000, 300_000, 30_000, 1_500, 0, 172_800, 172_800,
    172_800, 0, 30, 0, 0, 0,
];
/// Periods of channels and calls.
const TIMES: [i32; 5] = [604_800, 20_000, 90_000, 30_000, 10_000];
