//! The name of an account.

use std::fmt;
use std::str::FromStr;

/// The name of an account: what people type, and a part of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }
}

impl Default for Name {
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

impl FromStr for Name {
    type Err = String;

    /// The same on every file system: none of them folds these letters or gives a meaning to them.
    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let inside = |c: char| plain(c) || matches!(c, '-' | '_' | '.');
        let fits = text.len() <= LONGEST && text.chars().all(inside);
        if fits && text.starts_with(plain) && text.ends_with(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "the name of an account has up to {LONGEST} lower-case letters and digits, and \
                 - _ . between them, such as work"
            ))
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The account of whoever never named one.
const DEFAULT: &str = "default";
/// The longest name, in bytes.
const LONGEST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path_on_every_system() {
        for good in ["a", "work", "work-2", "ada.lovelace", "2026", "default"] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        let long = "a".repeat(LONGEST + 1);
        for bad in ["", ".", "..", "a/b", "a\\b", "-x", ".x", "x.", "A", "a b", "ä", "a:b", &long]
        {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
