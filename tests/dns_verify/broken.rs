//! Name servers that answer badly: each is told for what it does, within its bound.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use crate::world::{inventory, run};

/// Runs `dns verify` against a server that answers each datagram so, and gives what is told of UDP.
fn told(answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static) -> String {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    drop(std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        // The thread ends with the test's process.
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            if let Some(datagram) = answer(&buffer[..length]) {
                socket.send_to(&datagram, from).unwrap();
            }
        }
    }));
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("geodeploy.toml"), inventory(false)).unwrap();
    let begun = Instant::now();
    let server = address.to_string();
    let arguments = [
        "--json",
        "--timeout",
        "1",
        "dns",
        "verify",
        "--name-server",
        &server,
    ];
    let run = run(home.path(), &arguments);
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(run.status, 4, "{}", run.all());
    let found = run.findings("servers", "unreachable");
    let mut told = found
        .iter()
        .map(|finding| finding["told"].as_str().unwrap());
    let udp = told.find(|told| told.contains("over UDP"));
    udp.unwrap_or_else(|| panic!("{}", run.all())).to_owned()
}

/// The request as an answer without records, with the bits of its second byte of flags.
fn echoed(request: &[u8], flags: u8) -> Vec<u8> {
    let mut answer = request.to_vec();
    answer[2] |= 0x84 | flags;
    answer
}

#[test]
fn an_answer_with_a_wrong_id_is_told() {
    let told = told(|request| {
        let mut answer = echoed(request, 0);
        answer[0] ^= 0xff;
        Some(answer)
    });
    assert!(
        told.ends_with("is no answer to the question: its id is another one"),
        "{told}"
    );
}

#[test]
fn a_truncated_answer_without_tcp_is_told() {
    let told = told(|request| Some(echoed(request, 0x02)));
    assert!(
        told.contains("no DNS server there: Connection refused"),
        "{told}"
    );
}

#[test]
fn garbage_is_told() {
    let told = told(|_| Some(vec![0x55; 700]));
    assert!(told.contains("700 bytes that cannot be read"), "{told}");
}

#[test]
fn silence_is_told() {
    let told = told(|_| None);
    assert!(told.ends_with("no answer within 1.0 s"), "{told}");
}

#[test]
fn another_name_in_the_answer_is_told() {
    let told = told(|request| {
        let mut answer = echoed(request, 0);
        answer[13] = b'x';
        Some(answer)
    });
    assert!(told.contains("it answers for xpi.yourapp.com"), "{told}");
}

#[test]
fn a_resolver_that_does_not_answer_is_told_with_what_to_type() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("geodeploy.toml"), inventory(false)).unwrap();
    let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let resolver = port.to_string();
    let run = run(home.path(), &["dns", "verify", "--resolver", &resolver]);
    assert_eq!(run.status, 4, "{}", run.all());
    assert!(
        run.err.contains(&resolver) && run.err.contains("--resolver ADDRESS"),
        "{}",
        run.err
    );
}
