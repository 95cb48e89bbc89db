//! Whether a region's names are served over HTTPS with a certificate that is trusted.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::tls::TlsInfo;
use reqwest::{Certificate, Client, ClientBuilder};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::error::{Error, ErrorKind};
use crate::fleet::{Project, mistakes};
use crate::inventory::Region;
use crate::monitor::certificates::days;
use crate::secrets::Secrets;

/// Port of nginx.
pub(super) const HTTPS: u16 = 443;

/// The authorities that a region's visitors trust: the public ones, and a private one where the inventory names it.
///
/// # Errors
/// When the file of the private one cannot be read or is none.
pub(in crate::commands) fn roots(project: &Project) -> Result<Vec<Certificate>, Error> {
    let tls = project.inventory.tls.as_ref();
    let Some(reference) = tls.and_then(|tls| tls.root.as_ref()) else {
        return Ok(Vec::new());
    };
    let pem = Secrets::resolve_one(&project.inventory, reference)
        .map_err(|mistake| mistakes(&[mistake]))?;
    Certificate::from_pem_bundle(pem.expose().as_bytes()).map_err(|error| {
        Error::new(ErrorKind::Input, "tls.root is no certificate")
            .source(&error)
            .hint("name a file with the authority's root certificate, PEM")
    })
}

/// A client that trusts them.
pub(in crate::commands) fn client(roots: &[Certificate]) -> ClientBuilder {
    let builder = Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30));
    roots.iter().fold(builder, |builder, root| {
        builder.add_root_certificate(root.clone())
    })
}

/// Asks each of the region's names for its health at the region's address: who issued the certificate, and how long it
/// is good for.
///
/// # Errors
/// The first name whose certificate is not trusted, not for it, or about to expire, or that does not answer.
pub(super) async fn names(region: &Region, roots: &[Certificate]) -> Result<String, Error> {
    let mut told = Vec::new();
    let mut last = String::new();
    for name in &region.nginx.server_names {
        last = one(region, name.as_str(), roots).await?;
        told.push(name.as_str());
    }
    Ok(format!("{}: {last}", told.join(", ")))
}

async fn one(region: &Region, name: &str, roots: &[Certificate]) -> Result<String, Error> {
    let failed = |what: String| {
        let error = Error::new(
            ErrorKind::Failed,
            format!("{}: https://{name}: {what}", region.name),
        );
        error.hint(format!(
            "see `geodeploy status {0}`, then run `geodeploy provision {0}`",
            region.name
        ))
    };
    let address = (region.addresses.ipv4, HTTPS).into();
    let client = client(roots).resolve(name, address).tls_info(true).build();
    let client =
        client.map_err(|error| failed("there is no client for it".to_owned()).source(&error))?;
    let url = format!("https://{name}/api/health");
    let answer = client.get(url).send().await;
    let answer =
        answer.map_err(|error| failed("no answer that is trusted".to_owned()).source(&error))?;
    if !answer.status().is_success() {
        return Err(failed(format!("health answers {}", answer.status())));
    }
    let shown = answer.extensions().get::<TlsInfo>();
    let der = shown
        .and_then(TlsInfo::peer_certificate)
        .unwrap_or_default();
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Err(failed("its certificate cannot be read".to_owned()));
    };
    let validity = certificate.validity();
    let (begins, ends) = (
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    );
    let left = ends - Timestamp::now().as_second();
    if left < (ends - begins) / 4 {
        return Err(failed(format!(
            "its certificate is good for {} of {} only, and was not renewed",
            days(left),
            days(ends - begins)
        )));
    }
    let issuer = certificate.issuer().iter_common_name().next();
    let issuer = issuer
        .and_then(|name| name.as_str().ok())
        .unwrap_or("an unnamed authority");
    Ok(format!("by {issuer}, {} left", days(left)))
}
