use super::*;
use crate::dns::cloudflare::tests::{context, wanted, wanted_with};
use crate::error::ErrorKind;
use crate::plan::Value;

const SIMPLE: &str = "default = \"us\"\ncontinents = { AS = \"cn\" }";

fn ttls(desired: &Desired) -> Vec<&Value> {
    let attributes = desired.objects.iter().map(|object| &object.attributes);
    let mut ttls: Vec<&Value> = attributes.filter_map(|all| all.get("ttl")).collect();
    ttls.dedup();
    ttls
}

#[test]
fn a_ttl_that_cloudflare_does_not_take_is_raised_visibly() {
    let desired = desired(&wanted_with("ttl = \"5s\"", SIMPLE), &context()).unwrap();
    assert_eq!(ttls(&desired), [&Value::Text("60 s".to_owned())]);
    assert!(
        desired.notes[0].contains("60 s instead of 5 s"),
        "{:?}",
        desired.notes
    );
    let desired = super::desired(&wanted_with("ttl = \"5m\"", SIMPLE), &context()).unwrap();
    assert_eq!(ttls(&desired), [&Value::Text("300 s".to_owned())]);
}

#[test]
fn without_load_balancing_geography_is_refused_with_what_else_there_is() {
    let mut context = context();
    let said = Error::new(
        ErrorKind::Failed,
        "cloudflare refuses to list pools (status 403)",
    );
    context.without_balancing = Some(said.cause("code 1002: not enabled for account"));
    let error = desired(&wanted(), &context).unwrap_err();
    let text = format!("{error:?}");
    for word in [
        "embedded",
        "route53",
        "manual",
        "geo = false",
        "code 1002",
        "paid",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let plain = desired(&wanted_with("geo = false", SIMPLE), &context).unwrap();
    assert!(
        plain
            .objects
            .iter()
            .all(|object| object.id.kind == crate::plan::Kind::Record)
    );
    assert_eq!(plain.objects.len(), 6);
}

#[test]
fn a_country_that_cloudflare_does_not_tell_apart_is_named_and_left_out() {
    let mut context = context();
    let known = crate::geography::Country::all().map(|country| country.code().to_owned());
    context.countries = Some(known.filter(|code| code != "TW" && code != "GB").collect());
    let desired = desired(&wanted(), &context).unwrap();
    let note = desired
        .notes
        .iter()
        .find(|note| note.contains("apart"))
        .unwrap();
    // GB is served by default in any case.
    assert!(
        note.contains("does not tell TW apart") && note.contains("default, us"),
        "{note}"
    );
    assert!(!format!("{:?}", desired.objects).contains(" TW "));
}
