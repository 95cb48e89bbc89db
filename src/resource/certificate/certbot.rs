//! certbot: what it is asked for, and what it says when it fails.

use std::path::Path;
use std::time::Duration;

use super::attempts::Attempts;
use super::{Certificate, WEBROOT};
use crate::agent::system::{Fault, Invocation};
use crate::resource::Context;

/// certbot's log of its last run: what it prints is a part of that, and often not the telling one.
const LOG: &str = "/var/log/letsencrypt/letsencrypt.log";

/// What certbot logs first; where it is told to keep no old logs, it writes one run after the other into one.
const BEGINNING: &str = "certbot version:";

/// How long one run may take: authorities are asked for up to 90 s whether they are done.
const DEADLINE: Duration = Duration::from_secs(300);

/// How long an authority's refusals of nonces are put up with, in which certbot itself asks only twice.
const PATIENCE: Duration = Duration::from_secs(300);

/// The type of an ACME error that says nothing about us: the same request with a newer nonce may be taken (RFC 8555 6.5).
const BAD_NONCE: &str = "badNonce";

/// Why there is no certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) why: String,
    /// The ACME error's type; empty where the authority said nothing.
    kind: String,
    /// Whether the authority counts it.
    pub(super) counts: bool,
}

impl Refusal {
    /// As the end of a run that did everything else.
    pub(super) fn fault(self, what: &str, attempts: &Attempts) -> Fault {
        let again = "run `geodeploy provision` again";
        let hint = match self.kind.as_str() {
            "rateLimited" => format!("{again} when the authority takes requests: it says when"),
            "dns" | "connection" | "unauthorized" | "" if self.counts => format!(
                "each name must lead to a region, and port 80 there be open to everybody; then {again} ({} more within the hour)",
                attempts.left()
            ),
            _ if self.counts => format!("see {LOG} on the host, then {again}"),
            _ => format!("{again} when the host reaches it; {LOG} on the host has the whole story"),
        };
        Fault::pending(what, self.why).hint(hint)
    }
}

/// Lets certbot obtain the certificate.
///
/// # Errors
/// Why the authority did not give one. Nonces that it refuses are no reason: it is asked anew, with what certbot has from
/// it already.
pub(super) fn obtain(certificate: &Certificate, context: &Context<'_>) -> Result<(), Refusal> {
    let begun = context.system.now();
    loop {
        let refusal = match run(certificate, context) {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        let waited = context.system.now().duration_since(begun);
        let patient = waited.is_ok_and(|waited| waited < PATIENCE);
        if refusal.kind != BAD_NONCE || !patient {
            return Err(refusal);
        }
        context.system.sleep(Duration::from_millis(100));
    }
}

fn run(certificate: &Certificate, context: &Context<'_>) -> Result<(), Refusal> {
    let mut argv = vec![
        "certbot",
        "certonly",
        "--non-interactive",
        "--agree-tos",
        "--no-eff-email",
        "--email",
        &certificate.email,
        "--server",
        &certificate.directory,
        "--webroot",
        "--webroot-path",
        WEBROOT,
        "--cert-name",
        &certificate.lineage,
        "--key-type",
        "ecdsa",
        // What is asked for differs from what is there: in names, authority or time.
        "--renew-with-new-domains",
        "--force-renewal",
    ];
    for name in &certificate.names {
        argv.extend(["--domain", name]);
    }
    let root = certificate.root.as_ref().map(|root| root.to_string_lossy());
    let mut invocation = Invocation::new(&argv).deadline(DEADLINE);
    if let Some(root) = &root {
        invocation = invocation.variable("REQUESTS_CA_BUNDLE", root);
    }
    let silent = |why: String| Refusal {
        why,
        kind: String::new(),
        counts: false,
    };
    let output = context.system.run(&invocation);
    let output = output.map_err(|error| silent(format!("certbot: {error}")))?;
    match output.status {
        0 => Ok(()),
        127 => Err(silent("certbot is not installed".to_owned())),
        _ => {
            let log = context.system.read(Path::new(LOG)).ok().flatten();
            let log = String::from_utf8_lossy(&log.unwrap_or_default()).into_owned();
            Err(reason(
                &format!("{}\n{}", output.stdout, output.stderr),
                &log,
            ))
        }
    }
}

/// Why certbot failed, from what it printed and from its log.
pub(super) fn reason(printed: &str, log: &str) -> Refusal {
    const ACME: &str = "urn:ietf:params:acme:error:";
    let problems = problems(printed);
    if let Some((kind, why)) = problems {
        return Refusal {
            why,
            kind,
            counts: true,
        };
    }
    // TYPE :: what the type means :: what happened
    let last_run = log.rsplit(BEGINNING).next().unwrap_or_default();
    let said = last_run.lines().rev().find_map(|line| {
        let (_, said) = line.split_once("messages.Error: ")?;
        said.strip_prefix(ACME)
    });
    if let Some((kind, rest)) = said.and_then(|said| said.split_once(" :: ")) {
        let detail = rest.split_once(" :: ").map_or(rest, |(_, detail)| detail);
        return Refusal {
            why: format!("the authority refused: {detail} ({kind})"),
            kind: kind.to_owned(),
            counts: kind != BAD_NONCE,
        };
    }
    let telling = |line: &&str| {
        let line = line.trim();
        !line.is_empty()
            && [
                "Saving debug log",
                "Requesting a",
                "Renewing an",
                "Ask for help",
                "An unexpected error",
            ]
            .iter()
            .all(|beginning| !line.starts_with(beginning))
    };
    let lines: Vec<&str> = printed.lines().filter(telling).map(str::trim).collect();
    Refusal {
        why: lines[..lines.len().min(2)].join(" "),
        kind: String::new(),
        counts: false,
    }
}

/// The names that could not be validated, from the report that certbot prints: the first one's type, and all of them.
fn problems(printed: &str) -> Option<(String, String)> {
    let mut kind = None;
    let mut told: Vec<String> = Vec::new();
    for line in printed.lines().map(str::trim) {
        if let Some(found) = line.strip_prefix("Type:") {
            kind.get_or_insert_with(|| found.trim().to_owned());
        } else if let Some(detail) = line.strip_prefix("Detail:") {
            told.push(detail.trim().to_owned());
        }
    }
    told.dedup();
    kind.map(|kind| (kind, told.join("; ")))
}

/// A setting of certbot's: `server = https://...`.
pub(super) fn setting<'t>(settings: &'t str, name: &str) -> Option<&'t str> {
    settings.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == name).then(|| value.trim())
    })
}
