use super::*;
use crate::agent::fixture::{Bench, Fixture};
use crate::agent::machine::Machine;
use crate::agent::system::System;
use crate::resource::Facts;
use crate::secrets::Secret;

fn site(content: &str) -> Nginx {
    Nginx {
        path: "/etc/nginx/sites-available/app".into(),
        content: Some(content.to_owned()),
        template: "templates/site.conf.j2".to_owned(),
        template_lines: vec![1, 2, 7],
        enabled_site: true,
    }
}

fn host() -> Fixture {
    let system = Fixture::new();
    system.put(PROGRAM, "");
    system.put(
        "/etc/nginx/nginx.conf",
        "include /etc/nginx/sites-enabled/*;\n",
    );
    system.put("/etc/nginx/sites-available/app", "old\n");
    system.put("/etc/nginx/sites-enabled/.keep", "");
    system
}

#[test]
fn a_site_that_nginx_accepts_is_written_linked_and_as_desired() {
    let bench = Bench::new(host());
    bench
        .system
        .script("nginx -t -c /run/geodeploy/nginx/nginx.conf", "");
    let context = bench.context();
    apply_all(&[&site("new\n")], &context).unwrap();
    let desired = site("new\n").desired(context.key);
    assert_eq!(site("new\n").inspect(&context).unwrap(), desired);
    assert!(bench.system.files("/run/geodeploy").is_empty());
}

#[test]
fn a_site_that_nginx_refuses_leaves_every_byte_and_names_template_and_line() {
    let bench = Bench::new(host());
    bench.system.script_failure(
        "nginx *",
        1,
        "nginx: [warn] x\nnginx: [emerg] unknown directive \"sevrer\" in /run/geodeploy/nginx/sites-enabled/app:3\n",
    );
    let before = bench.system.files("/etc/nginx");
    let fault = apply_all(&[&site("a\nb\n  sevrer x;\n")], &bench.context()).unwrap_err();
    assert_eq!(
        fault.what,
        "nginx refuses /etc/nginx/sites-available/app line 3, from templates/site.conf.j2 line 7"
    );
    assert_eq!(fault.why, "unknown directive \"sevrer\": `sevrer x;`");
    assert_eq!(bench.system.files("/etc/nginx"), before);
    assert!(bench.system.files("/run/geodeploy").is_empty());
}

#[test]
fn a_full_disk_at_the_second_file_puts_the_first_one_back() {
    let bench = Bench::new(host());
    bench.system.script("nginx *", "");
    bench.system.refuse("/etc/nginx/conf.d/map.conf");
    let before = bench.system.files("/etc/nginx");
    let mut map = site("map\n");
    map.path = "/etc/nginx/conf.d/map.conf".into();
    let fault = apply_all(&[&site("new\n"), &map], &bench.context()).unwrap_err();
    assert!(fault.why.contains("No space left"), "{fault}");
    assert_eq!(bench.system.files("/etc/nginx"), before);
}

#[test]
fn a_site_that_must_go_goes_with_its_link() {
    let bench = Bench::new(host());
    bench.system.script("nginx *", "");
    let context = bench.context();
    apply_all(&[&site("new\n")], &context).unwrap();
    let gone = Nginx {
        content: None,
        ..site("")
    };
    apply_all(&[&gone], &context).unwrap();
    assert_eq!(gone.inspect(&context).unwrap(), None);
    assert_eq!(bench.system.text("/etc/nginx/sites-available/app"), None);
}

#[test]
fn without_nginx_its_files_are_absent() {
    let bench = Bench::new(Fixture::new());
    assert_eq!(site("x").inspect(&bench.context()).unwrap(), None);
}

/// With the nginx of this machine where it has one.
fn real_test(content: &str) -> Option<Result<(), Fault>> {
    Machine.metadata(Path::new(PROGRAM)).unwrap()?;
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("etc");
    for part in ["sites-available", "sites-enabled"] {
        std::fs::create_dir_all(real.join(part)).unwrap();
    }
    let place = real.display();
    let log = folder.path().join("error.log");
    let main = format!(
        "error_log {};\npid {}/pid;\nevents {{}}\nhttp {{\naccess_log off;\ninclude {place}/sites-enabled/*;\n}}\n",
        log.display(),
        folder.path().display()
    );
    std::fs::write(real.join("nginx.conf"), main).unwrap();
    let mut file = site(content);
    file.path = real.join("sites-available/app");
    let key = FingerprintKey::new(Secret::new("key".to_owned()));
    let context = Context {
        system: &Machine,
        database: &crate::agent::fixture::Scripted::default(),
        key: &key,
        facts: &Facts::default(),
        progress: &|_| {},
    };
    let stage = Stage {
        copy: folder.path().join("copy"),
        real,
    };
    let result = stage.test(&[&file], &context);
    assert!(!stage.copy.exists());
    Some(result)
}

#[test]
fn the_real_nginx_accepts_a_site_and_names_the_line_of_a_broken_one() {
    let unix = "listen 127.0.0.1:65123;";
    if let Some(result) = real_test(&format!("server {{\n{unix}\n}}\n")) {
        result.unwrap();
    }
    if let Some(result) = real_test(&format!("server {{\n{unix}\nproxy_pas x;\n}}\n")) {
        let fault = result.unwrap_err();
        assert!(
            fault
                .what
                .ends_with("app line 3, from templates/site.conf.j2 line 7"),
            "{fault}"
        );
        assert_eq!(fault.why, "unknown directive \"proxy_pas\": `proxy_pas x;`");
    }
}
