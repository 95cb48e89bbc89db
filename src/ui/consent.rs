//! Nothing changes without a shown plan and consent.

use super::{Ui, lock};
use crate::error::{Error, ErrorKind};
use crate::text::printable;

impl Ui {
    /// Returns when the operator agrees to `question` (`Apply these changes to cn?`), by an answer or, where `given`, by
    /// a flag; `flag` is its text as typed (`--yes`), for the refusal where nobody is there to ask.
    ///
    /// # Errors
    /// When the answer is not yes, or nobody can answer.
    pub fn consent(&self, question: &str, given: bool, flag: &str) -> Result<(), Error> {
        if given {
            return Ok(());
        }
        if !self.look().interactive {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("{question} Nobody can answer: this is not a terminal"),
            )
            .hint(format!("agree beforehand with {flag}")));
        }
        let answer = self.answer(&format!("{question} [y/N] "))?;
        if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Failed,
            "not agreed to; nothing was changed",
        ))
    }

    /// As [`Ui::consent`], for what `--yes` is no consent to: the operator types the object's name, or gave it beforehand
    /// with a flag (`--promote us`).
    ///
    /// # Errors
    /// When another name is typed, or nobody can type one.
    pub fn typed_consent(
        &self,
        question: &str,
        name: &str,
        given: Option<&str>,
        flag: &str,
    ) -> Result<(), Error> {
        let hint = format!("agree with {flag} {name}; --yes is no consent to this");
        let refused = |why: String| Err(Error::new(ErrorKind::Usage, why).hint(hint.clone()));
        match given {
            Some(given) if given == name => return Ok(()),
            Some(given) => {
                return refused(format!(
                    "{flag} names `{given}`, and this is about `{name}`"
                ));
            }
            None if !self.look().interactive => {
                return refused(format!(
                    "{question} Nobody can answer: this is not a terminal"
                ));
            }
            None => {}
        }
        let answer = self.answer(&format!("{question} Type `{name}` to agree: "))?;
        if answer.trim() == name {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Failed,
            "not agreed to; nothing was changed",
        ))
    }

    fn answer(&self, prompt: &str) -> Result<String, Error> {
        let answer = self.beside_bars(|| {
            let mut err = lock(&self.shared.err);
            let prompt = printable(prompt);
            let mut answer = String::new();
            err.write_all(prompt.as_bytes())
                .and_then(|()| err.flush())
                .and_then(|()| lock(&self.shared.input).read_line(&mut answer))
                .map(|_| answer)
        });
        answer.map_err(|source| {
            Error::new(ErrorKind::Failed, "cannot read the answer").source(&source)
        })
    }
}
