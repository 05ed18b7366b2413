//! The whole reference as files of one folder.

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io, thread};

use crate::model::Reference;
use crate::{Kind, layers, page, search};

/// The files that all pages share, by their names at the top of the site.
#[must_use]
pub fn assets() -> &'static [(&'static str, String)] {
    static ASSETS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
        vec![
            ("icon.svg", include_str!("../assets/icon.svg").to_owned()),
            ("search.js", slim(search::SCRIPT)),
            ("site.js", slim(include_str!("../assets/site.js"))),
            ("style.css", slim(include_str!("../assets/style.css"))),
        ]
    });
    &ASSETS
}

/// Style or script without indentation and without lines that are comments: nothing else that a
/// browser reads would change.
fn slim(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let is_comment =
        |line: &str| line.starts_with("//") || (line.starts_with("/*") && line.ends_with("*/"));
    let lines = lines.filter(|line| !line.is_empty() && !is_comment(line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// What was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// How many files there are.
    pub files: usize,
    /// Their bytes together.
    pub bytes: u64,
    /// The bytes of the heaviest page with style and scripts.
    pub heaviest: u64,
}

/// Why a site was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// The folder holds something that no site is.
    #[error("{} holds files that are not of a reference; give an empty folder or a new one", .0.display())]
    Foreign(PathBuf),
    /// A file could not be read or written.
    #[error("{}: {error}", .0.display(), error = .1)]
    Io(PathBuf, #[source] io::Error),
}

/// Builds the site in a folder, which is made if it is not there. What an earlier build left in
/// it is removed; a folder that holds anything else is left alone.
///
/// `progress` is told how many of how many pages are written.
///
/// # Errors
/// `Foreign` when the folder holds something else, `Io` when it cannot be written.
pub fn build(folder: &Path, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Built, SiteError> {
    clear(folder)?;
    for kind in Kind::ALL {
        let path = folder.join(kind.folder());
        fs::create_dir_all(&path).map_err(|error| SiteError::Io(path, error))?;
    }
    // First of all, so that a build that is broken off can be begun again.
    write(folder, MARK, MARK_TEXT.as_bytes())?;
    let mut built = Built::default();
    let beside = [("layers/feed.xml", layers::feed()), ("search-index.js", search::script())];
    for (name, text) in assets().iter().chain(&beside) {
        write(folder, name, text.as_bytes())?;
        built.files += 1;
        built.bytes += length(text.as_bytes());
    }
    // The search is loaded when it is first used.
    let with_pages = assets().iter().filter(|(name, _)| ["site.js", "style.css"].contains(name));
    let shared: u64 = with_pages.map(|(_, text)| length(text.as_bytes())).sum();
    let things = things();
    let total = things.len();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = total.div_ceil(workers).max(1);
    let done = AtomicUsize::new(0);
    let write_all = |things: &[(Kind, &str)]| {
        let mut built = Built::default();
        for (kind, name) in things {
            let Some(page) = page::html(*kind, name) else { continue };
            write(folder, &format!("{}.html", kind.address(name)), page.as_bytes())?;
            built.add(page.as_bytes(), shared);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        }
        Ok(built)
    };
    let pages: Vec<Result<Built, SiteError>> = thread::scope(|scope| {
        let shares = things.chunks(share).map(|things| scope.spawn(|| write_all(things)));
        let shares: Vec<_> = shares.collect();
        shares
            .into_iter()
            .map(|share| share.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    for part in pages {
        let part = part?;
        built.files += part.files;
        built.bytes += part.bytes;
        built.heaviest = built.heaviest.max(part.heaviest);
    }
    for (path, page) in page::lists() {
        write(folder, &path, page.as_bytes())?;
        built.add(page.as_bytes(), shared);
    }
    Ok(built)
}

impl Built {
    /// Counts a page.
    fn add(&mut self, page: &[u8], shared: u64) {
        self.files += 1;
        self.bytes += length(page);
        self.heaviest = self.heaviest.max(length(page) + shared);
    }
}

/// Everything that has a page, by kind and name.
fn things() -> Vec<(Kind, &'static str)> {
    let all = Reference::get();
    let namespaces = all.namespaces().iter().map(|it| (Kind::Namespace, it.name));
    let methods = all.methods().iter().map(|it| (Kind::Method, it.name()));
    let types = all.types().iter().map(|it| (Kind::Type, it.name));
    let constructors = all.constructors().iter().map(|it| (Kind::Constructor, it.name()));
    let errors = all.errors().iter().map(|it| (Kind::Error, it.name));
    let layers = layers::pages().iter().map(|it| (Kind::Layer, it.name.as_str()));
    let things = namespaces.chain(methods).chain(types).chain(constructors);
    things.chain(errors).chain(layers).collect()
}

/// Removes what an earlier build left; a folder that is not one is left alone.
fn clear(folder: &Path) -> Result<(), SiteError> {
    let io = |error| SiteError::Io(folder.to_owned(), error);
    fs::create_dir_all(folder).map_err(io)?;
    let is_empty = fs::read_dir(folder).map_err(io)?.next().is_none();
    if is_empty {
        return Ok(());
    }
    if !fs::read_to_string(folder.join(MARK)).is_ok_and(|text| text == MARK_TEXT) {
        return Err(SiteError::Foreign(folder.to_owned()));
    }
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        // A link is removed, never followed.
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|it| it.is_dir());
        if path.file_name().is_some_and(|name| name == MARK) {
            continue;
        }
        let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(|error| SiteError::Io(path, error))?;
    }
    Ok(())
}

fn write(folder: &Path, path: &str, bytes: &[u8]) -> Result<(), SiteError> {
    let path = folder.join(path);
    fs::write(&path, bytes).map_err(|error| SiteError::Io(path, error))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The file that says that a folder was made by [`build`].
const MARK: &str = ".chappe-reference";
const MARK_TEXT: &str = "This folder is made by chappe-reference, which removes what is in it.\n";
