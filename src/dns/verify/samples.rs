//! Networks that clients are said to be in, and the country of each.
//!
//! They belong to universities, research networks and carriers that use them where they are registered, so that registries
//! and geographic databases agree on them. /24 and /56 are what public resolvers send at most (RFC 7871 11.1).

use ipnet::IpNet;

use crate::geography::Country;

/// A simulated client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sample {
    /// The network it is in.
    pub network: IpNet,
    /// The country that network is in.
    pub country: Country,
}

/// Network, country, and whose network it is.
const SAMPLES: [(&str, &str, &str); 30] = [
    (
        "18.9.22.0/24",
        "US",
        "Massachusetts Institute of Technology",
    ),
    ("128.32.0.0/24", "US", "University of California, Berkeley"),
    ("128.100.0.0/24", "CA", "University of Toronto"),
    (
        "132.248.0.0/24",
        "MX",
        "Universidad Nacional Autónoma de México",
    ),
    ("163.178.0.0/24", "CR", "Universidad de Costa Rica"),
    ("200.160.0.0/24", "BR", "NIC.br"),
    ("157.92.0.0/24", "AR", "Universidad de Buenos Aires"),
    ("131.111.0.0/24", "GB", "University of Cambridge"),
    ("141.20.0.0/24", "DE", "Humboldt-Universität zu Berlin"),
    ("134.157.0.0/24", "FR", "Sorbonne Université"),
    ("77.88.8.0/24", "RU", "Yandex"),
    ("144.122.0.0/24", "TR", "Middle East Technical University"),
    ("166.111.0.0/24", "CN", "Tsinghua University"),
    ("202.96.128.0/24", "CN", "China Telecom Guangdong"),
    ("147.8.0.0/24", "HK", "University of Hong Kong"),
    ("140.112.0.0/24", "TW", "National Taiwan University"),
    ("133.11.0.0/24", "JP", "University of Tokyo"),
    ("147.46.0.0/24", "KR", "Seoul National University"),
    ("137.132.0.0/24", "SG", "National University of Singapore"),
    (
        "103.21.124.0/24",
        "IN",
        "Indian Institute of Technology Bombay",
    ),
    ("128.250.0.0/24", "AU", "University of Melbourne"),
    ("137.158.0.0/24", "ZA", "University of Cape Town"),
    ("2607:f140::/56", "US", "University of California, Berkeley"),
    (
        "2001:1218::/56",
        "MX",
        "Universidad Nacional Autónoma de México",
    ),
    ("2001:12ff::/56", "BR", "NIC.br"),
    ("2001:638::/56", "DE", "Deutsches Forschungsnetz"),
    (
        "2001:da8::/56",
        "CN",
        "China Education and Research Network",
    ),
    ("2001:288::/56", "TW", "Taiwan Academic Network"),
    ("2001:200::/56", "JP", "WIDE Project"),
    (
        "2001:388::/56",
        "AU",
        "Australian Academic and Research Network",
    ),
];

/// All of them: 22 of IPv4, 8 of IPv6.
pub fn samples() -> Vec<Sample> {
    let parsed = SAMPLES.iter().filter_map(|(network, country, _)| {
        Some(Sample {
            network: network.parse().ok()?,
            country: country.parse().ok()?,
        })
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::geography::Continent;

    #[test]
    fn there_are_thirty_subnets_of_both_families_from_every_inhabited_continent() {
        let all = samples();
        assert_eq!(all.len(), 30);
        let distinct: BTreeSet<IpNet> = all.iter().map(|sample| sample.network).collect();
        assert_eq!(distinct.len(), 30);
        for sample in &all {
            let expected = if sample.network.addr().is_ipv4() {
                24
            } else {
                56
            };
            assert_eq!(sample.network.prefix_len(), expected, "{sample:?}");
            assert_eq!(sample.network, sample.network.trunc());
        }
        let continents: BTreeSet<Continent> = all
            .iter()
            .map(|sample| sample.country.continent())
            .collect();
        assert_eq!(continents.len(), 6, "all but Antarctica");
    }
}
