use super::*;
use crate::blueprint::context;
use crate::inventory::EXAMPLE;

fn inventory() -> Inventory {
    Inventory::parse(EXAMPLE, "example.toml").unwrap()
}

fn with(name: &'static str, text: &str) -> Templates {
    let mut templates = Templates::built_in();
    let origin = format!("mine/{name}");
    templates.0.insert(
        name,
        Source {
            origin,
            text: text.to_owned(),
        },
    );
    templates
}

fn render(name: &'static str, text: &str) -> Result<Rendered, Error> {
    let inventory = inventory();
    with(name, text).render(name, &context::of(&inventory, &inventory.regions[0]))
}

#[test]
fn every_built_in_template_renders_for_every_region_with_and_without_certificates() {
    let plain = EXAMPLE.replace("# apt_proxy", "apt_proxy");
    let tls = "[tls]\nemail = \"admin@yourapp.com\"\n\n[release]\n";
    let with_tls = plain.replace("[release]\n", tls);
    for text in [plain, with_tls] {
        let inventory = Inventory::parse(&text, "example.toml").unwrap();
        for region in &inventory.regions {
            let context = minijinja::context! {
                variables => Vec::<Value>::new(),
                ..context::of(&inventory, region)
            };
            for name in NAMES {
                let rendered = Templates::built_in().render(name, &context).unwrap();
                assert!(rendered.text.ends_with('\n'), "{name}");
                assert!(
                    !rendered.text.contains("{{") && !rendered.text.contains("{%"),
                    "{name}"
                );
                assert_eq!(
                    rendered.lines.len(),
                    rendered.text.lines().count(),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn an_undefined_name_is_refused_with_file_line_and_the_name_that_was_meant() {
    let refused = render("site.conf.j2", "first\nserver_name {{ region.doman }};\n").unwrap_err();
    assert_eq!(
        refused.what,
        "mine/site.conf.j2:2: the template does not render: undefined value"
    );
    assert!(
        refused.causes[0].contains("server_name {{ region.doman }};"),
        "{refused:?}"
    );
    assert!(
        refused.hints[0].contains("did you mean `region.domain`?"),
        "{refused:?}"
    );
    let refused = render("site.conf.j2", "{{ rgion.domain }}\n").unwrap_err();
    assert!(
        refused.hints[0].contains("did you mean `region`?"),
        "{refused:?}"
    );
}

#[test]
fn an_undefined_name_in_a_condition_or_a_loop_is_refused_too() {
    assert!(render("site.conf.j2", "{% if regoin.ipv6 %}x{% endif %}").is_err());
    assert!(render("site.conf.j2", "{% for name in nginx.names %}x{% endfor %}").is_err());
}

#[test]
fn a_template_that_is_no_jinja_is_refused_with_its_line() {
    let refused = render("nginx.conf.j2", "a\nb\n{% if x %}\n").unwrap_err();
    assert!(
        refused.what.starts_with("mine/nginx.conf.j2:"),
        "{refused:?}"
    );
    let refused = render("nginx.conf.j2", "a\n{{ app.name \n").unwrap_err();
    assert!(
        refused.what.starts_with("mine/nginx.conf.j2:"),
        "{refused:?}"
    );
}

#[test]
fn each_rendered_line_knows_the_line_of_the_template() {
    let text = "one\n{% for name in nginx.server_names %}\n    name {{ name }};\n{% endfor %}\n\n{# a\n comment #}\nlast\n";
    let rendered = render("site.conf.j2", text).unwrap();
    assert_eq!(
        rendered.text,
        "one\n    name us.yourapp.com;\n    name api.yourapp.com;\n\nlast\n"
    );
    assert_eq!(rendered.lines, [1, 3, 3, 3, 8]);
}

#[test]
fn white_space_control_is_not_disturbed_by_the_marks() {
    let text = "a {%- if app.name -%}   \n   b\n{%- endif %}\n c\n{{- app.name }}\n";
    let rendered = render("site.conf.j2", text).unwrap();
    assert_eq!(rendered.text, "ab\n cyourapp\n".replace("ab\n c", "ab c"));
    assert_eq!(rendered.lines.len(), rendered.text.lines().count());
}

#[test]
fn a_folder_overrides_single_templates_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = Inventory {
        file: folder.path().join("geodeploy.toml"),
        templates: Some("mine".into()),
        ..inventory()
    };
    let refused = Templates::load(&inventory).unwrap_err();
    assert!(refused.what.contains("mine"), "{refused:?}");
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    std::fs::write(folder.path().join("mine/journald.conf.j2"), "[Journal]\n").unwrap();
    std::fs::write(folder.path().join("mine/README.md"), "ours").unwrap();
    let templates = Templates::load(&inventory).unwrap();
    let context = context::of(&inventory, &inventory.regions[0]);
    assert_eq!(
        templates.render("journald.conf.j2", &context).unwrap().text,
        "[Journal]\n"
    );
    assert!(
        templates
            .render("nginx.conf.j2", &context)
            .unwrap()
            .origin
            .starts_with("templates/")
    );
    std::fs::write(folder.path().join("mine/ngnix.conf.j2"), "").unwrap();
    let refused = Templates::load(&inventory).unwrap_err();
    assert!(
        refused.hints[0].contains("did you mean nginx.conf.j2?"),
        "{refused:?}"
    );
}
