//! Messages on the wire (RFC 1035, RFC 6891, RFC 7871).

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsCode, EdnsOption};
use hickory_proto::rr::{DNSClass, Name, RData, RecordType};
use ipnet::IpNet;

use super::{Code, Data, Failure, Kind, Question, Record, Reply};

/// The largest datagram that is asked for, in bytes: what passes without being cut up on the way (DNS flag day 2020).
const PAYLOAD: u16 = 1232;

/// An id that nobody can guess: the keys of a standard hash map come from the system's source of randomness.
pub(super) fn random_id() -> u16 {
    let [first, second, ..] = RandomState::new().build_hasher().finish().to_be_bytes();
    u16::from_be_bytes([first, second])
}

fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Ns => RecordType::NS,
        Kind::Soa => RecordType::SOA,
        Kind::Txt => RecordType::TXT,
    }
}

fn text(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    text.trim_end_matches('.').to_owned()
}

/// The question as bytes.
pub(super) fn encode(question: &Question, id: u16) -> Result<Vec<u8>, Failure> {
    let unsendable = |error| Failure::Odd(format!("{} cannot be asked: {error}", question.name));
    let name = Name::from_ascii(format!("{}.", question.name)).map_err(unsendable)?;
    let mut edns = Edns::new();
    edns.set_max_payload(PAYLOAD);
    if let Some(subnet) = question.subnet {
        let subnet = ClientSubnet::new(subnet.addr(), subnet.prefix_len(), 0);
        edns.options_mut().insert(EdnsOption::Subnet(subnet));
    }
    let mut message = Message::new();
    message
        .set_id(id)
        .set_message_type(MessageType::Query)
        .set_op_code(OpCode::Query)
        .set_recursion_desired(question.recursive)
        .add_query(Query::query(name, record_type(question.kind)))
        .set_edns(edns);
    message.to_vec().map_err(unsendable)
}

/// The answer to that question.
///
/// # Errors
/// Why these bytes are none.
pub(super) fn decode(bytes: &[u8], id: u16, question: &Question) -> Result<Reply, String> {
    let message = Message::from_vec(bytes)
        .map_err(|error| format!("{} bytes that cannot be read: {error}", bytes.len()))?;
    if message.id() != id {
        return Err("its id is another one".to_owned());
    }
    if message.message_type() != MessageType::Response {
        return Err("it is a question itself".to_owned());
    }
    let code = Code(u16::from(message.response_code()));
    match message.queries() {
        // A server that does not understand a message may leave the question out.
        [] if code != Code::NO_ERROR => {}
        [asked]
            if text(asked.name()) == question.name
                && asked.query_type() == record_type(question.kind)
                && asked.query_class() == DNSClass::IN => {}
        [asked] => {
            let (name, kind) = (text(asked.name()), asked.query_type());
            return Err(format!("it answers for {name} {kind}"));
        }
        more => return Err(format!("it answers {} questions", more.len())),
    }
    let scope = scope(&message, question.subnet)?;
    Ok(Reply {
        code,
        authoritative: message.authoritative(),
        recursion_available: message.recursion_available(),
        truncated: message.truncated(),
        scope,
        answers: message.answers().iter().map(record).collect(),
        authorities: message.name_servers().iter().map(record).collect(),
        additional: message.additionals().iter().map(record).collect(),
    })
}

/// RFC 7871 7.3: an answer for another network than the one that was asked for is dropped.
fn scope(message: &Message, subnet: Option<IpNet>) -> Result<Option<u8>, String> {
    let options = message.extensions().as_ref();
    let option = options.and_then(|edns| edns.option(EdnsCode::Subnet));
    let (Some(subnet), Some(EdnsOption::Subnet(echoed))) = (subnet, option) else {
        return Ok(None);
    };
    let same = echoed.addr() == subnet.addr() && echoed.source_prefix() == subnet.prefix_len();
    if same {
        return Ok(Some(echoed.scope_prefix()));
    }
    let (address, prefix) = (echoed.addr(), echoed.source_prefix());
    Err(format!("it is for a client in {address}/{prefix}"))
}

fn record(record: &hickory_proto::rr::Record) -> Record {
    let data = match record.data() {
        RData::A(address) => Data::Address(IpAddr::V4(address.0)),
        RData::AAAA(address) => Data::Address(IpAddr::V6(address.0)),
        RData::NS(name) => Data::Ns(text(name)),
        RData::CNAME(name) => Data::Cname(text(name)),
        RData::SOA(soa) => Data::Serial(soa.serial()),
        RData::TXT(strings) => {
            let bytes: Vec<u8> = strings.iter().flat_map(|part| part.to_vec()).collect();
            Data::Txt(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => Data::Other,
    };
    Record {
        name: text(record.name()),
        ttl: record.ttl(),
        data,
    }
}
