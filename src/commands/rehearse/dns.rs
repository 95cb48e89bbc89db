//! What the twins answer for the geo name.

use std::time::Duration;

use crate::blueprint;
use crate::commands::block_on;
use crate::dns::networks::{Networks, region_of};
use crate::dns::query::{Kind, Question, Transport, ask};
use crate::error::{Error, ErrorKind};
use crate::inventory::Inventory;
use crate::rehearse::Lab;

/// A client's network in the US and one in China, each of a country that the built-in table has.
const CLIENTS: [(&str, &str); 2] = [("8.8.8.0/24", "US"), ("1.0.1.0/24", "CN")];

/// How long gdnsd may take to find all regions well.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks every twin for the geo name as a client in the US and one in China, and says what it answered.
///
/// # Errors
/// A twin does not answer, or another region than the inventory says.
pub(super) fn answers(inventory: &Inventory, lab: &Lab) -> Result<String, Error> {
    let Some(dns) = blueprint::embedded_dns(inventory) else {
        return Ok("nobody answers for a name".to_owned());
    };
    let networks = Networks::load(inventory)?;
    let mut told = Vec::new();
    for (network, country) in CLIENTS {
        let client: ipnet::IpNet = network
            .parse()
            .map_err(|error| Error::new(ErrorKind::Failed, "no network").cause(error))?;
        let place = networks.place_of(client.addr());
        let region = place.map_or(&dns.routing.default, |place| region_of(&dns.routing, place));
        let wanted = lab.twin(region.as_str())?.endpoint.ipv4;
        for server in &inventory.regions {
            let at = (lab.twin(server.name.as_str())?.endpoint.ipv4, 53).into();
            let question = Question::new(dns.geo_name.as_str(), Kind::A).from(client);
            block_on(until(at, &question, wanted.into()))?;
        }
        told.push(format!("{country} -> {region}"));
    }
    Ok(format!("{}: {}", dns.geo_name, told.join(", ")))
}

/// Asks until the answer is the wanted one: health is looked at a few times before it counts.
async fn until(
    server: std::net::SocketAddr,
    question: &Question,
    wanted: std::net::IpAddr,
) -> Result<(), Error> {
    let begun = std::time::Instant::now();
    loop {
        let reply = ask(server, question, Transport::Udp, Duration::from_secs(3)).await;
        let found = match reply {
            Ok(reply) if reply.addresses() == [wanted].into() => return Ok(()),
            Ok(reply) => format!("it answered {:?}", reply.addresses()),
            Err(failure) => failure.to_string(),
        };
        if begun.elapsed() > PATIENCE {
            return Err(Error::new(
                ErrorKind::Failed,
                format!("{server} does not answer {wanted} for {}", question.name),
            )
            .cause(found));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
