//! Names and numbers of users and groups, from /etc/passwd and /etc/group: a static binary has no name service.

use std::io::{self, ErrorKind};

/// The two tables, as text.
pub(super) struct Accounts {
    users: String,
    groups: String,
}

impl Accounts {
    /// Reads both; one that is missing is empty.
    pub(super) fn read() -> io::Result<Self> {
        let text = |path| match std::fs::read(path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        };
        Ok(Self {
            users: text("/etc/passwd")?,
            groups: text("/etc/group")?,
        })
    }

    pub(super) fn user_name(&self, id: u32) -> String {
        name(&self.users, id).unwrap_or_else(|| id.to_string())
    }

    pub(super) fn group_name(&self, id: u32) -> String {
        name(&self.groups, id).unwrap_or_else(|| id.to_string())
    }

    pub(super) fn user_id(&self, name: &str) -> io::Result<u32> {
        id(&self.users, name).ok_or_else(|| unknown("user", name))
    }

    pub(super) fn group_id(&self, name: &str) -> io::Result<u32> {
        id(&self.groups, name).ok_or_else(|| unknown("group", name))
    }
}

fn unknown(what: &str, name: &str) -> io::Error {
    io::Error::new(
        ErrorKind::NotFound,
        format!("there is no {what} `{name}` on this host"),
    )
}

/// Both files have the name in the first field and the number in the third (passwd(5), group(5)).
fn name(table: &str, id: u32) -> Option<String> {
    let id = id.to_string();
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    })
}

fn id(table: &str, name: &str) -> Option<u32> {
    let named = table.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    });
    named.or_else(|| name.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n";

    #[test]
    fn names_and_numbers_lead_to_each_other() {
        assert_eq!(name(TABLE, 33).as_deref(), Some("www-data"));
        assert_eq!(id(TABLE, "www-data"), Some(33));
    }

    #[test]
    fn an_owner_without_a_name_is_its_number() {
        assert_eq!(name(TABLE, 4711), None);
        assert_eq!(id(TABLE, "4711"), Some(4711));
        assert_eq!(id(TABLE, "nobody-here"), None);
    }
}
