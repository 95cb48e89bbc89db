//! `geodeploy token`.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::Outcome;
use crate::cli::Globals;
use crate::error::{Error, ErrorContext, ErrorKind};
use crate::fleet::Project;
use crate::inventory::{Login, Span, Wrong};
use crate::secrets::{Secret, Secrets};
use crate::serve::auth::{self, SigningKey};

/// Mint a token with which a user logs in to the server
#[derive(clap::Args)]
pub struct Args {
    /// Mint it for this user
    #[arg(long, value_name = "ID")]
    pub user: String,
    /// Make it valid for this long: 30m, 24h, 14d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = ttl)]
    pub ttl: Span,
    /// Sign with this Ed25519 private key, where the inventory has the public one
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// Prints the token to standard output.
///
/// # Errors
/// When the signing key cannot be had, or does not fit the inventory.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let key = signing_key(&project, args.key.as_deref())?;
    let token = auth::mint(&args.user, args.ttl.0, &key)
        .map_err(|error| Error::new(ErrorKind::Input, format!("no token: {error}")))?;
    let expires = SignedDuration::try_from(args.ttl.0)
        .ok()
        .and_then(|ttl| Timestamp::now().checked_add(ttl).ok());
    let document = serde_json::json!({
        "token": token,
        "user": args.user,
        "expires": expires.map(|time| time.to_string()),
    });
    globals.ui.report("token", &document, |_| token);
    Ok(Outcome::Done)
}

fn signing_key(project: &Project, file: Option<&Path>) -> Result<SigningKey, Error> {
    match (&project.inventory.login, file) {
        (Login::Secret(reference), None) => Secrets::resolve_one(&project.inventory, reference)
            .map(SigningKey::Hs256)
            .context(ErrorKind::Input, || {
                "the key for tokens cannot be had".to_owned()
            }),
        (Login::PublicKey(_), Some(file)) => {
            let text = std::fs::read_to_string(file).context(ErrorKind::Input, || {
                format!("cannot read the key {}", file.display())
            })?;
            Ok(SigningKey::EdDsa(Secret::new(text)))
        }
        (Login::Secret(_), Some(_)) => Err(Error::new(
            ErrorKind::Usage,
            "tokens of this project are signed with jwt_secret, not with a private key",
        )
        .hint("leave out --key")),
        (Login::PublicKey(_), None) => Err(Error::new(
            ErrorKind::Usage,
            "the inventory has the public key only, which cannot sign",
        )
        .hint("name the private key: `geodeploy token --user ID --key FILE`")),
    }
}

fn ttl(text: &str) -> Result<Span, Wrong> {
    let span: Span = text.parse()?;
    if span.0.as_secs() == 0 {
        return Err(Wrong::new(
            format!("a token valid for {text} is never valid"),
            "write at least 1s",
        ));
    }
    Ok(span)
}
