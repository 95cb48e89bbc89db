//! The web server.

use std::path::PathBuf;

use super::{Build, service};
use crate::error::Error;
use crate::resource::{Nginx, Resource};

impl Build<'_> {
    /// nginx's files and its service.
    pub(super) fn web_server(&self) -> Result<Vec<Resource>, Error> {
        let site = format!("/etc/nginx/sites-available/{}", self.app());
        Ok(vec![
            self.nginx("/etc/nginx/nginx.conf", "nginx.conf.j2", false)?,
            self.nginx(&site, "site.conf.j2", true)?,
            service("nginx.service", Some(true)),
        ])
    }

    fn nginx(&self, path: &str, template: &str, enabled_site: bool) -> Result<Resource, Error> {
        let rendered = self.render(template)?;
        Ok(Resource::Nginx(Nginx {
            path: PathBuf::from(path),
            content: Some(rendered.text),
            template: rendered.origin,
            template_lines: rendered.lines,
            enabled_site,
        }))
    }
}
