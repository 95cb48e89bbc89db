#!/bin/sh
# Passes the tests: installs what they need, then format, lints and every test. Ends with one line of counts.
#
# As root on Debian or Ubuntu it installs its packages by apt; elsewhere it says what is missing and goes on, and the
# tests that need it say loudly that they were skipped.
set -eu
cd "$(dirname "$0")/.."

need() { # PROGRAM PACKAGE
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || packages="${packages-} $2"
}
need cc gcc
need ssh openssh-client
need sshd openssh-server
need nginx nginx-light
need ufw ufw
need debootstrap debootstrap
need systemd-nspawn systemd-container
need apt-cacher-ng apt-cacher-ng
need ip iproute2
need setpriv util-linux
need gpgv gpgv
if [ -n "${packages-}" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing$packages"
        # policy-rc.d: nothing that is installed here starts by itself
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
            chmod +x /usr/sbin/policy-rc.d
            trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        fi
        apt-get -qq update
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $packages >/dev/null
        rm -f /usr/sbin/policy-rc.d
    else
        echo "missing, so some tests will be skipped:$packages" >&2
    fi
fi

echo "== format"
cargo fmt --check
echo "== lints"
cargo clippy --quiet --lib --bins -- -D warnings
# a test may unwrap and print; clippy knows a test function, but not the functions that it calls
cargo clippy --quiet --all-targets -- -D warnings -A clippy::unwrap_used -A clippy::expect_used -A clippy::panic \
    -A clippy::print_stderr -A clippy::print_stdout
echo "== the host's binary, static, as it is released"
RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --quiet --release --bin geodeploy-host --target "$(rustc -vV | sed -n 's/^host: //p')"
echo "== tests"
log=$(mktemp)
status=0
cargo build --quiet --profile ci --bins
cargo test --quiet --profile ci --no-fail-fast -- --nocapture >"$log" 2>&1 || status=$?
grep -E '^SKIPPED|panicked at|^test result|^failures:|^    [a-z_:0-9]+$|^error' "$log" || true
[ "$status" = 0 ] || { echo "== the end of the log"; tail -n 200 "$log"; }
awk '/^test result/ { for (i = 1; i < NF; i++) { if ($(i+1) ~ /^passed/) p += $i; if ($(i+1) ~ /^failed/) f += $i; if ($(i+1) ~ /^ignored/) s += $i } }
     END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$log"
rm -f "$log"
exit "$status"
