//! The mail server: what RFC 5321 asks of it, on loopback and without delivering anything.

use super::caught::{Caught, Verdict};
use mailin::{
    Action, Handler, Response, SessionBuilder,
    response::{INTERNAL_ERROR, OK},
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// The largest mail that is caught, in bytes.
const MAIL_MAX_BYTES: usize = 10 * 1024 * 1024;
/// The longest line that is read, in bytes; RFC 5321 lets a line have 1,000.
const LINE_MAX_BYTES: u64 = 64 * 1024;

/// Serves every connection until it is dropped.
pub(super) async fn accept(listener: TcpListener, caught: Arc<Caught>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    let caught = caught.clone();
                    connections.spawn(async move {
                        if let Err(error) = converse(stream, address, caught).await {
                            tracing::debug!(%error, "a connection to the mailbox broke off");
                        }
                    });
                }
                Err(error) => tracing::warn!(%error, "the mailbox cannot be reached"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, address: SocketAddr, caught: Arc<Caught>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut session = SessionBuilder::new("mailbox.palmares").build(address.ip(), Envelope { caught, ..Envelope::default() });
    stream.write_all(&session.greeting().buffer()?).await?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut stream).take(LINE_MAX_BYTES).read_until(b'\n', &mut line).await?;
        if read == 0 || !line.ends_with(b"\n") {
            return Ok(());
        }
        let response = session.process(&line);
        if response.action != Action::NoReply {
            stream.write_all(&response.buffer()?).await?;
        }
        if response.action == Action::Close {
            return stream.shutdown().await;
        }
    }
}

/// One mail on its way in.
#[derive(Default)]
struct Envelope {
    caught: Arc<Caught>,
    from: String,
    to: Vec<String>,
    data: Vec<u8>,
}

impl Handler for Envelope {
    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        self.from = from.to_owned();
        self.to.clear();
        OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        match self.caught.judge(to) {
            Verdict::Accepted => OK,
            Verdict::Rejected => Response::custom(550, format!("5.1.1 <{to}> has no mailbox here")),
            Verdict::Deferred => Response::custom(451, format!("4.7.1 <{to}> may be tried again")),
        }
    }

    fn data_start(&mut self, _: &str, _: &str, _: bool, to: &[String]) -> Response {
        self.to = to.to_vec();
        self.data.clear();
        OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        if self.data.len() + line.len() > MAIL_MAX_BYTES {
            return Err(io::Error::other("the mail is too large"));
        }
        self.data.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        if self.to.is_empty() {
            return INTERNAL_ERROR;
        }
        self.caught.keep(&self.from, std::mem::take(&mut self.to), &std::mem::take(&mut self.data));
        OK
    }
}
