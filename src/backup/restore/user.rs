//! The user that restores: made for one restore, with a password that nobody is told, and dropped after it.

use mongodb::bson::{Document, doc};

use crate::agent::system::Fault;
use crate::backup::server::{Login, Server};
use crate::secrets::Secret;

/// Its name, in the database `admin`.
pub const NAME: &str = "geodeploy_restore";

/// Code of the server for a user that is not there.
const USER_NOT_FOUND: i32 = 11;

/// What it may: insert and build (`restore`), replay (`applyOps` asks for what each write asks for), and stop the
/// removal of expired documents (`hostManager`).
const ROLES: [&str; 4] = [
    "restore",
    "readWriteAnyDatabase",
    "dbAdminAnyDatabase",
    "hostManager",
];

/// Runs `work` as that user while nothing expires; afterwards the user is gone, whether it worked or not. One that a
/// killed restore left is replaced.
///
/// # Errors
/// Those of `work`; when the administrator may not make or drop the user.
pub fn with<T>(
    administrator: &Server,
    connect: impl Fn(&Login) -> Result<Server, Fault>,
    work: impl FnOnce(&Server) -> Result<T, Fault>,
) -> Result<T, Fault> {
    remove(administrator)?;
    let login = Login {
        database: "admin".to_owned(),
        name: NAME.to_owned(),
        password: password()?,
    };
    let create = doc! {
        "createUser": NAME,
        "pwd": login.password.expose(),
        "roles": ROLES.map(|role| doc! { "role": role, "db": "admin" }).to_vec(),
        "mechanisms": ["SCRAM-SHA-256"],
    };
    administrator
        .run("admin", create)
        .map_err(|refusal| refusal.during(format!("cannot make the user {NAME}")))?;
    let worked = connect(&login).and_then(|server| {
        let worked = expiring(&server, false).and_then(|()| work(&server));
        let expires = expiring(&server, true);
        worked.and_then(|value| expires.map(|()| value))
    });
    let removed = remove(administrator);
    worked.and_then(|value| removed.map(|()| value))
}

fn remove(administrator: &Server) -> Result<(), Fault> {
    match administrator.run("admin", doc! { "dropUser": NAME }) {
        Err(refusal) if !refusal.is(USER_NOT_FOUND) => {
            Err(refusal.during(format!("cannot drop the user {NAME}")))
        }
        _ => Ok(()),
    }
}

/// Lets expired documents be removed or not. `true` is what mongod starts with, and no configuration of ours says else.
fn expiring(server: &Server, enabled: bool) -> Result<(), Fault> {
    let command: Document = doc! { "setParameter": 1, "ttlMonitorEnabled": enabled };
    server.run("admin", command).map(drop).map_err(|refusal| {
        refusal
            .during("cannot switch the removal of expired documents")
            .hint("`systemctl restart mongod` switches it on")
    })
}

fn password() -> Result<Secret, Fault> {
    use std::io::Read as _;
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .map_err(|error| Fault::new("no random bytes", error))?;
    Ok(Secret::new(crate::digest::hex(&bytes)))
}
