//! What each host of the set says of its primary, and which way a promotion goes by that.

use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Member};
use crate::inventory::{Inventory, Region};
use crate::plan::Value;
use crate::resource::{Primary, Resource};

/// One host of the set.
pub(super) struct View<'r> {
    /// Its region.
    pub(super) region: &'r Region,
    /// The name by which the others know its member.
    pub(super) host: String,
    /// The connection, or why there is none.
    pub(super) member: Result<Member, Error>,
    /// Which member it takes for the primary; `none`, or nothing where its database does not answer.
    pub(super) primary: Option<String>,
}

/// No member takes writes.
const NONE: &str = "none";

impl<'r> View<'r> {
    /// Asks a host.
    pub(super) async fn of(
        inventory: &Inventory,
        region: &'r Region,
        member: Result<Member, Error>,
        wanted: &Primary,
    ) -> Self {
        let name = inventory.database_host(region);
        let mut view = Self {
            region,
            host: format!("{name}:{}", wanted.connection.port),
            member,
            primary: None,
        };
        let resources = [Resource::Primary(wanted.clone())];
        let asked = match &view.member {
            Ok(member) => fleet::inspect(member, &resources, &[]).await,
            Err(_) => return view,
        };
        match asked {
            Ok(inspected) => {
                view.primary = match inspected.plan.changes.first() {
                    None => Some(wanted.host.clone()),
                    Some(change) => {
                        change
                            .before
                            .as_ref()
                            .and_then(|before| match before.get("primary") {
                                Some(Value::Text(text)) => Some(text.clone()),
                                _ => None,
                            })
                    }
                };
            }
            Err(error) => view.member = Err(error),
        }
        view
    }
}

/// Which way a promotion goes.
#[derive(Debug)]
pub(super) enum Way<'r> {
    /// It is the primary; votes and priorities may be left to settle.
    Settle,
    /// The primary of that region answers, and hands over.
    HandOver(&'r Region),
    /// There is no primary.
    Force,
}

impl Way<'_> {
    /// What it means for the data.
    pub(super) fn consequence(&self) -> &'static str {
        match self {
            Self::Settle => "it is the primary; its votes and priorities are settled",
            Self::HandOver(_) => {
                "the primary hands over: no acknowledged write is lost, writes pause for some seconds"
            }
            Self::Force => {
                "the old primary is lost: what it took and nobody copied is lost too, and rolled back where it returns \
                 (dbPath/rollback keeps it); it must not run before it reaches the promoted one, or it takes writes beside it"
            }
        }
    }
}

/// The way by what the hosts say.
///
/// # Errors
/// When force would make a second primary beside one that serves, or the others can choose one by themselves.
pub(super) fn way<'r>(
    views: &[View<'r>],
    to: &Region,
    automatic_failover: bool,
) -> Result<Way<'r>, Error> {
    let Some(new) = views.iter().find(|view| view.region.name == to.name) else {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("{} holds no member", to.name),
        ));
    };
    match &new.member {
        Ok(_) => judged(views, new, automatic_failover),
        Err(error) => Err(error.clone()),
    }
}

fn judged<'r>(
    views: &[View<'r>],
    new: &View<'r>,
    automatic_failover: bool,
) -> Result<Way<'r>, Error> {
    let to = new.region;
    let what = format!("cannot promote {}", to.name);
    let Some(seen) = &new.primary else {
        return Err(Error::new(ErrorKind::Failed, what)
            .cause("its database does not answer, or is in no set")
            .hint(format!(
                "provision it first: `geodeploy provision {}`",
                to.name
            )));
    };
    if *seen == new.host {
        return Ok(Way::Settle);
    }
    let serving = views
        .iter()
        .find(|view| view.primary.as_ref() == Some(&view.host));
    match serving {
        Some(old) if *seen == old.host => Ok(Way::HandOver(old.region)),
        Some(old) => Err(Error::new(ErrorKind::Failed, what)
            .cause(format!(
                "{} serves as the primary, and {} cannot reach it: by force there would be two",
                old.region.name, to.name
            ))
            .hint(format!(
                "mend the link, or stop the old one first: `geodeploy ssh {} -- systemctl stop mongod`",
                old.region.name
            ))),
        None if seen != NONE => Err(Error::new(ErrorKind::Unreachable, what)
            .cause(format!(
                "{seen} serves as the primary, and its host cannot be asked to hand over"
            ))
            .hint("reach that host over SSH, or stop its mongod there; nothing is forced beside a primary that serves")),
        None => {
            let answering = views.iter().filter(|view| view.primary.is_some()).count();
            match automatic_failover && answering > views.len() / 2 {
                true => Err(Error::new(ErrorKind::Failed, what)
                    .cause(format!(
                        "{answering} of {} members answer, which is a majority: they choose a primary by themselves",
                        views.len()
                    ))
                    .hint("wait some 15 s and run it again")),
                false => Ok(Way::Force),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::EXAMPLE;

    fn decide(cn: Option<&str>, us: Option<&str>, automatic: bool) -> String {
        let inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
        let view = |name: &str, primary: Option<&str>| View {
            region: inventory.region(name).unwrap(),
            host: format!("{name}:27017"),
            member: Err(Error::new(ErrorKind::Unreachable, "no route")),
            primary: primary.map(str::to_owned),
        };
        let views = [view("cn", cn), view("us", us)];
        match judged(&views, &views[1], automatic) {
            Ok(way) => format!("{way:?}")
                .split('(')
                .next()
                .unwrap_or_default()
                .to_owned(),
            Err(error) => error.causes.join(" "),
        }
    }

    #[test]
    fn force_is_taken_only_where_no_primary_serves() {
        let (cn, us) = (Some("cn:27017"), Some("us:27017"));
        assert_eq!(decide(cn, cn, false), "HandOver");
        assert_eq!(decide(us, us, false), "Settle");
        assert_eq!(decide(None, Some("none"), false), "Force");
        assert_eq!(decide(Some("none"), Some("none"), false), "Force");
        assert!(decide(cn, Some("none"), false).contains("there would be two"));
        assert!(decide(None, cn, false).contains("cannot be asked"));
        assert!(decide(Some("none"), Some("none"), true).contains("a majority"));
        assert!(decide(cn, None, false).contains("does not answer"));
    }
}
