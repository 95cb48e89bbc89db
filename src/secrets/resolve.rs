//! Fetches what an inventory refers to, each source once, and reports all that fail at once.

use std::collections::BTreeMap;

use super::{Secret, openpgp, sources};
use crate::inventory::{
    Inventory, KeyFingerprint, Login, Mistake, SecretReference, SecretSource, Wrong, tls,
};

/// RFC 7518 section 3.2: an HS256 key has at least as many bytes as its hash.
const SHORTEST_JWT_SECRET: usize = 32;

/// The secrets of one run, by where they came from.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    values: BTreeMap<SecretSource, Secret>,
    warnings: Vec<Mistake>,
}

impl Secrets {
    /// Fetches every secret that the inventory refers to. Files are read and programs are run, each once.
    ///
    /// # Errors
    /// One mistake for each reference that cannot be resolved.
    pub fn resolve(inventory: &Inventory) -> Result<Self, Vec<Mistake>> {
        let mut secrets = Self::default();
        let mut mistakes: Vec<Mistake> = Vec::new();
        let mut tried: Vec<&SecretSource> = Vec::new();
        for reference in inventory.secret_references() {
            if tried.contains(&&reference.source) {
                continue;
            }
            tried.push(&reference.source);
            match sources::fetch(&reference.source, inventory) {
                Ok(fetched) => {
                    secrets.warnings.extend(
                        fetched
                            .warnings
                            .into_iter()
                            .map(|wrong| mistake(inventory, reference, wrong)),
                    );
                    secrets
                        .values
                        .insert(reference.source.clone(), fetched.secret);
                }
                Err(wrong) => {
                    let found =
                        mistake(inventory, reference, remedied(inventory, reference, wrong));
                    // What one verb makes at once is missed once.
                    let told = reference.key == tls::KEY
                        && mistakes.iter().any(|other| other.text == tls::KEY);
                    if !told {
                        mistakes.push(found);
                    }
                }
            }
        }
        if let Login::Secret(reference) = &inventory.login
            && let Some(wrong) = secrets.get(reference).and_then(too_short)
        {
            mistakes.push(mistake(inventory, reference, wrong));
        }
        for reference in inventory.model_keys() {
            if let Some(wrong) = secrets.get(reference).and_then(no_bearer_token) {
                mistakes.push(mistake(inventory, reference, wrong));
            }
        }
        let archive = &inventory.database.archive;
        if let (Some(reference), Some(wanted)) = (&archive.key, &archive.fingerprint)
            && let Some(wrong) = secrets
                .get(reference)
                .and_then(|key| other_key(key, wanted))
        {
            mistakes.push(mistake(inventory, reference, wrong));
        }
        if mistakes.is_empty() {
            Ok(secrets)
        } else {
            Err(mistakes)
        }
    }

    /// The secret behind one reference, the others left alone.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn resolve_one(
        inventory: &Inventory,
        reference: &SecretReference,
    ) -> Result<Secret, Mistake> {
        sources::fetch(&reference.source, inventory)
            .map(|fetched| fetched.secret)
            .map_err(|wrong| mistake(inventory, reference, wrong))
    }

    /// Secrets that `make` invents, one a source: for a rehearsal, which must not need the real ones.
    pub fn made_up(
        inventory: &Inventory,
        mut make: impl FnMut(&SecretReference) -> Secret,
    ) -> Self {
        let mut secrets = Self::default();
        for reference in inventory.secret_references() {
            if secrets.get(reference).is_none() {
                secrets
                    .values
                    .insert(reference.source.clone(), make(reference));
            }
        }
        secrets
    }

    /// The secret behind a reference of the inventory that this was resolved for.
    pub fn get(&self, reference: &SecretReference) -> Option<&Secret> {
        self.values.get(&reference.source)
    }

    /// What is unwise and no mistake: files that others can read.
    pub fn warnings(&self) -> &[Mistake] {
        &self.warnings
    }
}

/// With the remedy of what an operator makes or fetches once.
fn remedied(inventory: &Inventory, reference: &SecretReference, mut wrong: Wrong) -> Wrong {
    if reference.key == tls::KEY {
        wrong.remedy = "type `geodeploy ca init` once, then `geodeploy ca issue`".to_owned();
    }
    let database = &inventory.database;
    if Some(reference) == database.archive.key.as_ref()
        && let SecretSource::Public(file) = &reference.source
    {
        let series = database.version.series();
        wrong.remedy = format!(
            "type `curl -fo {} https://pgp.mongodb.com/server-{series}.asc`; its fingerprint is checked",
            inventory.resolve(file).display()
        );
    }
    wrong
}

fn too_short(secret: &Secret) -> Option<Wrong> {
    let bytes = secret.expose().len();
    (bytes < SHORTEST_JWT_SECRET).then(|| {
        Wrong::new(
            format!("the secret has {bytes} bytes, HS256 needs at least {SHORTEST_JWT_SECRET}"),
            "make a new one, for example with `openssl rand -base64 48`",
        )
    })
}

/// A key that cannot stand in an `Authorization` header; the server would refuse it at its start.
fn no_bearer_token(secret: &Secret) -> Option<Wrong> {
    (!secret.expose().bytes().all(|byte| byte.is_ascii_graphic())).then(|| {
        Wrong::new(
            "the key holds a space, a line break or a letter outside ASCII",
            "store the key as it was issued, without quotes and alone",
        )
    })
}

/// A signing key that is not the one that the inventory means.
fn other_key(key: &Secret, wanted: &KeyFingerprint) -> Option<Wrong> {
    let cause = match openpgp::fingerprint(key.expose()) {
        Ok(found) if found == wanted.as_str() => return None,
        Ok(found) => {
            format!("the archive's key has the fingerprint {found}, and {wanted} is wanted")
        }
        Err(why) => format!("the archive's key cannot be used: {why}"),
    };
    Some(Wrong::new(
        cause,
        "fetch the key anew from MongoDB, and compare its fingerprint with one from another source",
    ))
}

fn mistake(inventory: &Inventory, reference: &SecretReference, wrong: Wrong) -> Mistake {
    Mistake {
        file: inventory.file.display().to_string(),
        line: Some(reference.line),
        text: reference.key.clone(),
        cause: wrong.cause,
        remedy: wrong.remedy,
    }
}
