//! Which package has a method in this very form: `schema/packages.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chappe_schema::value::Object;
use serde::Deserialize;

use super::{Language, definitions};

/// Calls whose answer packages cannot take, and why: the call is made, and the program ends with an error.
/// Observed: `interop/reference/answers.py` has the same list, and notices when one is mended.
const BROKEN: [(&str, &[&str], &str); 1] = [(
    "account.sendVerifyEmailCode",
    &["telegram", "teleproto"],
    "The call is made, but this package then fails with a `TypeError`: the answer has a `length`, so that \
     it is taken for an array.",
)];

/// A package of somebody else that makes calls.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Package {
    /// Its name in its registry, which is also what a program imports.
    #[serde(skip)]
    pub(super) name: String,
    /// The release that the examples are checked with.
    pub(super) version: String,
    /// The layer that it says it speaks.
    pub(super) layer: i32,
    lacks: BTreeSet<String>,
    differs: BTreeSet<String>,
}

impl Package {
    /// What to install, as one types it behind `npm install` or `pip install`.
    #[must_use]
    pub(super) fn install(&self, language: Language) -> String {
        let sign = if language == Language::Python { "==" } else { "@" };
        format!("{}{sign}{}", self.name, self.version)
    }

    /// What to know before it makes this call.
    pub(super) fn trouble(&self, method: &str) -> Option<&'static str> {
        let is_it = |(broken, packages, _): &&(&str, &[&str], &str)| {
            *broken == method && packages.contains(&self.name.as_str())
        };
        BROKEN.iter().find(is_it).map(|(_, _, why)| *why)
    }

    /// Whether it has this definition, and in this form.
    fn has(&self, name: &str) -> bool {
        !self.lacks.contains(name) && !self.differs.contains(name)
    }
}

/// The packages by name.
#[expect(clippy::expect_used, reason = "the text is part of the program and tests parse it")]
pub(super) fn packages() -> &'static BTreeMap<String, Package> {
    static PACKAGES: LazyLock<BTreeMap<String, Package>> = LazyLock::new(|| {
        let text = include_str!("../../../../schema/packages.toml");
        let mut packages: BTreeMap<String, Package> =
            toml::from_str(text).expect("the bundled table parses");
        for (name, package) in &mut packages {
            package.name.clone_from(name);
        }
        packages
    });
    &PACKAGES
}

/// The package for a call, or why there is none.
pub(super) fn choose(
    language: Language,
    call: &Object<'static>,
) -> Result<&'static Package, String> {
    let names: &[&str] =
        if language == Language::Python { &["telethon"] } else { &["telegram", "teleproto"] };
    let candidates: Vec<&Package> = names.iter().filter_map(|name| packages().get(*name)).collect();
    let mut needed = Vec::new();
    definitions(call, &mut needed);
    let has_all = |package: &&Package| needed.iter().all(|it| package.has(&it.name));
    if let Some(package) = candidates.iter().copied().find(has_all) {
        return Ok(package);
    }
    let newest = candidates.iter().copied().max_by_key(|package| package.layer);
    let Some(newest) = newest else { return Err("No package is known.".to_owned()) };
    let (name, version, layer) = (&newest.name, &newest.version, newest.layer);
    let method = call.name();
    Err(if newest.differs.contains(method) {
        format!(
            "No package has this form of the method yet: `{name}` {version} knows it as it was in layer {layer}."
        )
    } else if newest.has(method) {
        format!(
            "No package has all that this call is made of: `{name}` {version} is of layer {layer}."
        )
    } else {
        format!("No package has the method yet: `{name}` {version} is of layer {layer}.")
    })
}
