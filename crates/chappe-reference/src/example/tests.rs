//! Requests and programs of every method.

use std::collections::BTreeMap;

use chappe_schema::value::Value;
use chappe_schema::{Type, words::words};

use super::*;

#[cfg(unix)]
mod literals;

fn of(method: &str) -> BTreeMap<Language, Example> {
    let definition = api().find(method).unwrap();
    let call = call(definition);
    Language::ALL.into_iter().map(|language| (language, example(language, &call))).collect()
}

#[test]
fn every_method_has_a_request_that_the_schema_takes() {
    let mut count = 0;
    for definition in methods() {
        let given: Map<String, Json> = words()
            .method(&definition.name)
            .map(|words| words.example.clone().into_iter().collect())
            .unwrap_or_default();
        let call = Samples::bundled().call(definition, &given);
        let call = call.unwrap_or_else(|error| panic!("{}: {error}", definition.name));
        let mut bytes = Vec::new();
        call.encode(&mut bytes).unwrap();
        let again = Object::decode_call(api(), &bytes.into()).unwrap();
        assert_eq!(again, call, "{}", definition.name);
        count += 1;
    }
    assert_eq!(count, 850);
}

#[test]
fn no_sample_is_written_in_vain() {
    let samples = Samples::bundled();
    let unused = samples.unused(api().definitions().iter()).unwrap();
    assert_eq!(unused, Vec::<&str>::new());
    assert_eq!(samples.listed_in_vain(), Vec::<&str>::new());
}

#[test]
fn every_constructor_has_a_sample_that_is_a_value() {
    for definition in api().definitions().iter().filter(|it| !it.is_function) {
        // A flag that is set is no value of the type `True`, but of `true`.
        if !matches!(definition.result, Type::Boxed(_)) || definition.name == "true" {
            continue;
        }
        let json = sample(definition);
        let value = Value::from_json(api(), &definition.result, &json);
        let value = value.unwrap_or_else(|error| panic!("{}: {error}: {json}", definition.name));
        assert_eq!(value.to_json(), json, "{}", definition.name);
    }
}

#[test]
fn what_json_has_itself_is_no_object() {
    for (constructor, json) in [
        ("boolFalse", json!(false)),
        ("boolTrue", json!(true)),
        ("true", json!(true)),
        ("vector", json!([1024, 1025])),
    ] {
        assert_eq!(sample(api().find(constructor).unwrap()), json);
    }
    let ids = Type::Vector { item: Box::new(Type::Int), bare: false };
    for (ty, json) in
        [(&Type::Bool, json!(false)), (&Type::True, json!(true)), (&ids, json!([1024]))]
    {
        assert_eq!(Value::from_json(api(), ty, &json).unwrap().to_json(), json);
    }
}

#[test]
fn a_type_is_shown_as_what_one_mostly_means_by_it() {
    for (ty, constructor) in [
        // Listed; in requests; of the type's name; answered; the first.
        ("Chat", "channel"),
        ("InputPeer", "inputPeerUser"),
        ("InputDocument", "inputDocument"),
        ("Document", "document"),
        ("Message", "message"),
        ("Updates", "updates"),
        ("messages.Stickers", "messages.stickers"),
        ("UserStatus", "userStatusOffline"),
        ("MessageMedia", "messageMediaPhoto"),
        ("ExportedChatInvite", "chatInviteExported"),
    ] {
        assert_eq!(usual(ty).map(|it| it.name.as_str()), Some(constructor), "{ty}");
    }
    assert!(usual("NoSuchType").is_none());
    for ty in api().types() {
        let constructors = api().constructors(ty);
        let shown = usual(ty).unwrap();
        assert!(constructors.contains(&shown), "{ty}");
        let says_nothing =
            shown.name.ends_with("NotModified") || shown.name.ends_with("FromMessage");
        assert!(constructors.len() == 1 || !says_nothing, "{ty}: {}", shown.name);
    }
}

#[test]
fn the_method_of_the_starting_page_is_called_as_there() {
    let examples = of("account.resetWebAuthorization");
    let rust = &examples[&Language::Rust];
    assert_eq!(rust.snippet, "account::ResetWebAuthorization { hash: 4457235 }");
    assert!(rust.code.contains(
        "    let request = account::ResetWebAuthorization { hash: 4457235 };\n    let result = client.invoke(&request).await?;\n"
    ));
    assert_eq!(
        examples[&Language::JavaScript].snippet,
        "const result = await client.invoke(
  new Api.account.ResetWebAuthorization({
    hash: 4457235,
  }),
);"
    );
    assert!(examples[&Language::TypeScript].snippet.starts_with("const result: Api.Bool = await"));
    assert_eq!(
        examples[&Language::Python].snippet,
        "result = await client(functions.account.ResetWebAuthorizationRequest(hash=4457235))"
    );
    assert_eq!(
        examples[&Language::Cli].snippet,
        r#"chappe call account.resetWebAuthorization '{"hash":"4457235"}'"#
    );
}

#[test]
fn where_no_package_has_a_method_the_example_says_so() {
    for (method, word) in [
        ("wallet.getState", "No package has the method yet"),
        ("bots.checkUsername", "No package has this form of the method yet"),
    ] {
        let examples = of(method);
        for language in [Language::JavaScript, Language::TypeScript, Language::Python] {
            let example = &examples[&language];
            assert_eq!((example.code.as_str(), example.package.as_str()), ("", ""));
            assert!(example.note.as_ref().unwrap().starts_with(word), "{example:?}");
        }
        assert!(!examples[&Language::Rust].code.is_empty());
    }
    let examples = of("account.resetWebAuthorization");
    assert_eq!(examples[&Language::TypeScript].package, "telegram@2.26.22");
    assert_eq!(examples[&Language::Python].package, "telethon==1.45.0");
    let examples = of("messages.sendMessage");
    assert_eq!(examples[&Language::JavaScript].package, "teleproto@1.229.0");
    // What is known to go wrong is said beside the program.
    let examples = of("account.sendVerifyEmailCode");
    for (language, is_broken) in [(Language::TypeScript, true), (Language::Python, false)] {
        let note = examples[&language].note.as_deref();
        assert_eq!(note.is_some_and(|note| note.contains("`TypeError`")), is_broken, "{note:?}");
    }
}

#[test]
fn who_may_call_decides_about_the_session() {
    for (method, rust, asker) in [
        ("account.getPassword", "me.session", Asker::User),
        ("auth.signIn", "me.session", Asker::User),
        ("messages.setBotCallbackAnswer", "bot.session", Asker::Bot),
        ("bots.answerWebhookJSONQuery", "bot.session", Asker::Bot),
        ("auth.sendCode", "", Asker::Nobody),
        ("invokeWithLayer", "", Asker::Nobody),
    ] {
        let definition = api().find(method).unwrap();
        let call = call(definition);
        assert_eq!(caller(&call), asker, "{method}");
        let code = example(Language::Rust, &call).code;
        assert!(code.contains(rust), "{code}");
        assert_eq!(code.contains(".session("), asker != Asker::Nobody);
    }
}

#[test]
fn the_same_people_are_in_all_requests() {
    let mut people = BTreeMap::new();
    for definition in methods().filter(|it| recorded(&it.name).is_none()) {
        let call = call(definition);
        let mut found = Vec::new();
        objects(&call, &mut found);
        for object in found {
            if let (Some(id), Some(hash)) = (object.get("user_id"), object.get("access_hash")) {
                let (id, hash) = (id.to_json().to_string(), hash.to_json().to_string());
                let before = people.insert(id.clone(), hash.clone());
                assert!(before.is_none_or(|before| before == hash), "{id} in {}", definition.name);
            }
        }
    }
    assert_eq!(people.len(), 2, "a friend and a bot: {people:?}");

    fn objects<'o>(object: &'o Object<'static>, found: &mut Vec<&'o Object<'static>>) {
        fn walk<'o>(value: &'o Value<'static>, found: &mut Vec<&'o Object<'static>>) {
            match value {
                Value::Object(object) => objects(object, found),
                Value::Vector(items) => items.iter().for_each(|item| walk(item, found)),
                _ => {}
            }
        }
        found.push(object);
        object.fields().for_each(|(_, value)| walk(value, found));
    }
}

#[test]
fn who_chose_among_the_optional_fields_chose_them_all() {
    let given = |json: Json| json.as_object().cloned().unwrap();
    let samples = Samples::bundled();
    let method = api().find("channels.createChannel").unwrap();
    let plain = samples.call(method, &Map::new()).unwrap();
    assert!(plain.get("broadcast").is_some(), "the sample makes a channel");
    let group = samples.call(method, &given(serde_json::json!({ "megagroup": true }))).unwrap();
    assert!(group.get("broadcast").is_none() && group.get("megagroup").is_some());
    // What shares a bit goes with what was chosen.
    let method = api().find("stories.editStory").unwrap();
    let story = samples.call(method, &given(serde_json::json!({ "caption": "Good evening" })));
    assert!(story.unwrap().get("entities").is_some());
}

#[test]
fn a_shell_gives_back_what_stands_in_quotes() {
    let method = api().find("messages.sendMessage").unwrap();
    let given = serde_json::json!({ "message": "It's \"open\" for $5 & `more`" });
    let call = Samples::bundled().call(method, given.as_object().unwrap()).unwrap();
    let command = example(Language::Cli, &call).code;
    let output = std::process::Command::new("bash")
        .arg("-c")
        .arg(format!("chappe() {{ printf %s \"$3\"; }}\n{command}"))
        .output()
        .unwrap();
    let told: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(Object::call_from_json(api(), &method.name, &told).unwrap(), call);
}
