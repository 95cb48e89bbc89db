//! The first set-up of the twins: one server, then the second.

use std::path::Path;

use super::database_growth::Writer;
use super::fixture::Twins;
use super::operator::Operator;

impl Twins {
    /// Boots, provisions and deploys; says how long each took.
    ///
    /// First one server in China, then the second while the first is written to.
    pub(crate) fn up_one_by_one() -> Self {
        let mut twins = Self::bare();
        let alone = twins.operator.with(without_us(&twins.operator.inventory));
        set_up(&alone, "one server");
        let writer = Writer::start(
            twins.addresses("cn", 80)[0],
            "cn",
            alone.token("first"),
            "f",
        );
        set_up(&twins.operator, "two servers");
        twins.first_chats = writer.stop();
        twins
    }
}

/// Provisions and deploys, and says how long each took.
fn set_up(operator: &Operator, what: &str) {
    for verb in ["provision", "deploy"] {
        let begun = std::time::Instant::now();
        operator.run(&[verb]).expect(0);
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!("{what}, first {verb}: {seconds:.1} s");
    }
}

/// The inventory of one server in China.
fn without_us(inventory: &Path) -> std::path::PathBuf {
    super::operator::copy(inventory, "one.toml", |text| {
        let mut document: toml_edit::DocumentMut = text.parse().unwrap();
        document.remove("links");
        let regions = document["regions"].as_table_mut().unwrap();
        regions.remove("us");
        let cn = regions["cn"].as_table_mut().unwrap();
        cn["nginx"].as_table_mut().unwrap().remove("backup");
        let firewall = cn["firewall"].as_table_mut().unwrap();
        firewall.remove("database_peers");
        document.to_string()
    })
}
