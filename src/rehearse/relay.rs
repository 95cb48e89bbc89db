//! A line between two programs of one machine: a TCP relay on loopback that is as late and as narrow as a real link.
//!
//! It shows round trips and bandwidth, and hides what only packets show: slow start, loss, delayed acknowledgements.
//! Twins have the [`switch`](super::switch) for that; this needs no privilege and works on any system.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use super::switch::link::Shape;

/// Bytes that are read at once.
const CHUNK: usize = 16 << 10;

/// Chunks that may be under way in one direction of one connection: 4 MiB, the window of a well tuned TCP.
const WINDOW: usize = 256;

/// A relay that is listening; it ends, and cuts its connections, when it is dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

/// One direction of the line, shared by all connections that go over it.
#[derive(Clone)]
struct Direction {
    delay: Duration,
    bits_per_second: Option<u64>,
    /// When the last byte that entered has left the narrow end.
    free: Arc<Mutex<Instant>>,
}

impl Relay {
    /// Listens on a free port of loopback and connects each caller to `target` over a line of that shape each way.
    ///
    /// A caller's first byte waits for one round trip, as it would for the handshake of TCP. Queue and loss of the
    /// shape are packets' matters and are not imitated.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(target: SocketAddr, shape: Shape) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let there = Direction::new(shape);
        let back = Direction::new(shape);
        let accepting = tokio::spawn(async move {
            // Dropped with this task, and its connections with it.
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(carry(near, target, there.clone(), back.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the line: both ends of every connection see it end, and nobody is let in any more.
    pub fn cut(&self) {
        self.accepting.abort();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Direction {
    fn new(shape: Shape) -> Self {
        Self {
            delay: shape.delay,
            bits_per_second: shape.bits_per_second,
            free: Arc::new(Mutex::new(Instant::now())),
        }
    }

    /// When so many bytes that enter now come out.
    fn arrival(&self, bytes: usize) -> Instant {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let entered = (*free).max(Instant::now());
        let wire = self.bits_per_second.map_or(Duration::ZERO, |bits| {
            let nanoseconds = (bytes as u64).saturating_mul(8_000_000_000) / bits.max(1);
            Duration::from_nanos(nanoseconds)
        });
        *free = entered + wire;
        *free + self.delay
    }

    /// Copies until the reader ends, then ends the writer.
    async fn copy(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(WINDOW);
        let read = async move {
            loop {
                let mut bytes = vec![0; CHUNK];
                let count = from.read(&mut bytes).await?;
                bytes.truncate(count);
                let gone = sender.send((self.arrival(count), bytes)).await.is_err();
                if gone || count == 0 {
                    return Ok(());
                }
            }
        };
        let write = async move {
            while let Some((arrival, bytes)) = receiver.recv().await {
                sleep_until(arrival).await;
                if bytes.is_empty() {
                    return to.shutdown().await;
                }
                to.write_all(&bytes).await?;
            }
            Ok(())
        };
        tokio::try_join!(read, write).map(drop)
    }
}

async fn carry(near: TcpStream, target: SocketAddr, there: Direction, back: Direction) {
    sleep(there.delay + back.delay).await;
    let Ok(far) = TcpStream::connect(target).await else {
        // The caller sees its connection end, as where a host refuses.
        return;
    };
    for stream in [&near, &far] {
        // Without it, what is late is late twice.
        drop(stream.set_nodelay(true));
    }
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    // An end that fails takes the whole connection with it.
    drop(tokio::try_join!(
        there.copy(near_in, far_out),
        back.copy(far_in, near_out)
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo_server() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    tokio::io::copy(&mut from, &mut to).await.unwrap();
                });
            }
        });
        address
    }

    async fn exchange(stream: &mut TcpStream, bytes: usize) -> Duration {
        let begun = Instant::now();
        let (mut from, mut to) = stream.split();
        let sent = vec![7; bytes];
        let mut back = vec![0; bytes];
        let (written, read) = tokio::join!(to.write_all(&sent), from.read_exact(&mut back));
        written.unwrap();
        read.unwrap();
        assert_eq!(back, sent);
        begun.elapsed()
    }

    #[tokio::test]
    async fn the_first_answer_takes_two_round_trips_and_the_next_one() {
        let shape = Shape::new(Duration::from_millis(100), None);
        let relay = Relay::start(echo_server().await, shape).await.unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        let first = exchange(&mut stream, 1).await.as_millis();
        let second = exchange(&mut stream, 1).await.as_millis();
        assert!((200..300).contains(&first), "{first} ms");
        assert!((100..200).contains(&second), "{second} ms");
    }

    #[tokio::test]
    async fn all_connections_share_the_bandwidth() {
        // 8 Mbit/s: 1 MB a second, so that two times 250 kB take half a second each way, one behind the other.
        let shape = Shape::new(Duration::ZERO, Some(8.0));
        let relay = Relay::start(echo_server().await, shape).await.unwrap();
        let mut one = TcpStream::connect(relay.address()).await.unwrap();
        let mut other = TcpStream::connect(relay.address()).await.unwrap();
        let (first, second) =
            tokio::join!(exchange(&mut one, 250_000), exchange(&mut other, 250_000));
        let longest = first.max(second).as_millis();
        assert!((500..1500).contains(&longest), "{longest} ms");
    }

    #[tokio::test]
    async fn an_end_of_one_side_is_passed_on_after_its_data() {
        let relay = Relay::start(echo_server().await, Shape::default())
            .await
            .unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        stream.write_all(b"last words").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"last words");
    }

    #[tokio::test]
    async fn a_cut_ends_open_connections() {
        let relay = Relay::start(echo_server().await, Shape::default())
            .await
            .unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        exchange(&mut stream, 10).await;
        relay.cut();
        let mut byte = [0];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut byte));
        assert!(matches!(read.await.unwrap(), Ok(0) | Err(_)));
        assert!(TcpStream::connect(relay.address()).await.is_err());
    }
}
