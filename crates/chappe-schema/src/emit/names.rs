//! The one table of how TL names become Rust names.

/// Words that cannot be a field's name as they are.
const KEYWORDS: [&str; 22] = [
    "as", "async", "await", "break", "const", "dyn", "else", "enum", "final", "fn", "for", "if",
    "in", "loop", "match", "mod", "move", "ref", "static", "struct", "type", "use",
];

/// `messages.getWebPage` without namespace, `server_DH_params_ok` -> `GetWebPage`,
/// `ServerDhParamsOk`: the name of a struct, a method or an enum.
pub(crate) fn pascal(name: &str) -> String {
    words(name.rsplit('.').next().unwrap_or_default())
        .iter()
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_ascii_uppercase().to_string() + letters.as_str()
            })
        })
        .collect()
}

/// `isPublic`, `type`, `self` -> `is_public`, `r#type`, `is_self`: the name of a field.
pub(crate) fn field(name: &str) -> String {
    let name = words(name).join("_");
    match name.as_str() {
        "self" => "is_self".to_owned(),
        word if KEYWORDS.contains(&word) => format!("r#{word}"),
        _ => name,
    }
}

/// The name of a constructor's variant: its name without that of the type, or the whole name
/// where nothing usable would be left.
pub(crate) fn variant(type_name: &str, constructor: &str) -> String {
    let whole = pascal(constructor);
    let rest = whole.strip_prefix(&pascal(type_name)).unwrap_or_default();
    if rest.starts_with(|c: char| c.is_ascii_uppercase()) && rest != "Self" {
        rest.to_owned()
    } else {
        whole
    }
}

/// The name of an error's constant.
pub(crate) fn constant(error: &str) -> String {
    let name: String = error
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// The module of a namespace.
pub(crate) fn module(namespace: &str) -> String {
    field(namespace)
}

/// Cuts a name into lower-case words. A run of capitals is one word, but its last letter
/// begins the next word when small letters follow: `JSONQuery` -> `json`, `query`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| letters.get(index));
        let after = letters.get(index + 1);
        let begins = letter.is_ascii_uppercase()
            && (before.is_some_and(|c| !c.is_ascii_uppercase())
                || after.is_some_and(char::is_ascii_lowercase));
        if *letter == '_' || begins {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        if *letter != '_' {
            word.push(letter.to_ascii_lowercase());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests {
    use super::{constant, field, pascal, variant};

    #[test]
    fn names_of_structs() {
        for (tl, rust) in [
            ("resPQ", "ResPq"),
            ("req_pq_multi", "ReqPqMulti"),
            ("Set_client_DH_params_answer", "SetClientDhParamsAnswer"),
            ("p_q_inner_data_dc", "PQInnerDataDc"),
            ("account.getAccountTTL", "GetAccountTtl"),
            ("bots.answerWebhookJSONQuery", "AnswerWebhookJsonQuery"),
            ("inputPeerUserFromMessage", "InputPeerUserFromMessage"),
            ("invokeWithReCaptcha", "InvokeWithReCaptcha"),
        ] {
            assert_eq!(pascal(tl), rust);
        }
    }

    #[test]
    fn names_of_variants() {
        for (ty, constructor, rust) in [
            ("User", "user", "User"),
            ("User", "userEmpty", "Empty"),
            ("InputPeer", "inputPeerSelf", "InputPeerSelf"),
            ("messages.Messages", "messages.messagesSlice", "Slice"),
            ("messages.Messages", "messages.channelMessages", "ChannelMessages"),
            ("P_Q_inner_data", "p_q_inner_data", "PQInnerData"),
            ("Photo", "photographic", "Photographic"),
        ] {
            assert_eq!(variant(ty, constructor), rust);
        }
    }

    #[test]
    fn names_of_fields_and_constants() {
        assert_eq!(field("type"), "r#type");
        assert_eq!(field("self"), "is_self");
        assert_eq!(field("msg_id"), "msg_id");
        assert_eq!(constant("2FA_CONFIRM_WAIT_X"), "_2FA_CONFIRM_WAIT_X");
        assert_eq!(constant("Timeout"), "TIMEOUT");
    }
}
