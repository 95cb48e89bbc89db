//! Asks for health all the time, to see whether it ever fails.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(10);

/// One GET: status and body, or why there was none.
pub(crate) fn get(address: SocketAddr, host: &str, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other(format!("no HTTP: {text}")))?;
    Ok((status, text))
}

/// Asks for a region's health through nginx.
pub(crate) fn health(address: SocketAddr, region: &str) -> std::io::Result<(u16, String)> {
    get(address, &format!("{region}.yourapp.com"), "/api/health")
}

/// Waits until health is 200; gives how long that took.
pub(crate) fn wait_healthy(address: SocketAddr, region: &str, deadline: Duration) -> Duration {
    let begun = Instant::now();
    loop {
        let answer = health(address, region);
        if matches!(answer, Ok((200, _))) {
            return begun.elapsed();
        }
        assert!(
            begun.elapsed() < deadline,
            "{region}: {answer:?} after {deadline:?}"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A thread that asks for health until it is stopped.
pub(crate) struct Probe {
    stop: Arc<AtomicBool>,
    asking: JoinHandle<(usize, Vec<String>)>,
}

impl Probe {
    pub(crate) fn start(address: SocketAddr, region: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, region) = (Arc::clone(&stop), region.to_owned());
        let asking = std::thread::spawn(move || {
            let (mut asked, mut failures) = (0, Vec::new());
            while !stopped.load(Ordering::Relaxed) {
                asked += 1;
                match health(address, &region) {
                    Ok((200, _)) => {}
                    other => failures.push(format!("{other:?}")),
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            (asked, failures)
        });
        Self { stop, asking }
    }

    /// Ends it; it must have asked at least `least` times and never have failed.
    #[track_caller]
    pub(crate) fn never_failed(self, least: usize) {
        self.stop.store(true, Ordering::Relaxed);
        let (asked, failures) = self.asking.join().unwrap();
        assert!(
            failures.is_empty(),
            "{} of {asked} failed: {failures:?}",
            failures.len()
        );
        assert!(asked >= least, "only {asked} asked");
    }
}
