use super::{Authenticator, Claims, Code, MintError, SigningKey, mint};
use crate::secrets::Secret;
use crate::serve::config::Login;
use axum::http::{HeaderMap, HeaderValue, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use std::time::Duration;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const HOUR: Duration = Duration::from_secs(3600);
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIGDj24Bw5M8mndAkV52gcG2HmJzRiTXNt3oKudGilrbi
-----END PRIVATE KEY-----
";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAIJZJ/OthqgrK7lupi+e6mfRuOSGt5PbSbK+gCpmRHG8=
-----END PUBLIC KEY-----
";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn hs256() -> Authenticator {
    Authenticator::new(&Login::Hs256(secret(SECRET))).unwrap()
}

fn user(authenticator: &Authenticator, token: &str) -> Result<String, Code> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    headers.insert(header::AUTHORIZATION, value);
    authenticator.user(&headers).map_err(|error| error.code)
}

fn sign(claims: &serde_json::Value, algorithm: Algorithm) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
}

#[test]
fn a_minted_token_names_its_user_under_either_algorithm() {
    let token = mint("ann", HOUR, &SigningKey::Hs256(secret(SECRET))).unwrap();
    assert_eq!(user(&hs256(), &token), Ok("ann".to_owned()));
    let eddsa = Authenticator::new(&Login::EdDsa(PUBLIC.to_owned())).unwrap();
    let token = mint("bob", HOUR, &SigningKey::EdDsa(secret(PRIVATE))).unwrap();
    assert_eq!(user(&eddsa, &token), Ok("bob".to_owned()));
    assert_eq!(user(&hs256(), &token), Err(Code::InvalidToken));
}

#[test]
fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let eddsa = Authenticator::new(&Login::EdDsa(PUBLIC.to_owned())).unwrap();
    let token = mint("eve", HOUR, &SigningKey::Hs256(secret(PUBLIC))).unwrap();
    assert_eq!(user(&eddsa, &token), Err(Code::InvalidToken));
}

#[test]
fn tokens_without_expiry_or_user_or_with_another_key_or_algorithm_are_refused() {
    let far = 4_000_000_000_u64;
    let cases = [
        sign(&serde_json::json!({"sub": "ann"}), Algorithm::HS256),
        sign(&serde_json::json!({"exp": far}), Algorithm::HS256),
        sign(
            &serde_json::json!({"sub": "", "exp": far}),
            Algorithm::HS256,
        ),
        sign(
            &serde_json::json!({"sub": "x".repeat(257), "exp": far}),
            Algorithm::HS256,
        ),
        sign(
            &serde_json::json!({"sub": "ann", "exp": far}),
            Algorithm::HS384,
        ),
        sign(
            &serde_json::json!({"sub": "ann", "exp": far, "nbf": far}),
            Algorithm::HS256,
        ),
        mint("ann", HOUR, &SigningKey::Hs256(secret(&"x".repeat(32)))).unwrap(),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjQwMDAwMDAwMDB9.".to_owned(),
        "nonsense".to_owned(),
    ];
    for token in cases {
        assert_eq!(user(&hs256(), &token), Err(Code::InvalidToken), "{token}");
    }
}

#[test]
fn an_old_token_is_told_apart() {
    let claims = Claims {
        sub: "ann".to_owned(),
        exp: 1_700_000_000,
        iat: None,
    };
    let token = sign(&serde_json::to_value(claims).unwrap(), Algorithm::HS256);
    assert_eq!(user(&hs256(), &token), Err(Code::ExpiredToken));
}

#[test]
fn no_header_or_another_scheme_counts_as_no_token() {
    let mut headers = HeaderMap::new();
    assert_eq!(hs256().user(&headers).unwrap_err().code, Code::MissingToken);
    headers.insert(
        header::AUTHORIZATION,
        HeaderValue::from_static("Basic YTpi"),
    );
    assert_eq!(hs256().user(&headers).unwrap_err().code, Code::MissingToken);
}

#[test]
fn a_token_for_nobody_or_forever_is_not_minted() {
    let key = SigningKey::Hs256(secret(SECRET));
    assert!(matches!(mint("", HOUR, &key), Err(MintError::User(0))));
    assert!(matches!(
        mint("ann", Duration::MAX, &key),
        Err(MintError::Time)
    ));
    let broken = SigningKey::EdDsa(secret("not pem"));
    assert!(matches!(mint("ann", HOUR, &broken), Err(MintError::Key)));
}
