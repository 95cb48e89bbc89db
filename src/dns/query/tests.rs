//! Servers that answer badly, each on loopback.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Instant;

use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsCode, EdnsOption};
use hickory_proto::rr::{Name, RData, Record as Line, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::*;

const LIMIT: Duration = Duration::from_millis(600);

fn question() -> Question {
    let subnet = "166.111.0.0/24".parse().unwrap();
    Question::new("api.yourapp.com", Kind::A).from(subnet)
}

/// The right answer to a request.
fn right(request: &[u8]) -> Message {
    let request = Message::from_vec(request).unwrap();
    let mut answer = Message::new();
    answer.set_id(request.id());
    answer.set_message_type(MessageType::Response);
    answer.set_authoritative(true);
    answer.add_queries(request.queries().to_vec());
    let name = request.query().unwrap().name().clone();
    answer.add_answer(Line::from_rdata(name, 60, RData::A(A::new(192, 0, 2, 1))));
    let edns = request.extensions().clone().unwrap();
    answer.set_edns(edns);
    answer
}

fn bytes(message: &Message) -> Vec<u8> {
    message.to_vec().unwrap()
}

/// A server that sends these datagrams for each one that it gets, and over TCP that stream before it closes.
async fn server<U, T>(udp: U, tcp: T) -> SocketAddr
where
    U: Fn(&[u8], usize) -> Vec<Vec<u8>> + Send + 'static,
    T: Fn(&[u8]) -> Vec<u8> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let socket = UdpSocket::bind(address).await.unwrap();
    drop(tokio::spawn(async move {
        let mut buffer = [0; 2048];
        for count in 0.. {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            for datagram in udp(&buffer[..length], count) {
                socket.send_to(&datagram, from).await.unwrap();
            }
        }
    }));
    drop(tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut request = vec![0; usize::from(length)];
            stream.read_exact(&mut request).await.unwrap();
            stream.write_all(&tcp(&request)).await.unwrap();
        }
    }));
    address
}

fn framed(message: &Message) -> Vec<u8> {
    let body = bytes(message);
    let length = u16::try_from(body.len()).unwrap();
    [length.to_be_bytes().as_slice(), &body].concat()
}

fn no_tcp(_: &[u8]) -> Vec<u8> {
    Vec::new()
}

/// What comes of a server that answers over UDP so, and that it comes within the bound.
async fn outcome(
    udp: impl Fn(&[u8], usize) -> Vec<Vec<u8>> + Send + 'static,
) -> Result<Reply, Failure> {
    let address = server(udp, no_tcp).await;
    let begun = Instant::now();
    let reply = ask(address, &question(), Transport::Udp, LIMIT).await;
    assert!(begun.elapsed() < LIMIT * 3, "{:?}", begun.elapsed());
    reply
}

async fn odd(change: impl Fn(&mut Message) + Send + 'static) -> String {
    let answer = move |request: &[u8], _| {
        let mut message = right(request);
        change(&mut message);
        vec![bytes(&message)]
    };
    match outcome(answer).await {
        Err(Failure::Odd(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_clients_network_is_sent_as_the_standard_has_it_and_its_scope_is_read() {
    let six = Question::new("X.yourapp.com.", Kind::Aaaa).from("2001:da8::1/56".parse().unwrap());
    let encoded = message::encode(&six, 7).unwrap();
    // OPTION-CODE 8, length, FAMILY 2, 56 bits, scope 0, seven octets (RFC 7871 6).
    let option = [0, 8, 0, 11, 0, 2, 56, 0, 0x20, 1, 0x0d, 0xa8, 0, 0, 0];
    assert!(encoded.ends_with(&option), "{encoded:?}");
    assert_eq!(six.name, "x.yourapp.com");

    let reply = outcome(|request, _| {
        let mut message = right(request);
        let options = message.extensions_mut().as_mut().unwrap().options_mut();
        options.remove(EdnsCode::Subnet);
        let network = IpAddr::from_str("166.111.0.0").unwrap();
        options.insert(EdnsOption::Subnet(ClientSubnet::new(network, 24, 16)));
        vec![bytes(&message)]
    })
    .await
    .unwrap();
    assert_eq!((reply.scope, reply.authoritative), (Some(16), true));
    assert_eq!(reply.addresses(), ["192.0.2.1".parse().unwrap()].into());
    assert_eq!(reply.answers[0].ttl, 60);
}

#[tokio::test]
async fn an_answer_with_another_id_is_passed_over_and_told_if_nothing_better_comes() {
    let forged = |request: &[u8]| {
        let mut message = right(request);
        message.set_id(message.id().wrapping_add(1));
        bytes(&message)
    };
    let better = outcome(move |request, _| vec![forged(request), bytes(&right(request))]).await;
    assert!(better.is_ok(), "{better:?}");
    let why = odd(|message| {
        message.set_id(message.id().wrapping_add(1));
    })
    .await;
    assert_eq!(why, "its id is another one");
}

#[tokio::test]
async fn an_answer_to_another_question_or_for_another_network_is_none() {
    let why = odd(|message| {
        message.take_queries();
        let name = Name::from_ascii("other.example.").unwrap();
        message.add_query(Query::query(name, RecordType::A));
    })
    .await;
    assert_eq!(why, "it answers for other.example A");
    let why = odd(|message| drop(message.take_queries())).await;
    assert_eq!(why, "it answers 0 questions");
    let why = odd(|message| {
        let options = message.extensions_mut().as_mut().unwrap().options_mut();
        options.remove(EdnsCode::Subnet);
        let network = IpAddr::from_str("10.0.0.0").unwrap();
        options.insert(EdnsOption::Subnet(ClientSubnet::new(network, 24, 24)));
    })
    .await;
    assert_eq!(why, "it is for a client in 10.0.0.0/24");
    let why = odd(|message| {
        message.set_message_type(MessageType::Query);
    })
    .await;
    assert_eq!(why, "it is a question itself");
}

#[tokio::test]
async fn garbage_and_silence_end_within_the_bound_and_are_told_apart() {
    let garbage = outcome(|_, _| vec![vec![0xff; 40], Vec::new()])
        .await
        .unwrap_err();
    assert!(
        garbage.to_string().contains("bytes that cannot be read"),
        "{garbage}"
    );
    let silence = outcome(|_, _| Vec::new()).await.unwrap_err();
    assert_eq!(silence, Failure::Silent(LIMIT));
    assert_eq!(silence.to_string(), "no answer within 0.6 s");
}

#[tokio::test]
async fn a_lost_datagram_is_sent_again() {
    let answer = |request: &[u8], count: usize| {
        if count == 0 {
            Vec::new()
        } else {
            vec![bytes(&right(request))]
        }
    };
    assert!(outcome(answer).await.is_ok());
}

#[tokio::test]
async fn a_closed_port_is_told_at_once() {
    let address = {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        socket.local_addr().unwrap()
    };
    let begun = Instant::now();
    for transport in [Transport::Udp, Transport::Tcp] {
        let failure = ask(address, &question(), transport, LIMIT)
            .await
            .unwrap_err();
        assert!(matches!(failure, Failure::Refused(_)), "{failure}");
    }
    assert!(begun.elapsed() < LIMIT);
}

#[tokio::test]
async fn a_truncated_answer_is_fetched_over_tcp_and_truncated_again_it_is_none() {
    let cut = |request: &[u8]| {
        let mut message = right(request);
        message.take_answers();
        message.set_truncated(true);
        message
    };
    let whole = server(
        move |request, _| vec![bytes(&cut(request))],
        |request| framed(&right(request)),
    );
    let reply = ask(whole.await, &question(), Transport::Udp, LIMIT)
        .await
        .unwrap();
    assert!(reply.truncated && reply.addresses().len() == 1, "{reply:?}");

    let twice = server(
        move |request, _| vec![bytes(&cut(request))],
        move |request| framed(&cut(request)),
    );
    let failure = ask(twice.await, &question(), Transport::Udp, LIMIT)
        .await
        .unwrap_err();
    assert_eq!(
        failure,
        Failure::Odd("it is truncated, over TCP".to_owned())
    );
}

#[tokio::test]
async fn a_connection_that_ends_early_or_stays_open_without_an_answer_is_told() {
    let early = server(
        |_, _| Vec::new(),
        |request| framed(&right(request))[..9].to_vec(),
    )
    .await;
    let failure = ask(early, &question(), Transport::Tcp, LIMIT)
        .await
        .unwrap_err();
    let told = failure.to_string();
    assert!(
        told.contains("closed before it") || told.contains("reset"),
        "{told}"
    );

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let failure = ask(address, &question(), Transport::Tcp, LIMIT)
        .await
        .unwrap_err();
    assert_eq!(failure, Failure::Silent(LIMIT));
}

#[tokio::test]
async fn a_refusal_is_an_answer_with_its_code() {
    let reply = outcome(|request, _| {
        let mut message = right(request);
        message.take_answers();
        message.take_queries();
        message.set_response_code(ResponseCode::Refused);
        vec![bytes(&message)]
    })
    .await
    .unwrap();
    assert_eq!(reply.code.to_string(), "REFUSED");
}

#[tokio::test]
async fn a_resolver_that_fails_is_followed_by_the_next_and_all_are_named() {
    let down = server(|_, _| Vec::new(), no_tcp).await;
    let up = server(|request, _| vec![bytes(&right(request))], no_tcp).await;
    let resolver = Resolver::new(vec![down, up], LIMIT);
    let reply = resolver.lookup("api.yourapp.com", Kind::A).await.unwrap();
    assert_eq!(reply.addresses().len(), 1);
    let none = Resolver::new(vec![down], LIMIT);
    let error = none.lookup("", Kind::Ns).await.unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert_eq!(error.what, "no resolver answers for . NS");
    assert!(error.causes[0].contains(&down.to_string()), "{error}");
}
