//! A public resolver's JSON interface, simulated as documented.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use geodeploy::dns::verify::samples;
use geodeploy::geography::Continent;

use crate::world::{Plan, World};

/// Answers each client as its continent says, but those of `lost`, who get an address of somebody else's.
fn resolver(six: bool, lost: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(std::thread::spawn(move || answer(&mut stream, six, lost)));
        }
    }));
    address
}

fn answer(stream: &mut TcpStream, six: bool, lost: &str) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..length]);
    }
    let request = String::from_utf8(request).unwrap();
    let line = request
        .lines()
        .next()
        .unwrap()
        .replace("%2F", "/")
        .replace("%3A", ":");
    let value = |key: &str| {
        let (_, rest) = line.split_once(&format!("{key}=")).unwrap();
        rest.split(['&', ' ']).next().unwrap().to_owned()
    };
    let subnet = value("edns_client_subnet");
    let sample = samples()
        .into_iter()
        .find(|sample| sample.network.to_string() == subnet);
    let asia = sample.unwrap().country.continent() == Continent::AS;
    let name = value("name");
    let answer = match (value("type").as_str(), asia) {
        ("A", _) if subnet == lost => Some((1, "8.7.198.45")),
        ("A", true) => Some((1, "127.0.0.3")),
        ("A", false) => Some((1, "127.0.0.2")),
        (_, true) => None,
        (_, false) => six.then_some((28, "::1")),
    };
    let answer = answer.map(|(kind, data)| {
        serde_json::json!([{"name": format!("{name}."), "type": kind, "TTL": 17, "data": data}])
    });
    let body = serde_json::json!({"Status": 0, "Answer": answer.unwrap_or_default(), "edns_client_subnet": subnet});
    let body = body.to_string().replace("\"Answer\":null,", "");
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
}

#[test]
fn a_public_resolver_is_asked_on_request_for_the_same_clients() {
    let Some(world) = World::start(Plan::default()) else {
        return;
    };
    let endpoint = |lost| format!("http://{}/resolve", resolver(world.six, lost));
    let run = world.verify(&["--public", "--public-endpoint", &endpoint("")]);
    assert_eq!(run.status, 0, "{}", run.all());
    let told = run.finding("public", "ok");
    assert_eq!(told["told"], "api.yourapp.com: 30 clients get their region");

    let run = world.verify(&["--public", "--public-endpoint", &endpoint("49.96.0.0/24")]);
    assert_eq!(run.status, 2, "{}", run.all());
    let alarm = run.finding("foreign", "differs");
    assert_eq!(alarm["clients"], serde_json::json!(["49.96.0.0/24 JP"]));
    assert_eq!(alarm["servers"], serde_json::json!(["127.0.0.1"]));

    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let run = world.verify(&[
        "--public",
        "--public-endpoint",
        &format!("http://{closed}/"),
    ]);
    assert_eq!(run.status, 4, "{}", run.all());
    let told = run.finding("public", "unreachable")["told"].to_string();
    assert!(told.contains("does not answer"), "{told}");
}
