//! Whether a backup was restored for a trial lately: what every change of the database's shape asks for first.

use jiff::{SignedDuration, Timestamp};

use crate::error::{Error, ErrorKind};

/// A trial that is older tells nothing of the backups since.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);

/// How long ago the newest backup of that region was restored for a trial; `verified_at` is as its host noted it.
///
/// # Errors
/// When there is none, or it is older than a day.
pub fn verified_backup(
    region: &str,
    verified_at: Option<&str>,
    now: Timestamp,
) -> Result<SignedDuration, Error> {
    let refused = |why: String| {
        Err(Error::new(
            ErrorKind::Failed,
            format!("{region}: no backup was verified within {} h", OLDEST.as_hours()),
        )
        .cause(why)
        .hint(format!(
            "back up and restore it for a trial: `geodeploy db backup {region}`, then `geodeploy db drill {region}`"
        )))
    };
    let Some(text) = verified_at else {
        return refused("none was ever restored for a trial".to_owned());
    };
    let Ok(verified) = text.parse::<Timestamp>() else {
        return refused(format!("its host notes the time {text:?}, which is none"));
    };
    let age = now.duration_since(verified);
    if age > OLDEST {
        return refused(format!("the newest is {} h old", age.as_hours()));
    }
    Ok(age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_counts_for_a_day_after_its_trial_restore() {
        let now: Timestamp = "2026-01-02T12:00:00Z".parse().unwrap();
        let age = |text| verified_backup("cn", text, now).map(|age| age.as_hours());
        assert_eq!(age(Some("2026-01-01T13:00:00Z")), Ok(23));
        let old = age(Some("2026-01-01T11:00:00Z")).unwrap_err();
        assert_eq!(old.causes, ["the newest is 25 h old"]);
        assert!(old.hints[0].contains("db drill cn"));
        assert!(age(None).unwrap_err().causes[0].contains("none was ever"));
        assert!(age(Some("soon")).is_err());
    }
}
