//! What becomes of the certificates: renewals, failed ones, killed ones, and the end of them.

use std::time::Duration;

use super::Test;
use super::certificates::{operator, visit};
use super::fixture::Twins;
use super::operator::copy;
use super::probe::Probe;

pub(crate) const TESTS: &[Test] = &[
    (
        "a renewal is served at once and drops no connection",
        a_renewal_is_served_at_once_and_drops_no_connection,
    ),
    (
        "a failed renewal is seen by status",
        a_failed_renewal_is_seen_by_status,
    ),
    (
        "killed while it asks for other names the next run converges",
        killed_while_it_asks_for_other_names_the_next_run_converges,
    ),
    (
        "without tls in the inventory plain HTTP is served again",
        without_tls_in_the_inventory_plain_http_is_served_again,
    ),
];

const SETTINGS: &str = "/etc/letsencrypt/renewal/geodeploy-yourapp.conf";

/// The serial number of the certificate that a twin's nginx shows.
fn served(twins: &Twins, region: &str) -> String {
    twins.shell(
        region,
        "openssl s_client -connect 127.0.0.1:443 -servername api.yourapp.com </dev/null 2>/dev/null | openssl x509 -noout -serial",
    )
}

fn a_renewal_is_served_at_once_and_drops_no_connection(twins: &Twins) {
    let _near = twins.near("cn");
    let before = served(twins, "cn");
    let probe = Probe::start(twins.addresses("cn", 80)[0], "cn");
    // A stream from before the renewal, which goes on after it.
    let body = r#"{"model":"echo","stream":true,"metadata":{"delay_ms":"200"},"messages":[{"role":"user","content":"WORDS"}]}"#;
    let body = body.replace("WORDS", "word ".repeat(3000).trim());
    let token = twins.operator.token("renewal");
    twins.shell(
        "cn",
        &format!(
            "echo '{body}' >/root/body\n\
             curl --silent --no-buffer --cacert /etc/yourapp/certificate-authority.pem --resolve cn.yourapp.com:443:127.0.0.1 \
             --header 'Authorization: Bearer {token}' --header 'Content-Type: application/json' --data @/root/body \
             https://cn.yourapp.com/v1/chat/completions >/root/stream 2>&1 </dev/null & echo $! >/root/curl"
        ),
    );
    // certbot itself asks only twice where a nonce is refused; its timer asks twice a day.
    twins.shell(
        "cn",
        "export REQUESTS_CA_BUNDLE=/etc/yourapp/certificate-authority.pem\n\
         for attempt in $(seq 100); do certbot --quiet renew --force-renewal --no-random-sleep-on-renew >/dev/null 2>&1 && exit 0; done; exit 1",
    );
    std::thread::sleep(Duration::from_millis(500));
    assert_ne!(served(twins, "cn"), before);
    probe.never_failed(10);
    let size = || {
        let text = twins.shell("cn", "stat -c %s /root/stream");
        text.parse::<u64>().unwrap()
    };
    let before = size();
    std::thread::sleep(Duration::from_secs(1));
    assert!(before > 0 && size() > before, "the stream stopped");
    let end = "kill $(cat /root/curl); rm /root/curl /root/body /root/stream";
    twins.shell("cn", end);
    assert!(
        twins
            .shell("cn", &format!("head -1 {SETTINGS}"))
            .starts_with("renew_before_expiry = 146")
    );
    assert_eq!(operator(twins).plan("cn"), Vec::<String>::new());
}

fn a_failed_renewal_is_seen_by_status(twins: &Twins) {
    let operator = operator(twins);
    operator
        .run(&["status", "us"])
        .expect(0)
        .prints(&["Pebble", "days left"]);
    // Due now, and the authority is not there.
    twins.shell(
        "us",
        &format!(
            "cp {SETTINGS} /root/settings\n\
             sed -i 's/^renew_before_expiry.*/renew_before_expiry = 50000 hours/; s|:14000/dir|:14001/dir|' {SETTINGS}\n\
             ! systemctl start certbot.service"
        ),
    );
    let ran = operator.run(&["status", "us"]).expect(2);
    ran.prints(&["the last renewal failed (exit-code"]);
    twins.shell(
        "us",
        &format!(
            "cp /root/settings {SETTINGS}; rm /root/settings; systemctl start certbot.service"
        ),
    );
    operator.run(&["status", "us"]).expect(0);
}

fn killed_while_it_asks_for_other_names_the_next_run_converges(twins: &Twins) {
    let operator = operator(twins);
    let fewer = operator.with(copy(&operator.inventory, "fewer.toml", |text| {
        let backup = "[regions.us.nginx]\n";
        text.replacen(
            backup,
            &format!("{backup}server_name = [\"us.yourapp.com\"]\n"),
            1,
        )
    }));
    let _near = twins.near("us");
    let mut killed = 0;
    for _ in 0..2 {
        let mut now = false;
        fewer.watch(&["provision", "us"], |line, _| {
            if !now && line.contains("certificate geodeploy-yourapp") && line.contains('…') {
                now = true;
                twins.shell(
                    "us",
                    "sleep 0.7; systemctl kill --signal=KILL 'geodeploy-run-*' || true",
                );
            }
        });
        killed += usize::from(now);
    }
    assert!(killed >= 1, "it was not killed");
    fewer.run(&["provision", "us"]).expect(0);
    assert_eq!(fewer.plan("us"), Vec::<String>::new());
    let lineages = twins.shell("us", "ls /etc/letsencrypt/live | grep -v README | xargs");
    assert_eq!(lineages, "geodeploy-yourapp");
    assert_eq!(visit(twins, "us", "us.yourapp.com", "/api/health"), "200");
}

fn without_tls_in_the_inventory_plain_http_is_served_again(twins: &Twins) {
    twins.operator.run(&["provision"]).expect(0);
    for region in ["us", "cn"] {
        assert_eq!(twins.operator.plan(region), Vec::<String>::new());
        twins.shell(
            region,
            "! ss -ltn | grep -q ':443 '; ! ls /etc/nginx/sites-enabled | grep -q tls",
        );
        twins.shell(
            region,
            "test -f /etc/letsencrypt/live/geodeploy-yourapp/cert.pem",
        );
    }
}
