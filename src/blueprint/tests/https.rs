//! What is served with a certificate, as nginx reads it.

use std::path::Path;

use super::tools::{program, relocated, render};
use super::*;

/// Writes the site's files below `folder` and lets nginx read them: what it said, and whether it accepts them.
fn read_by_nginx(
    folder: &Path,
    region: usize,
    files: &[(&str, &str, bool)],
) -> Option<(bool, String)> {
    let mut nginx = program("nginx")?;
    for inside in ["sites-enabled", "yourapp"] {
        std::fs::create_dir(folder.join(inside)).unwrap();
    }
    let types = folder.join("mime.types");
    std::fs::write(types, "types { text/html html; }\n").unwrap();
    let tls = files.len() > 1;
    for (path, template, with_tls) in files {
        let text = relocated(&render(template, region, *with_tls), folder);
        std::fs::write(folder.join(path), text).unwrap();
    }
    if tls {
        let backup = "server 127.0.0.1:8443 backup;\n";
        std::fs::write(folder.join("yourapp/backup.conf"), backup).unwrap();
        let key = rcgen::generate_simple_self_signed(["us.yourapp.com".to_owned()]).unwrap();
        std::fs::write(folder.join("fullchain.pem"), key.cert.pem()).unwrap();
        std::fs::write(folder.join("privkey.pem"), key.signing_key.serialize_pem()).unwrap();
    }
    let main = folder.join("nginx.conf");
    std::fs::write(
        &main,
        relocated(&render("nginx.conf.j2", region, tls), folder),
    )
    .unwrap();
    let output = nginx
        .args(["-t", "-q", "-p"])
        .arg(folder)
        .arg("-c")
        .arg(main)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((output.status.success(), said))
}

#[test]
fn nginx_accepts_both_regions_files_with_and_without_certificates() {
    let site = |tls| ("sites-enabled/yourapp", "site.conf.j2", tls);
    let https = ("sites-enabled/yourapp-tls", "site-tls.conf.j2", true);
    let redirect = ("yourapp/redirect.conf", "redirect.conf.j2", true);
    let all = [site(true), https, redirect];
    // Where [tls] is taken out, the one site is changed before the other goes.
    let on_the_way_back = [site(false), https, redirect];
    for region in [0, 1] {
        for files in [&[site(false)][..], &all, &on_the_way_back] {
            let folder = tempfile::tempdir().unwrap();
            let Some((accepted, said)) = read_by_nginx(folder.path(), region, files) else {
                return;
            };
            assert!(accepted, "{said}");
            // nginx since 1.25 would rather have http2 as a directive, which 1.18 does not know.
            let warned = said
                .lines()
                .any(|line| line.contains("[warn]") && !line.contains("http2"));
            assert!(!warned, "{said}");
        }
    }
}

#[test]
fn the_failover_is_off_until_there_are_certificates_and_verified_when_on() {
    let off = render("site.conf.j2", 0, false);
    assert!(
        !off.contains("backup") && !off.contains("https://"),
        "{off}"
    );
    let on = render("site.conf.j2", 0, true);
    for line in [
        "include /etc/nginx/yourapp/[b]ackup.conf;",
        "proxy_ssl_verify on;",
        "proxy_ssl_server_name on;",
        "proxy_ssl_name cn.yourapp.com;",
        "X-Geodeploy-Hop us;",
        "server 198.51.100.20:443 ",
    ] {
        assert!(on.contains(line), "{line}");
    }
    assert!(
        !on.contains("http_503") && !on.contains(" non_idempotent"),
        "{on}"
    );
}

#[test]
fn what_needs_a_certificate_is_taken_away_where_there_is_no_tls() {
    let (inventory, secrets) = example();
    let blueprint = region(&inventory, &"us".parse().unwrap(), &secrets).unwrap();
    let mut paths = Vec::new();
    for resource in &blueprint.resources {
        match resource {
            Resource::HttpsSite(site) => paths.push(&site.file),
            Resource::Failover(failover) => paths.push(&failover.file),
            Resource::Certificate(_) => panic!("a certificate without [tls]"),
            _ => {}
        }
    }
    assert_eq!(paths.len(), 3);
    assert!(paths.iter().all(|file| file.content.is_none()));
}
