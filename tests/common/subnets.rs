//! Clients' networks with their countries, and the region that the guide's routing serves them from: North America the
//! US, Asia China, everybody else the default, which is the US.

/// A network as resolvers send it, the country that the built-in table has for it, the region.
pub(crate) type Sample = (&'static str, &'static str, &'static str);

pub(crate) const SAMPLES: [Sample; 35] = [
    ("8.8.8.0/24", "US", "us"),
    ("19.1.2.0/24", "US", "us"),
    ("104.16.5.0/24", "US", "us"),
    ("208.68.72.0/24", "CA", "us"),
    ("1.0.1.0/24", "CN", "cn"),
    ("49.64.7.0/24", "CN", "cn"),
    ("49.112.3.0/24", "CN", "cn"),
    ("58.32.9.0/24", "CN", "cn"),
    ("1.0.16.0/24", "JP", "cn"),
    ("49.96.1.0/24", "JP", "cn"),
    ("49.1.2.0/24", "KR", "cn"),
    ("49.160.0.0/24", "KR", "cn"),
    ("49.32.5.0/24", "IN", "cn"),
    ("58.182.4.0/24", "SG", "cn"),
    ("1.36.2.0/24", "HK", "cn"),
    ("49.158.1.0/24", "TW", "cn"),
    ("58.186.2.0/24", "VN", "cn"),
    ("49.48.1.0/24", "TH", "cn"),
    ("49.144.9.0/24", "PH", "cn"),
    ("2.144.1.0/24", "IR", "cn"),
    ("1.0.0.0/24", "AU", "us"),
    ("49.176.1.0/24", "AU", "us"),
    ("58.28.3.0/24", "NZ", "us"),
    ("85.214.1.0/24", "DE", "us"),
    ("200.160.2.0/24", "BR", "us"),
    ("41.0.1.0/24", "ZA", "us"),
    ("2600:1f00:1::/56", "US", "us"),
    ("2001:4860:4860::/56", "US", "us"),
    ("240e:1:2::/56", "CN", "cn"),
    ("2409:8000:1::/56", "CN", "cn"),
    ("2001:250:1::/56", "CN", "cn"),
    ("2001:200:1::/56", "JP", "cn"),
    ("2a01:4f8:1::/56", "DE", "us"),
    ("2804:5964::/56", "BR", "us"),
    ("2001:4200::/56", "ZA", "us"),
];
