//! A copy of nginx's configuration with the new files in it, for nginx to test.

use std::io;
use std::path::{Path, PathBuf};

use super::Nginx;
use super::complaint::Complaint;
use crate::agent::system::{Entry, Fault, Invocation, System};
use crate::resource::{Context, Ownership};

/// Where the configuration is, and where its copy goes.
pub(super) struct Stage {
    pub(super) real: PathBuf,
    pub(super) copy: PathBuf,
}

impl Stage {
    /// /etc/nginx, copied into memory.
    pub(super) fn standard() -> Self {
        Self {
            real: "/etc/nginx".into(),
            copy: "/run/geodeploy/nginx".into(),
        }
    }

    /// Lets nginx read the configuration as it would be with these files.
    ///
    /// # Errors
    /// What nginx said, with the real file, its line and the template's line.
    pub(super) fn test(&self, files: &[&Nginx], context: &Context<'_>) -> Result<(), Fault> {
        let fault = |error| Fault::new("cannot stage nginx's configuration", error);
        let system = context.system;
        clear(&self.copy, system).map_err(fault)?;
        let tested = self.build(files, system).map_err(fault).and_then(|()| {
            let configuration = self.copy.join("nginx.conf");
            let argv = ["nginx", "-t", "-c", &configuration.to_string_lossy()];
            system.run(&Invocation::new(&argv)).map_err(fault)
        });
        clear(&self.copy, system).map_err(fault)?;
        let output = tested?;
        match output.status {
            0 => Ok(()),
            127 => Err(Fault::new(
                "cannot test nginx's configuration",
                "nginx is not installed",
            )
            .hint("the package nginx must come before its configuration")),
            _ => Err(Complaint::parse(&output.stderr, &self.copy, &self.real).fault(files)),
        }
    }

    fn build(&self, files: &[&Nginx], system: &dyn System) -> io::Result<()> {
        self.copy_folder(&self.real, system)?;
        for file in files {
            let Some(link) = file.link() else {
                self.place(&file.path, file.content.as_deref(), system)?;
                continue;
            };
            self.place(&file.path, file.content.as_deref(), system)?;
            let (link, target) = (self.staged(&link), self.staged(&file.path));
            system.remove(&link)?;
            if file.enabled_site && file.content.is_some() {
                make_parent(&link, system)?;
                system.symlink(&link, &target)?;
            }
        }
        Ok(())
    }

    fn place(&self, path: &Path, content: Option<&str>, system: &dyn System) -> io::Result<()> {
        let staged = self.staged(path);
        match content {
            Some(content) => {
                make_parent(&staged, system)?;
                let text = self.rewritten(content);
                system.write(&staged, text.as_bytes(), &Ownership::root(0o600))
            }
            None => system.remove(&staged),
        }
    }

    fn copy_folder(&self, folder: &Path, system: &dyn System) -> io::Result<()> {
        system.make_directory(&self.staged(folder))?;
        for name in system.list(folder)?.unwrap_or_default() {
            let path = folder.join(name);
            let staged = self.staged(&path);
            match system.metadata(&path)?.map(|found| found.entry) {
                Some(Entry::Directory) => self.copy_folder(&path, system)?,
                Some(Entry::Symlink(target)) => system.symlink(&staged, &self.staged(&target))?,
                Some(Entry::File(_)) => {
                    let bytes = system.read(&path)?.unwrap_or_default();
                    let bytes = match String::from_utf8(bytes) {
                        Ok(text) => self.rewritten(&text).into_bytes(),
                        Err(binary) => binary.into_bytes(),
                    };
                    system.write(&staged, &bytes, &Ownership::root(0o600))?;
                }
                Some(Entry::Other) | None => {}
            }
        }
        Ok(())
    }

    /// The copy's path of a path below the configuration; other paths as they are.
    fn staged(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.real) {
            Ok(rest) => self.copy.join(rest),
            Err(_) => path.to_owned(),
        }
    }

    fn rewritten(&self, text: &str) -> String {
        let folder = |path: &Path| format!("{}/", path.display());
        text.replace(&folder(&self.real), &folder(&self.copy))
    }
}

fn make_parent(path: &Path, system: &dyn System) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |folder| system.make_directory(folder))
}

/// Removes a folder and what is in it; links are not followed.
fn clear(path: &Path, system: &dyn System) -> io::Result<()> {
    let found = system.metadata(path)?.map(|found| found.entry);
    if found == Some(Entry::Directory) {
        for name in system.list(path)?.unwrap_or_default() {
            clear(&path.join(name), system)?;
        }
    }
    system.remove(path)
}
