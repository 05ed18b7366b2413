//! What is known of methods besides their form: who may call them, which errors they give.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;
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
    /// The usual code of each known error by its name, with `X` for a number.
    pub errors: BTreeMap<String, i32>,
    /// All codes of each error that comes with several, the usual one first.
    pub codes: BTreeMap<String, Vec<i32>>,
    /// The codes of such errors by method, where they are known better than everywhere; the one
    /// that is known for sure comes first.
    pub codes_at: BTreeMap<String, BTreeMap<String, Vec<i32>>>,
    /// The known errors of each method; what any method may answer is left out.
    pub throws: BTreeMap<String, BTreeSet<String>>,
    /// Errors that nobody has seen a method answer, but that methods of its kind answer, and so
    /// the local Telegram's.
    pub assumed: BTreeMap<String, BTreeSet<String>>,
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

    /// The codes that an error may come with, the usual one first; none for an unknown error.
    #[must_use]
    pub fn codes(&self, error: &str) -> &[i32] {
        match (self.codes.get(error), self.errors.get(error)) {
            (Some(codes), _) => codes,
            (None, Some(code)) => slice::from_ref(code),
            (None, None) => &[],
        }
    }

    /// The codes that an error may come with at a method, as far as anybody knows, the one that
    /// is most certain first.
    #[must_use]
    pub fn codes_at(&self, method: &str, error: &str) -> &[i32] {
        let known = self.codes_at.get(method).and_then(|errors| errors.get(error));
        known.map_or_else(|| self.codes(error), Vec::as_slice)
    }

    /// The known errors of a method, with the codes that they may come with there.
    pub fn errors_of<'a>(
        &'a self,
        method: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [i32])> + use<'a> {
        let names = self.throws.get(method).into_iter().flatten();
        names.map(move |name| (name.as_str(), self.codes_at(method, name)))
    }

    /// The errors that are only assumed of a method, with the codes that they may come with.
    pub fn assumed_of<'a>(
        &'a self,
        method: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [i32])> + use<'a> {
        let names = self.assumed.get(method).into_iter().flatten();
        names.map(move |name| (name.as_str(), self.codes_at(method, name)))
    }
}

/// Codes as one says them: `400`, `400 or 406`, `400, 403 or 406`.
#[must_use]
pub fn one_of(codes: &[i32]) -> String {
    match codes {
        [] => String::new(),
        [code] => code.to_string(),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(i32::to_string).collect();
            format!("{} or {last}", most.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{api, facts};

    use super::one_of;

    #[test]
    fn every_fact_is_about_what_exists() {
        let facts = facts();
        let lists = [&facts.user_only, &facts.bot_only, &facts.signed_out, &facts.business];
        let tables = facts.throws.keys().chain(facts.assumed.keys()).chain(facts.codes_at.keys());
        for method in tables.chain(lists.into_iter().flatten()) {
            assert!(api().find(method).is_some_and(|it| it.is_function), "{method}");
        }
        for error in facts.throws.values().chain(facts.assumed.values()).flatten() {
            assert!(facts.errors.contains_key(error), "{error}");
        }
        for (method, errors) in &facts.assumed {
            let known = facts.throws.get(method);
            assert!(known.is_none_or(|known| known.is_disjoint(errors)), "{method}");
        }
    }

    #[test]
    fn codes_of_methods_are_some_of_the_codes_of_the_error() {
        let facts = facts();
        for (error, codes) in &facts.codes {
            assert!(codes.len() > 1, "{error}: {codes:?}");
            assert_eq!(codes.first(), facts.errors.get(error), "{error}");
        }
        for (method, errors) in &facts.codes_at {
            for (error, codes) in errors {
                assert!(facts.throws[method].contains(error), "{method}: {error}");
                assert!(!codes.is_empty() && codes != facts.codes(error), "{method}: {error}");
                for code in codes {
                    assert!(facts.codes(error).contains(code), "{method}: {code} {error}");
                }
            }
        }
    }

    #[test]
    fn a_code_is_that_of_the_method() {
        let facts = facts();
        // In the order of Telegram's own table; the first two also as its page has them.
        for (method, error, codes) in [
            ("channels.editBanned", "BANNED_RIGHTS_INVALID", &[406][..]),
            ("channels.editBanned", "CHAT_WRITE_FORBIDDEN", &[403]),
            ("channels.editBanned", "CHANNEL_INVALID", &[400]),
            ("messages.sendMessage", "RANDOM_ID_DUPLICATE", &[500]),
            ("messages.editChatDefaultBannedRights", "BANNED_RIGHTS_INVALID", &[400, 406]),
            ("phone.inviteToGroupCall", "USER_NOT_PARTICIPANT", &[403]),
            ("messages.sendMessage", "PEER_ID_INVALID", &[400]),
            ("payments.getSuggestedStarRefBots", "PEER_ID_INVALID", &[403]),
        ] {
            assert_eq!(facts.codes_at(method, error), codes, "{method}: {error}");
        }
        assert_eq!(facts.codes("CHANNEL_PRIVATE"), [400, 406]);
        assert_eq!(facts.codes("NO_SUCH_ERROR"), [0; 0]);
        let errors: Vec<_> = facts.errors_of("channels.editBanned").collect();
        assert!(errors.contains(&("BANNED_RIGHTS_INVALID", &[406])));
    }

    #[test]
    fn codes_are_said_as_one_says_them() {
        assert_eq!(one_of(&[]), "");
        assert_eq!(one_of(&[406]), "406");
        assert_eq!(one_of(&[400, 406]), "400 or 406");
        assert_eq!(one_of(&[400, 403, 406]), "400, 403 or 406");
    }
}
