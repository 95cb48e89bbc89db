//! Finds the inventory.

use std::path::{Path, PathBuf};

use super::mistake::Mistake;

/// What the inventory is called where no name is given.
pub const FILE_NAME: &str = "geodeploy.toml";

/// The given file, or [`FILE_NAME`] in `start` or the nearest folder above it.
///
/// # Errors
/// Says where it was looked for.
pub fn find(given: Option<&Path>, start: &Path) -> Result<PathBuf, Mistake> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let found = start
        .ancestors()
        .map(|folder| folder.join(FILE_NAME))
        .find(|path| path.is_file());
    found.ok_or_else(|| Mistake {
        file: FILE_NAME.to_owned(),
        line: None,
        text: String::new(),
        cause: format!(
            "there is no inventory in {} or in a folder above it",
            start.display()
        ),
        remedy: "write one with `geodeploy init`, or name one with --inventory FILE".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_inventory_above_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        assert!(
            find(None, &inner)
                .unwrap_err()
                .cause
                .contains("no inventory")
        );
        std::fs::write(folder.path().join(FILE_NAME), "").unwrap();
        assert_eq!(find(None, &inner).unwrap(), folder.path().join(FILE_NAME));
        std::fs::write(folder.path().join("a").join(FILE_NAME), "").unwrap();
        assert_eq!(
            find(None, &inner).unwrap(),
            folder.path().join("a").join(FILE_NAME)
        );
    }

    #[test]
    fn a_given_file_is_taken_as_it_is() {
        assert_eq!(
            find(Some(Path::new("x.toml")), Path::new("/")).unwrap(),
            Path::new("x.toml")
        );
    }
}
