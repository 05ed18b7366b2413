//! Documentation of the generated source: the words of `schema/docs`, and what the schema says.

use std::fmt::Write as _;

use super::names::{constant, field, variant};
use super::source::Emitter;
use super::{Place, group};
use crate::ast::{Definition, Param, Type};
use crate::facts::one_of;
use crate::words::{ErrorWords, Named, Retry, Span, paragraphs, summary};

/// What a definition says of words that are no more than its names.
const ASSUMED: &str = "Assumed: this is read from the names alone.";

impl Emitter<'_> {
    pub(super) fn constructor_doc(&self, out: &mut String, definition: &Definition) {
        let words = self.words.and_then(|words| words.constructor(&definition.name));
        let mut doc = Doc::new(out, "");
        if let Some(words) = words {
            self.about(&mut doc, &words.about, definition);
        }
        doc.paragraph(&format!(
            "Constructor `{}` of the type `{}`.",
            definition.name, definition.result
        ));
        if let (true, Type::Boxed(name)) = (self.is_only(definition), &definition.result)
            && let Some(about) = self.words.and_then(|words| words.ty(name))
        {
            self.text(&mut doc, &format!("The type: {}", lowered(about)), Some(definition));
        }
        if words.is_some_and(|words| words.assumed) {
            doc.paragraph(ASSUMED);
        }
        doc.paragraph(&format!("TL: `{}`", definition.text));
    }

    pub(super) fn function_doc(&self, out: &mut String, definition: &Definition) {
        let name = definition.name.as_str();
        let words = self.words.and_then(|words| words.method(name));
        let mut doc = Doc::new(out, "");
        if let Some(words) = words {
            self.about(&mut doc, &words.about, definition);
        }
        doc.paragraph(&format!("Method `{name}`, answers `{}`.", definition.result));
        if let Some(words) = words {
            if let Some(returns) = &words.returns {
                self.text(&mut doc, &format!("Answer: {}", lowered(returns)), Some(definition));
            }
            if words.assumed {
                doc.paragraph(ASSUMED);
            }
        }
        if self.place == Place::Api {
            let callers = [
                (self.facts.user(name), "users"),
                (self.facts.bot(name), "bots"),
                (self.facts.signed_out.contains(name), "connections that nobody signed in on"),
                (self.facts.business.contains(name), "bots on behalf of a business account"),
            ];
            let callers = callers.iter().filter(|(may, _)| *may).map(|(_, who)| *who);
            doc.paragraph(&match self.facts.knows(name) {
                true => format!("Callers: {}.", callers.collect::<Vec<_>>().join(", ")),
                false => "Callers: not known yet.".to_owned(),
            });
            let errors =
                self.facts.errors_of(name).map(|(error, _)| self.link(Named::Error, error));
            let errors: Vec<String> = errors.collect();
            if !errors.is_empty() {
                doc.paragraph(&format!("Known errors: {}.", errors.join(", ")));
            }
        }
        if let Some(words) = words {
            let mut related: Vec<&String> = Vec::new();
            for method in words.needs.iter().chain(&words.undo).chain(&words.see) {
                if !related.contains(&method) && method != name {
                    related.push(method);
                }
            }
            if !related.is_empty() {
                let links = related.iter().map(|method| self.link(Named::Method, method));
                doc.paragraph(&format!("See also: {}.", links.collect::<Vec<_>>().join(", ")));
            }
        }
        doc.paragraph(&format!("TL: `{}`", definition.text));
    }

    pub(super) fn enumeration_doc(&self, out: &mut String, type_name: &str) {
        let mut doc = Doc::new(out, "");
        if let Some(about) = self.words.and_then(|words| words.ty(type_name)) {
            self.text(&mut doc, about, None);
        }
        doc.paragraph(&format!("The type `{type_name}`."));
    }

    /// A variant: of one without fields, which has no struct, everything is said here.
    pub(super) fn variant_doc(&self, out: &mut String, definition: &Definition) {
        let mut line = format!("`{}`.", definition.name);
        let mut doc = Doc::new(out, "    ");
        let Some(words) = self.words.and_then(|words| words.constructor(&definition.name)) else {
            doc.paragraph(&line);
            return;
        };
        let about = match definition.params.is_empty() {
            true => words.about.as_str(),
            false => summary(&words.about),
        };
        for paragraph in paragraphs(about, Some(definition)) {
            let text = self.paragraph(&paragraph);
            if line.is_empty() {
                doc.paragraph(&text);
            } else {
                doc.paragraph(&format!("{line} {text}"));
                line.clear();
            }
        }
    }

    /// A field: its form, what goes with it, what it means.
    pub(super) fn field_doc(&self, out: &mut String, definition: &Definition, param: &Param) {
        let condition = param.flag.and_then(|flag| {
            let word = definition.params.get(flag.field)?;
            Some(format!("{}.{}?", word.name, flag.bit))
        });
        let condition = condition.unwrap_or_default();
        let mut line = format!("`{}:{condition}{}`", param.name, param.ty);
        let others: Vec<String> = group(definition, param)
            .iter()
            .filter(|other| other.name != param.name)
            .map(|other| format!("`{}`", field(&other.name).trim_start_matches("r#")))
            .collect();
        if !others.is_empty() {
            let _ = write!(line, ", set together with {} or not at all", others.join(", "));
        }
        line.push('.');
        let mut doc = Doc::new(out, "    ");
        let words = self.words.and_then(|words| words.param(definition, param));
        let mut texts = words.map(|words| paragraphs(words, Some(definition))).unwrap_or_default();
        if let Some(first) = (!texts.is_empty()).then(|| texts.remove(0)) {
            line.push(' ');
            line.push_str(&ended(self.paragraph(&first)));
        }
        doc.paragraph(&line);
        for text in texts {
            doc.paragraph(&ended(self.paragraph(&text)));
        }
    }

    /// An error: its cause, what to do, and whether the request is worth sending again.
    pub(super) fn error_doc(&self, out: &mut String, name: &str) {
        let mut doc = Doc::new(out, "");
        if let Some(words) = self.words.and_then(|words| words.error(name)) {
            self.text(&mut doc, &words.about, None);
            self.text(&mut doc, &words.fix, None);
            doc.paragraph(again(words));
            if words.assumed {
                doc.paragraph(ASSUMED);
            }
        }
        doc.paragraph(&format!("`{name}`, code {}.", one_of(self.facts.codes(name))));
    }

    /// The first sentence by itself, as lists of items show it, and the rest.
    fn about(&self, doc: &mut Doc<'_>, about: &str, definition: &Definition) {
        let first = summary(about);
        let rest = about.trim_start().strip_prefix(first).unwrap_or_default();
        self.text(doc, first, Some(definition));
        self.text(doc, rest, Some(definition));
    }

    fn text(&self, doc: &mut Doc<'_>, text: &str, definition: Option<&Definition>) {
        for paragraph in paragraphs(text, definition) {
            doc.paragraph(&ended(self.paragraph(&paragraph)));
        }
    }

    fn paragraph(&self, spans: &[Span<'_>]) -> String {
        let mut text = String::new();
        for span in spans {
            match span {
                Span::Code(code) | Span::Name(Named::Param, code) => {
                    let _ = write!(text, "`{code}`");
                }
                Span::Name(kind, name) => text.push_str(&self.link(*kind, name)),
                Span::Text(plain) => text.push_str(&escaped(plain)),
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A name as code, which leads to its item if it has one.
    fn link(&self, kind: Named, name: &str) -> String {
        let path = match kind {
            Named::Error => Some(format!("crate::errors::{}", constant(name))),
            Named::Method => self.schema.find(name).map(|_| self.path("", name)),
            Named::Constructor => self.schema.find(name).and_then(|it| self.constructor_path(it)),
            Named::Type => self.type_path(name),
            Named::Param => None,
        };
        path.map_or_else(|| format!("`{name}`"), |path| format!("[`{name}`]({path})"))
    }

    /// A struct, or the variant of a constructor that has none.
    fn constructor_path(&self, definition: &Definition) -> Option<String> {
        let Type::Boxed(name) = &definition.result else { return None };
        if self.is_struct(definition) {
            return Some(self.path("types", &definition.name));
        }
        let variant = variant(name, &definition.name);
        Some(format!("{}::{variant}", self.path("enums", name)))
    }

    fn type_path(&self, name: &str) -> Option<String> {
        match &self.schema.constructors(name)[..] {
            [] => None,
            [only] => self.constructor_path(only),
            [first, ..] if matches!(first.result, Type::Boxed(_)) => Some(self.path("enums", name)),
            _ => None,
        }
    }
}

/// Comments of one item.
struct Doc<'o> {
    out: &'o mut String,
    indent: &'static str,
    is_empty: bool,
}

impl<'o> Doc<'o> {
    fn new(out: &'o mut String, indent: &'static str) -> Self {
        Self { out, indent, is_empty: true }
    }

    fn paragraph(&mut self, text: &str) {
        let indent = self.indent;
        let gap = if self.is_empty { String::new() } else { format!("{indent}///\n") };
        let _ = writeln!(self.out, "{gap}{indent}/// {text}");
        self.is_empty = false;
    }
}

/// Leaves out the targets of links that their names say already.
pub(super) fn shortened(source: &str) -> String {
    let mut pieces = source.split("[`");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text.push_str("[`");
        let link = piece.split_once("`](").and_then(|(name, rest)| {
            let rest = rest.strip_prefix(name)?.strip_prefix(')')?;
            Some((name, rest))
        });
        match link {
            Some((name, rest)) => {
                text.push_str(name);
                text.push_str("`]");
                text.push_str(rest);
            }
            None => text.push_str(piece),
        }
    }
    text
}

/// Whether to ask again.
fn again(words: &ErrorWords) -> &'static str {
    match words.retry {
        Retry::Changed => "Ask again when the request is another one.",
        Retry::Later => "The same request may pass later.",
        Retry::No => "To ask again does not help.",
        Retry::Wait => "Ask again after as many seconds as the error says.",
    }
}

/// A sentence behind a colon.
fn lowered(sentence: &str) -> String {
    let mut letters = sentence.trim_start().chars();
    let first = letters.next();
    let is_word = letters.as_str().starts_with(|next: char| next.is_lowercase() || next == ' ');
    match first {
        Some(first) if is_word => first.to_lowercase().collect::<String>() + letters.as_str(),
        _ => sentence.trim_start().to_owned(),
    }
}

/// A phrase with its full stop.
fn ended(mut text: String) -> String {
    if !text.ends_with(['.', '!', '?', ':']) {
        text.push('.');
    }
    text
}

/// Text in which nothing is markup; addresses are links.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        if word.starts_with("http://") || word.starts_with("https://") {
            let address = word.trim_end_matches(|c: char| c.is_whitespace() || ",.;:)".contains(c));
            let rest = word.get(address.len()..).unwrap_or_default();
            let _ = write!(escaped, "<{address}>{rest}");
            continue;
        }
        for letter in word.chars() {
            if matches!(letter, '[' | ']' | '<' | '>' | '*' | '_' | '\\' | '#') {
                escaped.push('\\');
            }
            escaped.push(letter);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{ended, escaped, lowered, shortened};

    #[test]
    fn text_is_text_and_an_address_is_a_link() {
        assert_eq!(
            escaped("not <b>, [a] or a_b: https://t.me/+x."),
            r"not \<b\>, \[a\] or a\_b: <https://t.me/+x>."
        );
    }

    #[test]
    fn phrases_become_sentences() {
        assert_eq!(ended("Number of the login".to_owned()), "Number of the login.");
        assert_eq!(ended("Done?".to_owned()), "Done?");
        assert_eq!(lowered("The list."), "the list.");
        assert_eq!(lowered("SMS goes out."), "SMS goes out.");
        assert_eq!(lowered("`true` if it did."), "`true` if it did.");
    }

    #[test]
    fn a_link_whose_target_is_its_name_has_no_target() {
        assert_eq!(
            shortened("[`Chat`](Chat), [`user`](User), [`x`] and `y`"),
            "[`Chat`], [`user`](User), [`x`] and `y`"
        );
    }
}
