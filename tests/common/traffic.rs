//! Real TCP between the operator and a twin, and what it took.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::spawn;
use std::time::{Duration, Instant};

use geodeploy::rehearse::{Lab, Twin};

/// How long TCP connections to a twin's sshd take to open, in milliseconds: one round trip each.
pub(crate) fn connects(twin: &Twin, count: usize) -> Vec<f64> {
    let connect = || {
        let started = Instant::now();
        let _stream = TcpStream::connect_timeout(&twin.ssh(), Duration::from_secs(5)).unwrap();
        started.elapsed().as_secs_f64() * 1e3
    };
    (0..count).map(|_| connect()).collect()
}

/// Round trips in milliseconds as `ping` sees them from within a twin.
pub(crate) fn pings(twin: &Twin, target: &str, count: usize) -> Vec<f64> {
    let count = count.to_string();
    let output = twin
        .exec(["ping", "-n", "-c", &count, "-i", "0.2", target])
        .unwrap();
    assert!(output.success(), "{output:?}");
    let times = output.stdout.split("time=").skip(1);
    times
        .map(|rest| rest.split(' ').next().unwrap().parse().unwrap())
        .collect()
}

/// Sends bytes from a twin to the operator; megabits a second of the second half, when TCP has found its speed.
pub(crate) fn upload(lab: &Lab, twin: &Twin, bytes: usize) -> f64 {
    let listener = TcpListener::bind((lab.operator().ipv4, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let reader = spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = vec![0; 1 << 20];
        let mut seen = 0;
        while seen < bytes / 2 {
            seen += stream.read(&mut buffer).unwrap();
        }
        let (started, first) = (Instant::now(), seen);
        loop {
            match stream.read(&mut buffer).unwrap() {
                0 => return (started.elapsed(), seen - first),
                more => seen += more,
            }
        }
    });
    let script = format!(
        "head -c {bytes} /dev/zero > /dev/tcp/{}/{}",
        address.ip(),
        address.port()
    );
    let output = twin.exec(["bash", "-c", &script]).unwrap();
    assert!(output.success(), "{output:?}");
    let (time, seen) = reader.join().unwrap();
    megabits(seen, time)
}

/// Sends bytes from the operator to a twin; megabits a second until the twin has them all.
pub(crate) fn download(lab: &Lab, twin: &Twin, bytes: usize) -> f64 {
    let listener = TcpListener::bind((lab.operator().ipv4, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let writer = spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let started = Instant::now();
        let chunk = vec![0; 1 << 16];
        let mut left = bytes;
        while left > 0 {
            let size = left.min(chunk.len());
            stream.write_all(&chunk[..size]).unwrap();
            left -= size;
        }
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        // The twin closes when it has read everything.
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
        started.elapsed()
    });
    let script = format!(
        "cat < /dev/tcp/{}/{} > /dev/null",
        address.ip(),
        address.port()
    );
    let output = twin.exec(["bash", "-c", &script]).unwrap();
    assert!(output.success(), "{output:?}");
    megabits(bytes, writer.join().unwrap())
}

fn megabits(bytes: usize, time: Duration) -> f64 {
    bytes as f64 * 8.0 / 1e6 / time.as_secs_f64()
}
