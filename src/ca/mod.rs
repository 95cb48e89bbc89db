//! The project's own certificate authority: who is the database, and who may talk to it.
//!
//! A client must show a certificate before MongoDB reads a byte of it; the password comes after that.

mod described;
mod vault;

use std::net::IpAddr;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use zeroize::Zeroizing;

pub use described::{Described, describe};
pub use vault::Vault;

use crate::error::{Error, ErrorContext, ErrorKind};
use crate::secrets::Secret;

/// How long the authority is valid, in days: ten years.
const AUTHORITY_DAYS: i64 = 3652;

/// How long a certificate is valid, in days: a year and a month, so that a yearly rotation is never late.
const CERTIFICATE_DAYS: i64 = 397;

/// A certificate with so many days left is issued anew.
pub const RENEWAL_DAYS: i64 = 60;

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// MongoDB: it answers clients, and is itself a client of the other members and of itself.
    Server,
    /// The application.
    Client,
}

/// Whose certificate it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its common name: `cn-server`.
    pub name: String,
    /// The organisation: the application's name.
    pub organisation: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Names and addresses that it is dialled by; none for a client.
    pub names: Vec<String>,
}

/// A certificate and what goes with it.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate, PEM.
    pub certificate: String,
    /// The private key (PKCS #8) and the certificate in one PEM text, as MongoDB and its driver read them.
    pub sealed: Secret,
}

/// A certificate authority with its key.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A key for an authority: ECDSA on P-256, PKCS #8 in PEM.
    ///
    /// # Errors
    /// When no randomness can be had.
    pub fn key() -> Result<Secret, Error> {
        KeyPair::generate()
            .map(|key| Secret::new(key.serialize_pem()))
            .context(ErrorKind::Failed, || "cannot make a key".to_owned())
    }

    /// The certificate, PEM, of a new authority of `organisation` with that key.
    ///
    /// # Errors
    /// When the key is none that signs certificates.
    pub fn certificate(organisation: &str, key: &Secret, now: Timestamp) -> Result<String, Error> {
        let key = key_pair(key)?;
        let mut params = params(
            organisation,
            &format!("{organisation} database authority"),
            now,
            AUTHORITY_DAYS,
        )?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .self_signed(&key)
            .map(|certificate| certificate.pem())
            .context(ErrorKind::Failed, || {
                "cannot sign the authority's certificate".to_owned()
            })
    }

    /// An authority from its certificate and key, which must belong together.
    ///
    /// # Errors
    /// When one of them cannot be read, or they do not belong together.
    pub fn load(certificate: &str, key: &Secret) -> Result<Self, Error> {
        let key = key_pair(key)?;
        if described::public_key(certificate)?
            != rcgen::PublicKeyData::subject_public_key_info(&key)
        {
            return Err(Error::new(
                ErrorKind::Input,
                "the authority's key does not belong to its certificate",
            )
            .hint("put both back from where they were made: certificates of another authority are refused by every host"));
        }
        let issuer = Issuer::from_ca_cert_pem(certificate, key)
            .context(ErrorKind::Input, || {
                "the authority's certificate cannot be read".to_owned()
            })?;
        Ok(Self {
            certificate: certificate.to_owned(),
            issuer,
        })
    }

    /// The authority's certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.certificate
    }

    /// A new key and a certificate for it.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn issue(&self, holder: &Holder, now: Timestamp) -> Result<Issued, Error> {
        let failed = || format!("cannot issue the certificate {}", holder.name);
        let key = KeyPair::generate().context(ErrorKind::Failed, failed)?;
        let mut params = params(&holder.organisation, &holder.name, now, CERTIFICATE_DAYS)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        // A member's subject must differ from every client's, or MongoDB takes a client for a member.
        let unit = match holder.purpose {
            Purpose::Server => "database",
            Purpose::Client => "application",
        };
        params
            .distinguished_name
            .push(DnType::OrganizationalUnitName, unit);
        if holder.purpose == Purpose::Server {
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        for name in &holder.names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => {
                    SanType::DnsName(name.as_str().try_into().context(ErrorKind::Input, failed)?)
                }
            });
        }
        let certificate = params
            .signed_by(&key, &self.issuer)
            .context(ErrorKind::Failed, failed)?
            .pem();
        let private = Zeroizing::new(key.serialize_pem());
        Ok(Issued {
            sealed: Secret::new(format!("{}{certificate}", *private)),
            certificate,
        })
    }
}

/// What members of a replica set know each other by (`security.keyFile`): 756 random bytes in base64, 1008 letters of
/// the at most 1024 that MongoDB takes.
///
/// # Errors
/// When no randomness can be had.
pub fn member_key() -> Result<Secret, Error> {
    use base64::Engine;
    let mut bytes = Zeroizing::new([0; 756]);
    std::fs::File::open("/dev/urandom")
        .and_then(|mut random| std::io::Read::read_exact(&mut random, bytes.as_mut()))
        .context(ErrorKind::Failed, || "cannot read /dev/urandom".to_owned())?;
    let text = base64::engine::general_purpose::STANDARD.encode(&bytes[..]);
    Ok(Secret::new(text))
}

fn key_pair(key: &Secret) -> Result<KeyPair, Error> {
    KeyPair::from_pem(key.expose()).map_err(|error| {
        Error::new(ErrorKind::Input, "the authority's key cannot be used")
            .cause(error)
            .hint("a key is PKCS #8 in PEM, as `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` prints it")
    })
}

fn params(
    organisation: &str,
    name: &str,
    now: Timestamp,
    days: i64,
) -> Result<CertificateParams, Error> {
    let failed = || "cannot make a certificate for this date".to_owned();
    let date = |days: i64| -> Result<_, Error> {
        let day = now
            .to_zoned(TimeZone::UTC)
            .date()
            .checked_add(days.days())
            .context(ErrorKind::Failed, failed)?;
        let part = |number: i8| u8::try_from(number).context(ErrorKind::Failed, failed);
        Ok(date_time_ymd(
            day.year().into(),
            part(day.month())?,
            part(day.day())?,
        ))
    };
    let mut params = CertificateParams::default();
    // A host whose clock is behind accepts it all the same.
    params.not_before = date(-1)?;
    params.not_after = date(days)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, organisation);
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

#[cfg(test)]
mod tests;
