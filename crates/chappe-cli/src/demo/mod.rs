//! `chappe demo`: the whole story in one process, over real TCP on 127.0.0.1; with `--web` that of a
//! web login.

mod browser;
mod guided;
mod played;
mod stage;

use std::time::Instant;

use chappe::api::types::User;
use chappe::{Client, Error, SignIn, WebSession, account, errors};
use chappe_server::{Handle, Server};
use serde_json::{Value, json};

use self::stage::Stage;
use crate::args::Demo;
use crate::errors::failure;
use crate::interrupt::unless_interrupted;
use crate::output::{Exit, Failure, Output, bold, dim, good, paint};
use crate::prompt;
use crate::serve;
use crate::user::{name, user_json};
use crate::web::view;

/// Runs the story.
pub(crate) async fn demo(options: Demo, output: Output) -> Result<(), Failure> {
    let mut story = Story { output, number: 0 };
    let after = "nothing was left behind";
    if !options.web {
        return unless_interrupted(story.tell(), after).await;
    }
    let is_person = prompt::is_possible() && output.is_terminal() && !output.is_json();
    if options.open && !is_person {
        return Err(Failure::usage("--open opens a browser for a person at a terminal")
            .hint("leave it out, and the circle is played without a browser"));
    }
    let stage = unless_interrupted(Stage::begin(&mut story), after).await?;
    let done = match is_person {
        true => guided::guide(&stage, options.open, output).await,
        false => unless_interrupted(played::play(&stage, &mut story), after).await,
    };
    let ended = stage.end().await;
    done.and(ended)
}

/// Tells each step in one line, with the time that it took.
struct Story {
    output: Output,
    number: u32,
}

impl Story {
    async fn tell(mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let server = Server::builder().start().await.map_err(serve::failure)?;
        let fingerprint = server.fingerprint();
        self.step("serve", began, || {
            let text =
                format!("a local Telegram listens on {}, key {fingerprint}", server.address());
            (text, json!({ "address": server.address(), "rsa_fingerprint": fingerprint }))
        })?;

        let client = self.connect(&server, "key_exchange").await?;
        self.sign_in(&client, &server).await?;
        let sites = self.list(&client, "list").await?;
        let chosen = sites.first().ok_or_else(|| {
            Failure::new(Exit::Other, "the demonstration account has no web session")
        })?;
        self.reset(&client, chosen).await?;
        let left = self.list(&client, "list_again").await?;
        if left.len() + 1 != sites.len() || left.iter().any(|site| site.hash() == chosen.hash()) {
            return Err(Failure::new(Exit::Other, "the web session is still there"));
        }
        self.reset_again(&client, chosen.hash()).await?;
        self.bot(&server, chosen.hash()).await?;
        self.sign_out(&client).await?;
        server.shutdown().await.map_err(serve::failure)
    }

    async fn connect(&mut self, server: &Handle, step: &str) -> Result<Client, Failure> {
        let began = Instant::now();
        let client = Client::builder(1, "0".repeat(32))
            .server(server.address(), server.public_key_pem())
            .map_err(failure)?
            .connect()
            .await
            .map_err(failure)?;
        self.step(step, began, || {
            let text = "agreed on a 2048-bit auth key over TCP, intermediate framing".to_owned();
            (text, json!({ "dc_id": server.dc_id() }))
        })?;
        Ok(client)
    }

    async fn sign_in(&mut self, client: &Client, server: &Handle) -> Result<(), Failure> {
        let known = server
            .accounts()
            .first()
            .ok_or_else(|| Failure::new(Exit::Other, "the local Telegram has no account"))?;
        let began = Instant::now();
        let step = client.sign_in_phone(&known.phone).await.map_err(failure)?;
        let SignIn::Code(code) = step else { return Err(unexpected("a code")) };
        self.step("send_code", began, || {
            let length = code.length().unwrap_or_default();
            (format!("asked for a login code, {length} digits"), json!({ "length": length }))
        })?;

        let began = Instant::now();
        let step = code.submit(&known.code).await.map_err(failure)?;
        let SignIn::Done(user) = step else { return Err(unexpected("the end of the sign-in")) };
        self.step("sign_in", began, || {
            (format!("signed in as {}", name(&user)), json!({ "user": user_json(&user) }))
        })
    }

    async fn list(&mut self, client: &Client, step: &str) -> Result<Vec<WebSession>, Failure> {
        let began = Instant::now();
        let sites = client.web_sessions().await.map_err(failure)?;
        let output = self.output;
        self.step(step, began, || {
            let text = format!(
                "account.getWebAuthorizations: {} sites\n\n{}\n",
                sites.len(),
                indented(&view::table(&sites, output))
            );
            (text, json!({ "web_authorizations": view::rows_json(&sites) }))
        })?;
        Ok(sites)
    }

    async fn reset(&mut self, client: &Client, site: &WebSession) -> Result<(), Failure> {
        let began = Instant::now();
        let hash = site.hash();
        let request = account::ResetWebAuthorization { hash };
        let result = client.invoke(&request).await.map_err(failure)?;
        self.step("reset", began, || {
            let text = format!("account.resetWebAuthorization {{ hash: {hash} }} -> {result}");
            (text, json!({ "hash": hash.to_string(), "result": result }))
        })
    }

    async fn reset_again(&mut self, client: &Client, hash: i64) -> Result<(), Failure> {
        let began = Instant::now();
        let result = client.invoke(&account::ResetWebAuthorization { hash }).await;
        match result {
            Err(error) if error.is(errors::HASH_INVALID) => {
                self.refusal("reset_again", began, "the same hash once more", &error)
            }
            Err(error) => Err(failure(error)),
            Ok(_) => Err(Failure::new(Exit::Other, "a hash was reset twice")),
        }
    }

    async fn bot(&mut self, server: &Handle, hash: i64) -> Result<(), Failure> {
        let known = server
            .bots()
            .first()
            .ok_or_else(|| Failure::new(Exit::Other, "the local Telegram has no bot"))?;
        let client = self.connect(server, "bot_key_exchange").await?;
        let began = Instant::now();
        let bot: User = client.sign_in_bot(&known.token).await.map_err(failure)?;
        self.step("bot_sign_in", began, || {
            (format!("signed in as the bot {}", name(&bot)), json!({ "user": user_json(&bot) }))
        })?;
        let began = Instant::now();
        match client.invoke(&account::ResetWebAuthorization { hash }).await {
            Err(error) if error.is(errors::BOT_METHOD_INVALID) => {
                self.refusal("bot_reset", began, "the same call by a bot", &error)?;
            }
            Err(error) => return Err(failure(error)),
            Ok(_) => return Err(Failure::new(Exit::Other, "a bot could reset a web session")),
        }
        client.close().await.map_err(failure)
    }

    async fn sign_out(&mut self, client: &Client) -> Result<(), Failure> {
        let began = Instant::now();
        client.sign_out().await.map_err(failure)?;
        client.close().await.map_err(failure)?;
        self.step("sign_out", began, || ("signed out".to_owned(), json!({})))
    }

    /// An error that the story is waiting for.
    fn refusal(
        &mut self,
        step: &str,
        began: Instant,
        what: &str,
        error: &Error,
    ) -> Result<(), Failure> {
        let rpc = error.rpc().ok_or_else(|| unexpected("an answer of Telegram's"))?;
        let words = error.explain().unwrap_or_default();
        self.step(step, began, || {
            let text = format!("{what} -> {} {}: {words}", rpc.code, rpc.text);
            (text, json!({ "error": { "code": rpc.code, "name": rpc.name.as_str(), "explained": words } }))
        })
    }

    fn step(
        &mut self,
        step: &str,
        began: Instant,
        told: impl FnOnce() -> (String, Value),
    ) -> Result<(), Failure> {
        let milliseconds = began.elapsed().as_secs_f64() * 1_000.0;
        let (text, mut value) = told();
        self.number += 1;
        if self.output.is_json() {
            let mut object = json!({ "step": step, "ms": (milliseconds * 100.0).round() / 100.0 });
            if let (Some(object), Some(more)) = (object.as_object_mut(), value.as_object_mut()) {
                object.append(more);
            }
            return self.output.line(&object.to_string());
        }
        let (first, rest) = text
            .split_once('\n')
            .map_or((text.as_str(), None), |(first, rest)| (first, Some(rest)));
        let time = paint(dim(), &format!("{milliseconds:.1} ms"));
        let number = paint(bold(), &format!("{:>2}", self.number));
        self.output.line(&format!("{number} {} {first}  {time}", paint(good(), "✓")))?;
        match rest {
            Some(rest) => self.output.line(rest),
            None => Ok(()),
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("     {line}")).collect::<Vec<_>>().join("\n")
}

fn unexpected(wanted: &str) -> Failure {
    Failure::new(Exit::Other, format!("the local Telegram answered something else than {wanted}"))
}
