//! Opening a page in the person's browser, by the program that the platform has for it and never by a
//! shell.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, thread};

/// Opens a page of this machine; says why not.
pub(crate) fn page(url: &str) -> Result<(), String> {
    // What is opened is ours: no option, no file, no other machine.
    if !url.starts_with("http://localhost:") || !url.is_ascii() || url.contains(char::is_whitespace)
    {
        return Err("the address is no page of this machine".to_owned());
    }
    let opener = opener(env::var_os("PATH").map(|path| env::split_paths(&path).collect()))?;
    let mut command = Command::new(&opener);
    command.args(ARGUMENTS).arg(url);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn();
    let mut child = child.map_err(|error| format!("{}: {error}", opener.display()))?;
    // Some openers live as long as the browser; what they say in the end is of no use here.
    thread::spawn(move || child.wait());
    Ok(())
}

/// Where the opener is. Places that depend on the current directory are left out.
fn opener(path: Option<Vec<PathBuf>>) -> Result<PathBuf, String> {
    let places = path.unwrap_or_default();
    let mut found = places.iter().filter(|place| place.is_absolute()).map(|p| p.join(OPENER));
    found.find(|file| file.is_file()).ok_or_else(|| format!("there is no {OPENER}"))
}

/// The program that opens addresses, and what it wants to hear first.
#[cfg(target_os = "macos")]
const OPENER: &str = "open";
#[cfg(windows)]
const OPENER: &str = "rundll32.exe";
#[cfg(not(any(target_os = "macos", windows)))]
const OPENER: &str = "xdg-open";
#[cfg(windows)]
const ARGUMENTS: &[&str] = &["url.dll,FileProtocolHandler"];
#[cfg(not(windows))]
const ARGUMENTS: &[&str] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_machine_are_opened() {
        for url in [
            "https://example.com/",
            "file:///etc/passwd",
            "--help",
            "http://localhost.example.com/",
            "http://localhost:1/ --new-window",
            "",
        ] {
            assert!(page(url).unwrap_err().contains("no page of this machine"), "{url}");
        }
    }

    #[test]
    fn an_opener_in_the_current_directory_is_not_run() {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join(OPENER), "").unwrap();
        let name = folder.path().file_name().unwrap();
        let relative = vec![PathBuf::from("."), PathBuf::new(), PathBuf::from(name)];
        assert!(opener(Some(relative)).is_err() && opener(None).is_err());
        let absolute = vec![folder.path().to_owned()];
        assert_eq!(opener(Some(absolute)).unwrap(), folder.path().join(OPENER));
    }
}
