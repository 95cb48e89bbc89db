//! Values as systemd reads them in an `EnvironmentFile=` (systemd.exec(5)).

use zeroize::Zeroizing;

/// The value as it stands after the equals sign. Nothing is expanded in such a file; line ends are kept in quotes.
pub(super) fn quoted(value: &str) -> Zeroizing<String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_@%+=:,./-".contains(letter);
    if !value.is_empty() && value.chars().all(plain) {
        return Zeroizing::new(value.to_owned());
    }
    // Room for every letter escaped, so that no half-written copy is left behind by growing.
    let mut quoted = Zeroizing::new(String::with_capacity(2 * value.len() + 2));
    quoted.push('"');
    for letter in value.chars() {
        if "\"\\`$".contains(letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn plain_values_stay_as_they_are_and_others_are_quoted() {
        assert_eq!(
            *quoted("https://ark.cn-beijing.volces.com/api/v3"),
            "https://ark.cn-beijing.volces.com/api/v3"
        );
        assert_eq!(*quoted(""), "\"\"");
        assert_eq!(*quoted("a b#c"), "\"a b#c\"");
        assert_eq!(*quoted(r#"a"b\c`d$e"#), r#""a\"b\\c\`d\$e""#);
        assert_eq!(*quoted("a\nb"), "\"a\nb\"");
    }
}
