//! A story that is told up to its request, and what is written down of the rest.

use std::{
    collections::BTreeMap,
    num::NonZero,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use chappe_mtproto::connection::RpcFailure;
use chappe_reference::{Also, Bound, Recorded, Refused};
use chappe_server::Server;
use serde_json::{Value as Json, json};

use crate::{
    line::{Line, named},
    stage::Stage,
    stories::{also, play},
};

/// A story up to its request.
pub(crate) struct Scene {
    /// What the world is like, in a sentence.
    story: &'static str,
    /// Who makes the request.
    pub(crate) caller: Line,
    pub(crate) request: Json,
    /// Requests that go wrong.
    wrong: Vec<Json>,
    /// Whether the request itself is refused, as it should be.
    is_refused: bool,
    /// Why the request is good for this session only.
    bound: Option<&'static str>,
    /// What others do while the answer is waited for.
    meanwhile: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Line {
    /// The device that makes a request, with its parameters.
    pub(crate) fn asks(self, story: &'static str, request: Json) -> Scene {
        Scene {
            story,
            caller: self,
            request,
            wrong: Vec::new(),
            is_refused: false,
            bound: None,
            meanwhile: Vec::new(),
        }
    }
}

impl Scene {
    /// Shows another request, which is refused: it has these parameters instead.
    pub(crate) fn wrong(mut self, others: Json) -> Self {
        let mut wrong = self.request.clone();
        for (field, value) in others.as_object().unwrap() {
            wrong[field] = value.clone();
        }
        self.wrong.push(wrong);
        self
    }

    /// The request is refused.
    pub(crate) fn refused(mut self) -> Self {
        self.is_refused = true;
        self
    }

    /// The request is good for this session only.
    pub(crate) fn bound(mut self, why: &'static str) -> Self {
        self.bound = Some(why);
        self
    }

    /// Another device stays connected.
    pub(crate) fn with(self, other: Line) -> Self {
        self.meanwhile(other.rest())
    }

    /// Somebody does this while the answer is waited for.
    pub(crate) fn meanwhile(mut self, does: impl Future<Output = ()> + Send + 'static) -> Self {
        self.meanwhile.push(Box::pin(does));
        self
    }

    /// Gives the requests their names.
    pub(crate) fn of(mut self, method: &str) -> Self {
        for request in self.wrong.iter_mut().chain([&mut self.request]) {
            *request = named(method, request.take());
        }
        self
    }

    /// Lets the others do what they do.
    pub(crate) fn begin(&mut self) {
        for others in self.meanwhile.drain(..) {
            tokio::spawn(others);
        }
    }
}

/// Plays the stories of all methods that the local Telegram implements, on as many threads as there
/// are processors.
pub(crate) fn record_all() -> BTreeMap<&'static str, Recorded> {
    let (methods, next) = (Server::methods(), AtomicUsize::new(0));
    let work = || {
        let mut played = Vec::new();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        while let Some(method) = methods.get(next.fetch_add(1, Ordering::Relaxed)) {
            played.push((*method, runtime.block_on(record(method))));
        }
        played
    };
    thread::scope(|threads| {
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let threads: Vec<_> = (0..count).map(|_| threads.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// Plays the story of a method to its end, and again for each request that goes wrong.
pub(crate) async fn record(method: &str) -> Recorded {
    let (_stage, mut scene) = set(method).await;
    let answer = scene.caller.ask(&scene.request).await;
    let mut recorded = Recorded {
        story: scene.story.to_owned(),
        caller: scene.caller.asker,
        request: scene.request.clone(),
        answer: None,
        also: Vec::new(),
        refused: Vec::new(),
        bound: None,
    };
    match answer {
        Ok(answer) if !scene.is_refused => recorded.answer = Some(told(answer)),
        Err(refusal) if scene.is_refused => {
            recorded.refused.push(refused(scene.request.clone(), refusal));
        }
        other => panic!("{method}: {other:?}"),
    }
    for number in 0..also::count(method) {
        let mut stage = Stage::new().await;
        let mut scene = Box::pin(also::play(&mut stage, method, number)).await.of(method);
        let answer = scene.caller.ask(&scene.request).await.expect(method);
        let (story, request) = (scene.story.to_owned(), scene.request);
        recorded.also.push(Also { story, request, answer: told(answer) });
    }
    for number in 0..scene.wrong.len() {
        let (_stage, mut scene) = set(method).await;
        let request = scene.wrong.swap_remove(number);
        let answer = scene.caller.ask(&request).await;
        recorded.refused.push(refused(request, answer.expect_err(method)));
    }
    if let Some(why) = scene.bound {
        let (mut stage, scene) = set(method).await;
        let mut again = stage.again(&scene.caller).await;
        let RpcFailure { code, message } = again.ask(&scene.request).await.expect_err(method);
        recorded.bound = Some(Bound { why: why.to_owned(), code, error: message });
    }
    recorded
}

/// Plays a story up to its request.
pub(crate) async fn set(method: &str) -> (Stage, Scene) {
    let mut stage = Stage::new().await;
    let mut scene = play(&mut stage, method).await.expect(method);
    scene.begin();
    (stage, scene)
}

fn refused(request: Json, refusal: RpcFailure) -> Refused {
    Refused { request, code: refusal.code, error: refusal.message }
}

/// An answer as it is written down: the ports that the local Telegram had are those of Telegram's own
/// data centres there, since the system gives other ones each time.
pub(crate) fn told(mut answer: Json) -> Json {
    if answer["_"] == "dcOption" {
        answer["port"] = json!(443);
    }
    match &mut answer {
        Json::Array(items) => items.iter_mut().for_each(|item| *item = told(item.take())),
        Json::Object(fields) => fields.values_mut().for_each(|field| *field = told(field.take())),
        _ => {}
    }
    answer
}
