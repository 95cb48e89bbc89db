//! Certificates for both regions from an authority in the lab, while DNS leads elsewhere and nonces are refused.

use std::net::IpAddr;
use std::path::PathBuf;

use geodeploy::rehearse::archive;
use geodeploy::rehearse::authority::Authority;
use serde_json::json;

use super::Test;
use super::fixture::Twins;
use super::operator::{Operator, copy};
use super::probe::{Probe, get};
use super::units::starts;

pub(crate) const TESTS: &[Test] = &[
    (
        "a certificate that cannot be had is left pending and everything else is done",
        a_certificate_that_cannot_be_had_is_left_pending_and_everything_else_is_done,
    ),
    (
        "both regions get certificates while DNS leads to the other one and half of the nonces are refused",
        both_regions_get_certificates_while_dns_leads_to_the_other_one,
    ),
    (
        "a second provision with certificates changes and reloads nothing",
        a_second_provision_with_certificates_changes_and_reloads_nothing,
    ),
    (
        "over verified HTTPS the other region answers for a dead application",
        over_verified_https_the_other_region_answers_for_a_dead_application,
    ),
];

/// The inventory with `[tls]`: from the authority at this directory.
pub(crate) fn inventory(twins: &Twins, name: &str, directory: &str, root: Option<&str>) -> PathBuf {
    copy(&twins.operator.inventory, name, |text| {
        let root = root.map(|root| format!("root = \"{root}\"\n"));
        format!(
            "{text}\n[tls]\nemail = \"admin@yourapp.com\"\ndirectory = \"{directory}\"\n{}",
            root.unwrap_or_default()
        )
    })
}

/// The operator whose inventory has certificates from the lab's authority, once that was started.
pub(crate) fn operator(twins: &Twins) -> Operator {
    let name = "certificates.toml";
    twins
        .operator
        .with(twins.operator.inventory.with_file_name(name))
}

/// All addresses of a twin.
pub(crate) fn everywhere(twins: &Twins, region: &str) -> Vec<IpAddr> {
    twins
        .addresses(region, 80)
        .map(|address| address.ip())
        .to_vec()
}

/// What a visitor on the twin itself gets over HTTPS: the status, 000 where the certificate is not trusted.
pub(crate) fn visit(twins: &Twins, region: &str, name: &str, path: &str) -> String {
    twins.shell(
        region,
        &format!(
            "curl --silent --output /dev/null --write-out '%{{http_code}}' --max-time 20 \
             --cacert /etc/yourapp/certificate-authority.pem --resolve {name}:443:127.0.0.1 https://{name}{path} || true"
        ),
    )
}

fn a_certificate_that_cannot_be_had_is_left_pending_and_everything_else_is_done(twins: &Twins) {
    // Nothing listens there.
    let directory = format!("https://{}:14001/dir", twins.lab.operator().ipv4);
    let nowhere = twins
        .operator
        .with(inventory(twins, "nowhere.toml", &directory, None));
    let probe = Probe::start(twins.addresses("us", 80)[0], "us");
    let ran = nowhere.run(&["provision", "us"]).expect(6);
    probe.never_failed(5);
    ran.says(&[
        "pending",
        "there is no certificate for us.yourapp.com, api.yourapp.com yet",
        "geodeploy provision",
    ]);
    let left = [
        "certificate geodeploy-yourapp",
        "https-site /etc/nginx/sites-available/yourapp-tls",
        "https-site /etc/nginx/yourapp/redirect.conf",
        "failover /etc/nginx/yourapp/backup.conf",
    ];
    assert_eq!(nowhere.plan("us"), left);
    let (status, _) = get(
        twins.addresses("us", 80)[0],
        "us.yourapp.com",
        "/api/health",
    )
    .unwrap();
    assert_eq!(status, 200);
}

fn both_regions_get_certificates_while_dns_leads_to_the_other_one(twins: &Twins) {
    let authority = Authority::start(&twins.lab, &archive::default_cache(), 50).unwrap();
    for region in ["us", "cn"] {
        let name = format!("{region}.yourapp.com");
        authority
            .resolve(&name, &everywhere(twins, region))
            .unwrap();
    }
    // For one of them the other region is where the authority looks for the token, over both families.
    let shared = everywhere(twins, "cn");
    authority.resolve("api.yourapp.com", &shared).unwrap();
    let root = authority.root().to_string_lossy().into_owned();
    let file = inventory(
        twins,
        "certificates.toml",
        &authority.directory(),
        Some(&root),
    );
    let operator = twins.operator.with(file);
    let foreign = "mkdir -p /etc/nginx/conf.d && echo '# mine' >/etc/nginx/conf.d/mine.conf";
    twins.shell("us", foreign);
    // A refused nonce costs a run of certbot; what the links add to that is not what this is about.
    let _near = ["us", "cn"].map(|region| twins.near(region));
    let begun = std::time::Instant::now();
    operator.run(&["provision"]).expect(0);
    eprintln!("certificates: {:.1} s", begun.elapsed().as_secs_f64());
    for region in ["us", "cn"] {
        let name = format!("{region}.yourapp.com");
        for name in [name.as_str(), "api.yourapp.com"] {
            assert_eq!(visit(twins, region, name, "/api/health"), "200", "{name}");
        }
        // Each has what it needs to hand over to the other.
        twins.shell(region, "test -f /etc/nginx/yourapp/backup.conf");
        let (status, text) = get(twins.addresses(region, 80)[0], &name, "/v1/x").unwrap();
        assert_eq!(status, 308, "{text}");
    }
    assert_eq!(
        twins.shell("us", "cat /etc/nginx/conf.d/mine.conf"),
        "# mine"
    );
    let ran = operator.run(&["verify"]).expect(0);
    ran.prints(&["https", "api.yourapp.com", "Pebble"]);
}

fn a_second_provision_with_certificates_changes_and_reloads_nothing(twins: &Twins) {
    let regions = ["us", "cn"];
    let workers = |region| twins.shell(region, "pgrep -f '[n]ginx: worker' | sort | xargs");
    let before = regions.map(|region| (starts(twins, region), workers(region)));
    let ran = operator(twins).run(&["provision", "--json"]).expect(0);
    let nothing = |region| json!({ "region": region, "changed": 0, "restarted": [] });
    assert_eq!(ran.document("provisioned"), json!(regions.map(nothing)));
    let after = regions.map(|region| (starts(twins, region), workers(region)));
    assert_eq!(before, after);
}

fn over_verified_https_the_other_region_answers_for_a_dead_application(twins: &Twins) {
    let here = || visit(twins, "us", "us.yourapp.com", "/api/sessions");
    // It wants a login: that is the application's answer, from whichever region.
    let answer = here();
    assert!(!["000", "502"].contains(&&*answer), "{answer}");
    twins.shell("us", "systemctl stop yourapp.socket 'yourapp@*' yourapp");
    assert_eq!(here(), answer);
    let health = visit(twins, "us", "us.yourapp.com", "/api/health");
    assert_eq!(health, "502", "a sick region must be seen to be sick");
    // Another certificate than the region's is not talked to.
    twins.shell(
        "cn",
        "cd /etc/nginx/sites-available; cp yourapp-tls /root/yourapp-tls\n\
         openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /root/k -out /root/c -days 1 \
         -subj /CN=cn.yourapp.com -addext subjectAltName=DNS:cn.yourapp.com 2>/dev/null\n\
         sed -i 's|ssl_certificate .*|ssl_certificate /root/c;|; s|ssl_certificate_key .*|ssl_certificate_key /root/k;|' yourapp-tls\n\
         systemctl reload nginx; sleep 0.5",
    );
    assert_eq!(here(), "502");
    twins.shell(
        "cn",
        "cp /root/yourapp-tls /etc/nginx/sites-available/yourapp-tls; systemctl reload nginx; rm /root/c /root/k /root/yourapp-tls",
    );
    twins.shell("us", "systemctl start yourapp.socket yourapp");
    super::probe::wait_healthy(
        twins.addresses("us", 80)[0],
        "us",
        std::time::Duration::from_secs(30),
    );
}
