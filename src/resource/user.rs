//! A system user without a login.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Context, Manage};
use crate::agent::system::{Fault, Invocation};
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// A system user with a group of the same name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its home, which is not made.
    pub home: PathBuf,
    /// Its shell: `/usr/sbin/nologin`.
    pub shell: String,
    /// Further groups; it is in no others.
    pub groups: Vec<String>,
}

impl User {
    fn describe(
        &self,
        group: &str,
        home: &str,
        shell: &str,
        mut groups: Vec<String>,
    ) -> Attributes {
        groups.sort();
        groups.dedup();
        Attributes::new()
            .text("group", group)
            .text("home", home)
            .text("shell", shell)
            .list("groups", groups)
    }

    fn arguments(&self, context: &Context<'_>, exists: bool) -> Result<Vec<String>, Fault> {
        let group = table(context, "/etc/group")?;
        let group_exists = group.iter().any(|line| line[0] == self.name);
        let groups = self.groups.join(",");
        let mut words = if exists {
            vec!["usermod"]
        } else {
            vec!["useradd", "--system", "--no-create-home"]
        };
        match (exists, group_exists) {
            // An interrupted useradd may have left the group.
            (_, true) => words.extend(["--gid", &self.name]),
            (false, false) => words.push("--user-group"),
            (true, false) => {}
        }
        let home = self.home.to_string_lossy();
        let option = if exists { "--home" } else { "--home-dir" };
        words.extend([
            option,
            &home,
            "--shell",
            &self.shell,
            "--groups",
            &groups,
            "--",
            &self.name,
        ]);
        Ok(words.into_iter().map(str::to_owned).collect())
    }
}

impl Manage for User {
    fn id(&self) -> Id {
        Id::new(Kind::User, &self.name)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let home = self.home.to_string_lossy();
        Some(self.describe(&self.name, &home, &self.shell, self.groups.clone()))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let users = table(context, "/etc/passwd")?;
        let Some(user) = users.iter().find(|fields| fields[0] == self.name) else {
            return Ok(None);
        };
        let field = |index: usize| user.get(index).map_or("", String::as_str);
        let groups = table(context, "/etc/group")?;
        let primary = groups
            .iter()
            .find(|group| group.get(2).is_some_and(|id| id == field(3)))
            .map_or(field(3), |group| group[0].as_str());
        let further = groups.iter().filter(|group| {
            let members = group.get(3).map_or("", String::as_str);
            members.split(',').any(|member| member == self.name)
        });
        let further = further.map(|group| group[0].clone()).collect();
        Ok(Some(self.describe(primary, field(5), field(6), further)))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let what = format!("cannot make the user {}", self.name);
        let exists = self.inspect(context)?.is_some();
        let groups = table(context, "/etc/group")?;
        let known = |name: &str| groups.iter().any(|line| line[0] == name);
        if let Some(missing) = self.groups.iter().find(|group| !known(group)) {
            return Err(
                Fault::new(what, format!("there is no group {missing} on this host"))
                    .hint("the package that brings the group must come before the user"),
            );
        }
        if exists && !known(&self.name) {
            run(context, &what, &["groupadd", "--system", "--", &self.name])?;
        }
        let words = self.arguments(context, exists)?;
        let argv: Vec<&str> = words.iter().map(String::as_str).collect();
        run(context, &what, &argv)
    }
}

fn run(context: &Context<'_>, what: &str, argv: &[&str]) -> Result<(), Fault> {
    context
        .system
        .run(&Invocation::new(argv))
        .map_err(|error| Fault::new(what, error))?
        .checked(what)
        .map(drop)
}

/// The lines of /etc/passwd or /etc/group, split at colons; a line always has a first field.
fn table(context: &Context<'_>, path: &str) -> Result<Vec<Vec<String>>, Fault> {
    let bytes = context
        .system
        .read(Path::new(path))
        .map_err(|error| Fault::new(format!("cannot read {path}"), error))?
        .unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes)
        .lines()
        .map(|line| line.split(':').map(str::to_owned).collect())
        .collect())
}
