//! Sessions where they lie: a file, or the folder of Telegram Desktop.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use super::{Buffer, Flaw, Foreign, ForeignError, Format, guess, read_tdata};

/// Reads the sessions of a file or folder; without a format it is [guessed](guess). All formats
/// but `tdata` hold one. A folder with a passcode is read by [`read_tdata`]: this one says
/// [`ForeignError::Passcode`].
///
/// Nothing is changed where they lie. The files of a database are read while no program has them
/// open: [`Flaw::Unfinished`] otherwise.
///
/// # Errors
/// As [`Foreign::read`], and [`ForeignError::Io`].
pub fn load(path: impl AsRef<Path>, format: Option<Format>) -> Result<Vec<Foreign>, ForeignError> {
    let path = path.as_ref();
    let io = |error: io::Error| {
        let text = format!("{} cannot be read: {error}", path.display());
        ForeignError::Io(io::Error::new(error.kind(), text))
    };
    let found = fs::metadata(path).map_err(io)?;
    if found.is_dir() {
        return match format {
            None | Some(Format::Tdata) => read_tdata(path, None),
            Some(other) => Err(ForeignError::Shape(other)),
        };
    }
    // What is no file does not say how long it is, and need not end.
    let largest = if found.is_file() { LARGEST } else { LARGEST_STREAM };
    let input = read_whole(path, largest).map_err(io)?.ok_or(ForeignError::TooLarge)?;
    let format = format.or_else(|| guess(&input)).ok_or(ForeignError::Unknown)?;
    if format.is_sqlite() {
        for suffix in ["-journal", "-wal"] {
            let mut beside = path.as_os_str().to_owned();
            beside.push(suffix);
            if fs::metadata(beside).is_ok_and(|found| found.len() > 0) {
                return Err(ForeignError::malformed(format, Flaw::Unfinished));
            }
        }
    }
    Foreign::read(format, &input).map(|session| vec![session])
}

/// All of a file; `None` if it is larger than that.
pub(super) fn read_whole(path: &Path, largest: u64) -> io::Result<Option<Buffer>> {
    let file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    if length > largest {
        return Ok(None);
    }
    // Room for all of it at once, so that growing leaves no copy of a key behind.
    let room = usize::try_from(length).unwrap_or_default() + 1;
    let mut content = Buffer::new(Vec::with_capacity(room));
    file.take(largest + 1).read_to_end(&mut content)?;
    Ok((content.len() as u64 <= largest).then_some(content))
}

/// No file of a session is larger.
const LARGEST: u64 = 256 * 1024 * 1024;
/// Nor is a session that comes through a pipe.
const LARGEST_STREAM: u64 = 16 * 1024 * 1024;
