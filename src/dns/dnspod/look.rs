//! What there is: the zone, its plan's lines and all of its records.

use super::Context;
use super::client::Client;
use super::lines::{DEFAULT, Lines};
use super::message::{
    DomainAnswer, DomainInfo, DomainQuery, DomainsAnswer, DomainsQuery, LinesAnswer, Nothing,
    PackagesAnswer, RecordItem, RecordsAnswer, RecordsQuery,
};
use super::refusal::{Failure, Refusal, missing_permissions};
use super::set::{name_and_type, sets};
use crate::dns::http::Repeat;
use crate::dns::{Found, Listing, Mark, Wanted};
use crate::error::{Error, ErrorKind};

/// The most records that one call lists.
const PAGE: u64 = 3000;

/// Which records: of the whole zone, or of one name and type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope<'a> {
    /// All of them.
    Zone,
    /// Of one name below the zone, and one type.
    Name(&'a str, &'a str),
}

impl Client {
    /// Everything of ours, whatever lies at a wanted name, and what the zone's plan can do.
    pub(super) async fn look(&self, wanted: &Wanted) -> Result<Listing<Context>, Error> {
        let zone = wanted.zone.as_str();
        let query = DomainQuery { domain: zone };
        let (domain, packages, lines, records) = tokio::join!(
            self.read::<_, DomainAnswer>("DescribeDomain", &query),
            self.read::<_, PackagesAnswer>("DescribePackageDetail", &Nothing {}),
            self.read::<_, LinesAnswer>("DescribeRecordLineCategoryList", &query),
            self.records(zone, Scope::Zone),
        );
        let failures = [
            domain.as_ref().err(),
            packages.as_ref().err(),
            lines.as_ref().err(),
            records.as_ref().err(),
        ];
        if let Some(error) = permissions(failures) {
            return Err(error);
        }
        let domain = match domain {
            Ok(answer) => answer.domain_info,
            Err(failure) => return Err(self.zone_failure(zone, failure).await),
        };
        // The international interface may not have the call: the zone's own TTL is then the least that is known to do.
        let packages = match packages {
            Err(Failure::Refused(_)) => PackagesAnswer::default(),
            answer => answer?,
        };
        let context = context(wanted, &domain, &packages, &lines?)?;
        let objects = sets(&records?, zone, &wanted.owner, &context.lines)
            .into_iter()
            .filter(|found| found.mark == Mark::Ours || context.is_wanted(found))
            .collect();
        Ok(Listing { objects, context })
    }

    /// The records, all pages.
    pub(super) async fn records(
        &self,
        zone: &str,
        scope: Scope<'_>,
    ) -> Result<Vec<RecordItem>, Failure> {
        let (subdomain, record_type) = match scope {
            Scope::Zone => (None, None),
            Scope::Name(name, kind) => (Some(name), Some(kind)),
        };
        let mut records: Vec<RecordItem> = Vec::new();
        loop {
            let query = RecordsQuery {
                domain: zone,
                subdomain,
                record_type,
                offset: records.len() as u64,
                limit: PAGE,
                error_on_empty: "no",
            };
            let page: RecordsAnswer = match self.read("DescribeRecordList", &query).await {
                Err(Failure::Refused(refusal)) if refusal.is_empty_list() => return Ok(records),
                answer => answer?,
            };
            let more = page.record_list.unwrap_or_default();
            let is_last = more.is_empty();
            records.extend(more);
            if is_last || records.len() as u64 >= page.record_count_info.total_count {
                return Ok(records);
            }
        }
    }

    async fn read<Q: serde::Serialize + Sync, A: serde::de::DeserializeOwned>(
        &self,
        action: &str,
        query: &Q,
    ) -> Result<A, Failure> {
        self.call(action, Repeat::Harmless, query).await
    }

    async fn zone_failure(&self, zone: &str, failure: Failure) -> Error {
        let lacks_zone = failure.refusal().filter(|refusal| refusal.lacks_zone());
        let Some(refusal) = lacks_zone else {
            return failure.into();
        };
        let error = Error::new(
            ErrorKind::Input,
            format!("dnspod: this account has no zone {zone}"),
        )
        .cause(refusal.text());
        let answer: Result<DomainsAnswer, Failure> = self
            .read("DescribeDomainList", &DomainsQuery { limit: 100 })
            .await;
        let names: Vec<String> = answer
            .map(|answer| answer.domain_list)
            .unwrap_or_default()
            .into_iter()
            .map(|domain| domain.name)
            .collect();
        if names.is_empty() {
            return error.hint("add it in DNSPod's console, or check `dns.zone` and `dns.site`");
        }
        error.hint(format!(
            "add it in DNSPod's console, or write another `dns.zone`: the account has {}",
            names.join(", ")
        ))
    }
}

/// One error for all calls that lack a permission.
fn permissions(failures: [Option<&Failure>; 4]) -> Option<Error> {
    let lacking: Vec<&Refusal> = failures
        .into_iter()
        .flatten()
        .filter_map(Failure::refusal)
        .filter(|refusal| refusal.lacks_permission())
        .collect();
    let actions: Vec<&str> = lacking.iter().map(|one| one.action.as_str()).collect();
    let first = lacking.first()?;
    Some(missing_permissions(&actions, first))
}

fn context(
    wanted: &Wanted,
    domain: &DomainInfo,
    packages: &PackagesAnswer,
    lines: &LinesAnswer,
) -> Result<Context, Error> {
    let lines = Lines::of(&lines.line_list);
    if lines.by_id(DEFAULT).is_none_or(|line| !line.useful) {
        return Err(Error::new(
            ErrorKind::Failed,
            format!(
                "dnspod lists no default line (id {DEFAULT}) for {}",
                wanted.zone
            ),
        )
        .hint("check the zone's plan in DNSPod's console"));
    }
    let of_grade = |package: &&super::message::Package| {
        package.domain_grade.as_deref() == Some(domain.grade.as_str())
    };
    let package = packages.info.iter().find(of_grade);
    let least = package.and_then(|package| package.min_ttl).or(domain.ttl);
    Ok(Context {
        zone: wanted.zone.as_str().to_owned(),
        owner: wanted.owner.clone(),
        names: names(wanted),
        grade: domain.grade.clone(),
        least_ttl: least.unwrap_or(1),
        lines,
        notes: notes(wanted, domain),
    })
}

fn names(wanted: &Wanted) -> Vec<String> {
    let hosts = wanted.hosts.iter().map(|host| &host.name);
    let geo = wanted.geo.iter().map(|geo| &geo.name);
    hosts
        .chain(geo)
        .map(|name| name.as_str().to_owned())
        .collect()
}

fn notes(wanted: &Wanted, domain: &DomainInfo) -> Vec<String> {
    let mut notes = Vec::new();
    let zone = &wanted.zone;
    match domain.status.as_deref() {
        None | Some("ENABLE" | "enable") => {}
        Some(status) => notes.push(format!(
            "DNSPod answers for nothing in {zone}: its status is {status}"
        )),
    }
    if domain
        .dns_status
        .as_deref()
        .is_some_and(|status| status.eq_ignore_ascii_case("dnserror"))
    {
        let servers = domain.dnspod_ns_list.clone().unwrap_or_default();
        notes.push(format!(
            "{zone} is not delegated to DNSPod yet: its registrar must name {}",
            servers.join(", ")
        ));
    }
    notes
}

impl Context {
    fn is_wanted(&self, found: &Found) -> bool {
        let (name, _) = name_and_type(&found.object.id);
        self.names.iter().any(|wanted| wanted == name)
    }
}
