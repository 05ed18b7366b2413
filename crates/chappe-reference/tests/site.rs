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

/// The site that the tests of this file share.
fn site() -> &'static (tempfile::TempDir, Built) {
    static SITE: OnceLock<(tempfile::TempDir, Built)> = OnceLock::new();
    SITE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let built = build(folder.path(), &|_, _| {}).unwrap();
        (folder, built)
    })
}

/// The files under a folder by their paths with forward slashes.
fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
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
    let (folder, _) = site();
    let files = files(folder.path());
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
    let (folder, _) = site();
    for (name, path) in files(folder.path()).iter().filter(|(name, _)| name.ends_with(".html")) {
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
    let (folder, built) = site();
    let size = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len();
    let shared = size("style.css") + size("site.js");
    let mut heaviest = 0;
    for (name, path) in files(folder.path()).iter().filter(|(name, _)| name.ends_with(".html")) {
        let weight = fs::metadata(path).unwrap().len() + shared;
        assert!(weight <= HEAVIEST, "{name} weighs {weight} bytes");
        heaviest = heaviest.max(weight);
    }
    assert_eq!(built.heaviest, heaviest);
}

#[test]
fn files_whose_names_differ_by_case_only_are_not_in_one_folder() {
    let (folder, built) = site();
    let files = files(folder.path());
    let lower: BTreeSet<String> = files.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), files.len());
    // And the file that says whose folder this is.
    assert_eq!(built.files + 1, files.len());
}

#[test]
fn what_an_earlier_build_left_goes_and_what_is_somebody_elses_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("letters.txt");
    fs::write(&mine, "dear").unwrap();
    let refused = build(folder.path(), &|_, _| {}).unwrap_err();
    assert!(matches!(refused, SiteError::Foreign(_)), "{refused}");
    assert!(refused.to_string().contains("give an empty folder"), "{refused}");
    assert_eq!(fs::read_to_string(&mine).unwrap(), "dear");
    assert_eq!(files(folder.path()).len(), 1, "nothing was written beside it");

    fs::remove_file(&mine).unwrap();
    let first = build(folder.path(), &|_, _| {}).unwrap();
    let old = folder.path().join("methods/account.goneMethod.html");
    fs::write(&old, "old").unwrap();
    // What somebody put beside the pages, to publish them.
    let theirs = [".git/config", "CNAME", "methods/notes.txt", "methods/own.html/kept"];
    for path in theirs.map(|path| folder.path().join(path)) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "theirs").unwrap();
    }
    fs::write(folder.path().join("index.json"), "changed").unwrap();
    #[cfg(unix)]
    let elsewhere = linked(folder.path());
    assert_eq!(build(folder.path(), &|_, _| {}).unwrap(), first);
    assert!(!old.exists());
    for path in theirs {
        assert_eq!(fs::read_to_string(folder.path().join(path)).unwrap(), "theirs", "{path}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("index.json")).ok(), read("index.json"));
    #[cfg(unix)]
    for path in files(elsewhere.path()).into_values() {
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept", "a link was followed");
    }
    #[cfg(unix)]
    assert_eq!(files(elsewhere.path()).len(), 2);
}

/// Puts links in the place of pages of a site, all of which lead into the folder that it makes.
#[cfg(unix)]
fn linked(site: &Path) -> tempfile::TempDir {
    use std::os::unix::fs::symlink;

    let elsewhere = tempfile::tempdir().unwrap();
    let kept = ["kept.html", "Bool.html"].map(|name| elsewhere.path().join(name));
    for path in &kept {
        fs::write(path, "kept").unwrap();
    }
    fs::remove_dir_all(site.join("types")).unwrap();
    symlink(elsewhere.path(), site.join("types")).unwrap();
    symlink(elsewhere.path(), site.join("theirs")).unwrap();
    for name in ["index.html", "search.js", "llms.txt", "constructors/boolTrue.html"] {
        fs::remove_file(site.join(name)).unwrap();
        symlink(&kept[0], site.join(name)).unwrap();
    }
    elsewhere
}

#[test]
fn the_page_of_the_start_holds_what_it_held_and_mends_its_mistakes() {
    let (folder, _) = site();
    let page = folder.path().join("methods/account.resetWebAuthorization.html");
    let page = fs::read_to_string(page).unwrap();
    for part in [
        "account.resetWebAuthorization",
        "boolFalse</a><span class=\"id\">#bc799737</span>",
        "boolTrue</a><span class=\"id\">#997275b5</span>",
        "<span class=\"id\">#2d01b9ef</span>",
        "id=\"param-hash\"",
        "types/Bool.html",
        "constructors/webAuthorization.html",
        "https://core.telegram.org/widgets/login",
        // Its two mistakes: an empty table of errors, and that bots may call it.
        "errors/HASH_INVALID.html",
        "<li class=\"no\">Bots: no</li>",
        "Other references say otherwise",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn every_file_can_be_read_without_a_folder_and_is_the_same() {
    let (folder, _) = site();
    let files = files(folder.path());
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
