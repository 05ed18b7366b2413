//! What is known of methods besides their form: who may call them, which errors they give.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use crate::{Schema, layers::Layers};

/// The newest layer of whose methods all is known: who may call them, which errors they answer.
/// The facts were collected in layer 228, part of whose methods came while that was done; see
/// `schema/PROVENANCE.md`.
pub const FACTS_LAYER: i32 = 227;

/// The facts of a schema's methods, by the methods' TL names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The code of each known error by its name, with `X` for a number.
    pub errors: BTreeMap<String, i32>,
    /// The known errors of each method; what any method may answer is left out.
    pub throws: BTreeMap<String, BTreeSet<String>>,
    /// Methods that only users may call.
    pub user_only: BTreeSet<String>,
    /// Methods that only bots may call.
    pub bot_only: BTreeSet<String>,
    /// Methods that may be called before anybody signed in.
    pub signed_out: BTreeSet<String>,
    /// Methods that a bot may call on behalf of a business account.
    pub business: BTreeSet<String>,
}

impl Facts {
    /// Reads the fact table, `schema/errors.json`.
    ///
    /// # Errors
    /// When the text is not a fact table.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Whether a signed-in user may call this method.
    #[must_use]
    pub fn user(&self, method: &str) -> bool {
        !self.bot_only.contains(method)
    }

    /// Whether a signed-in bot may call this method.
    #[must_use]
    pub fn bot(&self, method: &str) -> bool {
        !self.user_only.contains(method)
    }

    /// Whether anything is known of this method: it was there when the facts were collected, or
    /// they name it. What is not known is open to users and bots here.
    #[must_use]
    pub fn knows(&self, method: &str) -> bool {
        static THEN: LazyLock<Arc<Schema>> = LazyLock::new(|| Layers::new().schema(FACTS_LAYER));
        let lists = [&self.user_only, &self.bot_only, &self.signed_out, &self.business];
        self.throws.contains_key(method)
            || lists.iter().any(|list| list.contains(method))
            || THEN.find(method).is_some()
    }

    /// The known errors of a method, with their codes.
    pub fn errors_of<'a>(&'a self, method: &str) -> impl Iterator<Item = (&'a str, i32)> + use<'a> {
        let names = self.throws.get(method).into_iter().flatten();
        names.filter_map(|name| Some((name.as_str(), *self.errors.get(name)?)))
    }
}
