//! Who is asking: JSON web tokens, with the user's id as `sub`.

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, header};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::config::Login;
use super::error::{ApiError, Code};
use crate::secrets::Secret;

const LONGEST_USER: usize = 256;
/// Clocks of issuer and server may differ by this much, in seconds.
const LEEWAY: u64 = 30;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
}

/// Tells users by their tokens.
pub enum Authenticator {
    /// Everyone is the user `dev`.
    Open,
    /// Tokens of one algorithm and one key are accepted, no others.
    Token(Box<(DecodingKey, Validation)>),
}

/// A key that signs tokens.
pub enum SigningKey {
    /// The server's `JWT_SECRET`.
    Hs256(Secret),
    /// An Ed25519 private key in PEM, whose public half is the server's `JWT_PUBLIC_KEY`.
    EdDsa(Secret),
}

/// Why a token cannot be minted.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The user's id is empty or too long.
    #[error("a user id has 1 to {LONGEST_USER} bytes, and this one has {0}; choose another --user")]
    User(usize),
    /// The key is not of the kind it is said to be.
    #[error(
        "the signing key is not an Ed25519 private key in PEM; write one with `openssl genpkey -algorithm ed25519`"
    )]
    Key,
    /// The clock or the lifetime is out of range.
    #[error(
        "the token's end lies beyond what can be written; choose a shorter --ttl and check the clock"
    )]
    Time,
}

impl Authenticator {
    /// Prepares the key.
    ///
    /// # Errors
    ///
    /// When the public key is not Ed25519 in PEM.
    pub fn new(login: &Login) -> Result<Self, jsonwebtoken::errors::Error> {
        let (key, algorithm) = match login {
            Login::None => return Ok(Self::Open),
            Login::Hs256(secret) => (
                DecodingKey::from_secret(secret.expose().as_bytes()),
                Algorithm::HS256,
            ),
            Login::EdDsa(pem) => (DecodingKey::from_ed_pem(pem.as_bytes())?, Algorithm::EdDSA),
        };
        let mut validation = Validation::new(algorithm);
        validation.set_required_spec_claims(&["exp", "sub"]);
        validation.validate_aud = false;
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        Ok(Self::Token(Box::new((key, validation))))
    }

    /// The id of the user whose token the request carries.
    ///
    /// # Errors
    ///
    /// 401 with the code that says what is wrong with the token.
    pub fn user(&self, headers: &HeaderMap) -> Result<String, ApiError> {
        let Self::Token(parts) = self else {
            return Ok("dev".to_owned());
        };
        let (key, validation) = &**parts;
        let token = bearer(headers).ok_or_else(|| {
            ApiError::new(
                Code::MissingToken,
                "send the header `Authorization: Bearer TOKEN`",
            )
        })?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, validation)
            .map_err(|error| refusal(error.kind()))?
            .claims;
        if (1..=LONGEST_USER).contains(&claims.sub.len()) {
            Ok(claims.sub)
        } else {
            Err(ApiError::new(
                Code::InvalidToken,
                format!("the token's `sub` must have 1 to {LONGEST_USER} bytes"),
            ))
        }
    }
}

/// Signs a token that says that its bearer is `user` for the next `ttl`.
///
/// # Errors
///
/// When the id, the key or the time cannot be used.
pub fn mint(user: &str, ttl: Duration, key: &SigningKey) -> Result<String, MintError> {
    if !(1..=LONGEST_USER).contains(&user.len()) {
        return Err(MintError::User(user.len()));
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| MintError::Time)?;
    let end = now.checked_add(ttl).ok_or(MintError::Time)?;
    let claims = Claims {
        sub: user.to_owned(),
        exp: end.as_secs(),
        iat: Some(now.as_secs()),
    };
    let (algorithm, key) = match key {
        SigningKey::Hs256(secret) => (
            Algorithm::HS256,
            EncodingKey::from_secret(secret.expose().as_bytes()),
        ),
        SigningKey::EdDsa(pem) => (
            Algorithm::EdDSA,
            EncodingKey::from_ed_pem(pem.expose().as_bytes()).map_err(|_| MintError::Key)?,
        ),
    };
    jsonwebtoken::encode(&Header::new(algorithm), &claims, &key).map_err(|_| MintError::Key)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library adds kinds, all of them malformed"
)]
fn refusal(kind: &ErrorKind) -> ApiError {
    if matches!(kind, ErrorKind::ExpiredSignature) {
        return ApiError::new(
            Code::ExpiredToken,
            "the token has expired; ask for a new one",
        );
    }
    let why = match kind {
        ErrorKind::InvalidSignature => "its signature is not ours",
        ErrorKind::InvalidAlgorithm => "it is signed with another algorithm than this server's",
        ErrorKind::MissingRequiredClaim(_) => "it needs both `sub` and `exp`",
        ErrorKind::ImmatureSignature => "its time has not begun",
        _ => "it is not a JSON web token with a text `sub` and a numeric `exp`",
    };
    ApiError::new(
        Code::InvalidToken,
        format!("the token is not accepted: {why}"),
    )
}
