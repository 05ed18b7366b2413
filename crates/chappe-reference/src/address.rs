//! Where the page of a thing is.

use crate::core_types;
use crate::{Reference, start};

/// What has a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A constructor of a type: `webAuthorization`.
    Constructor,
    /// A type of TL itself: `long`.
    Core,
    /// An error of methods: `HASH_INVALID`.
    Error,
    /// A method or constructor that only older layers have: `channels.getForumTopics`.
    Gone,
    /// A section of the page for whoever is new, or that page: `Start`.
    Guide,
    /// What a layer changed: `230`.
    Layer,
    /// A method: `account.resetWebAuthorization`.
    Method,
    /// The methods and types in front of whose name this is: `account`; `root` for those without.
    Namespace,
    /// A type: `WebAuthorization`.
    Type,
}

impl Kind {
    /// All kinds that have a folder of pages, in the order in which they are built and listed.
    pub const ALL: [Self; 8] = [
        Self::Namespace,
        Self::Method,
        Self::Type,
        Self::Constructor,
        Self::Error,
        Self::Core,
        Self::Layer,
        Self::Gone,
    ];

    /// The folder of the pages of this kind. A type and its constructor, whose names differ by
    /// case only, are in different folders, since many file systems cannot tell them apart. The page
    /// for whoever is new is in none.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Constructor => "constructors",
            Self::Core => "core",
            Self::Error => "errors",
            Self::Gone => "gone",
            Self::Guide => "",
            Self::Layer => "layers",
            Self::Method => "methods",
            Self::Namespace => "namespaces",
            Self::Type => "types",
        }
    }

    /// What one of this kind is called: `method`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Constructor => "constructor",
            Self::Core => "core type",
            Self::Error => "error",
            Self::Gone => "gone",
            Self::Guide => "guide",
            Self::Layer => "layer",
            Self::Method => "method",
            Self::Namespace => "namespace",
            Self::Type => "type",
        }
    }

    /// The address of a page from the root of the reference, without `.html`, `.md` or `.json`:
    /// `methods/account.resetWebAuthorization`. The type `Vector<t>` is `types/Vector`, the core types `#` and
    /// `!X` are `core/flags` and `core/X`.
    #[must_use]
    pub fn address(self, name: &str) -> String {
        if self == Self::Guide {
            return start::ADDRESS.to_owned();
        }
        let name = match self {
            Self::Core => core_types::core_type(name).map_or(name, |core| core.file()),
            _ => name.split(['<', ' ']).next().unwrap_or(name),
        };
        format!("{}/{name}", self.folder())
    }

    /// Where a browser finds it, from the root of the reference: `methods/help.getConfig.html`,
    /// `start.html#peers`.
    #[must_use]
    pub fn link(self, name: &str) -> String {
        let anchor = if self == Self::Guide { start::anchor(name) } else { None };
        let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
        format!("{}.html{anchor}", self.address(name))
    }

    /// What is found at an address: the inverse of [`Kind::link`] and [`Kind::address`], of the Markdown
    /// and of the JSON, too.
    #[must_use]
    pub fn at(address: &str) -> Option<(Self, &'static str)> {
        let (path, anchor) = address.split_once('#').unwrap_or((address, ""));
        let ended = [".html", ".md", ".json"].iter().find_map(|end| path.strip_suffix(end));
        let path = ended.unwrap_or(path);
        if path == start::ADDRESS {
            let is_here = |title: &&str| start::anchor(title).unwrap_or_default() == anchor;
            return start::titles().find(is_here).map(|title| (Self::Guide, title));
        }
        let (folder, name) = path.split_once('/')?;
        let kind = Self::ALL.into_iter().find(|kind| kind.folder() == folder)?;
        let all = Reference::get();
        let name = match kind {
            Self::Constructor => all.constructor(name)?.name(),
            Self::Core => core_types::with_page().find(|it| it.file() == name)?.name,
            Self::Error => all.error(name)?.name,
            Self::Gone => all.gone_thing(name)?.name(),
            Self::Guide => return None,
            Self::Layer => &crate::layers::page(name.parse().ok()?)?.name,
            Self::Method => all.method(name)?.name(),
            Self::Namespace => all.namespace(name)?.name,
            // A type with a parameter is without it in its address.
            Self::Type => all.types().iter().find(|it| kind.address(it.name) == path)?.name,
        };
        Some((kind, name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Kind;
    use crate::{Reference, start};

    #[test]
    fn what_is_at_an_address_is_what_has_it() {
        let all = Reference::get();
        let things = [
            all.methods().iter().map(|it| (Kind::Method, it.name())).collect::<Vec<_>>(),
            all.constructors().iter().map(|it| (Kind::Constructor, it.name())).collect(),
            all.errors().iter().map(|it| (Kind::Error, it.name)).collect(),
            all.gone().iter().map(|it| (Kind::Gone, it.name())).collect(),
            crate::core_types::with_page().map(|it| (Kind::Core, it.name)).collect(),
            all.namespaces().iter().map(|it| (Kind::Namespace, it.name)).collect(),
            all.types().iter().map(|it| (Kind::Type, it.name)).collect(),
            crate::layers::pages().iter().map(|it| (Kind::Layer, it.name.as_str())).collect(),
            start::titles().map(|it| (Kind::Guide, it)).collect(),
        ];
        for (kind, name) in things.into_iter().flatten() {
            assert_eq!(Kind::at(&kind.link(name)), Some((kind, name)));
        }
        assert_eq!(Kind::at("types/Vector.md"), Some((Kind::Type, "Vector<t>")));
        assert_eq!(Kind::at("core/flags.html"), Some((Kind::Core, "#")));
        assert_eq!(Kind::at("core/Bool.html"), None);
        assert_eq!(Kind::at("methods/help.getConfig"), Some((Kind::Method, "help.getConfig")));
        for none in ["", "methods", "methods/", "methods/User.html", "start.html#none", "x/y.html"]
        {
            assert_eq!(Kind::at(none), None, "{none}");
        }
    }

    #[test]
    fn no_two_things_share_an_address_where_case_does_not_count() {
        let schema = chappe_schema::api();
        let named = schema.definitions().iter().map(|it| {
            let kind = if it.is_function { Kind::Method } else { Kind::Constructor };
            (kind, it.name.as_str())
        });
        let types = schema.types().map(|name| (Kind::Type, name));
        let errors = chappe_schema::facts().errors.keys().map(|name| (Kind::Error, name.as_str()));
        let mut taken = BTreeMap::new();
        for (kind, name) in named.chain(types).chain(errors) {
            let address = kind.address(name);
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/');
            assert!(address.chars().all(is_plain), "{address}");
            let before = taken.insert(address.to_lowercase(), name);
            assert_eq!(before, None, "{address} is that of {name}, too");
        }
        assert!(taken.len() > 4_000, "{} addresses", taken.len());
    }
}
