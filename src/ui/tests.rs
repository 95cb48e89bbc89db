use std::io::Cursor;

use super::*;

/// A stream whose text can be read afterwards.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    fn text(&self) -> String {
        String::from_utf8(lock(&self.0).clone()).unwrap()
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that fails in one way.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn captured(look: Look, answer: &'static str) -> (Ui, Capture, Capture) {
    let (out, err) = (Capture::default(), Capture::default());
    let input = Box::new(Cursor::new(answer));
    let ui = Ui::with_streams(
        look,
        None,
        Box::new(out.clone()),
        Box::new(err.clone()),
        input,
    );
    (ui, out, err)
}

fn json() -> Look {
    Look {
        json: true,
        ..Look::default()
    }
}

fn interactive() -> Look {
    Look {
        interactive: true,
        ..Look::default()
    }
}

#[test]
fn results_go_to_stdout_and_everything_else_to_stderr() {
    let (ui, out, err) = captured(Look::default(), "");
    ui.report("status", &1, |_| "all is well".to_owned());
    ui.note("looking");
    ui.detail("only with -v");
    ui.warn("soon full");
    ui.error(&Error::new(ErrorKind::Failed, "broken"));
    assert_eq!(out.text(), "all is well\n");
    assert_eq!(err.text(), "looking\nwarning: soon full\nerror: broken\n");
}

#[test]
fn with_json_every_line_of_stdout_is_a_document_with_a_schema() {
    let (ui, out, err) = captured(json(), "");
    ui.report("status", &serde_json::json!({"cn": "up"}), |_| {
        "text".to_owned()
    });
    ui.error(&Error::new(ErrorKind::Unreachable, "cn: no route").hint("look"));
    assert_eq!(
        out.text(),
        "{\"schema\":1,\"status\":{\"cn\":\"up\"}}\n\
         {\"schema\":1,\"error\":{\"causes\":[],\"exit\":4,\"hints\":[\"look\"],\"kind\":\"unreachable\",\"what\":\"cn: no route\"}}\n"
    );
    assert_eq!(err.text(), "error: cn: no route\nhint: look\n");
}

#[test]
fn a_reader_that_leaves_is_no_failure_and_a_full_disk_is_one() {
    let with = |kind| {
        let broken = Box::new(Broken(kind));
        let err = Box::new(Capture::default());
        let ui = Ui::with_streams(
            Look::default(),
            None,
            broken,
            err,
            Box::new(Cursor::new("")),
        );
        ui.print("x");
        ui.print("y");
        assert!(ui.closed());
        ui.finish()
    };
    assert_eq!(with(io::ErrorKind::BrokenPipe), Ok(()));
    let error = with(io::ErrorKind::StorageFull).unwrap_err();
    assert_eq!(error.what, "cannot write to standard output");
}

#[test]
fn consent_is_an_answer_of_yes_and_nothing_else() {
    for (answer, agreed) in [
        ("y\n", true),
        ("YES\n", true),
        ("\n", false),
        ("", false),
        ("no\n", false),
    ] {
        let (ui, out, err) = captured(interactive(), answer);
        let result = ui.consent("Apply these changes to cn?", false, "--yes");
        assert_eq!(result.is_ok(), agreed, "{answer:?}");
        assert_eq!(err.text(), "Apply these changes to cn? [y/N] ");
        assert_eq!(out.text(), "");
    }
}

#[test]
fn where_nobody_can_answer_the_refusal_names_the_flag() {
    let (ui, _, _) = captured(Look::default(), "y\n");
    let error = ui.consent("Apply?", false, "--yes").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert_eq!(error.hints, ["agree beforehand with --yes"]);
    assert_eq!(ui.consent("Apply?", true, "--yes"), Ok(()));
}

#[test]
fn what_yes_is_no_consent_to_is_agreed_to_by_its_name() {
    for (answer, agreed) in [
        ("us\n", true),
        ("yes\n", false),
        ("cn\n", false),
        ("", false),
    ] {
        let (ui, _, err) = captured(interactive(), answer);
        let result = ui.typed_consent("Make us the primary?", "us", None, "--promote");
        assert_eq!(result.is_ok(), agreed, "{answer:?}");
        assert_eq!(err.text(), "Make us the primary? Type `us` to agree: ");
    }
    let (ui, _, _) = captured(Look::default(), "us\n");
    let asked = |given| ui.typed_consent("Make us the primary?", "us", given, "--promote");
    assert_eq!(asked(Some("us")), Ok(()));
    for given in [None, Some("cn")] {
        let error = asked(given).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(
            error.hints[0].contains("--promote us; --yes is no consent"),
            "{error:?}"
        );
    }
}

#[test]
fn lanes_are_plain_lines_where_nothing_can_be_drawn() {
    let (ui, out, err) = captured(Look::default(), "");
    let lanes = ui.lanes(&["us", "cn-east"]);
    lanes[0].step(1, 12, "upload agent");
    lanes[0].bytes(1_300_000, 2_600_000);
    lanes[0].step(2, 12, "package nginx\u{1b}[2J");
    lanes[1].note("waiting for the apt lock");
    lanes[0].done("12 resources as planned");
    lanes[1].step(3, 3, "file /etc/x");
    lanes[1].fail("stopped");
    assert_eq!(
        err.text(),
        "us        1/12 upload agent (2.6 MB) … 0.0 s\n\
         cn-east  waiting for the apt lock\n\
         us        2/12 package nginx\\u{1b}[2J … 0.0 s\n\
         us       12 resources as planned … 0.0 s\n\
         cn-east  3/3 file /etc/x … failed after 0.0 s\n\
         cn-east  stopped … 0.0 s\n"
    );
    assert_eq!(out.text(), "");
}
