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
        let answer = self.beside_bars(|| {
            let mut err = lock(&self.shared.err);
            let prompt = format!("{} [y/N] ", printable(question));
            let mut answer = String::new();
            err.write_all(prompt.as_bytes())
                .and_then(|()| err.flush())
                .and_then(|()| lock(&self.shared.input).read_line(&mut answer))
                .map(|_| answer)
        });
        let answer = answer.map_err(|source| {
            Error::new(ErrorKind::Failed, "cannot read the answer").source(&source)
        })?;
        if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Failed,
            "not agreed to; nothing was changed",
        ))
    }
}
