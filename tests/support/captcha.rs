//! A service that sets challenges, for tests: it speaks the siteverify contract over HTTP on this machine.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
};

/// By which the service knows the running system.
pub const SECRET: &str = "the-secret-of-the-tests";
/// What a solved challenge gives.
pub const SOLVED: &str = "solved";

/// What was asked of it: the form, pair by pair.
pub type Form = Vec<(String, String)>;

pub struct CaptchaServer {
    pub url: String,
    asked: Arc<Mutex<Vec<Form>>>,
}

/// The service that the running system asks.
pub fn captcha() -> &'static CaptchaServer {
    static CAPTCHA: OnceLock<CaptchaServer> = OnceLock::new();
    CAPTCHA.get_or_init(CaptchaServer::start)
}

impl CaptchaServer {
    /// Starts a service on a free port. It ends with this process.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}/siteverify", listener.local_addr().expect("its address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(answer(stream, &heard))));
        Self { url, asked }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Form> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(mut stream: TcpStream, heard: &Mutex<Vec<Form>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut first, mut length, mut is_form) = (String::new(), 0, false);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(told) = line.strip_prefix("content-length:") {
            length = told.trim().parse().unwrap_or(0);
        }
        is_form |= line == "content-type: application/x-www-form-urlencoded";
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let form: Form = form_urlencoded::parse(&body).into_owned().collect();
    let of = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let (status, said) = match of("response") {
        Some("broken") => ("500 Internal Server Error", "no".to_owned()),
        Some("garbled") => ("200 OK", "<html>".to_owned()),
        Some("endless") => ("200 OK", format!("{{\"success\": true, \"padding\": \"{}\"}}", "x".repeat(64 * 1024))),
        response => {
            let known = first.starts_with("POST /siteverify ") && is_form && of("secret") == Some(SECRET);
            ("200 OK", format!("{{\"success\": {}, \"error-codes\": []}}", known && response == Some(SOLVED)))
        }
    };
    heard.lock().unwrap_or_else(PoisonError::into_inner).push(form);
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
        said.len()
    )
}
