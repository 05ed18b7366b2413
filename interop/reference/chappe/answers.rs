//! A client that writes down what it asks and hears, for `interop/reference/answers.py`.

use std::{env, fs};

use real::{Builder, Encode, Error, Function, session::IntoStore};

/// `chappe::Client`, as far as the examples use it.
pub struct Client(real::Client);

/// Its builder.
pub struct Draft(Builder);

impl Client {
    /// As `chappe::Client::builder`.
    pub fn builder(api_id: i32, api_hash: impl Into<String>) -> Draft {
        Draft(super::builder(api_id, api_hash))
    }

    /// As `chappe::Client::invoke`; writes request and answer to the file `CHAPPE_REFERENCE_ANSWER`.
    pub async fn invoke<F: Function>(&self, request: &F) -> Result<F::Return, Error>
    where
        F::Return: Encode,
    {
        let answer = self.0.invoke(request).await?;
        let hex = |bytes: bytes::Bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (request, answered): (String, String) = (hex(request.to_bytes()), hex(answer.to_bytes()));
        let layer = real::api::LAYER;
        let told = format!(r#"{{"layer": {layer}, "request": "{request}", "answer": "{answered}"}}"#);
        let file = env::var("CHAPPE_REFERENCE_ANSWER").expect("name the file: CHAPPE_REFERENCE_ANSWER");
        fs::write(file, told).expect("the answer can be written");
        Ok(answer)
    }

    /// As `chappe::Client::close`.
    pub async fn close(&self) -> Result<(), Error> {
        self.0.close().await
    }
}

impl Draft {
    /// As `chappe::Builder::session`.
    pub fn session(self, store: impl IntoStore) -> Self {
        Self(self.0.session(store))
    }

    /// As `chappe::Builder::connect`.
    pub async fn connect(self) -> Result<Client, Error> {
        self.0.connect().await.map(Client)
    }
}
