//! Names and texts as Route 53 writes them. Pure.

/// A name in lower case and without its final dot. Route 53 writes what is neither letter, digit, hyphen nor underscore as
/// `\` and three octal digits; a `*` is put back, and nothing else occurs in names that are managed.
pub(super) fn canonical(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.to_ascii_lowercase().replace("\\052", "*")
}

/// A TXT record's value: in quotes, with `"`, `\` and what is not printable ASCII escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut value = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                value.push('\\');
                value.push(char::from(byte));
            }
            b' '..=b'~' => value.push(char::from(byte)),
            _ => value += &format!("\\{byte:03o}"),
        }
    }
    value.push('"');
    value
}

/// The text of a TXT record's value, or nothing if it is not one quoted string.
pub(super) fn unquoted(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::new();
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => return None,
            b'\\' => {
                let first = rest.next()?;
                if !first.is_ascii_digit() {
                    bytes.push(first);
                    continue;
                }
                let digits = [first, rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 8).ok()?);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_survives_its_quotes() {
        for text in ["", "plain", "a \"b\" \\ c", "holder@中国", "tab\there"] {
            assert_eq!(unquoted(&quoted(text)).as_deref(), Some(text));
        }
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
        assert_eq!(unquoted("\"one\" \"two\""), None);
        assert_eq!(unquoted("bare"), None);
    }

    #[test]
    fn names_have_one_form() {
        assert_eq!(canonical("\\052.YourApp.com."), "*.yourapp.com");
        assert_eq!(
            canonical("_gd-us.api.yourapp.com"),
            "_gd-us.api.yourapp.com"
        );
    }
}
