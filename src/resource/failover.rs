//! The other region as the one that takes over, once it shows its certificate.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Nginx, Notify};
use crate::agent::system::{Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// A file of nginx's configuration that names another region. It is put in place only when that region's web server shows
/// a certificate for its name that is trusted here: nothing would be sent over otherwise, and the region's own server
/// would be passed over for one that cannot answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failover {
    /// The file.
    pub file: Nginx,
    /// The other region.
    pub region: String,
    /// Its name in its certificate.
    pub domain: String,
    /// Its address, as text.
    pub address: String,
    /// The authorities that are trusted, PEM.
    pub trusted: PathBuf,
}

impl Failover {
    fn peer_is_proven(&self, context: &Context<'_>) -> Result<(), Fault> {
        let what = format!("{} does not take over yet", self.region);
        let endpoint = format!("{}:443", self.address);
        let trusted = self.trusted.to_string_lossy();
        let argv = [
            "openssl",
            "s_client",
            "-connect",
            &endpoint,
            "-servername",
            &self.domain,
            "-verify_hostname",
            &self.domain,
            "-verify_return_error",
            "-CAfile",
            &trusted,
        ];
        let invocation = Invocation::new(&argv)
            .stdin(b"")
            .deadline(Duration::from_secs(15));
        let why = match context.system.run(&invocation) {
            Ok(output) if output.success() => return Ok(()),
            Ok(output) => reason(&output.stderr),
            Err(error) => error.to_string(),
        };
        Err(Fault::pending(
            what,
            format!("{} does not show its certificate: {why}", self.domain),
        )
        .hint("`geodeploy provision` of both regions brings both certificates, then this"))
    }
}

/// The line of openssl's that says why.
fn reason(stderr: &str) -> String {
    let telling = |line: &&str| {
        ["verify error", "Connection refused", "timed out", "alert"]
            .iter()
            .any(|word| line.contains(word))
    };
    let mut lines = stderr.lines();
    let line = lines.find(telling).or_else(|| stderr.lines().next());
    line.unwrap_or("it does not answer").trim().to_owned()
}

impl Manage for Failover {
    fn id(&self) -> Id {
        Id::new(Kind::Failover, self.file.path.to_string_lossy())
    }

    fn desired(&self, key: &FingerprintKey) -> Option<Attributes> {
        self.file.desired(key)
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        self.file.inspect(context)
    }

    fn apply(&self, change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        if self.file.content.is_some() {
            self.peer_is_proven(context)?;
        }
        self.file.apply(change, context)
    }

    fn notifies(&self) -> &[Notify] {
        self.file.notifies()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_says_why_is_told() {
        let stderr = "depth=0 CN = other\nverify error:num=62:hostname mismatch\n80C:error:...\n";
        assert_eq!(reason(stderr), "verify error:num=62:hostname mismatch");
        assert_eq!(reason(""), "it does not answer");
    }
}
