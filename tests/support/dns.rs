//! A name server of the tests' own: it answers what a test published, and nothing else.

use hickory_resolver::proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{RData, Record, RecordType, rdata::TXT},
};
use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
};

#[derive(Clone)]
enum Published {
    Texts(Vec<Vec<String>>),
    Broken,
}

/// An authoritative server for whatever is published, over UDP.
pub struct DnsServer {
    pub address: SocketAddr,
    zone: Arc<Mutex<HashMap<String, Published>>>,
}

/// The server that the running system asks.
pub fn dns() -> &'static DnsServer {
    static DNS: OnceLock<DnsServer> = OnceLock::new();
    DNS.get_or_init(DnsServer::start)
}

impl DnsServer {
    /// Starts a server on a free port. It ends with this process.
    pub fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = socket.local_addr().expect("its address");
        let zone = Arc::new(Mutex::new(HashMap::new()));
        let served = zone.clone();
        thread::spawn(move || serve(&socket, &served));
        Self { address, zone }
    }

    /// Publishes TXT records, each of one or more strings, in place of those of the name.
    pub fn publish(&self, name: &str, records: &[&[&str]]) {
        let texts = records.iter().map(|strings| strings.iter().map(|&text| text.to_owned()).collect()).collect();
        self.put(name, Published::Texts(texts));
    }

    /// Answers for this name that the server failed.
    pub fn break_name(&self, name: &str) {
        self.put(name, Published::Broken);
    }

    fn put(&self, name: &str, published: Published) {
        self.zone.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{}.", name.to_lowercase()), published);
    }
}

fn serve(socket: &UdpSocket, zone: &Mutex<HashMap<String, Published>>) {
    let mut buffer = [0; 4096];
    while let Ok((length, client)) = socket.recv_from(&mut buffer) {
        let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
        let published = |name: &str| zone.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let answer = answer(&question, published).to_vec().expect("an answer");
        // A client that is gone asks again.
        let _ = socket.send_to(&answer, client);
    }
}

fn answer(question: &Message, published: impl Fn(&str) -> Option<Published>) -> Message {
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.metadata.authoritative = true;
    answer.metadata.recursion_desired = question.metadata.recursion_desired;
    let Some(query) = question.queries.first() else { return answer };
    answer.add_query(query.clone());
    match published(&query.name().to_string().to_lowercase()) {
        None => answer.metadata.response_code = ResponseCode::NXDomain,
        Some(Published::Broken) => answer.metadata.response_code = ResponseCode::ServFail,
        Some(Published::Texts(texts)) if query.query_type() == RecordType::TXT => {
            for strings in texts {
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, RData::TXT(TXT::new(strings))));
            }
        }
        Some(Published::Texts(_)) => {}
    }
    answer
}
