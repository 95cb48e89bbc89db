use insta::assert_snapshot;

use super::*;
use crate::plan::{Id, Kind};
use crate::secrets::{FingerprintKey, Secret};

fn change(kind: Kind, name: &str, before: Option<Attributes>, after: Option<Attributes>) -> Change {
    Change::between(Id::new(kind, name), before, after).unwrap()
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        target: "cn".to_owned(),
        resources: 34,
        changes,
    }
}

fn shown(changes: Vec<Change>) -> String {
    plan(changes).render(Look::default())
}

fn numbered(count: usize) -> String {
    (1..=count).map(|n| format!("line {n}\n")).collect()
}

#[test]
fn an_empty_plan_is_its_summary() {
    assert_eq!(
        shown(Vec::new()),
        "cn: 34 resources, 0 to create, 0 to change, 0 to delete\n"
    );
}

fn one_of_every_form() -> Vec<Change> {
    let fingerprints = FingerprintKey::new(Secret::new("k".to_owned()));
    let sealed = |text: &str| {
        Some(Attributes::new().sealed("content", fingerprints.fingerprint(text.as_bytes())))
    };
    let site = |port: u16, mode: &str| {
        let body = format!("server {{\n  a;\n  b;\n  c;\n  listen {port};\n}}\n");
        Some(Attributes::new().text("mode", mode).lines("content", body))
    };
    let text = |name: &str, value: &str| Some(Attributes::new().text(name, value));
    let rules =
        |rules: [&str; 2]| Some(Attributes::new().list("rules", rules.map(str::to_owned).to_vec()));
    let mut nginx = change(
        Kind::Nginx,
        "/etc/nginx/sites-available/app.conf",
        site(80, "0644"),
        site(443, "0640"),
    );
    nginx.consequences.push("reloads nginx.service".to_owned());
    let (old, new) = (["allow 22", "allow 80"], ["allow 22", "allow 443"]);
    let default = "../sites-available/default";
    vec![
        change(Kind::Package, "nginx", None, text("state", "installed")),
        nginx,
        change(Kind::File, "/etc/app/env", sealed("old"), sealed("new")),
        change(Kind::Firewall, "ufw", rules(old), rules(new)),
        change(
            Kind::Symlink,
            "/etc/nginx/sites-enabled/default",
            text("target", default),
            None,
        ),
    ]
}

#[test]
fn every_form_of_change_is_shown() {
    assert_snapshot!(shown(one_of_every_form()), @r#"
    cn
      + package nginx
          state: installed
      ~ nginx /etc/nginx/sites-available/app.conf
          content:
            @@ -2,5 +2,5 @@
               a;
               b;
               c;
            -  listen 80;
            +  listen 443;
             }
          mode: 0644 -> 0640
          then reloads nginx.service
      ~ file /etc/app/env
          content: fingerprint 4f743c5a -> cb1bafaf
      ~ firewall ufw
          rules:
            - allow 80
            + allow 443
      - symlink /etc/nginx/sites-enabled/default
          target: ../sites-available/default
    cn: 34 resources, 1 to create, 3 to change, 1 to delete
    "#);
}

#[test]
fn a_long_new_body_is_shortened_with_a_count_unless_verbose() {
    let create = |count| {
        let after = Attributes::new().lines("content", numbered(count));
        vec![change(Kind::File, "/etc/x", None, Some(after))]
    };
    assert_snapshot!(shown(create(12)), @r#"
    cn
      + file /etc/x
          content: 12 lines
            +line 1
            +line 2
            +line 3
            +line 4
            +line 5
            +line 6
            +line 7
            +line 8
            … 4 more lines (-v shows them)
    cn: 34 resources, 1 to create, 0 to change, 0 to delete
    "#);
    assert!(shown(create(9)).contains("+line 9\n"));

    let verbose = Look {
        verbose: true,
        ..Look::default()
    };
    let full = plan(create(12)).render(verbose);
    assert!(full.contains("+line 12\n") && !full.contains('…'), "{full}");
}

#[test]
fn a_body_that_goes_is_counted() {
    let before = Attributes::new().lines("content", numbered(2));
    let text = shown(vec![change(Kind::File, "/etc/x", Some(before), None)]);
    assert!(
        text.contains("content: 2 lines\n        … 2 lines (-v shows them)\n"),
        "{text}"
    );
    assert!(!text.contains("line 1"), "{text}");
}

#[test]
fn a_difference_far_into_a_body_is_shown_with_three_lines_of_context() {
    let before = numbered(40);
    let after = before.replace("line 20\n", "line twenty\n");
    let side = |body: &str| Some(Attributes::new().lines("content", body));
    let text = shown(vec![change(Kind::File, "/x", side(&before), side(&after))]);
    assert_snapshot!(text, @r#"
    cn
      ~ file /x
          content:
            @@ -17,7 +17,7 @@
             line 17
             line 18
             line 19
            -line 20
            +line twenty
             line 21
             line 22
             line 23
    cn: 34 resources, 0 to create, 1 to change, 0 to delete
    "#);
}

#[test]
fn only_the_last_line_break_missing_is_shown() {
    let side = |body: &str| Some(Attributes::new().lines("content", body));
    let text = shown(vec![change(Kind::File, "/x", side("a\n"), side("a"))]);
    assert!(
        text.contains("-a\n        +a\n        \\ No newline"),
        "{text}"
    );
}

#[test]
fn a_difference_in_trailing_blanks_is_kept() {
    let side = |body: &str| Some(Attributes::new().lines("content", body));
    let text = shown(vec![change(Kind::File, "/x", side("a  \n"), side("a\n"))]);
    assert!(text.contains("-a  \n        +a\n"), "{text}");
}

#[test]
fn a_changed_order_alone_is_shown() {
    let side = |entries: [&str; 2]| {
        Some(Attributes::new().list("rules", entries.map(str::to_owned).to_vec()))
    };
    let text = shown(vec![change(
        Kind::Firewall,
        "ufw",
        side(["a", "b"]),
        side(["b", "a"]),
    )]);
    assert!(
        text.contains("- a\n        - b\n        + b\n        + a\n"),
        "{text}"
    );
}

#[test]
fn an_attribute_on_one_side_only_and_one_of_another_form_are_shown() {
    let before = Attributes::new().text("a", "").lines("b", "x\ny\n");
    let after = Attributes::new().text("b", "z").text("c", "new");
    let text = shown(vec![change(Kind::File, "/x", Some(before), Some(after))]);
    assert!(text.contains("a: \"\" -> (none)\n"), "{text}");
    assert!(text.contains("b: 2 lines -> z\n"), "{text}");
    assert!(text.contains("c: (none) -> new\n"), "{text}");
}

#[test]
fn what_a_host_says_cannot_steer_the_terminal() {
    let evil = "x\u{1b}[2J\u{202e}";
    let before = Attributes::new()
        .text("mode", evil)
        .lines("content", format!("{evil}\r\nb\n"))
        .list("rules", vec![evil.to_owned()]);
    let after = Attributes::new()
        .text("mode", "y")
        .lines("content", "b\n")
        .list("rules", Vec::new());
    let mut hostile = change(Kind::File, evil, Some(before), Some(after));
    hostile.consequences.push(evil.to_owned());
    let text = shown(vec![hostile]);
    assert!(
        text.chars()
            .all(|c| c == '\n' || (!c.is_control() && c != '\u{202e}')),
        "{text}"
    );
    assert!(text.contains("\\u{1b}[2J"), "{text}");
}

#[test]
fn colours_mark_what_comes_and_goes() {
    let look = Look {
        palette: Palette { colour: true },
        verbose: false,
    };
    let create = change(Kind::Package, "nginx", None, Some(Attributes::new()));
    let text = plan(vec![create]).render(look);
    assert!(
        text.contains("\u{1b}[32m+ package nginx\u{1b}[0m"),
        "{text}"
    );
}
