use super::{Splitter, TooLong, write_event};
use bytes::BytesMut;

fn split(chunks: &[&[u8]]) -> Vec<String> {
    let mut splitter = Splitter::new(1 << 20);
    let mut payloads = Vec::new();
    for chunk in chunks {
        splitter.push(chunk);
        while let Some(payload) = splitter.next_payload().unwrap() {
            payloads.push(String::from_utf8(payload.to_vec()).unwrap());
        }
    }
    payloads.extend(
        splitter
            .finish()
            .map(|last| String::from_utf8(last.to_vec()).unwrap()),
    );
    payloads
}

#[test]
fn payloads_survive_a_cut_at_any_byte() {
    let text =
        "data: {\"content\":\"北京😀\"}\n\n: comment\n\nevent: x\ndata:two\n\ndata: [DONE]\n\n";
    let whole = split(&[text.as_bytes()]);
    assert_eq!(whole, ["{\"content\":\"北京😀\"}", "two", "[DONE]"]);
    for cut in 0..=text.len() {
        let (left, right) = text.as_bytes().split_at(cut);
        assert_eq!(split(&[left, right]), whole, "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(split(&bytes), whole);
}

#[test]
fn all_three_line_ends_mean_the_same_wherever_they_are_cut() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("data: one{end}{end}data: two{end}data: three{end}{end}");
        for cut in 0..=text.len() {
            let (left, right) = text.as_bytes().split_at(cut);
            assert_eq!(
                split(&[left, right]),
                ["one", "two\nthree"],
                "{end:?} cut at {cut}"
            );
        }
    }
}

#[test]
fn only_one_leading_space_belongs_to_the_grammar() {
    assert_eq!(split(&[b"data:  x \n\n"]), [" x "]);
    assert_eq!(split(&[b"data\n\n"]), [""]);
    assert_eq!(split(&[b"database: x\n\n"]), Vec::<String>::new());
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_start_only() {
    assert_eq!(split(&["\u{feff}data: x\n\n".as_bytes()]), ["x"]);
    assert_eq!(split(&["data: x\n\n\u{feff}data: y\n\n".as_bytes()]), ["x"]);
}

#[test]
fn a_last_event_without_its_empty_line_counts_and_a_cut_line_does_not() {
    assert_eq!(split(&[b"data: [DONE]\n"]), ["[DONE]"]);
    assert_eq!(split(&[b"data: {\"cut"]), Vec::<String>::new());
}

#[test]
fn an_endless_line_and_endless_lines_meet_the_cap() {
    let mut line = Splitter::new(100);
    line.push(&[b'x'; 101]);
    assert_eq!(line.next_payload(), Err(TooLong));
    let mut lines = Splitter::new(100);
    let mut result = Ok(None);
    for _ in 0..20 {
        lines.push(b"data: 0123456789\n");
        result = lines.next_payload();
        if result.is_err() {
            break;
        }
    }
    assert_eq!(result, Err(TooLong));
}

#[test]
fn a_written_event_reads_back_as_it_was() {
    for payload in ["{}", "", "two\nlines", "ends\n"] {
        let mut out = BytesMut::new();
        write_event(&mut out, payload.as_bytes());
        assert_eq!(split(&[&out]), [payload]);
    }
}
