//! Templates of one's own that are wrong: found before anything is touched, or refused by nginx with the old site serving.

use std::path::PathBuf;

use super::Test;
use super::fixture::Twins;
use super::operator::{Operator, copy};
use super::probe::Probe;
use super::units::starts;

pub(crate) const TESTS: &[Test] = &[
    (
        "a site that nginx refuses changes no byte and the error names the template's line",
        a_site_that_nginx_refuses_changes_no_byte_and_the_error_names_the_templates_line,
    ),
    (
        "a template with an unknown name stops everything before a host is touched",
        a_template_with_an_unknown_name_stops_everything_before_a_host_is_touched,
    ),
];

/// An operator whose site's template is the built-in one, changed; and the template.
fn with_site(twins: &Twins, folder: &str, change: (&str, &str)) -> (Operator, PathBuf, usize) {
    let built_in = include_str!("../../templates/site.conf.j2");
    let template = twins.operator.home.join(folder).join("site.conf.j2");
    std::fs::create_dir_all(template.parent().unwrap()).unwrap();
    let text = built_in.replacen(change.0, change.1, 1);
    assert_ne!(text, built_in);
    let line = text
        .lines()
        .position(|line| line.contains(change.1))
        .unwrap()
        + 1;
    std::fs::write(&template, text).unwrap();
    let inventory = copy(
        &twins.operator.inventory,
        &format!("{folder}.toml"),
        |text| {
            text.replacen(
                "version = 1\n",
                &format!("version = 1\ntemplates = \"{folder}\"\n"),
                1,
            )
        },
    );
    (twins.operator.with(inventory), template, line)
}

fn files(twins: &Twins, region: &str) -> String {
    let list = "find /etc/nginx /etc/systemd/system /etc/yourapp -type f -o -type l | sort";
    twins.shell(
        region,
        &format!("{list} | xargs stat -c '%n %y %a %U'; {list} | xargs sha256sum"),
    )
}

fn a_site_that_nginx_refuses_changes_no_byte_and_the_error_names_the_templates_line(twins: &Twins) {
    let change = ("    listen 80 ", "    lissten 80 ");
    let (operator, template, line) = with_site(twins, "broken", change);
    let (before, started) = (files(twins, "cn"), starts(twins, "cn"));
    let probe = Probe::start(twins.addresses("cn", 80)[0], "cn");
    let ran = operator.run(&["provision", "cn"]).expect(1);
    ran.says(&[
        &format!("{} line {line}", template.display()),
        "unknown directive \"lissten\"",
    ]);
    probe.never_failed(3);
    assert_eq!(files(twins, "cn"), before);
    assert_eq!(twins.operator.plan("cn"), Vec::<String>::new());
    assert_eq!(starts(twins, "cn"), started);
}

fn a_template_with_an_unknown_name_stops_everything_before_a_host_is_touched(twins: &Twins) {
    let change = ("{{ region.name }}", "{{ region.nmae }}");
    let (operator, template, line) = with_site(twins, "misspelt", change);
    twins.lab.reset_counters().unwrap();
    for verb in ["check", "plan", "provision"] {
        let ran = operator.run(&[verb]).expect(65);
        ran.says(&[
            &format!("{}:{line}", template.display()),
            "nmae",
            "region.name",
        ]);
    }
    let counters = twins.lab.counters().unwrap();
    let sent = counters.iter().filter(|link| link.from == "operator");
    let frames: u64 = sent.map(|link| link.counters.frames).sum();
    // Connections that earlier commands left show a sign of life now and then.
    assert!(frames < 30, "{frames} frames were sent");
}
