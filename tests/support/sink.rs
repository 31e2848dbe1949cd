//! A SIEM of a test's own: it takes what it is sent, or not.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// One request that was answered.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// Whether the sink took it.
    pub taken: bool,
}

/// What it answers.
#[derive(Clone, Copy)]
struct Says {
    status: u16,
    /// It answers 413 to more lines than these.
    lines_max: usize,
}

/// A sink on this machine.
pub struct Sink {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    says: Arc<Mutex<Says>>,
    task: Option<JoinHandle<()>>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let says = Says { status: 200, lines_max: usize::MAX };
        let mut sink = Self { address, received: Arc::default(), says: Arc::new(Mutex::new(says)), task: None };
        sink.serve(listener);
        sink
    }

    pub fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }

    fn serve(&mut self, listener: TcpListener) {
        let (received, says) = (self.received.clone(), self.says.clone());
        self.task = Some(tokio::spawn(async move {
            // With this task its connections end.
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(answer(connection, received.clone(), says.clone()));
            }
        }));
    }

    /// Nobody listens at its address from here on.
    pub async fn go_down(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    pub async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("its port is free still");
        self.serve(listener);
    }

    /// What it answers from here on.
    pub fn says(&self, status: u16) {
        self.says.lock().unwrap_or_else(PoisonError::into_inner).status = status;
    }

    /// It finds more lines than these too many at a time.
    pub fn takes_at_most(&self, lines: usize) {
        self.says.lock().unwrap_or_else(PoisonError::into_inner).lines_max = lines;
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every line that it took, as often as it was sent.
    pub fn lines(&self) -> Vec<Value> {
        let taken = self.received().into_iter().filter(|request| request.taken);
        let lines = taken.flat_map(|request| match serde_json::from_slice(&request.body) {
            Ok(Value::Array(batch)) => batch,
            _ => String::from_utf8(request.body).expect("text").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(),
        });
        lines.collect()
    }
}

async fn answer(mut connection: TcpStream, received: Arc<Mutex<Vec<Received>>>, says: Arc<Mutex<Says>>) -> Option<()> {
    loop {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            if connection.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let headers: BTreeMap<String, String> = head.lines().skip(1).filter_map(header).collect();
        let length: usize = headers.get("content-length")?.parse().ok()?;
        let mut body = bytes.split_off(end + 4);
        while body.len() < length {
            if connection.read_buf(&mut body).await.ok()? == 0 {
                return None;
            }
        }
        let Says { status, lines_max } = *says.lock().unwrap_or_else(PoisonError::into_inner);
        let status = if body.split(|byte| *byte == b'\n').count() > lines_max.saturating_add(1) { 413 } else { status };
        let taken = (200..300).contains(&status);
        received.lock().unwrap_or_else(PoisonError::into_inner).push(Received { headers, body, taken });
        connection.write_all(format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.ok()?;
    }
}
