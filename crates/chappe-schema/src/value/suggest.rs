//! The nearest right name, and errors that say it.

use std::cmp::Reverse;

use strsim::levenshtein;

use super::{ValueError, ValueErrorKind};
use crate::{Definition, Schema, Type};

/// How many names an error lists when none is near.
const LISTED: usize = 12;

impl Schema {
    /// The method or constructor whose name is nearest to `name`, if one is near: case and
    /// underscores do not count, and the namespace may be missing.
    #[must_use]
    pub fn suggest(&self, name: &str) -> Option<&str> {
        nearest(name, self.definitions().iter().map(|definition| definition.name.as_str()))
    }
}

/// Finds a method, or says which one is nearest.
pub(super) fn method<'s>(schema: &'s Schema, name: &str) -> Result<&'s Definition, ValueError> {
    schema.find(name).filter(|definition| definition.is_function).ok_or_else(|| {
        let near = nearest(name, schema.functions().map(|method| method.name.as_str()));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        ValueError::new(ValueErrorKind::UnknownMethod { name: name.to_owned(), hint })
    })
}

/// The error of a constructor that the type does not have.
pub(super) fn unknown_constructor(schema: &Schema, name: &str, ty: &Type) -> ValueError {
    let allowed: Vec<&str> = match ty {
        Type::Boxed(ty) => schema.constructors(ty).iter().map(|c| c.name.as_str()).collect(),
        _ => schema.suggest(name).into_iter().collect(),
    };
    let near = nearest(name, allowed.iter().copied());
    ValueError::new(ValueErrorKind::UnknownConstructor {
        name: name.to_owned(),
        expected: ty.to_string(),
        allowed: near.map_or_else(|| list(&allowed), |near| format!("`{near}`")),
    })
}

/// The error of a field that the constructor or method does not have.
pub(super) fn unknown_field(definition: &Definition, field: &str) -> ValueError {
    let fields = definition.params.iter().filter(|param| param.ty != Type::Nat);
    let fields: Vec<&str> = fields.map(|param| param.name.as_str()).collect();
    let hint = match nearest(field, fields.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if fields.is_empty() => "it has none".to_owned(),
        None => format!("it has {}", list(&fields)),
    };
    let (field, of) = (field.to_owned(), definition.name.clone());
    ValueError::new(ValueErrorKind::UnknownField { field, of, hint })
}

/// The error of a type that the schema does not define.
pub(super) fn unknown_type(name: &str) -> ValueError {
    ValueError::new(ValueErrorKind::UnknownConstructor {
        name: name.to_owned(),
        expected: "this schema".to_owned(),
        allowed: "a type that it defines".to_owned(),
    })
}

/// `a`, `b` and `c`; a long list is cut.
fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(LISTED);
    match quoted.as_slice() {
        [] => "another type".to_owned(),
        [only] => only.clone(),
        many if more > 0 => format!("one of {} or {more} more", many.join(", ")),
        [head @ .., last] => format!("one of {} and {last}", head.join(", ")),
    }
}

/// The candidate with the smallest edit distance, if that is small for the name's length; else the
/// shortest that begins with the name.
fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('_', "");
    let wanted = plain(name);
    // A name longer than any of a schema is not worth its square of work.
    if wanted.len() > 128 {
        return None;
    }
    let limit = (wanted.chars().count() / 3).clamp(1, 5);
    let score = |candidate: &str| {
        // Without a namespace, the name alone is compared, too.
        let short = candidate.split_once('.').filter(|_| !wanted.contains('.'));
        let forms = [Some(candidate), short.map(|(_, short)| short)];
        let near = |form: &str| {
            let form = plain(form);
            let begun = wanted.len() > 3 && form.starts_with(&wanted);
            let distance = levenshtein(&wanted, &form);
            (distance <= limit || begun).then_some((distance > limit, distance))
        };
        forms.into_iter().flatten().filter_map(near).min()
    };
    candidates
        .filter_map(|candidate| Some((score(candidate)?, candidate)))
        .min_by_key(|(score, candidate)| (*score, Reverse(candidate.starts_with(name))))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_nearest_name_is_found() {
        let schema = crate::api();
        for (name, want) in [
            ("account.getWebAuthorisations", Some("account.getWebAuthorizations")),
            ("account.resetWebAuth", Some("account.resetWebAuthorization")),
            ("resetwebauth", Some("account.resetWebAuthorization")),
            ("account.get_web_authorizations", Some("account.getWebAuthorizations")),
            ("getWebAuthorizations", Some("account.getWebAuthorizations")),
            ("GetConfig", Some("help.getConfig")),
            ("peeruser", Some("peerUser")),
            ("qqqqqqqq", None),
            ("", None),
        ] {
            assert_eq!(schema.suggest(name), want, "{name}");
        }
        assert_eq!(schema.suggest(&"x".repeat(1 << 20)), None);
    }
}
