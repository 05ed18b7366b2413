//! A small browser: it sends what it is told, keeps cookies and follows nothing.

use std::collections::BTreeMap;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The only header of this name.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found: Vec<_> = self.headers.iter().filter(|(found, _)| found == name).collect();
        assert_eq!(found.len(), 1, "{name} in {:?}", self.headers);
        &found[0].1
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(found, _)| found == name)
    }

    /// The text between two marks of the body.
    pub(crate) fn between(&self, from: &str, to: &str) -> &str {
        let (_, rest) = self.body.split_once(from).unwrap_or_else(|| panic!("{from}: {self:?}"));
        rest.split_once(to).unwrap().0
    }
}

/// Sends exactly this to `host:port`; reads until the end.
pub(crate) async fn send(address: &str, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Answer { status, headers, body: body.to_owned() }
}

/// A browser at one server.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    /// `host:port`, also what it says as `Host`.
    pub(crate) host: String,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) agent: &'static str,
}

pub(crate) const FIREFOX: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

impl Browser {
    /// For a server at this URL.
    pub(crate) fn at(url: &str) -> Self {
        let host = url.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
        Self { host, cookies: BTreeMap::new(), agent: FIREFOX }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "", "").await
    }

    /// Posts a form from a page of the server itself.
    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        let own = format!("Origin: http://{}\r\n", self.host);
        self.ask("POST", path, &own, form).await
    }

    /// Asks with further headers, each ending in `\r\n`.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        form: &str,
    ) -> Answer {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = match cookies.is_empty() {
            true => String::new(),
            false => format!("Cookie: {}\r\n", cookies.join("; ")),
        };
        let body = match method {
            "GET" => String::new(),
            _ => format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                form.len()
            ),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nConnection: close\r\n\
             {cookies}{headers}{body}\r\n{form}",
            self.host, self.agent
        );
        let answer = send(&self.host, request.as_bytes()).await;
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}
