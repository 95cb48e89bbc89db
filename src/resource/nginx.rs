//! A file of nginx's configuration, tested before it is swapped in.

use serde::{Deserialize, Serialize};

/// A file below /etc/nginx. All nginx files of a run are tested together in a staged copy before any of them is put in place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Nginx {
    /// Where: `/etc/nginx/sites-available/yourapp`.
    pub path: std::path::PathBuf,
    /// Its text; `None` when it must not be there.
    pub content: Option<String>,
    /// The template that it came from, for the error of a failed test: `templates/site.conf.j2`.
    pub template: String,
    /// For each rendered line, the line of the template that it came from; empty where that is not known.
    pub template_lines: Vec<u32>,
    /// Whether a link in sites-enabled switches it on.
    pub enabled_site: bool,
}

super::unfinished!(Nginx);
