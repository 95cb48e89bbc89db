//! A chat that is streamed slowly, to be disturbed meanwhile.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// A running chat.
pub(crate) struct Chat {
    reading: JoinHandle<String>,
    words: usize,
}

impl Chat {
    /// Starts a chat of that many words, one every `pace`, and returns when the first has come.
    pub(crate) fn start(
        address: SocketAddr,
        region: &str,
        token: &str,
        words: usize,
        pace: Duration,
    ) -> Self {
        let content: Vec<String> = (0..words).map(|number| format!("word{number}")).collect();
        let body = serde_json::json!({
            "model": "echo",
            "stream": true,
            "metadata": { "delay_ms": pace.as_millis().to_string() },
            "messages": [{ "role": "user", "content": content.join(" ") }],
        })
        .to_string();
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        write!(
            stream,
            "POST /v1/chat/completions HTTP/1.1\r\nHost: {region}.yourapp.com\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut text = read_until(&mut stream, "word0");
        let reading = std::thread::spawn(move || {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
            text.push_str(&String::from_utf8_lossy(&rest));
            text
        });
        Self { reading, words }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.reading.is_finished()
    }

    /// Waits for the end; every word must have come, and the mark of a stream that ended well.
    #[track_caller]
    pub(crate) fn whole(self) {
        let text = self.reading.join().unwrap();
        let last = self.words - 1;
        assert!(
            text.contains(&format!("word{last}")) && text.contains("data: [DONE]"),
            "cut: {text}"
        );
    }
}

fn read_until(stream: &mut TcpStream, mark: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(mark) {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "no stream: {text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    text
}
