//! The few command lines that a host's shell sees. Everything else is the agent's.
//!
//! Each runs under `/bin/sh -c '...'`, because the login shell may be none that knows POSIX; none holds a single quote.

/// Where an agent is on a host. The variable is empty but in tests, where it names the folder that stands in for `/`.
fn agent(digest: &str) -> String {
    format!("\"$GEODEPLOY_ROOT\"/opt/geodeploy/agents/{digest}")
}

/// Whether the shell may do everything that it is asked for: it is root's, or it works under another root.
const MAY: &str = "[ \"$(id -u)\" = 0 ] || [ -n \"$GEODEPLOY_ROOT\" ]";

fn wrap(script: &str) -> String {
    format!("/bin/sh -c '{script}'")
}

/// Runs the agent of that digest as root; 127 and a line `absent ARCHITECTURE GLIBC` when it is not there.
///
/// The path is tested before sudo, which would turn a missing program into status 1; the peer is taken before sudo,
/// which drops the variable.
pub(super) fn run_agent(digest: &str) -> String {
    let folder = agent(digest);
    wrap(&format!(
        "a={folder}/geodeploy; \
         [ -x \"$a\" ] || {{ echo; echo absent $(uname -m) $(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d\" \" -f2); exit 127; }}; \
         p=\"$SSH_CONNECTION\"; \
         if {MAY}; then exec \"$a\" agent --peer \"$p\"; fi; \
         exec sudo -n -- \"$a\" agent --peer \"$p\""
    ))
}

/// Stores the gzip-compressed agent from standard input and checks its digest before it gets its name.
pub(super) fn store_agent(digest: &str) -> String {
    let folder = agent(digest);
    wrap(&format!(
        "umask 022; d={folder}; n=\"$d\"/new.$$; if {MAY}; then s=; else s=\"sudo -n --\"; fi; \
         $s mkdir -p \"$d\" && gzip -dc | $s tee \"$n\" >/dev/null && \
         [ \"$($s sha256sum \"$n\" | cut -c1-64)\" = {digest} ] && $s chmod 755 \"$n\" && \
         $s mv -f \"$n\" \"$d\"/geodeploy || \
         {{ e=$?; $s rm -f \"$n\"; echo \"the agent did not arrive whole\" >&2; exit $e; }}"
    ))
}

/// Runs a program as root: `journalctl ...`. The words must be free of quotes, `$` and backslashes.
pub(super) fn as_root(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let line = quoted.join(" ");
    wrap(&format!(
        "[ \"$(id -u)\" = 0 ] && exec {line}; exec sudo -n -- {line}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_can_break_out_of_its_quotes() {
        for line in [run_agent("ab"), store_agent("ab"), as_root(&["true"])] {
            let inner = line
                .strip_prefix("/bin/sh -c '")
                .and_then(|rest| rest.strip_suffix('\''))
                .unwrap();
            assert!(!inner.contains('\''), "{line}");
        }
    }
}
