//! `chappe call`: any method of the schema, arguments and result as JSON.

use bytes::Bytes;
use chappe::Error;
use chappe_reference::elsewhere::{calls_named, made_by_all};
use chappe_schema::value::{Object, Value, ValueError, encode_call};
use serde_json::json;

use crate::args::{Call, Global};
use crate::connect::Target;
use crate::errors::failure;
use crate::interrupt::unless_interrupted;
use crate::output::{Exit, Failure, Output};
use crate::prompt;

/// `chappe call METHOD [JSON]`.
pub(crate) async fn call(global: &Global, call: Call, output: Output) -> Result<(), Failure> {
    let text = match call.arguments.as_str() {
        "-" => prompt::all_of_stdin().await?,
        text => text.to_owned(),
    };
    let request = encode(&call.method, &text)?;
    if call.dry_run {
        let hex: String = request.iter().map(|byte| format!("{byte:02x}")).collect();
        let value = json!({ "method": call.method, "bytes": hex });
        return output.answer(&value, || hex);
    }
    let target = Target::new(global)?;
    let work = async {
        // Some methods need no sign-in, so that a session is made where there is none.
        let client = target.connect().await?;
        let answer = client.invoke_raw(request.clone()).await;
        client.close().await.map_err(failure)?;
        let answer = answer.map_err(|error| refusal(&call.method, &request, error))?;
        let value = decode(&call.method, &request, &answer)?;
        output.answer(&value, || format!("{value:#}"))
    };
    unless_interrupted(work, "the call may have happened all the same").await
}

fn encode(method: &str, arguments: &str) -> Result<Bytes, Failure> {
    let arguments: serde_json::Value = serde_json::from_str(arguments).map_err(|error| {
        Failure::usage(format!("the arguments are no JSON: {error}"))
            .hint(format!("write an object, such as: chappe call {method} '{{\"hash\": \"1\"}}'"))
    })?;
    let schema = chappe_schema::api();
    if schema.find(method).is_some_and(|definition| !definition.is_function) {
        return Err(Failure::usage(format!("`{method}` is a constructor, not a method"))
            .hint("it can stand in arguments: {\"_\": ...}; what is called is a method"));
    }
    if schema.find(method).is_none()
        && let Some(called) = made_by_all(&calls_named(method))
    {
        return Err(Failure::usage(format!(
            "there is no method `{method}`; what others call by it is `{called}`"
        ))
        .hint(format!("chappe docs {called} tells what it wants")));
    }
    let bytes = encode_call(schema, method, &arguments).map_err(usage)?;
    Ok(bytes.into())
}

/// Explains an error of a call. The client was given bytes, so that it knows the method by its id
/// only.
fn refusal(method: &str, request: &Bytes, error: Error) -> Failure {
    let id = request.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    failure(error).named(&format!("#{id:08x}"), method)
}

/// Reads an answer by the declared result; that of a wrapper is its query's.
fn decode(method: &str, request: &Bytes, answer: &Bytes) -> Result<serde_json::Value, Failure> {
    let schema = chappe_schema::api();
    let unreadable = |error: ValueError| {
        Failure::new(Exit::Other, format!("the answer to {method} cannot be read: {error}"))
    };
    let call = Object::decode_call(schema, request).map_err(unreadable)?;
    Ok(Value::decode(schema, call.result(), answer).map_err(unreadable)?.to_json())
}

fn usage(error: ValueError) -> Failure {
    Failure::usage(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &str, arguments: &str) -> String {
        let failure = encode(method, arguments).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        failure.to_string()
    }

    #[test]
    fn a_call_becomes_the_bytes_of_the_schema() {
        // protocol.md 11.1
        let bytes =
            encode("account.resetWebAuthorization", r#"{"hash": "-81985529216486895"}"#).unwrap();
        assert_eq!(&bytes[..], b"\xef\xb9\x01\x2d\x11\x32\x54\x76\x98\xba\xdc\xfe");
    }

    #[test]
    fn what_is_mistyped_is_explained_with_the_nearest_right_name() {
        let text = refused("account.resetWebAuthorisation", "{}");
        assert!(text.contains("did you mean `account.resetWebAuthorization`?"), "{text}");
        // What is no mistake elsewhere.
        let text = refused("sendPhoto", "{}");
        assert!(text.contains("what others call by it is `messages.sendMedia`"), "{text}");
        let text = refused("account.resetWebAuthorization", r#"{"hsh": 1}"#);
        assert!(text.contains("did you mean `hash`?"), "{text}");
        let text = refused("account.resetWebAuthorization", r#"{"hash": "abc"}"#);
        assert!(text.contains("hash") && text.contains("long"), "{text}");
        assert!(refused("account.resetWebAuthorization", "{hash: 1}").contains("no JSON"));
        assert!(refused("account.resetWebAuthorization", "{}").contains("`hash`"));
    }

    #[test]
    fn a_constructor_is_not_called() {
        assert!(refused("webAuthorization", "{}").contains("a constructor, not a method"));
    }

    #[test]
    fn the_answer_of_a_wrapper_is_its_querys() {
        let request = encode(
            "invokeWithLayer",
            r#"{"layer": 230, "query": {"_": "account.getWebAuthorizations"}}"#,
        )
        .unwrap();
        // account.webAuthorizations without rows, protocol.md 10.5
        let mut answer = 0xed56_c9fc_u32.to_le_bytes().to_vec();
        for _ in 0..2 {
            answer.extend(0x1cb5_c415_u32.to_le_bytes());
            answer.extend([0; 4]);
        }
        let value = decode("invokeWithLayer", &request, &answer.into()).unwrap();
        assert_eq!(value["_"], "account.webAuthorizations");
    }
}
