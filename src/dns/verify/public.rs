//! What a public resolver answers for simulated clients: Google's JSON interface
//! (<https://developers.google.com/speed/public-dns/docs/doh/json>).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use tokio::time::Instant;

use super::expected::Expected;
use super::look::questions;
use super::seen::{Exchange, Server};
use crate::dns::http::{self, Repeat};
use crate::dns::query::{Code, Data, Failure, Question, Record, Reply, Transport};
use crate::error::{Error, ErrorKind};

/// Where Google answers.
pub const PUBLIC: &str = "https://dns.google/resolve";
/// Questions that are under way at a time.
const AT_ONCE: usize = 8;

/// The resolver's document, as far as it is read.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Status")]
    status: u16,
    #[serde(rename = "Answer", default)]
    answer: Vec<Line>,
    /// The network, and how many bits of it the answer depends on.
    #[serde(default)]
    edns_client_subnet: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    #[serde(rename = "TTL")]
    ttl: u32,
    data: String,
}

/// Asks the resolver at `endpoint` for every simulated client. Where the first question is not answered, it is the only
/// one.
///
/// # Errors
/// The endpoint is no address of the web, or there is no HTTP client to be had.
pub async fn public(
    expected: &Expected,
    endpoint: &str,
    limit: Duration,
) -> Result<Vec<Exchange>, Error> {
    let url: Url = endpoint.parse().map_err(|error| {
        Error::new(
            ErrorKind::Usage,
            format!("`{endpoint}` is no address of the web"),
        )
        .cause(error)
    })?;
    let client = http::client()?;
    let questions = questions(expected, &[], true);
    let Some((first, others)) = questions.split_first() else {
        return Ok(Vec::new());
    };
    let mut asked = vec![exchange(&client, &url, first, limit).await];
    if asked.iter().all(|exchange| exchange.answer.is_ok()) {
        let others = stream::iter(others).map(|question| exchange(&client, &url, question, limit));
        asked.extend(others.buffered(AT_ONCE).collect::<Vec<_>>().await);
    }
    Ok(asked)
}

async fn exchange(client: &Client, url: &Url, question: &Question, limit: Duration) -> Exchange {
    let name = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    Exchange {
        answer: ask(client, url, question, limit).await,
        server: Server {
            name,
            // Which of its addresses answers is the HTTP client's affair.
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port),
        },
        question: question.clone(),
        transport: Transport::Https,
    }
}

async fn ask(
    client: &Client,
    url: &Url,
    question: &Question,
    limit: Duration,
) -> Result<Reply, Failure> {
    let request = || async {
        let mut query = vec![
            ("name", question.name.clone()),
            ("type", question.kind.to_string()),
        ];
        query.extend(
            question
                .subnet
                .map(|subnet| ("edns_client_subnet", subnet.to_string())),
        );
        Ok(client.get(url.clone()).query(&query))
    };
    let throttled: fn(&http::Reply) -> bool = |reply| reply.status == StatusCode::TOO_MANY_REQUESTS;
    let deadline = Instant::now() + limit;
    let reply = http::send(
        "the public resolver",
        deadline,
        Repeat::Harmless,
        throttled,
        request,
    )
    .await
    .map_err(|error| Failure::Refused(error.to_string()))?;
    if reply.status != StatusCode::OK {
        return Err(Failure::Odd(format!("status {}", reply.status)));
    }
    read(&reply.body).map_err(Failure::Odd)
}

/// The document as a reply.
fn read(body: &str) -> Result<Reply, String> {
    let document: Document = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let scope = document.edns_client_subnet.as_deref();
    let scope = scope.and_then(|text| text.rsplit_once('/')?.1.parse().ok());
    let answers = document.answer.into_iter().map(|line| Record {
        name: line.name.trim_end_matches('.').to_ascii_lowercase(),
        ttl: line.ttl,
        data: match line.data.parse() {
            Ok(address) => Data::Address(address),
            Err(_) => Data::Other,
        },
    });
    Ok(Reply {
        code: Code(document.status),
        authoritative: false,
        recursion_available: true,
        truncated: false,
        scope,
        answers: answers.collect(),
        authorities: Vec::new(),
        additional: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn googles_documented_answer_is_read_with_its_scope() {
        let body = r#"{"Status":0,"TC":false,"RD":true,"RA":true,"AD":false,"CD":false,
            "Question":[{"name":"api.yourapp.com.","type":1}],
            "Answer":[{"name":"Api.yourapp.com.","type":5,"TTL":30,"data":"lb.example."},
                      {"name":"lb.example.","type":1,"TTL":31,"data":"203.0.113.20"}],
            "edns_client_subnet":"166.111.0.0/18"}"#;
        let reply = read(body).unwrap();
        assert_eq!(reply.scope, Some(18));
        assert_eq!(reply.answers[0].name, "api.yourapp.com");
        assert_eq!(reply.addresses(), ["203.0.113.20".parse().unwrap()].into());
        let nothing = read(r#"{"Status":3}"#).unwrap();
        assert_eq!((nothing.code, nothing.scope), (Code::NO_SUCH_NAME, None));
        assert!(read("<html>").is_err());
    }
}
