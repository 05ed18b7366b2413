//! The whole reference as files of one folder.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io, thread};

use crate::{Kind, json, page, search, twins};

/// The files that all pages share, by their names at the top of the site.
#[must_use]
pub fn assets() -> &'static [(&'static str, String)] {
    static ASSETS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
        vec![
            ("icon.svg", include_str!("../assets/icon.svg").to_owned()),
            ("search.js", slim(search::SCRIPT)),
            ("site.js", slim(include_str!("../assets/site.js"))),
            ("style.css", tight(&slim(include_str!("../assets/style.css")))),
        ]
    });
    &ASSETS
}

/// The bytes that every page loads beside its own: the search is loaded when it is first used.
pub(crate) fn shared() -> usize {
    let with_pages = assets().iter().filter(|(name, _)| ["site.js", "style.css"].contains(name));
    with_pages.map(|(_, text)| text.len()).sum()
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

/// Style without the blanks that stand beside its signs.
fn tight(style: &str) -> String {
    let pairs = [
        (" {", "{"),
        ("{ ", "{"),
        ("; }", "}"),
        (" }", "}"),
        ("; ", ";"),
        (": ", ":"),
        (", ", ","),
    ];
    pairs.iter().fold(style.to_owned(), |style, (loose, tight)| style.replace(loose, tight))
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

/// Builds the site in a folder, which is made if it is not there. The pages that an earlier build
/// left in it are removed, what somebody put beside them stays; a folder that no build made, and
/// that is not empty, is left alone.
///
/// `progress` is told how many of how many pages are written.
///
/// # Errors
/// `Foreign` when the folder holds something else, `Io` when it cannot be written.
pub fn build(folder: &Path, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Built, SiteError> {
    clear(folder)?;
    // First of all, so that a build that is broken off can be begun again.
    write(folder, MARK, MARK_TEXT.as_bytes())?;
    for kind in Kind::ALL {
        let path = folder.join(kind.folder());
        fs::create_dir_all(&path).map_err(|error| SiteError::Io(path, error))?;
    }
    let mut built = Built::default();
    for (name, text) in assets() {
        built.put(folder, name, text)?;
    }
    let shared = u64::try_from(shared()).unwrap_or(u64::MAX);
    let things: Vec<(Kind, &str)> = twins::things().collect();
    let total = things.len();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = total.div_ceil(workers).max(1);
    let done = AtomicUsize::new(0);
    let write_all = |things: &[(Kind, &str)]| {
        let mut built = Built::default();
        for (kind, name) in things {
            let Some(page) = page::html(*kind, name) else { continue };
            let address = kind.address(name);
            built.page(folder, &format!("{address}.html"), &page, shared)?;
            if let Some(twin) = twins::markdown(*kind, name) {
                built.put(folder, &format!("{address}.md"), &twin)?;
            }
            if let Some(twin) = json::page(*kind, name) {
                built.put(folder, &format!("{address}.json"), &format!("{twin}\n"))?;
            }
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
        built.page(folder, &path, &page, shared)?;
    }
    // What is of no page by itself: the search, the feed, the files for language models.
    let is_asset = |path: &str| assets().iter().any(|(name, _)| *name == path);
    for (path, text) in twins::single().filter(|(path, _)| !is_asset(path)) {
        built.put(folder, path, &text())?;
    }
    Ok(built)
}

impl Built {
    /// Writes a file and counts it.
    fn put(&mut self, folder: &Path, path: &str, text: &str) -> Result<(), SiteError> {
        write(folder, path, text.as_bytes())?;
        self.files += 1;
        self.bytes += length(text.as_bytes());
        Ok(())
    }

    /// Writes a page and counts it, with what it loads.
    fn page(
        &mut self,
        folder: &Path,
        path: &str,
        text: &str,
        shared: u64,
    ) -> Result<(), SiteError> {
        self.heaviest = self.heaviest.max(length(text.as_bytes()) + shared);
        self.put(folder, path, text)
    }
}

/// A file of the site by its path, made when it is asked for; `None` for a path that has none.
/// The path that is empty is the front page.
#[must_use]
pub fn read(path: &str) -> Option<String> {
    static LISTS: LazyLock<BTreeMap<String, String>> =
        LazyLock::new(|| page::lists().into_iter().collect());
    let path = if path.is_empty() { "index.html" } else { path };
    if let Some((_, text)) = assets().iter().find(|(name, _)| *name == path) {
        return Some(text.clone());
    }
    let Some(address) = path.strip_suffix(".html") else { return twins::read(path) };
    if let Some(list) = LISTS.get(path) {
        return Some(list.clone());
    }
    let (kind, name) = twins::things().find(|(kind, name)| kind.address(name) == address)?;
    page::html(kind, name)
}

/// What a browser has to be told that a file of the site is.
#[must_use]
pub fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        None | Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("md") => "text/markdown; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("xml") => "application/atom+xml; charset=utf-8",
        Some(_) => "text/plain; charset=utf-8",
    }
}

/// Removes the pages that an earlier build left, and nothing that somebody put beside them; a folder
/// that no build made is left alone.
fn clear(folder: &Path) -> Result<(), SiteError> {
    let io = |error| SiteError::Io(folder.to_owned(), error);
    fs::create_dir_all(folder).map_err(io)?;
    let is_empty = fs::read_dir(folder).map_err(io)?.next().is_none();
    if is_empty {
        return Ok(());
    }
    if !fs::read_to_string(folder.join(MARK)).is_ok_and(|text| text.starts_with(MARK_BEGINS)) {
        return Err(SiteError::Foreign(folder.to_owned()));
    }
    for pages in Kind::ALL.map(|kind| folder.join(kind.folder())) {
        unlink(&pages)?;
        if !pages.exists() {
            continue;
        }
        let io = |error| SiteError::Io(pages.clone(), error);
        for entry in fs::read_dir(&pages).map_err(io)? {
            let entry = entry.map_err(io)?;
            let path = entry.path();
            let is_page = path.extension().is_some_and(|it| ENDINGS.iter().any(|end| it == *end));
            if is_page && !entry.file_type().map_err(io)?.is_dir() {
                fs::remove_file(&path).map_err(|error| SiteError::Io(path, error))?;
            }
        }
    }
    Ok(())
}

fn write(folder: &Path, path: &str, bytes: &[u8]) -> Result<(), SiteError> {
    let path = folder.join(path);
    unlink(&path)?;
    fs::write(&path, bytes).map_err(|error| SiteError::Io(path, error))
}

/// Removes what is a link: nothing of the site is written to where one leads.
fn unlink(path: &Path) -> Result<(), SiteError> {
    if path.is_symlink() {
        fs::remove_file(path).map_err(|error| SiteError::Io(path.to_owned(), error))?;
    }
    Ok(())
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The file that says that a folder was made by [`build`], and how its text begins.
const MARK: &str = ".chappe-reference";
const MARK_BEGINS: &str = "This folder is made by chappe-reference";
const MARK_TEXT: &str = "This folder is made by chappe-reference, which removes the pages in it when it builds them anew.\n";

/// How the names of files end that are in the folder of a kind.
const ENDINGS: [&str; 4] = ["html", "json", "md", "xml"];
