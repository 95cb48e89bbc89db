//! Which certificate a server on this machine shows, whether it may be trusted or not.

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

use super::system::database::Refusal;

/// The server is on this machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes every certificate: it is looked at, and nothing is said over the connection.
#[derive(Debug)]
struct Onlooker(Arc<CryptoProvider>);

impl ServerCertVerifier for Onlooker {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The certificate that the server on this port of loopback shows now, DER. `own` is the certificate and key in PEM that
/// it is shown where it asks for one.
///
/// # Errors
/// [`Refusal::Absent`] when nobody listens, [`Refusal::Lost`] when it does not speak TLS.
pub(super) fn certificate(port: u16, own: Option<&Path>) -> Result<Vec<u8>, Refusal> {
    let address = (Ipv4Addr::LOCALHOST, port).into();
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(|error| {
        match error.kind() == std::io::ErrorKind::ConnectionRefused {
            true => Refusal::Absent,
            false => Refusal::Lost(error.to_string()),
        }
    })?;
    let lost = |error: std::io::Error| Refusal::Lost(error.to_string());
    stream.set_read_timeout(Some(PATIENCE)).map_err(lost)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(lost)?;
    let config = configuration(own).map_err(|error| Refusal::Lost(error.to_string()))?;
    let name = ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
    let mut connection = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| Refusal::Lost(error.to_string()))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(lost)?;
    }
    connection.send_close_notify();
    // What counts was seen; whether the goodbye arrives does not.
    connection.complete_io(&mut stream).ok();
    let shown = connection
        .peer_certificates()
        .and_then(|chain| chain.first());
    shown
        .map(|certificate| certificate.to_vec())
        .ok_or_else(|| Refusal::Lost("it shows no certificate".to_owned()))
}

fn configuration(own: Option<&Path>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Onlooker(provider)));
    let pem = own.and_then(|path| std::fs::read(path).ok());
    let pair = pem.and_then(|pem| {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        Some((chain.ok()?, PrivateKeyDer::from_pem_slice(&pem).ok()?))
    });
    match pair {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key),
        None => Ok(builder.with_no_client_auth()),
    }
}
