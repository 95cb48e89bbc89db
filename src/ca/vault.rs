//! The folder in which an authority and what it issued are kept: certificates in clear, everything secret encrypted with age.

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret;

use crate::error::{Error, ErrorContext, ErrorKind};
use crate::secrets::Secret;
use crate::state::write_private;

/// The folder and those who can open what is encrypted in it.
pub struct Vault {
    folder: PathBuf,
    recipients: Vec<Box<dyn age::Recipient + Send>>,
}

impl Vault {
    /// Opens the folder, and makes it where it is missing. The identity's file is not needed for more than its public half.
    ///
    /// # Errors
    /// When the identity cannot be read, or the folder not be made.
    pub fn open(folder: &Path, identity: &Path) -> Result<Self, Error> {
        let text = std::fs::read(identity).context(ErrorKind::Input, || {
            format!("cannot read the age identity {}", identity.display())
        })?;
        let text = zeroize::Zeroizing::new(text);
        let unusable = |why: String| {
            Error::new(
                ErrorKind::Input,
                format!("{} is not a file of age identities", identity.display()),
            )
            .cause(why)
            .hint("name the file that `age-keygen -o FILE` wrote, not encrypted itself")
        };
        let recipients = age::IdentityFile::from_buffer(&text[..])
            .map_err(|error| unusable(error.to_string()))?
            .to_recipients()
            .map_err(|error| unusable(error.to_string()))?;
        make_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            recipients,
        })
    }

    /// Writes a new identity, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn make_identity(path: &Path) -> Result<(), Error> {
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let identity = age::x25519::Identity::generate();
        let public = identity.to_public();
        let private = identity.to_string();
        let text = zeroize::Zeroizing::new(format!(
            "# public key: {public}\n{}\n",
            private.expose_secret()
        ));
        write_private(path, text.as_bytes())
    }

    /// The certificate's file of that name.
    pub fn certificate(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pem"))
    }

    /// Reads a certificate; `None` where there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<String>, Error> {
        let path = self.certificate(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context(ErrorKind::Failed, || {
                format!("cannot read {}", path.display())
            }),
        }
    }

    /// Writes a certificate.
    ///
    /// # Errors
    /// When it cannot be written; what was there is then untouched.
    pub fn write(&self, name: &str, certificate: &str) -> Result<(), Error> {
        write_private(&self.certificate(name), certificate.as_bytes())
    }

    /// Writes a secret at `path`, encrypted to everyone whose identity the vault was opened with.
    ///
    /// # Errors
    /// When it cannot be encrypted or written; what was there is then untouched.
    pub fn seal(&self, path: &Path, secret: &Secret) -> Result<(), Error> {
        let failed = || format!("cannot encrypt {}", path.display());
        let recipients = self
            .recipients
            .iter()
            .map(|one| one.as_ref() as &dyn age::Recipient);
        let encryptor =
            age::Encryptor::with_recipients(recipients).context(ErrorKind::Failed, failed)?;
        let mut sealed = Vec::new();
        age::armor::ArmoredWriter::wrap_output(&mut sealed, age::armor::Format::AsciiArmor)
            .and_then(|armor| encryptor.wrap_output(armor))
            .and_then(|mut writer| {
                writer.write_all(secret.expose().as_bytes())?;
                writer.finish()?.finish()
            })
            .context(ErrorKind::Failed, failed)?;
        write_private(path, &sealed)
    }
}

fn make_folder(folder: &Path) -> Result<(), Error> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .context(ErrorKind::Failed, || {
            format!("cannot make the folder {}", folder.display())
        })
}
