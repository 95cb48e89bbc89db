//! A plan as a file: made by `plan --out`, carried out by `provision --plan`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::error::{Error, ErrorKind};
use crate::secrets::{Fingerprint, FingerprintKey};

/// The version of the form that this program writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// Plans of one run, with what they depend on. Holds fingerprints of secrets, never their values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// The version of this form.
    pub version: u32,
    /// The project that the inventory names.
    pub project: String,
    /// SHA-256 of the inventory's text, hex.
    pub inventory: String,
    /// Tells fingerprint keys apart without telling the key: plans of another machine cannot be compared.
    pub key: Fingerprint,
    /// When the plans were made.
    pub created: Timestamp,
    /// One plan for each target.
    pub plans: Vec<Plan>,
}

/// What a saved plan depends on, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// The project that the inventory names.
    pub project: &'a str,
    /// SHA-256 of the inventory's text, hex.
    pub inventory: &'a str,
    /// The project's fingerprint key on this machine.
    pub key: &'a FingerprintKey,
}

impl SavedPlan {
    /// Plans made now, from this basis.
    pub fn new(basis: Basis<'_>, created: Timestamp, plans: Vec<Plan>) -> Self {
        Self {
            version: VERSION,
            project: basis.project.to_owned(),
            inventory: basis.inventory.to_owned(),
            key: key_id(basis.key),
            created,
            plans,
        }
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice: every part of a plan has a JSON form.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|source| {
                Error::new(ErrorKind::Failed, "cannot write the plan as JSON").source(&source)
            })
    }

    /// Reads a file's text; `name` is the file's name, for errors.
    ///
    /// # Errors
    /// When it is no saved plan, or one of another version.
    pub fn parse(text: &str, name: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let refuse = |source: serde_json::Error| {
            Error::new(ErrorKind::Input, format!("{name} is not a saved plan"))
                .source(&source)
                .hint("make one with `geodeploy plan --out FILE`")
        };
        // The version is read first, so that a newer form is called newer instead of broken.
        let head: Head = serde_json::from_str(text).map_err(refuse)?;
        if head.version != VERSION {
            return Err(Error::new(
                ErrorKind::Input,
                format!(
                    "{name} is a saved plan of version {}, this program reads version {VERSION}",
                    head.version
                ),
            )
            .hint("make the plan anew with this program: `geodeploy plan --out FILE`"));
        }
        serde_json::from_str(text).map_err(refuse)
    }

    /// Nothing, or why the plans cannot be carried out from here; `name` is the file's name.
    ///
    /// # Errors
    /// When the project, the inventory or the fingerprint key is not the one that the plans were made with.
    pub fn check(&self, basis: Basis<'_>, name: &str) -> Result<(), Error> {
        if self.project != basis.project {
            return Err(Error::new(
                ErrorKind::Input,
                format!(
                    "{name} is a plan of the project {}, the inventory is of {}",
                    self.project, basis.project
                ),
            )
            .hint("name the project's own inventory with -i FILE"));
        }
        let stale = |what: String| {
            Err(Error::new(ErrorKind::Stale, what)
                .hint(format!("look at a new plan: `geodeploy plan --out {name}`")))
        };
        if self.inventory != basis.inventory {
            return stale(format!(
                "the inventory has changed since {name} was made on {}",
                self.created
            ));
        }
        if self.key != key_id(basis.key) {
            return stale(format!(
                "{name} was made on another machine, or this project's state has been deleted since: its secrets cannot be compared"
            ));
        }
        Ok(())
    }

    /// The plan of a target.
    pub fn find(&self, target: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.target == target)
    }
}

fn key_id(key: &FingerprintKey) -> Fingerprint {
    key.fingerprint(b"geodeploy saved plan: identity of the key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Attributes, Change, Id, Kind};
    use crate::secrets::Secret;

    fn key(text: &str) -> FingerprintKey {
        FingerprintKey::new(Secret::new(text.to_owned()))
    }

    fn basis(key: &FingerprintKey) -> Basis<'_> {
        Basis {
            project: "shop",
            inventory: "aa",
            key,
        }
    }

    fn saved(key: &FingerprintKey) -> SavedPlan {
        let after = Attributes::new().sealed("content", key.fingerprint(b"hunter2"));
        let change = Change::between(Id::new(Kind::File, "/etc/env"), None, Some(after));
        let plan = Plan {
            target: "cn".to_owned(),
            resources: 4,
            changes: change.into_iter().collect(),
        };
        SavedPlan::new(basis(key), Timestamp::UNIX_EPOCH, vec![plan])
    }

    #[test]
    fn a_saved_plan_reads_back_and_holds_no_secret() {
        let key = key("k");
        let saved = saved(&key);
        let text = saved.to_json().unwrap();
        assert_eq!(SavedPlan::parse(&text, "p.json").unwrap(), saved);
        assert!(!text.contains("hunter2"));
        assert_eq!(saved.check(basis(&key), "p.json"), Ok(()));
        assert!(saved.find("cn").is_some());
        assert!(saved.find("us").is_none());
    }

    #[test]
    fn a_plan_of_another_key_inventory_or_project_is_recognised() {
        let (ours, theirs) = (key("k"), key("other"));
        let saved = saved(&ours);
        let refusal = |basis| saved.check(basis, "p.json").unwrap_err();

        let error = refusal(basis(&theirs));
        assert_eq!(error.kind, ErrorKind::Stale);
        assert!(error.what.contains("another machine"), "{error}");

        let error = refusal(Basis {
            inventory: "bb",
            ..basis(&ours)
        });
        assert_eq!(error.kind, ErrorKind::Stale);
        assert!(error.what.contains("inventory has changed"), "{error}");

        let error = refusal(Basis {
            project: "blog",
            ..basis(&ours)
        });
        assert_eq!(error.kind, ErrorKind::Input);
        assert!(error.what.contains("shop"), "{error}");
    }

    #[test]
    fn a_newer_form_is_called_newer_and_a_broken_one_broken() {
        let error = SavedPlan::parse(r#"{"version":2,"shape":"new"}"#, "p.json").unwrap_err();
        assert!(error.what.contains("version 2"), "{error}");
        let error = SavedPlan::parse("{\"version\":1", "p.json").unwrap_err();
        assert_eq!(error.what, "p.json is not a saved plan");
        assert_eq!(error.kind, ErrorKind::Input);
    }
}
