//! The application's environment: the contract between the operator's side and the server.

use minijinja::context;

use super::templates::{Rendered, Templates};
use super::{context, quote};
use crate::error::{Error, ErrorKind};
use crate::inventory::{DatabaseMode, Inventory, Login, Model, Region, SecretReference, Setting};
use crate::secrets::{Secret, Secrets};

/// The template of the environment file.
pub(super) const TEMPLATE: &str = "env.j2";

/// One variable of the application's environment.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; kept as a secret whether it is one or not.
    pub value: Secret,
}

/// All variables of a region's application in the order of the guide, then those that only the inventory knows.
///
/// # Errors
/// A secret was not resolved: `secrets` are another inventory's.
pub fn variables(
    inventory: &Inventory,
    region: &Region,
    secrets: &Secrets,
) -> Result<Vec<Variable>, Error> {
    let mut list = List {
        secrets,
        variables: Vec::new(),
    };
    let upper = region.name.upper_case();
    let extra = |name: &str| {
        region
            .env
            .iter()
            .find(|(known, _)| known.as_str() == name)
            .map(|(_, setting)| setting)
    };
    let or_region = |name: &str| {
        extra(name)
            .cloned()
            .unwrap_or_else(|| Setting::Plain(upper.clone()))
    };
    list.setting("REGION", &or_region("REGION"))?;
    list.plain("SERVER_NAME", region.server_name.as_str());
    list.database(inventory, region)?;
    list.plain("MAX_SSE_CONNECTIONS", &region.limits.max_sse.to_string());
    list.plain(
        "MAX_SSE_CONNECTIONS_PER_USER",
        &region.limits.max_sse_per_user.to_string(),
    );
    list.model(&region.model)?;
    list.plain("PORT", &inventory.app.port.to_string());
    list.plain(
        "DRAIN_TIMEOUT",
        &inventory.release.drain.as_secs().to_string(),
    );
    match &inventory.login {
        Login::Secret(reference) => list.secret("JWT_SECRET", reference)?,
        Login::PublicKey(setting) => list.setting("JWT_PUBLIC_KEY", setting)?,
    }
    list.setting("LOG_REGION", &or_region("LOG_REGION"))?;
    for (name, setting) in &region.env {
        if !["REGION", "LOG_REGION"].contains(&name.as_str()) {
            list.setting(name.as_str(), setting)?;
        }
    }
    Ok(list.variables)
}

struct List<'s> {
    secrets: &'s Secrets,
    variables: Vec<Variable>,
}

impl List<'_> {
    fn plain(&mut self, name: &str, value: &str) {
        self.push(name, Secret::new(value.to_owned()));
    }

    fn secret(&mut self, name: &str, reference: &SecretReference) -> Result<(), Error> {
        let Some(secret) = self.secrets.get(reference) else {
            return Err(Error::new(
                ErrorKind::Input,
                format!("no secret was resolved for {}", reference.key),
            )
            .hint("run `geodeploy check`, which resolves all of them"));
        };
        self.push(name, secret.clone());
        Ok(())
    }

    fn setting(&mut self, name: &str, setting: &Setting) -> Result<(), Error> {
        match setting {
            Setting::Plain(text) => {
                self.plain(name, text);
                Ok(())
            }
            Setting::Secret(reference) => self.secret(name, reference),
        }
    }

    fn model(&mut self, model: &Model) -> Result<(), Error> {
        match model {
            Model::Echo => self.plain("MODEL", "echo"),
            Model::Ark {
                api_url,
                api_key,
                endpoint_id,
            } => {
                self.plain("MODEL", "ark");
                self.plain("VOLCENGINE_API_URL", api_url.as_str());
                self.secret("VOLCENGINE_API_KEY", api_key)?;
                self.setting("VOLCENGINE_ENDPOINT_ID", endpoint_id)?;
            }
        }
        Ok(())
    }

    /// With the embedded database there are none of these: no `MONGODB_URI` is what says embedded.
    fn database(&mut self, inventory: &Inventory, region: &Region) -> Result<(), Error> {
        let database = &inventory.database;
        if database.mode == DatabaseMode::Embedded {
            return Ok(());
        }
        self.plain("MONGODB_URI", &super::database::uri(inventory, region));
        if let Some(user) = &database.user {
            self.plain("MONGODB_USER", user.as_str());
        }
        match &database.password {
            Some(reference) => self.secret("MONGODB_PASSWORD", reference),
            None => Ok(()),
        }
    }

    fn push(&mut self, name: &str, value: Secret) {
        self.variables.push(Variable {
            name: name.to_owned(),
            value,
        });
    }
}

/// Renders the environment file. The template places values and never sees them: it works on marks that are
/// replaced afterwards, so that no error of a template can quote a secret.
pub(super) fn render(
    templates: &Templates,
    inventory: &Inventory,
    region: &Region,
    variables: &[Variable],
) -> Result<Rendered, Error> {
    let mark = |index: usize| format!("\u{2}{index}\u{3}");
    let marked: Vec<_> = variables
        .iter()
        .enumerate()
        .map(|(index, variable)| context! { name => variable.name.as_str(), value => mark(index) })
        .collect();
    let common = context::of(inventory, region);
    let rendered = templates.render(TEMPLATE, &context! { variables => marked, ..common })?;
    let mut text = String::new();
    let mut pieces = rendered.text.split('\u{2}');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (index, rest) = piece.split_once('\u{3}').unwrap_or(("", piece));
        let variable = index
            .parse::<usize>()
            .ok()
            .and_then(|index| variables.get(index));
        let Some(variable) = variable else {
            return Err(Error::new(
                ErrorKind::Input,
                format!("{} changes a variable's value", rendered.origin),
            )
            .hint("place values as they are: {{ variable.value }}, without a filter"));
        };
        text.push_str(&quote::quoted(variable.value.expose()));
        text.push_str(rest);
    }
    Ok(Rendered { text, ..rendered })
}
