//! The stage: a fresh local Telegram, the people in it, and a story for each method.
//!
//! Everything in it follows from one seed, and its time stands still, so that a story that is
//! played twice ends in the same request and the same answer. Names, numbers, codes, hashes and
//! passwords belong to this invented world and to nobody.

use std::{cell::Cell, time::Duration};

use chappe_mtproto::connection::Config;
use chappe_server::{
    Handle, Server,
    faults::{Action, Call, Scope},
};
use serde_json::{Value as Json, json};

pub(crate) use crate::{
    line::{DESK, Line, PHONE, introduction},
    scene::Scene,
};

/// When everything happens: on an afternoon in November.
pub(crate) const DATE: Duration = Duration::from_secs(1_795_000_000);

/// The application that everybody uses.
pub(crate) const API_ID: i32 = 12_345;
pub(crate) const API_HASH: &str = "0123456789abcdef0123456789abcdef";

/// The data centre where everybody lives.
pub(crate) const HOME: i32 = 2;

/// Where everything random comes from. Of many, this one makes the server's RSA key soonest.
const SEED: u64 = 1_776;

thread_local! {
    static LIVE: Cell<bool> = const { Cell::new(false) };
}

/// Lets the stages of this thread be dialled by others: their protocol has the machine's clock.
pub(crate) fn go_live() {
    LIVE.set(true);
}

/// Whether others dial the stages of this thread.
pub(crate) fn is_live() -> bool {
    LIVE.get()
}

/// A local Telegram with nothing in it but its demonstration account.
pub(crate) struct Stage {
    pub(crate) server: Handle,
    lines: u8,
}

impl Stage {
    /// Sets up a stage.
    pub(crate) async fn new() -> Self {
        let mut server = Server::builder().seed(SEED).stand_still_at(DATE).dcs(3);
        if !is_live() {
            server = server.start_at(DATE);
        }
        Self { server: server.start().await.unwrap(), lines: 0 }
    }

    /// A device that speaks in its own way and said nothing yet.
    pub(crate) async fn silent(&mut self, dc: i32, config: Config) -> Line {
        self.lines += 1;
        Line::connect(&self.server, dc, self.lines, config).await
    }

    /// A device on which nobody is signed in.
    pub(crate) async fn nobody(&mut self) -> Line {
        self.nobody_in(HOME).await
    }

    /// The same in another data centre.
    pub(crate) async fn nobody_in(&mut self, dc: i32) -> Line {
        let mut line = self.silent(dc, Config::default()).await;
        line.introduce(PHONE).await;
        line
    }

    /// The key of a device in another session: what a program has that is given its session.
    pub(crate) async fn again(&mut self, line: &Line) -> Line {
        self.lines += 1;
        let (config, kept) = (Config::default(), Some(line.kept()));
        let mut again = Line::resume(&self.server, line.dc, self.lines, config, kept).await;
        again.introduce(PHONE).await;
        again
    }

    /// Lets time pass for what is kept.
    pub(crate) async fn pass(&self, seconds: u32) {
        let pass = Action::PassTime { seconds };
        self.server.faults().act(pass, Scope::everything()).await.unwrap();
    }

    /// The code that was sent last to a phone number or a mailbox.
    pub(crate) async fn code(&self, to: &str) -> String {
        self.server.letters().last_to(to).await.unwrap().expect(to).code
    }

    /// The last call that the server had.
    pub(crate) async fn last_call(&self) -> Call {
        self.server.faults().calls().await.unwrap().recent.pop().unwrap()
    }
}

/// Asks for a code for a phone number; gives `phone_code_hash`.
pub(crate) async fn send_code(line: &mut Line, phone: &str, settings: Json) -> Json {
    line.call("auth.sendCode", sending(phone, settings)).await["phone_code_hash"].clone()
}

/// The parameters of `auth.sendCode`.
pub(crate) fn sending(phone: &str, settings: Json) -> Json {
    json!({ "phone_number": phone, "api_id": API_ID, "api_hash": API_HASH, "settings": settings })
}
