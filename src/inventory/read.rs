//! Reads the document from top to bottom.

use std::path::PathBuf;
use std::time::Duration;

use super::Inventory;
use super::app::{App, Login};
use super::checks;
use super::database::Database;
use super::dns::Dns;
use super::firewall::Firewall;
use super::host_settings::{HostSystem, Limits, Packages, Release};
use super::links::Link;
use super::model::Model;
use super::public_tls::PublicTls;
use super::reader::Table;
use super::region::{Defaults, Region, sse_read_timeout};
use super::secret_reference::FilePath;
use super::ssh::SshDefaults;

/// Reads the whole document; what is wrong is noted there.
pub(super) fn read(root: Table<'_>, file: &str) -> Option<Inventory> {
    checks::version(&root);
    let templates = root.text::<FilePath>("templates").map(|path| path.0);
    let (app, env) = App::read(root.section("app"));
    let ssh = root.section("ssh");
    let ssh_defaults = SshDefaults::read(&ssh, None);
    ssh.finish();
    let model = Model::read(root.section("model"), None);
    let nginx = root.section("nginx");
    let timeout = sse_read_timeout(&nginx);
    nginx.finish();
    let regions_table = root.section("regions");
    let entries = regions_table.entries();
    let names: Vec<&str> = entries.iter().map(|(name, _, _)| *name).collect();
    let firewall = Firewall::read(root.section("firewall"), None, &names);
    let defaults = Defaults {
        app: app.as_ref(),
        ssh: ssh_defaults.as_ref(),
        env: &env,
        model: model.as_ref(),
        sse_read_timeout: timeout.unwrap_or(Duration::from_secs(3600)),
        firewall: &firewall,
        limits: &Limits::read(root.section("limits"), &Limits::default()),
        packages: &Packages::read(root.section("packages"), &Packages::default()),
        system: &HostSystem::read(root.section("system"), &HostSystem::default()),
        regions: &names,
    };
    if entries.is_empty() {
        root.missing("regions", "[regions.us] and its keys");
    }
    let regions = regions(&regions_table, &defaults);
    checks::administrators(&root, &regions_table, &regions);
    checks::uniqueness(&regions_table, &regions);
    let login = Login::read(root.section("login"));
    let database = database(&root, &names, &regions_table, &regions);
    let dns = dns(&root, app.as_ref(), &names, &regions_table, &regions);
    let release = Release::read(root.section("release"));
    let tls = PublicTls::read(root.section("tls"));
    let links = Link::read_all(root.tables("links"), &names);
    root.finish();
    Some(Inventory {
        file: PathBuf::from(file),
        templates,
        app: app?,
        login: login?,
        database: database?,
        dns,
        release,
        regions: regions.into_iter().collect::<Option<_>>()?,
        tls,
        links,
    })
}

/// Every region in the file's order; none for one that cannot be read.
fn regions(table: &Table<'_>, defaults: &Defaults<'_>) -> Vec<Option<Region>> {
    let mut regions = Vec::new();
    for (key, span, value) in table.entries() {
        let name = key
            .parse()
            .map_err(|wrong| table.note(span.clone(), wrong))
            .ok();
        let own = table.inner(key, span, value);
        regions.push(if own.is_absent() {
            None
        } else {
            Region::read(name, own, defaults)
        });
    }
    regions
}

/// Who answers for names, which is checked together with the regions whose names they are.
fn dns(
    root: &Table<'_>,
    app: Option<&App>,
    names: &[&str],
    regions_table: &Table<'_>,
    regions: &[Option<Region>],
) -> Option<Dns> {
    let dns = Dns::read(root.section("dns"), app.map(|app| &app.domain), names)?;
    checks::geo_name(&root.section("dns"), &dns, regions_table, regions);
    Some(dns)
}

/// The database, which is checked together with the regions that it is in and that reach it.
fn database(
    root: &Table<'_>,
    names: &[&str],
    regions_table: &Table<'_>,
    regions: &[Option<Region>],
) -> Option<Database> {
    let database = Database::read(root.section("database"), names);
    checks::database(
        &root.section("database"),
        database.as_ref(),
        regions_table,
        regions,
    );
    database
}
