use super::{Config, Login, ModelConfig};
use std::collections::BTreeMap;
use std::time::Duration;

const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAIJZJ/OthqgrK7lupi+e6mfRuOSGt5PbSbK+gCpmRHG8=\\n-----END PUBLIC KEY-----";

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn complete() -> BTreeMap<String, String> {
    variables(&[
        ("REGION", "US"),
        ("SERVER_NAME", "us-server"),
        ("VOLCENGINE_API_KEY", "ark-key"),
        ("VOLCENGINE_ENDPOINT_ID", "ep-1"),
        ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
    ])
}

fn refused(changes: &[(&str, &str)]) -> Vec<String> {
    let mut all = complete();
    all.extend(variables(changes));
    let errors = Config::from_variables(&all, false).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn the_guides_defaults_hold() {
    let config = Config::from_variables(&complete(), false).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(
        (config.limits.streams, config.limits.streams_per_user),
        (200, 1)
    );
    assert_eq!(config.logging.level, "info");
    assert_eq!(config.logging.region, "US");
    assert!(config.logging.json);
    assert_eq!(config.timings.drain, Duration::from_secs(30));
    assert_eq!(config.timings.heartbeat, Duration::from_secs(15));
    let ModelConfig::Ark {
        url, endpoint_id, ..
    } = config.model
    else {
        panic!("not ark")
    };
    assert_eq!(url, "https://ark.cn-beijing.volces.com/api/v3");
    assert_eq!(endpoint_id, "ep-1");
}

#[test]
fn everything_missing_is_listed_at_once() {
    let errors = Config::from_variables(&BTreeMap::new(), false).unwrap_err();
    let names: Vec<_> = errors.iter().map(|error| error.variable).collect();
    assert_eq!(
        names,
        [
            "REGION",
            "SERVER_NAME",
            "VOLCENGINE_API_KEY",
            "VOLCENGINE_ENDPOINT_ID",
            "JWT_SECRET"
        ]
    );
}

#[test]
fn every_invalid_variable_is_listed_with_its_remedy() {
    let errors = refused(&[
        ("PORT", "70000"),
        ("MAX_SSE_CONNECTIONS", "-1"),
        ("MAX_SSE_CONNECTIONS_PER_USER", "many"),
        ("VOLCENGINE_API_URL", "ark.example"),
        ("LOG_LEVEL", "loud"),
        ("MODEL", "gpt"),
        ("DRAIN_TIMEOUT", "soon"),
        ("HEARTBEAT_INTERVAL", "0"),
        ("GENERATION", "../x"),
        ("RUNTIME_DIRECTORY", "run"),
        ("MONGODB_URI", "localhost/aiagent"),
        ("JWT_SECRET", "short"),
    ]);
    assert_eq!(errors.len(), 12, "{errors:#?}");
    assert!(
        errors.contains(
            &"PORT: `70000` is not a whole number from 0 to 65535; write for example PORT=8000"
                .to_owned()
        )
    );
    assert!(
        errors
            .iter()
            .any(|text| text.starts_with("MONGODB_URI: is not a connection string"))
    );
    assert!(
        errors
            .iter()
            .any(|text| text.contains("write one of ark, echo"))
    );
}

#[test]
fn a_secret_is_never_repeated_in_an_error() {
    let errors = refused(&[
        ("JWT_SECRET", "hunter2"),
        ("VOLCENGINE_API_KEY", "hunter2 hunter2"),
        ("MONGODB_URI", "mongodb://app:hunter2/x@cn/aiagent"),
    ]);
    assert_eq!(errors.len(), 3);
    assert!(
        errors.iter().all(|text| !text.contains("hunter2")),
        "{errors:#?}"
    );
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let errors = refused(&[("REGION", "  ")]);
    assert_eq!(
        errors,
        ["REGION: is missing; write the region, for example REGION=US"]
    );
}

#[test]
fn zero_is_a_valid_limit() {
    let mut all = complete();
    all.extend(variables(&[
        ("MAX_SSE_CONNECTIONS", "0"),
        ("MAX_SSE_CONNECTIONS_PER_USER", "0"),
    ]));
    let limits = Config::from_variables(&all, false).unwrap().limits;
    assert_eq!((limits.streams, limits.streams_per_user), (0, 0));
}

#[test]
fn dev_needs_no_variable_and_ignores_the_model_and_the_database() {
    let all = variables(&[
        ("MODEL", "ark"),
        ("MONGODB_URI", "mongodb://x"),
        ("PORT", "9000"),
    ]);
    let config = Config::from_variables(&all, true).unwrap();
    assert!(matches!(config.model, ModelConfig::Echo));
    assert!(matches!(config.login, Login::None));
    assert_eq!(config.listen.to_string(), "127.0.0.1:9000");
}

#[test]
fn the_echo_model_still_needs_a_login() {
    let all = variables(&[("REGION", "US"), ("SERVER_NAME", "s"), ("MODEL", "echo")]);
    let errors = Config::from_variables(&all, false).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].variable, "JWT_SECRET");
}

#[test]
fn a_public_key_is_read_from_one_line() {
    let mut all = complete();
    all.remove("JWT_SECRET");
    all.insert("JWT_PUBLIC_KEY".to_owned(), PUBLIC_KEY.to_owned());
    let config = Config::from_variables(&all, false).unwrap();
    assert!(matches!(config.login, Login::EdDsa(_)));
    all.insert("JWT_PUBLIC_KEY".to_owned(), "nonsense".to_owned());
    assert_eq!(
        Config::from_variables(&all, false).unwrap_err()[0].variable,
        "JWT_PUBLIC_KEY"
    );
}

#[test]
fn two_kinds_of_login_at_once_are_refused() {
    assert_eq!(refused(&[("JWT_PUBLIC_KEY", PUBLIC_KEY)]).len(), 1);
}

#[test]
fn the_database_needs_a_uri_and_user_and_password_together() {
    let mut all = complete();
    assert!(
        Config::from_variables(&all, false)
            .unwrap()
            .database
            .is_none()
    );
    all.extend(variables(&[
        ("MONGODB_URI", "mongodb://cn-server:27017/aiagent"),
        ("MONGODB_USER", "app"),
    ]));
    let errors = Config::from_variables(&all, false).unwrap_err();
    assert_eq!(errors[0].variable, "MONGODB_PASSWORD");
    all.extend(variables(&[("MONGODB_PASSWORD", "hunter2")]));
    let config = Config::from_variables(&all, false).unwrap();
    assert!(config.database.is_some());
    assert!(!format!("{config:?}").contains("hunter2"));
}
