//! Programs in Rust, with the crate `chappe`.

use std::sync::LazyLock;

use chappe_schema::api;
use chappe_schema::emit::Expressions;
use chappe_schema::value::Object;

use super::{Written, caller};
use crate::recorded::Asker;

/// The longest call that stays inside of `invoke`: chains are broken behind 60 columns.
const LONGEST_INLINE: usize = "client.invoke(&).await?".len();

#[expect(
    clippy::expect_used,
    reason = "the decisions are part of the program and tests parse them"
)]
fn expressions() -> &'static Expressions<'static> {
    static EXPRESSIONS: LazyLock<Expressions<'static>> = LazyLock::new(|| {
        let boxed = include_str!("../../../../schema/boxed.txt");
        Expressions::new(api(), boxed).expect("the bundled decisions parse")
    });
    &EXPRESSIONS
}

/// The statement that makes the request of a call, indented by one step.
pub(super) fn statement(call: &Object<'static>) -> String {
    expressions().of(call).print_statement("let request =", 4)
}

pub(super) fn program(call: &Object<'static>) -> Written {
    let expression = expressions().of(call);
    let names: Vec<&str> = expression.names().collect();
    let names = match &names[..] {
        [only] => (*only).to_owned(),
        many => format!("{{{}}}", many.join(", ")),
    };
    let session = match caller(call) {
        Asker::Bot => "\n        .session(\"bot.session\")",
        Asker::Nobody => "",
        Asker::User => "\n        .session(\"me.session\")",
    };
    let alone = expression.print();
    let invoke = if expression.is_word() && LONGEST_INLINE + alone.len() < 60 {
        format!("    let result = client.invoke(&{alone}).await?;\n")
    } else {
        let statement = expression.print_statement("let request =", 4);
        format!("    {statement}\n    let result = client.invoke(&request).await?;\n")
    };
    let code = format!(
        "use std::env;

use chappe::Client;
use chappe::api::{names};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let api_id = env::var(\"TELEGRAM_API_ID\")?.parse()?;
    let client = Client::builder(api_id, env::var(\"TELEGRAM_API_HASH\")?){session}
        .connect()
        .await?;

{invoke}    println!(\"{{result:#?}}\");

    Ok(client.close().await?)
}}
"
    );
    Written { code, snippet: alone }
}
