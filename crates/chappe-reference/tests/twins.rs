//! The pages as Markdown and JSON.

use std::collections::{BTreeMap, BTreeSet};

use chappe_reference::document::Document;
use chappe_reference::search::index;
use chappe_reference::{Kind, Reference, json, twins};
use chappe_schema::{Type, one_of};
use serde_json::{Value, json};

const FORM: &str = include_str!("../TWINS.md");

/// The addresses that a Markdown text links to, each from the folder of its page.
fn links(text: &str) -> Vec<&str> {
    let behind = text.match_indices("](").map(|(place, _)| &text[place + 2..]);
    behind.filter_map(|rest| rest.split_once(')').map(|(link, _)| link)).collect()
}

#[test]
fn every_page_has_its_twins_and_every_link_leads_somewhere() {
    let paths: BTreeSet<String> = twins::paths().collect();
    assert_eq!(paths.len(), twins::paths().count(), "a path is there twice");
    let pages = Reference::get();
    let count = pages.methods().len() + pages.types().len() + pages.constructors().len();
    assert!(paths.len() > 2 * (count + pages.errors().len()));
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for path in &paths {
        // All of them are read by the build of the site; here each seventh is enough.
        let is_read = paths.len() < 100 || path.len() % 7 == 0 || !path.contains('/');
        if !is_read {
            continue;
        }
        let text = twins::read(path).unwrap_or_else(|| panic!("{path} is not there"));
        assert!(text.ends_with('\n'), "{path}");
        let ending = path.rsplit_once('.').unwrap().1;
        *kinds.entry(ending).or_default() += 1;
        if ending == "json" {
            serde_json::from_str::<Value>(&text).unwrap();
        }
        let (folder, _) = path.rsplit_once('/').unwrap_or_default();
        let is_linked = matches!(ending, "md") || path == "llms.txt";
        for link in links(&text).into_iter().filter(|_| is_linked) {
            if link.starts_with("<https://") {
                continue;
            }
            let target = match link.strip_prefix("../") {
                Some(target) if !folder.is_empty() => target.to_owned(),
                _ => link.to_owned(),
            };
            assert!(paths.contains(&target), "{path} leads to {link}");
        }
    }
    assert!(kinds["md"] > 300 && kinds["json"] > 300, "{kinds:?}");
    for path in ["methods/none.md", "methods/x.html", "../Cargo.toml", "", "types/user.md", "x"] {
        assert!(twins::read(path).is_none(), "{path}");
    }
}

#[test]
fn a_method_says_all_that_is_known_of_it() {
    let text = twins::markdown(Kind::Method, "account.resetWebAuthorization").unwrap();
    for said in [
        "# account.resetWebAuthorization\n\nEnds one login",
        "- Since layer 158 or before",
        "account.resetWebAuthorization#2d01b9ef hash:long = Bool;",
        "- ✓ Users may call it\n- ✗ Bots may not\n",
        "- `hash` (`long`): ",
        "### Rust\n\n```rust\n",
        "### Command line\n\n```sh\n",
        "[`Bool`](../types/Bool.md)",
        "[`HASH_INVALID`](../errors/HASH_INVALID.md)",
        "[`account.getWebAuthorizations`](../methods/account.getWebAuthorizations.md)",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
    let page = json::page(Kind::Method, "account.resetWebAuthorization").unwrap();
    assert_eq!(page["id"], "0x2d01b9ef");
    assert_eq!(page["params"][0]["name"], "hash");
    assert_eq!(page["since"]["after"], Value::Null);
    assert_eq!(page["callers"]["bot"], false);
    assert_eq!(page["request"]["_"], "account.resetWebAuthorization");
    let languages: Vec<&String> = page["examples"].as_object().unwrap().keys().collect();
    assert_eq!(languages, ["rust", "javascript", "typescript", "python", "cli"]);
    // Newer than what is known of callers: not known, and not "everybody".
    let new = Reference::get().methods().iter().find(|it| it.callers.is_none()).unwrap();
    let text = twins::markdown(Kind::Method, new.name()).unwrap();
    assert!(text.contains("Who may call it: not known yet"), "{text}");
}

/// `TWINS.md` is the promise: the keys of each kind, no more and no fewer.
#[test]
fn the_json_has_the_form_that_is_written_down() {
    let listed = |line: &str| -> Vec<String> {
        let code = line.split('`').enumerate().filter(|(index, _)| index % 2 == 1);
        code.map(|(_, word)| word.to_owned()).filter(|word| !word.starts_with("0x")).collect()
    };
    let common = ["form", "layer", "kind", "name", "summary", "html", "markdown"];
    for (kind, name) in [
        (Kind::Method, "messages.sendMessage"),
        (Kind::Constructor, "user"),
        (Kind::Type, "Updates"),
        (Kind::Error, "FLOOD_WAIT_X"),
        (Kind::Namespace, "account"),
        (Kind::Layer, "230"),
        (Kind::Layer, "158"),
        (Kind::Core, "long"),
        (Kind::Gone, "channels.getForumTopics"),
        (Kind::Gone, "keyboardButtonUrl"),
        (Kind::Guide, "Start"),
        (Kind::Guide, "Peers and access hashes"),
    ] {
        let row = format!("| {} |", kind.word());
        let row = FORM.lines().find(|line| line.starts_with(&row)).unwrap();
        let mut want: BTreeSet<String> = listed(row).into_iter().collect();
        want.extend(common.map(str::to_owned));
        let page = json::page(kind, name).unwrap();
        let keys: BTreeSet<String> = page.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, want, "{name}");
        assert_eq!((&page["kind"], &page["name"]), (&kind.word().into(), &name.into()));
    }
    let row = FORM.lines().find(|line| line.starts_with("| `index.json` |")).unwrap();
    let want: BTreeSet<String> =
        listed(row).into_iter().skip(2).chain(["form", "layer"].map(str::to_owned)).collect();
    let all = json::index();
    assert_eq!(all.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), want);
    let each = all["gone"][0].as_object().unwrap().keys().map(|key| format!("{key:?}"));
    let each: BTreeSet<String> = each.collect();
    let said =
        listed(row)[1].trim_matches(['{', ' ', '}']).split(", ").map(str::to_owned).collect();
    assert_eq!(each, said);
    let diff = json::diff(198, 230).unwrap();
    let row = FORM.split_once("`diff`: `{").unwrap().1.split_once('}').unwrap().0;
    let want: BTreeSet<&str> = row.split('"').skip(1).step_by(2).collect();
    assert_eq!(diff.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(), want);
    assert!(json::diff(198, 200).is_none() && Document::diff(200, 230).is_none());
}

#[test]
fn codes_of_an_error_are_the_same_everywhere() {
    let facts = chappe_schema::facts();
    let full = twins::read("llms-full.txt").unwrap();
    let (methods, errors) = full.split_once("\n# Errors\n").unwrap();
    let mut several = 0;
    for name in facts.errors.keys() {
        let codes = facts.codes(name);
        several += usize::from(codes.len() > 1);
        let said = one_of(codes);
        let page = twins::markdown(Kind::Error, name).unwrap();
        assert!(page.contains(&format!("- Error {said}\n")), "{name}: {page}");
        assert!(errors.contains(&format!("\n- {name} ({said}): ")), "{name}");
        let page = json::page(Kind::Error, name).unwrap();
        assert_eq!((&page["code"], &page["codes"]), (&json!(codes[0]), &json!(codes)), "{name}");
    }
    assert!(several > 30, "{several}");
    // At a method they may be known better.
    for (name, said) in [("channels.editBanned", "406"), ("messages.sendMessage", "400 or 406")] {
        let section = methods.split_once(&format!("\n## {name}\n")).unwrap().1;
        let line = section.lines().find(|line| line.starts_with("Errors: ")).unwrap();
        for error in json::page(Kind::Method, name).unwrap()["errors"].as_array().unwrap() {
            let error_name = error["name"].as_str().unwrap();
            let codes = facts.codes_at(name, error_name);
            assert_eq!(error["codes"], json!(codes), "{name}: {error_name}");
            assert!(line.contains(&format!("{error_name} ({})", one_of(codes))), "{line}");
        }
        assert!(line.contains(&format!("({said})")), "{line}");
    }
    // And whoever looks for a code finds all that may come with it.
    for code in [303, 400, 401, 403, 406, 420, 500, -503] {
        let found = index().find(&code.to_string(), 2_000);
        for name in facts.errors.keys().filter(|name| facts.codes(name).contains(&code)) {
            assert!(found.iter().any(|hit| hit.name == name), "{code} {name}");
        }
    }
}

#[test]
fn the_json_of_everything_says_what_the_schema_and_the_words_say() {
    for definition in chappe_schema::api().definitions() {
        let (kind, key) = match definition.is_function {
            true => (Kind::Method, "params"),
            false => (Kind::Constructor, "fields"),
        };
        let page = json::page(kind, &definition.name).unwrap();
        assert_eq!(page["id"], format!("0x{:08x}", definition.id));
        assert_eq!(page["tl"], format!("{};", definition.text));
        let told = page[key].as_array().unwrap().iter();
        let told = told.map(|it| json!([it["name"], it["type"], it["required"]]));
        let params = definition.params.iter().filter(|param| param.ty != Type::Nat);
        let params = params.map(|it| json!([it.name, it.ty.to_string(), it.flag.is_none()]));
        assert!(told.eq(params), "{}", definition.name);
    }
    let words = chappe_schema::words::words();
    for error in Reference::get().errors() {
        let page = json::page(Kind::Error, error.name).unwrap();
        let retry = words.error(error.name).map(|it| format!("{:?}", it.retry).to_lowercase());
        assert_eq!((&page["retry"], &page["code"]), (&json!(retry), &json!(error.code)));
    }
    for layer in chappe_reference::layers::pages() {
        let page = json::page(Kind::Layer, &layer.name).unwrap();
        let Some(diff) = page["diff"].as_object() else { continue };
        let items = |key: &str| diff[key].as_array().unwrap();
        let breaks = items("changed").iter().any(|it| it["breaking"] == true);
        assert_eq!(diff["breaking"], !items("removed").is_empty() || breaks, "{}", layer.name);
    }
}

#[test]
fn the_difference_of_two_layers_is_written_out() {
    let text = Document::diff(214, 216).unwrap().to_markdown("");
    for said in [
        "# From layer 214 to layer 216\n",
        "## What may break a program\n",
        "- [`channels.getForumTopics`](gone/channels.getForumTopics.md): removed; see [`messages.getForumTopics`]",
        "## Methods added\n",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
    let page = twins::markdown(Kind::Layer, "216").unwrap();
    assert!(page.contains("known from\n\n- PyPI kurigram 2.2.14\n"), "{page}");
    let index = json::index();
    let layers = index["layers"].as_array().unwrap();
    let layer = layers.iter().find(|layer| layer["name"] == "216").unwrap();
    let said = chappe_schema::words::words().layer(216).unwrap();
    assert_eq!(layer["summary"], said);
    assert_eq!(json::page(Kind::Layer, "216").unwrap()["about"], said);
}

/// Layer 223 made a parameter of `channels.editAdmin` optional; its declaration of before is that of
/// the schema of layer 222.
#[test]
fn a_step_of_a_history_shows_the_declaration_of_before() {
    let name = "channels.editAdmin";
    let schema = chappe_schema::layers::Layers::new().schema(222);
    let older = schema.find(name).unwrap();
    let tl = format!("{};", older.text);
    assert!(tl.starts_with(&format!("{name}#{:x} ", older.id)), "{tl}");

    let page = json::page(Kind::Method, name).unwrap();
    let step = page["history"].as_array().unwrap().last().unwrap();
    assert_eq!((&step["when"]["by"], &step["older"]), (&223.into(), &tl.clone().into()));
    assert_ne!(step["older"], page["tl"]);
    assert_eq!(step["newer"], page["tl"]);

    let text = twins::markdown(Kind::Method, name).unwrap();
    let (_, history) = text.split_once("## History\n").unwrap();
    let block = format!(". Before:\n\n  ```tl\n  {tl}\n  ```\n");
    assert!(history.contains(&block), "{history}");
    let html = chappe_reference::page::html(Kind::Method, name).unwrap();
    let escaped = tl.replace('<', "&lt;").replace('>', "&gt;");
    assert!(
        html.contains(&format!("<summary>As it was before</summary><code>{escaped}</code>")),
        "{html}"
    );
}
