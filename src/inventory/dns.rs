//! Which provider answers for the regions' names, and which region serves which country.

mod routing;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::mistake::{Wrong, did_you_mean};
use super::names::DomainName;
use super::reader::Table;
use super::secret_reference::{FilePath, SecretReference, secret};
use super::values::{HttpUrl, Span};
pub use routing::Routing;

/// The section `[dns]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// Who answers.
    pub provider: DnsProvider,
    /// Where the provider's interface is, where it is not the public one.
    pub endpoint: Option<HttpUrl>,
    /// The zone at the provider; every name that is managed lies in it.
    pub zone: DomainName,
    /// The name that answers by geography.
    pub geo_name: DomainName,
    /// Whether there is such a name at all: `geo = false` leaves A and AAAA records alone, and clients choose a region
    /// themselves. Never with `manual`.
    pub geo: bool,
    /// How long resolvers may keep an answer.
    pub ttl: Duration,
    /// Which region serves which country.
    pub routing: Routing,
    /// Networks of the operator's own for `embedded`, which win over the built-in ones. Relative to the inventory's folder.
    pub networks: Option<PathBuf>,
}

/// Who answers, and with what the operator identifies to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsProvider {
    /// Cloudflare with its paid Load Balancing.
    Cloudflare {
        /// An API token.
        token: SecretReference,
    },
    /// AWS Route 53.
    Route53 {
        /// The access key's id.
        access_key_id: SecretReference,
        /// The access key's secret.
        secret_access_key: SecretReference,
        /// Of temporary credentials.
        session_token: Option<SecretReference>,
    },
    /// Tencent Cloud's DNSPod.
    Dnspod {
        /// The key's id.
        secret_id: SecretReference,
        /// The key.
        secret_key: SecretReference,
        /// Which of Tencent's two clouds the account is in.
        site: TencentSite,
    },
    /// gdnsd on the regions' own hosts.
    Embedded,
    /// No geography: each region's name alone, kept by hand, and a list of regions for the front end.
    Manual,
}

/// Tencent's cloud in China, or the international one, which has other accounts and other names of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TencentSite {
    /// cloud.tencent.com.
    #[default]
    China,
    /// tencentcloud.com.
    International,
}

impl DnsProvider {
    /// As the inventory names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cloudflare { .. } => "cloudflare",
            Self::Route53 { .. } => "route53",
            Self::Dnspod { .. } => "dnspod",
            Self::Embedded => "embedded",
            Self::Manual => "manual",
        }
    }

    /// What the operator identifies with.
    pub fn secret_references(&self) -> Vec<&SecretReference> {
        match self {
            Self::Cloudflare { token } => vec![token],
            Self::Route53 {
                access_key_id,
                secret_access_key,
                session_token,
            } => [access_key_id, secret_access_key]
                .into_iter()
                .chain(session_token)
                .collect(),
            Self::Dnspod {
                secret_id,
                secret_key,
                ..
            } => vec![secret_id, secret_key],
            Self::Embedded | Self::Manual => Vec::new(),
        }
    }

    fn read(table: &Table<'_>) -> Option<Self> {
        let kind: ProviderName = table.required("provider", "embedded")?;
        let needed = |key: &'static str, variable: &str| {
            if !table.has(key) {
                table.missing(key, &format!("{key} = {{ env = \"{variable}\" }}"));
            }
            secret(table, key)
        };
        Some(match kind {
            ProviderName::Cloudflare => Self::Cloudflare {
                token: needed("token", "CLOUDFLARE_API_TOKEN")?,
            },
            ProviderName::Route53 => {
                let id = needed("access_key_id", "AWS_ACCESS_KEY_ID");
                let key = needed("secret_access_key", "AWS_SECRET_ACCESS_KEY");
                Self::Route53 {
                    session_token: secret(table, "session_token"),
                    access_key_id: id?,
                    secret_access_key: key?,
                }
            }
            ProviderName::Dnspod => {
                let id = needed("secret_id", "TENCENTCLOUD_SECRET_ID");
                let key = needed("secret_key", "TENCENTCLOUD_SECRET_KEY");
                Self::Dnspod {
                    site: table.text("site").unwrap_or_default(),
                    secret_id: id?,
                    secret_key: key?,
                }
            }
            ProviderName::Embedded => Self::Embedded,
            ProviderName::Manual => Self::Manual,
        })
    }
}

enum ProviderName {
    Cloudflare,
    Route53,
    Dnspod,
    Embedded,
    Manual,
}

impl FromStr for ProviderName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        const NAMES: [&str; 5] = ["cloudflare", "route53", "dnspod", "embedded", "manual"];
        match text {
            "cloudflare" => Ok(Self::Cloudflare),
            "route53" => Ok(Self::Route53),
            "dnspod" => Ok(Self::Dnspod),
            "embedded" => Ok(Self::Embedded),
            "manual" => Ok(Self::Manual),
            _ => {
                let remedy = match did_you_mean(text, NAMES) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("write one of {}", NAMES.join(", ")),
                };
                Err(Wrong::new(
                    format!("`{text}` is no provider of DNS that geodeploy knows"),
                    remedy,
                ))
            }
        }
    }
}

impl FromStr for TencentSite {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text {
            "cn" => Ok(Self::China),
            "intl" => Ok(Self::International),
            _ => Err(Wrong::new(
                format!("`{text}` is not one of Tencent's two clouds"),
                "write cn for cloud.tencent.com or intl for tencentcloud.com",
            )),
        }
    }
}

/// Without a `ttl`. Route 53 asks for at most 60 s where health is checked.
const TTL: Duration = Duration::from_secs(60);

impl Dns {
    /// Reads `[dns]`; nothing where there is no such section. `domain` is the application's, `regions` are the names in use.
    pub(super) fn read(
        table: Table<'_>,
        domain: Option<&DomainName>,
        regions: &[&str],
    ) -> Option<Self> {
        if table.is_absent() {
            return None;
        }
        let provider = DnsProvider::read(&table);
        let endpoint = table.text("endpoint");
        let zone: Option<DomainName> = table.text("zone").or_else(|| domain.cloned());
        let geo_name: Option<DomainName> = match table.value("name") {
            Some(_) => table.text("name"),
            None => domain.and_then(|domain| format!("api.{domain}").parse().ok()),
        };
        let ttl = table.text::<Span>("ttl").map_or(TTL, |ttl| ttl.0);
        if !(Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&ttl) {
            let wrong = Wrong::new("`ttl` must be from 1s to 1d", "write ttl = \"60s\"");
            table.wrong("ttl", wrong);
        }
        let geo = match table.value("geo") {
            Some(_) => table.flag("geo"),
            None => !matches!(provider, Some(DnsProvider::Manual)),
        };
        if geo && matches!(provider, Some(DnsProvider::Manual)) {
            let cause = "`manual` cannot answer by geography";
            let remedy = "remove geo = true, or write another provider";
            table.wrong("geo", Wrong::new(cause, remedy));
        }
        let networks = table.text::<FilePath>("networks").map(|path| path.0);
        let routing = Routing::read(table.section("routing"), regions);
        if let (Some(zone), Some(name)) = (&zone, &geo_name)
            && !name.is_in(zone)
        {
            let cause = format!("{name} does not lie in the zone {zone}");
            table.wrong(
                if table.has("name") { "name" } else { "zone" },
                Wrong::new(cause, format!("write a name that ends in .{zone}")),
            );
        }
        table.finish();
        Some(Self {
            provider: provider?,
            endpoint,
            zone: zone?,
            geo_name: geo_name?,
            geo,
            ttl,
            routing: routing?,
            networks,
        })
    }
}
