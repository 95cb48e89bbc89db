//! The certificate of a host's names, obtained and renewed by the distribution's certbot.

mod attempts;
mod certbot;
mod described;
mod report;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Context, Manage};
use crate::agent::system::{Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;
use attempts::Attempts;
use described::{Described, renewed_early};

pub use report::{OnDisk, Report, report};

/// Where authorities find their tokens, below `.well-known/acme-challenge`.
pub const WEBROOT: &str = "/var/www/geodeploy-acme";

/// certbot's own folder.
const HOME: &str = "/etc/letsencrypt";

/// How certbot calls the certificate of an application: a name that nobody else gives one.
pub fn lineage(app: &str) -> String {
    format!("geodeploy-{app}")
}

/// The folder with the newest certificate and its key.
pub fn live(lineage: &str) -> PathBuf {
    Path::new(HOME).join("live").join(lineage)
}

/// One certificate for all names that a host's web server answers to.
///
/// It is asked for with HTTP-01, which the web server must be ready to answer: its resource comes before, and that of the
/// other regions too. What stands in the way (a name that does not resolve, an authority that does not answer or refuses)
/// leaves it pending. certbot renews it by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Certificate {
    /// [`lineage`].
    pub lineage: String,
    /// The names, the regional one first.
    pub names: Vec<String>,
    /// Whom the authority writes to.
    pub email: String,
    /// The authority's ACME directory.
    pub directory: String,
    /// Root certificate that the directory itself is checked with, where the public ones do not do.
    pub root: Option<PathBuf>,
}

const VALID: &str = "yes";
const RENEWED: &str = "at a third of its lifetime";

impl Certificate {
    fn what(&self) -> String {
        format!("there is no certificate for {} yet", self.names.join(", "))
    }

    fn settings(&self) -> PathBuf {
        Path::new(HOME)
            .join("renewal")
            .join(format!("{}.conf", self.lineage))
    }

    fn hook(&self) -> PathBuf {
        Path::new(HOME)
            .join("renewal-hooks/deploy")
            .join(&self.lineage)
    }

    fn describe(mut names: Vec<String>, directory: &str, valid: &str, renewed: &str) -> Attributes {
        names.sort();
        Attributes::new()
            .list("names", names)
            .text("authority", directory)
            .text("valid", valid)
            .text("renewed", renewed)
    }

    /// Whether only certbot's settings are to be mended, and the certificate itself is as it should be.
    fn stands(&self, context: &Context<'_>) -> Result<bool, Fault> {
        let (found, desired) = (self.inspect(context)?, self.desired(context.key));
        let same = |name| {
            let value = |side: &Option<Attributes>| side.as_ref()?.get(name).cloned();
            value(&found) == value(&desired)
        };
        Ok(found.is_some() && ["names", "authority", "valid"].into_iter().all(same))
    }

    /// Lets certbot's settings follow the certificate and nginx read it; what certbot itself runs after a renewal.
    fn run_hook(&self, context: &Context<'_>) -> Result<(), Fault> {
        let what = "cannot let nginx take the certificate";
        let (hook, live) = (self.hook(), live(&self.lineage));
        let (hook, live) = (hook.to_string_lossy(), live.to_string_lossy());
        let argv = [&*hook];
        let invocation = Invocation::new(&argv).variable("RENEWED_LINEAGE", &live);
        let output = context.system.run(&invocation);
        output
            .map_err(|error| Fault::new(what, error))?
            .checked(what)
            .map(drop)
    }

    /// A name that leads nowhere would cost one of the few attempts that authorities allow.
    fn refuse_unknown_names(&self, context: &Context<'_>) -> Result<(), Fault> {
        for name in &self.names {
            let argv = ["getent", "ahosts", name];
            let output = context.system.run(&Invocation::new(&argv));
            let known = output.map_err(|error| Fault::new(self.what(), error))?;
            if !known.success() {
                return Err(Fault::pending(
                    self.what(),
                    format!("the name {name} does not resolve"),
                )
                .hint(format!(
                    "point {name} at a region (`geodeploy dns sync`, or a record of your own), then run `geodeploy provision` again"
                )));
            }
        }
        Ok(())
    }

    fn obtain(&self, context: &Context<'_>) -> Result<(), Fault> {
        self.refuse_unknown_names(context)?;
        let mut attempts = Attempts::read(&self.lineage, context)?;
        attempts.refuse_too_many(&self.what(), context)?;
        let Err(refusal) = certbot::obtain(self, context) else {
            return attempts.forget(context);
        };
        if refusal.counts {
            attempts.failed(&refusal.why, context)?;
        }
        Err(refusal.fault(&self.what(), &attempts))
    }
}

impl Manage for Certificate {
    fn id(&self) -> Id {
        Id::new(Kind::Certificate, &self.lineage)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let names = self.names.clone();
        Some(Self::describe(names, &self.directory, VALID, RENEWED))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let Some(found) = Described::read(&self.lineage, context.system)? else {
            return Ok(None);
        };
        let path = self.settings();
        let settings = context
            .system
            .read(&path)
            .map_err(|error| Fault::new(format!("cannot read {}", path.display()), error))?;
        let settings = String::from_utf8_lossy(&settings.unwrap_or_default()).into_owned();
        let setting = |name: &str| certbot::setting(&settings, name).unwrap_or("unknown");
        let valid = match found.seconds_left(context.system) {
            left if left > 0 => VALID.to_owned(),
            _ => format!("expired at {}", found.not_after),
        };
        let renewed = match setting("renew_before_expiry") {
            early if renewed_early(early, found.lifetime()) => RENEWED,
            other => other,
        };
        Ok(Some(Self::describe(
            found.names.clone(),
            setting("server"),
            &valid,
            renewed,
        )))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        if !self.stands(context)? {
            self.obtain(context)?;
        }
        self.run_hook(context)
    }
}
