//! Tests of the model, each by facts that can be read in the schema.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use chappe_schema::value::{Object, Value, random::Random};
use chappe_schema::{Definition, Type, api, facts};

use super::{Callers, Reference, Size, namespace_of, params};
use crate::Kind;

#[test]
fn everything_of_the_schema_is_there_once() {
    let all = Reference::get();
    assert_eq!(all.methods().len(), api().functions().count());
    assert_eq!(all.methods().len() + all.constructors().len(), api().definitions().len());
    assert_eq!(all.types().len(), api().types().count());
    assert_eq!(all.errors().len(), facts().errors.len());
    for definition in api().definitions() {
        let name = &definition.name;
        let (found, kind) = if definition.is_function {
            (all.method(name).map(|it| it.definition), Kind::Method)
        } else {
            (all.constructor(name).map(|it| it.definition), Kind::Constructor)
        };
        assert_eq!(found, Some(definition));
        assert_eq!(all.kind_of(name), Some(kind));
        assert!(all.namespace(namespace_of(name)).is_some(), "{name}");
    }
    for ty in api().types() {
        assert_eq!(all.ty(ty).map(|it| it.name), Some(ty));
    }
    for error in facts().errors.keys() {
        assert_eq!(all.error(error).map(|it| it.name), Some(error.as_str()));
    }
    let in_namespaces: usize = all.namespaces().iter().map(|it| it.methods.len()).sum();
    assert_eq!(in_namespaces, all.methods().len());
    assert_eq!(all.kind_of("account.resetWebAuthorisation"), None);
}

#[test]
fn who_may_call_is_not_guessed_for_methods_that_nobody_asked() {
    let all = Reference::get();
    let reset = all.method("account.resetWebAuthorization").unwrap();
    let users = Callers { user: true, bot: false, signed_out: false, business: false };
    assert_eq!(reset.callers, Some(users));
    // Old, in no list: everybody may.
    let state = all.method("updates.getState").unwrap().callers.unwrap();
    assert!(state.user && state.bot && !state.signed_out);
    let unknown = |name: &str| all.method(name).unwrap().callers.is_none();
    assert!(unknown("wallet.getState") && unknown("communities.create"));
    for method in all.methods().iter().filter(|method| method.callers.is_none()) {
        assert!(!facts().throws.contains_key(method.name()), "{}", method.name());
    }
    for method in all.methods() {
        let Some(callers) = method.callers else { continue };
        let is_in = |list: &BTreeSet<String>| list.contains(method.name());
        let want = Callers {
            user: !is_in(&facts().bot_only),
            bot: !is_in(&facts().user_only),
            signed_out: is_in(&facts().signed_out),
            business: is_in(&facts().business),
        };
        assert_eq!(callers, want, "{}", method.name());
    }
    let unknown = all.methods().iter().filter(|method| method.callers.is_none()).count();
    assert_eq!(unknown, 60, "methods are newer than the facts");
}

#[test]
fn types_know_where_they_come_from_and_where_they_go() {
    let all = Reference::get();
    let ty = all.ty("WebAuthorization").unwrap();
    assert_eq!(ty.constructors, ["webAuthorization"]);
    assert_eq!(ty.held_by, ["account.webAuthorizations"]);
    assert_eq!(ty.found_in_answers_of, ["account.getWebAuthorizations"]);
    assert!(ty.returned_by.is_empty() && ty.accepted_by.is_empty());
    let list = all.ty("account.WebAuthorizations").unwrap();
    assert_eq!(list.returned_by, ["account.getWebAuthorizations"]);
    // A vector of a type is a way to have the type.
    assert!(all.ty("User").unwrap().returned_by.contains(&"users.getUsers"));
    assert!(all.ty("InputUser").unwrap().accepted_by.contains(&"users.getUsers"));
    for ty in all.types() {
        for method in &ty.found_in_answers_of {
            assert!(!ty.returned_by.contains(method), "{}: {method}", ty.name);
        }
    }
}

#[test]
fn errors_know_who_answers_them() {
    let all = Reference::get();
    let hash_invalid = all.error("HASH_INVALID").unwrap();
    assert_eq!((hash_invalid.code, hash_invalid.codes), (400, &[400][..]));
    assert!(hash_invalid.by_code().is_empty());
    assert!(hash_invalid.thrown_by.contains(&"account.resetWebAuthorization"));
    for method in all.methods() {
        for thrown in &method.errors {
            let error = all.error(thrown.name).unwrap();
            assert!(error.thrown_by.contains(&method.name()));
            let is_assumed = facts().assumed_of(method.name()).any(|(name, _)| name == thrown.name);
            assert_eq!(thrown.assumed, is_assumed, "{}: {}", method.name(), thrown.name);
        }
        for name in method.words.into_iter().flat_map(|words| words.errors.keys()) {
            let is_said = method.errors.iter().any(|thrown| thrown.name == name);
            assert!(is_said || all.error(name).is_none(), "{}: {name}", method.name());
        }
    }
}

#[test]
fn codes_are_those_of_the_method() {
    let all = Reference::get();
    let thrown = |method: &str, error: &str| {
        *all.method(method).unwrap().errors.iter().find(|it| it.name == error).unwrap()
    };
    let banned = thrown("channels.editBanned", "BANNED_RIGHTS_INVALID");
    assert_eq!((banned.code, banned.codes), (406, &[406][..]));
    let private = thrown("channels.editBanned", "CHANNEL_PRIVATE");
    assert_eq!((private.code, private.codes), (400, &[400, 406][..]));
    for error in all.errors() {
        let groups = error.by_code();
        let methods: BTreeSet<_> = groups.iter().flat_map(|(_, methods)| methods).collect();
        assert!(groups.is_empty() || methods.len() == error.thrown_by.len(), "{}", error.name);
        for method in &error.thrown_by {
            let thrown = thrown(method, error.name);
            assert_eq!(thrown.codes.first(), Some(&thrown.code));
            let group = groups.iter().find(|(_, methods)| methods.contains(method));
            let said = group.map_or(error.codes, |(codes, _)| codes);
            assert_eq!(said, thrown.codes, "{method}: {}", error.name);
        }
    }
    let premium = all.error("PREMIUM_ACCOUNT_REQUIRED").unwrap();
    assert_eq!((premium.code, premium.codes), (403, &[403, 400][..]));
    assert_eq!(premium.by_code().first().unwrap().0, [403]);
}

#[test]
fn what_nobody_has_seen_is_marked_as_assumed() {
    let all = Reference::get();
    let accept = all.method("messages.acceptUrlAuth").unwrap();
    let assumed = |name: &str| accept.errors.iter().find(|it| it.name == name).unwrap().assumed;
    assert!(assumed("URL_INVALID") && !assumed("URL_EXPIRED"));
    assert!(all.error("URL_INVALID").unwrap().thrown_by.contains(&"messages.acceptUrlAuth"));
}

#[test]
fn related_methods_are_said_once_and_in_both_directions() {
    let all = Reference::get();
    let related = &all.method("account.resetWebAuthorization").unwrap().related;
    assert!(related.needs.contains(&"account.getWebAuthorizations"));
    let list = &all.method("account.getWebAuthorizations").unwrap().related;
    assert!(list.needed_by.contains(&"account.resetWebAuthorization"));
    for method in all.methods() {
        let it = &method.related;
        let lists = [&it.needs, &it.needed_by, &it.undo, &it.undoes, &it.see, &it.family];
        let takes_back = |what: &str, by: &str| {
            let words = all.method(what).and_then(|method| method.words);
            words.is_some_and(|words| words.undo.iter().any(|undo| undo == by))
        };
        assert!(it.undo.iter().all(|other| takes_back(method.name(), other)), "{it:?}");
        assert!(it.undoes.iter().all(|other| takes_back(other, method.name())), "{it:?}");
        let mut once = BTreeSet::from([method.name()]);
        for other in lists.into_iter().flatten() {
            assert!(once.insert(other), "{} and {other}", method.name());
            assert!(all.method(other).is_some(), "{other}");
        }
    }
}

#[test]
fn a_family_is_what_is_about_the_same() {
    let all = Reference::get();
    let check = |name: &str, expect: &str| {
        let related = &all.method(name).unwrap().related;
        let lists = [&related.family, &related.see, &related.undo, &related.undoes];
        assert!(lists.iter().any(|list| list.contains(&expect)), "{name}: {related:?}");
    };
    check("account.resetWebAuthorization", "account.resetWebAuthorizations");
    check("messages.sendMessage", "messages.sendMedia");
    check("phone.joinGroupCall", "phone.leaveGroupCall");
    check("stickers.createStickerSet", "stickers.deleteStickerSet");
}

#[test]
fn no_value_is_shorter_or_longer_than_its_constructor_allows() {
    let all = Reference::get();
    let mut random = Random::new(api(), 6);
    for constructor in all.constructors().iter().filter(|it| !is_built_in(it.name())) {
        let size = constructor.size;
        for _ in 0..4 {
            let object: Object<'_> = random.object(constructor.definition);
            let mut bytes = Vec::new();
            object.encode(&mut bytes).unwrap();
            let length = u64::try_from(bytes.len()).unwrap();
            let name = constructor.name();
            assert!(length >= size.least, "{name}: {length} bytes, {size}");
            assert!(size.most.is_none_or(|most| length <= most), "{name}: {length} bytes, {size}");
            let ty = all.ty(&constructor.type_name()).map(|ty| ty.size);
            let fits = |it: Size| it.least <= length && it.most.is_none_or(|most| length <= most);
            assert!(ty.is_none_or(fits), "{name}: {length} bytes, {ty:?}");
        }
    }
}

/// Whether values of a constructor are no objects, as the codec writes them in a way of their own.
fn is_built_in(constructor: &str) -> bool {
    ["true", "vector"].contains(&constructor)
}

/// The value that the codec makes shortest, or longest, of a type: where its fields' are known.
fn extreme<'s>(
    definition: &'static Definition,
    is_longest: bool,
    known: &HashMap<&str, (u64, Value<'s>)>,
) -> Option<Object<'s>> {
    let mut object = Object::new(definition);
    for param in params(definition) {
        if param.flag.is_some() && !is_longest {
            continue;
        }
        let value = match &param.ty {
            Type::Bool | Type::True => Value::Bool(true),
            Type::Bytes => Value::Bytes(Bytes::new()),
            Type::Double => Value::Double(0.0),
            Type::Int => Value::Int(0),
            Type::Int128 => Value::Int128([0; 16]),
            Type::Int256 => Value::Int256([0; 32]),
            Type::Long => Value::Long(0),
            Type::String => Value::String("".into()),
            Type::Vector { .. } => Value::Vector(Vec::new()),
            Type::Boxed(name) => known.get(name.as_str())?.1.clone(),
            other => panic!("{}: a field of the type {other}", definition.name),
        };
        object.set(&param.name, Some(value)).unwrap();
    }
    Some(object)
}

/// Every type's shortest value, and its longest where there is one, by trying until none is better.
fn extremes<'s>(is_longest: bool) -> HashMap<&'static str, (u64, Value<'s>)> {
    let all = Reference::get();
    let mut known = HashMap::new();
    loop {
        let mut is_done = true;
        for ty in all.types().iter().filter(|ty| !is_longest || ty.size.most.is_some()) {
            for definition in api().constructors(ty.name) {
                if is_built_in(&definition.name) {
                    continue;
                }
                let Some(object) = extreme(definition, is_longest, &known) else { continue };
                let mut bytes = Vec::new();
                object.encode(&mut bytes).unwrap();
                let length = u64::try_from(bytes.len()).unwrap();
                let is_better = known.get(ty.name).is_none_or(|(best, _)| {
                    if is_longest { length > *best } else { length < *best }
                });
                if is_better {
                    known.insert(ty.name, (length, value_of(object, &definition.result)));
                    is_done = false;
                }
            }
        }
        if is_done {
            return known;
        }
    }
}

/// Yes and no are constructors, too, but no objects.
fn value_of<'s>(object: Object<'s>, ty: &Type) -> Value<'s> {
    if *ty == Type::Bool { Value::Bool(true) } else { Value::Object(object) }
}

#[test]
fn sizes_are_those_of_the_shortest_and_the_longest_value() {
    let all = Reference::get();
    let [shortest, longest] = [extremes(false), extremes(true)];
    for ty in all.types().iter().filter(|ty| !ty.constructors.iter().any(|it| is_built_in(it))) {
        let length = |of: &HashMap<&str, (u64, _)>| of.get(ty.name).map(|(length, _)| *length);
        assert_eq!(length(&shortest), Some(ty.size.least), "{}", ty.name);
        assert_eq!(length(&longest), ty.size.most, "{}", ty.name);
    }
    for constructor in all.constructors().iter().filter(|it| !is_built_in(it.name())) {
        let length = |is_longest: bool, known: &HashMap<_, _>| {
            let mut bytes = Vec::new();
            extreme(constructor.definition, is_longest, known)?.encode(&mut bytes).unwrap();
            u64::try_from(bytes.len()).ok()
        };
        let name = constructor.name();
        assert_eq!(length(false, &shortest), Some(constructor.size.least), "{name}");
        if constructor.size.most.is_some() {
            assert_eq!(length(true, &longest), constructor.size.most, "{name}");
        }
    }
}

#[test]
fn sizes_are_those_that_one_counts_by_hand() {
    let all = Reference::get();
    let size = |name: &str| all.constructor(name).unwrap().size;
    assert_eq!(size("boolTrue"), Size { least: 4, most: Some(4) });
    // An id and two longs.
    assert_eq!(size("inputPeerUser"), Size { least: 20, most: Some(20) });
    assert_eq!(all.ty("Bool").unwrap().size.to_string(), "4 bytes");
    assert_eq!(all.ty("InputChatPhoto").unwrap().size.least, 4);
    // It may hold itself, and so on.
    assert_eq!(all.ty("InputPeer").unwrap().size, Size { least: 4, most: None });
    assert_eq!(size("geoPoint").to_string(), "32 to 36 bytes");
    // An id, flags, two longs, two short texts, two ints.
    assert_eq!(size("stickerSet").to_string(), "40 bytes or more");
}

#[test]
fn lists_and_flags_take_what_the_codec_writes() {
    let length = |value: &Value<'_>, ty: &Type| {
        let mut bytes = Vec::new();
        value.encode(ty, &mut bytes).unwrap();
        u64::try_from(bytes.len()).unwrap()
    };
    let all = Reference::get();
    let size = |name: &str| all.constructor(name).unwrap().size;
    let ids = Type::Vector { item: Box::new(Type::Long), bare: false };
    assert_eq!(length(&Value::Vector(Vec::new()), &ids), size("vector").least);
    assert!(length(&Value::Vector(vec![Value::Long(1)]), &ids) > size("vector").least);
    assert_eq!(size("vector").most, None);
    assert_eq!(
        (Some(length(&Value::Bool(true), &Type::True)), 0),
        (size("true").most, size("true").least)
    );
    assert_eq!(all.ty("True").unwrap().size, size("true"));
}
