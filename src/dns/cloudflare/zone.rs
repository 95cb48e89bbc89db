//! Which zone it is, and whether the token may see it.

use serde::Deserialize;

use super::client::Client;
use super::endpoints;
use super::refusal::{Failure, Refusal};
use super::schema::Zone;
use crate::dns::Wanted;
use crate::error::{Error, ErrorKind};

/// At most this many names of zones are shown.
const SHOWN: usize = 10;

#[derive(Deserialize)]
struct Verified {
    #[serde(default)]
    status: String,
}

/// The zone of that name.
///
/// # Errors
/// The token is refused, may not read zones, or does not see that zone.
pub(super) async fn find(client: &Client, wanted: &Wanted) -> Result<Zone, Error> {
    let name = wanted.zone.as_str();
    let zones: Vec<Zone> = match client.call(&endpoints::zones(&[("name", name)])).await {
        Ok(zones) => zones,
        Err(Failure::Refused(refusal)) => return Err(refused(client, &refusal).await),
        Err(failure) => return Err(failure.error("list zones")),
    };
    match zones.into_iter().find(|zone| zone.name == name) {
        Some(zone) => Ok(zone),
        None => Err(absent(client, name).await),
    }
}

/// A refusal of the first call: the token itself, or what it may do.
async fn refused(client: &Client, refusal: &Refusal) -> Error {
    let verified: Result<Verified, Failure> = client.call(&endpoints::verify_token()).await;
    match verified {
        Ok(Verified { status }) if status == "active" => {
            let error = Error::new(ErrorKind::Input, "cloudflare: the token may not list zones");
            refusal
                .explain(error)
                .hint("give it the permission Zone Read, for this zone")
        }
        Ok(Verified { status }) => {
            let what = format!("cloudflare refuses the token: it is {status}");
            Error::new(ErrorKind::LoginRefused, what).hint(NEW_TOKEN)
        }
        Err(Failure::Silent(error)) => error,
        Err(Failure::Refused(_)) if matches!(refusal.status, 400 | 401 | 403) => {
            let error = Error::new(ErrorKind::LoginRefused, "cloudflare refuses the token");
            refusal.explain(error).hint(NEW_TOKEN)
        }
        Err(Failure::Refused(_)) => refusal.error("list zones"),
    }
}

const NEW_TOKEN: &str = "make a token under My Profile, API Tokens, and give it to what `dns.token` names: an API token, not the global key";

async fn absent(client: &Client, name: &str) -> Error {
    let mut seen = Vec::new();
    let mut page = 1;
    loop {
        let number = page.to_string();
        let query = [("page", number.as_str()), ("per_page", "50")];
        // The list only helps the operator: what cannot be listed is left out of the message.
        let Ok(answer) = client.page::<Vec<Zone>>(&endpoints::zones(&query)).await else {
            break;
        };
        seen.extend(answer.result.into_iter().map(|zone| zone.name));
        if page >= answer.pages {
            break;
        }
        page += 1;
    }
    seen.sort();
    let what = format!("cloudflare: the token sees no zone {name}");
    let error = Error::new(ErrorKind::Input, what);
    let error = match seen.len() {
        0 => error.cause("it sees no zone at all"),
        count if count <= SHOWN => error.cause(format!("it sees {}", seen.join(", "))),
        count => error.cause(format!(
            "it sees {} and {} more",
            seen[..SHOWN].join(", "),
            count - SHOWN
        )),
    };
    error
        .hint("write `dns.zone` as the zone is called at cloudflare, or")
        .hint(format!("give the token Zone Read and DNS Write for {name}"))
}
