use super::*;
use crate::resource::Nginx;

fn resources(dns: &str) -> Vec<Resource> {
    let text = format!("{EXAMPLE}\n{dns}");
    let inventory = Inventory::parse(&text, "example.toml").unwrap();
    let name = inventory.regions[0].name.clone();
    let secrets = made_up(&inventory);
    region(&inventory, &name, &secrets).unwrap().resources
}

fn list_and_site(resources: &[Resource]) -> (Option<&File>, &Nginx) {
    let list = resources.iter().find_map(|resource| match resource {
        Resource::File(file) if file.path.ends_with("regions.json") => Some(file),
        _ => None,
    });
    let site = resources.iter().find_map(|resource| match resource {
        Resource::Nginx(nginx) if nginx.enabled_site => Some(nginx),
        _ => None,
    });
    (list, site.unwrap())
}

#[test]
fn every_region_serves_the_list_of_regions_where_names_are_managed() {
    let dns = "[dns]\nprovider = \"manual\"\n[dns.routing]\ndefault = \"us\"\n";
    let resources = resources(dns);
    let (list, site) = list_and_site(&resources);
    let list = list.unwrap();
    assert_eq!(list.ownership, Ownership::root(0o644));
    let Some(Content::Plain(text)) = &list.content else {
        panic!("{list:?}");
    };
    assert!(text.contains("http://cn.yourapp.com"), "{text}");
    let site = site.content.as_ref().unwrap();
    let place = format!("location = /regions.json {{ alias {};", list.path.display());
    assert!(site.contains(&place), "{site}");
    assert!(site.contains("Access-Control-Allow-Origin \"*\""));
}

#[test]
fn where_they_are_not_there_is_no_list() {
    let resources = resources("");
    let (list, site) = list_and_site(&resources);
    assert!(list.is_none());
    assert!(!site.content.as_ref().unwrap().contains("regions.json"));
}
