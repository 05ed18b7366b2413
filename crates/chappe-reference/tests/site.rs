//! The whole site: that every link leads somewhere, that pages are light, that no folder of
//! somebody else is emptied.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chappe_reference::site::{Built, SiteError, build, content_type, read};

/// A page with style and scripts, without what is loaded when the search is used.
const HEAVIEST: u64 = 60_000;

/// The site that the tests of this file share, built where an earlier build left its pages, where
/// somebody put files beside them, and links in their places: into a folder of somebody else.
struct Site {
    folder: tempfile::TempDir,
    elsewhere: tempfile::TempDir,
    built: Built,
}

fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        for (path, text) in [(MARK, MARK_TEXT), (GONE, "old"), ("index.json", "changed")] {
            put(&folder.path().join(path), text);
        }
        for path in THEIRS {
            put(&folder.path().join(path), "theirs");
        }
        #[cfg(unix)]
        link(folder.path(), elsewhere.path());
        let built = build(folder.path(), &|_, _| {}).unwrap();
        Site { folder, elsewhere, built }
    })
}

/// Puts links in the places of pages, all of which lead into another folder.
#[cfg(unix)]
fn link(site: &Path, elsewhere: &Path) {
    use std::os::unix::fs::symlink;

    for name in KEPT {
        put(&elsewhere.join(name), "kept");
    }
    symlink(elsewhere, site.join("types")).unwrap();
    fs::create_dir(site.join("constructors")).unwrap();
    for name in ["index.html", "search.js", "llms.txt", "constructors/boolTrue.html"] {
        symlink(elsewhere.join(KEPT[0]), site.join(name)).unwrap();
    }
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What says that a folder is that of a reference.
const MARK: &str = ".chappe-reference";
const MARK_TEXT: &str = "This folder is made by chappe-reference, an earlier one.";

/// A page that an earlier build left.
const GONE: &str = "methods/account.goneMethod.html";

/// What somebody put beside the pages, to publish them.
const THEIRS: &[&str] = &[".git/config", "CNAME", "methods/notes.txt", "methods/own.html/kept"];

/// The files of somebody else to which links lead.
const KEPT: &[&str] = &["kept.html", "Bool.html"];

/// The files of the site by their paths with forward slashes.
fn files(site: &Site) -> BTreeMap<String, PathBuf> {
    let mut files = under(site.folder.path());
    files.retain(|name, _| !THEIRS.contains(&name.as_str()));
    files
}

/// The files under a folder, the same.
fn under(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, path);
            }
        }
    }
    found
}

/// The values of an attribute in a page.
fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
    let begin = format!(" {attribute}=\"");
    let values = page.split(&begin).skip(1);
    values.map(|rest| rest.split('"').next().unwrap()).collect()
}

/// A relative address as a path from the top of the site.
fn resolved(page: &str, address: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in address.split('/') {
        match part {
            ".." => assert!(parts.pop().is_some(), "{page}: {address} leads out of the site"),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn every_link_leads_to_a_page_and_a_place_on_it() {
    let files = files(site());
    let pages: BTreeMap<&str, String> = files
        .iter()
        .filter(|(name, _)| name.ends_with(".html"))
        .map(|(name, path)| (name.as_str(), fs::read_to_string(path).unwrap()))
        .collect();
    let ids: BTreeMap<&str, BTreeSet<&str>> = pages
        .iter()
        .map(|(name, page)| (*name, values(page, "id").into_iter().collect()))
        .collect();
    let mut broken = Vec::new();
    let mut checked = 0;
    for (name, page) in &pages {
        for address in values(page, "href").into_iter().chain(values(page, "src")) {
            if address.starts_with("https://") {
                continue;
            }
            checked += 1;
            let (file, anchor) = address.split_once('#').unwrap_or((address, ""));
            let target = if file.is_empty() { (*name).to_owned() } else { resolved(name, file) };
            let is_there = files.contains_key(&target);
            let has_place =
                anchor.is_empty() || ids.get(target.as_str()).is_some_and(|it| it.contains(anchor));
            if !is_there || !has_place {
                broken.push(format!("{name}: {address}"));
            }
        }
    }
    assert!(checked > 100_000, "{checked} links");
    assert!(broken.is_empty(), "{} of {checked}\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn no_two_places_of_a_page_have_the_same_name() {
    for (name, path) in files(site()).iter().filter(|(name, _)| name.ends_with(".html")) {
        let page = fs::read_to_string(path).unwrap();
        let ids = values(&page, "id");
        let once: BTreeSet<&&str> = ids.iter().collect();
        assert_eq!(once.len(), ids.len(), "{name}: {ids:?}");
        // Who hears the page goes to its parts by their names.
        let labels = values(&page, "aria-label");
        let once: BTreeSet<&&str> = labels.iter().collect();
        assert_eq!(once.len(), labels.len(), "{name}: {labels:?}");
    }
}

#[test]
fn no_page_is_heavy() {
    let site = site();
    let size = |name: &str| fs::metadata(site.folder.path().join(name)).unwrap().len();
    let shared = size("style.css") + size("site.js");
    let mut heaviest = 0;
    for (name, path) in files(site).iter().filter(|(name, _)| name.ends_with(".html")) {
        let weight = fs::metadata(path).unwrap().len() + shared;
        assert!(weight <= HEAVIEST, "{name} weighs {weight} bytes");
        heaviest = heaviest.max(weight);
    }
    assert_eq!(site.built.heaviest, heaviest);
}

#[test]
fn files_whose_names_differ_by_case_only_are_not_in_one_folder() {
    let files = files(site());
    let lower: BTreeSet<String> = files.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), files.len());
    // And the file that says whose folder this is.
    assert_eq!(site().built.files + 1, files.len());
}

#[test]
fn a_folder_that_no_build_made_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("letters.txt");
    for mark in [None, Some("My own notes.")] {
        put(&mine, "dear");
        if let Some(mark) = mark {
            put(&folder.path().join(MARK), mark);
        }
        let refused = build(folder.path(), &|_, _| {}).unwrap_err();
        assert!(matches!(refused, SiteError::Foreign(_)), "{refused}");
        assert!(refused.to_string().contains("give an empty folder"), "{refused}");
        assert_eq!(fs::read_to_string(&mine).unwrap(), "dear");
        let count = 1 + usize::from(mark.is_some());
        assert_eq!(under(folder.path()).len(), count, "nothing was written beside it");
    }
}

#[test]
fn what_an_earlier_build_left_goes_and_what_is_somebody_elses_stays() {
    let Site { folder, elsewhere, .. } = site();
    let read_file = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    assert!(!folder.path().join(GONE).exists());
    for path in THEIRS {
        assert_eq!(read_file(path), "theirs", "{path}");
    }
    assert_eq!(Some(read_file("index.json")), read("index.json"));
    // The next build will know the folder again, as this one did.
    let begins = MARK_TEXT.split(',').next().unwrap();
    assert!(read_file(MARK).starts_with(begins));
    let kept = under(elsewhere.path());
    assert_eq!(kept.len(), if cfg!(unix) { KEPT.len() } else { 0 });
    for path in kept.into_values() {
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept", "a link was followed");
    }
}

#[test]
fn the_page_of_the_start_holds_what_it_held_and_mends_its_mistakes() {
    let page = site().folder.path().join("methods/account.resetWebAuthorization.html");
    let page = fs::read_to_string(page).unwrap();
    for part in [
        "account.resetWebAuthorization",
        "boolFalse</a><span class=\"soft\">#bc799737</span>",
        "boolTrue</a><span class=\"soft\">#997275b5</span>",
        "<span class=\"soft\">#2d01b9ef</span>",
        "id=\"param-hash\"",
        "types/Bool.html",
        "constructors/webAuthorization.html",
        "https://core.telegram.org/widgets/login",
        // Its two mistakes: an empty table of errors, and that bots may call it.
        "errors/HASH_INVALID.html",
        "<li class=\"no\">Bots may not</li>",
        "Other references say otherwise",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn every_file_can_be_read_without_a_folder_and_is_the_same() {
    let files = files(site());
    for (name, path) in files.iter().filter(|(name, _)| !name.starts_with('.')).step_by(61) {
        assert_eq!(read(name), fs::read_to_string(path).ok(), "{name}");
    }
    assert_eq!(read(""), read("index.html"));
    for missing in ["methods/account.resetWebAuthorisation.html", "methods", "../index.html", "x"] {
        assert_eq!(read(missing), None, "{missing}");
    }
    for (name, is) in [
        ("", "text/html; charset=utf-8"),
        ("a/b.json", "application/json"),
        ("a/b.md", "text/markdown; charset=utf-8"),
        ("llms.txt", "text/plain; charset=utf-8"),
    ] {
        assert_eq!(content_type(name), is);
    }
}
