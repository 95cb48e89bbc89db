//! The application's units. Which generation runs is deploy's business; provision leaves them enabled.

use super::{Build, service};
use crate::error::Error;
use crate::resource::{Resource, Unit};

impl Build<'_> {
    /// Environment and units of the application.
    pub(super) fn application(&self) -> Result<Vec<Resource>, Error> {
        let app = self.app();
        let mut resources = vec![self.environment()?];
        let units = [
            (format!("{app}.socket"), "app.socket.j2"),
            (format!("{app}@.service"), "app@.service.j2"),
            (format!("{app}.service"), "app.service.j2"),
        ];
        for (name, template) in units {
            let content = self.render(template)?.text;
            resources.push(Resource::Unit(Unit {
                name,
                content,
                notifies: Vec::new(),
            }));
        }
        resources.push(service(&format!("{app}.socket"), None));
        resources.push(service(&format!("{app}.service"), None));
        Ok(resources)
    }
}
