//! The web server.

use std::path::PathBuf;

use super::context::REGIONS;
use super::{Build, service};
use crate::dns::region_list;
use crate::error::Error;
use crate::resource::{Content, File, Nginx, Ownership, Resource};

impl Build<'_> {
    /// nginx's files and its service.
    pub(super) fn web_server(&self) -> Result<Vec<Resource>, Error> {
        let site = format!("/etc/nginx/sites-available/{}", self.app());
        let mut resources: Vec<Resource> = self.region_list()?.into_iter().collect();
        resources.extend([
            self.nginx("/etc/nginx/nginx.conf", "nginx.conf.j2", false)?,
            self.nginx(&site, "site.conf.j2", true)?,
            service("nginx.service", Some(true)),
        ]);
        Ok(resources)
    }

    /// What front ends choose a region from.
    fn region_list(&self) -> Result<Option<Resource>, Error> {
        let scheme = match self.inventory.tls {
            Some(_) => "https",
            None => "http",
        };
        let list = region_list::render(self.inventory, scheme)?;
        Ok(list.map(|text| {
            Resource::File(File {
                path: PathBuf::from(REGIONS),
                content: Some(Content::Plain(text)),
                ownership: Ownership::root(0o644),
                notifies: Vec::new(),
            })
        }))
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
