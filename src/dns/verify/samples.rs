//! Networks that clients are said to be in, and the country of each.
//!
//! They lie in large delegations of the regional registries (their `delegated` statistics) whose holders, mostly carriers,
//! have used them at home for years, so that registries and geographic databases agree on them. /24 and /56 are what
//! resolvers send at most (RFC 7871 11.1).

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

const SAMPLES: [(&str, &str); 30] = [
    ("8.8.8.0/24", "US"),
    ("19.0.0.0/24", "US"),
    ("208.68.72.0/24", "CA"),
    ("132.248.0.0/24", "MX"),
    ("200.160.0.0/24", "BR"),
    ("181.0.0.0/24", "AR"),
    ("81.128.0.0/24", "GB"),
    ("85.214.0.0/24", "DE"),
    ("90.0.0.0/24", "FR"),
    ("77.88.8.0/24", "RU"),
    ("41.32.0.0/24", "EG"),
    ("41.0.0.0/24", "ZA"),
    ("2.144.0.0/24", "IR"),
    ("58.32.0.0/24", "CN"),
    ("49.64.0.0/24", "CN"),
    ("1.36.0.0/24", "HK"),
    ("49.158.0.0/24", "TW"),
    ("49.96.0.0/24", "JP"),
    ("49.160.0.0/24", "KR"),
    ("49.245.0.0/24", "SG"),
    ("49.32.0.0/24", "IN"),
    ("58.160.0.0/24", "AU"),
    ("2001:400::/56", "US"),
    ("2600:1f00::/56", "US"),
    ("2001:1280::/56", "BR"),
    ("2a01:4f8::/56", "DE"),
    ("2001:4200::/56", "ZA"),
    ("2001:250::/56", "CN"),
    ("240e::/56", "CN"),
    ("2001:200::/56", "JP"),
];

/// All of them: 22 of IPv4, 8 of IPv6.
pub fn samples() -> Vec<Sample> {
    let parsed = SAMPLES.iter().filter_map(|(network, country)| {
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
