//! What a certificate says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use serde::Serialize;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;

use crate::error::{Error, ErrorContext, ErrorKind};

/// A certificate as an operator wants to see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Described {
    /// The common name.
    pub name: String,
    /// The end of its validity.
    pub expires: Timestamp,
    /// Names and addresses that it is good for, sorted.
    pub names: Vec<String>,
    /// SHA-256 of the certificate, hex.
    pub fingerprint: String,
    /// SHA-256 of the public key that signed it, as the certificate names it, hex; empty where it names none.
    pub issuer_key: String,
    /// SHA-256 of its own public key as certificates name it, hex; empty where it names none.
    pub own_key: String,
}

impl Described {
    /// Whole days that are left; negative when it has expired.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.expires.duration_since(now).as_hours() / 24
    }
}

/// Reads a certificate in PEM.
///
/// # Errors
/// When the text is no certificate.
pub fn describe(pem: &str) -> Result<Described, Error> {
    with(pem, |certificate, der| {
        let expires = Timestamp::from_second(certificate.validity().not_after.timestamp())
            .context(ErrorKind::Input, || {
                "a certificate's date cannot be read".to_owned()
            })?;
        let common = certificate.subject().iter_common_name().next();
        let mut names: Vec<String> = certificate
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|extension| {
                extension
                    .value
                    .general_names
                    .iter()
                    .filter_map(shown)
                    .collect()
            })
            .unwrap_or_default();
        names.sort();
        let mut described = Described {
            name: common
                .and_then(|name| name.as_str().ok())
                .unwrap_or_default()
                .to_owned(),
            expires,
            names,
            fingerprint: crate::digest::sha256(der),
            issuer_key: String::new(),
            own_key: String::new(),
        };
        for extension in certificate.iter_extensions() {
            use x509_parser::extensions::ParsedExtension;
            match extension.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(found) => {
                    let key = found.key_identifier.as_ref();
                    described.issuer_key =
                        key.map_or_else(String::new, |key| crate::digest::hex(key.0));
                }
                ParsedExtension::SubjectKeyIdentifier(found) => {
                    described.own_key = crate::digest::hex(found.0);
                }
                _ => {}
            }
        }
        Ok(described)
    })
}

/// The public key of a certificate in PEM, DER.
pub(super) fn public_key(pem: &str) -> Result<Vec<u8>, Error> {
    with(pem, |certificate, _| {
        Ok(certificate.public_key().raw.to_vec())
    })
}

fn with<T>(
    pem: &str,
    read: impl FnOnce(&X509Certificate<'_>, &[u8]) -> Result<T, Error>,
) -> Result<T, Error> {
    let unreadable = |why: String| {
        Error::new(ErrorKind::Input, "a certificate cannot be read")
            .cause(why)
            .hint("`geodeploy ca issue --rotate` makes the regions' certificates anew")
    };
    let (pem, _) =
        Pem::read(std::io::Cursor::new(pem)).map_err(|error| unreadable(error.to_string()))?;
    let certificate = pem
        .parse_x509()
        .map_err(|error| unreadable(error.to_string()))?;
    read(&certificate, &pem.contents)
}

fn shown(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes)));
            let six = <[u8; 16]>::try_from(*bytes).map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes)));
            four.or(six).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
