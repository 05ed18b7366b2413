//! A small browser: cookies, and one request a connection.

use std::collections::BTreeMap;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Cookies of one person, at one site.
#[derive(Clone)]
pub(crate) struct Browser {
    port: u16,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// What stands in an attribute of the page.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        let start = format!("{name}=\"");
        let at = self.text.find(&start).unwrap_or_else(|| panic!("no {name} in {}", self.text));
        self.text[at + start.len()..].split('"').next().unwrap()
    }
}

impl Browser {
    pub(crate) fn new(port: u16) -> Self {
        Self { port, cookies: BTreeMap::new() }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The value of the one cookie whose name begins so.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(&format!("{name}_{}", self.port)).map(String::as_str)
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let path = path.strip_prefix(&self.origin()).unwrap_or(path).to_owned();
        self.send("GET", &path, &[], "").await
    }

    /// As a page of the site posts.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Page {
        let origin = self.origin();
        self.send("POST", path, &[("Origin", &origin)], body).await
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Page {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head.push_str(&format!("Host: localhost:{}\r\n", self.port));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            head.push_str(&format!("Cookie: {}\r\n", pairs.join("; ")));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();

        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            match cookie.contains("Max-Age=0") {
                true => _ = self.cookies.remove(name),
                false => _ = self.cookies.insert(name.to_owned(), value.to_owned()),
            }
        }
        Page { status, headers, text: text.to_owned() }
    }
}
