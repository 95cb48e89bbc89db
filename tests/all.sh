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
need cc "gcc libc6-dev"
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
need gpg gpg
need gpg-agent gpg-agent
need gdnsd gdnsd
need dig bind9-dnsutils
need knotd "knot knot-module-geoip"
python3 -m pip --version >/dev/null 2>&1 || packages="${packages-} python3-pip"
# moto and the vendors' SDKs are installed beside the target folder
python3 -c "import ensurepip" >/dev/null 2>&1 || packages="${packages-} python3-venv"
# what the mongod of the tests is linked with
for library in libcurl.so.4:libcurl4 liblzma.so.5:liblzma5 libssl.so.3:libssl3; do
    PATH="$PATH:/usr/sbin:/sbin" ldconfig -p | grep -q "${library%%:*}" || packages="${packages-} ${library#*:}"
done
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
logs=$(mktemp -d)
running=
status=0
end() { # what was begun, and all that it has begun itself
    for group in $running; do kill -- "-$group" 2>/dev/null || kill "$group" 2>/dev/null || true; done
    wait
    rm -rf "$logs"
    exit 130
}
begin() { # LOG TARGETS: a process group of its own
    log=$logs/$1
    shift
    ${setsid-} cargo test --quiet --profile ci --no-fail-fast "$@" -- --nocapture >"$log" 2>&1 &
    running="$running $!"
}
finish() { # all that was begun
    for group in $running; do wait "$group" || status=$?; done
    running=
}
setsid=$(command -v setsid || true)
trap end INT TERM HUP
cargo build --quiet --profile ci --bins
cargo test --quiet --profile ci --no-run
others=
for file in tests/*.rs tests/*/main.rs; do
    name=${file#tests/}
    name=${name%/main.rs}
    name=${name%.rs}
    case $name in twins | load) ;; *) others="$others --test $name" ;; esac
done
# The twins mostly wait; the tests under load want the machine to themselves.
begin twins --test twins
# shellcheck disable=SC2086
begin others --lib --bins --examples $others
finish
begin documentation --doc
finish
begin load --test load
finish
for log in "$logs"/*; do
    grep -E '^SKIPPED|panicked at|^test result|^failures:|^    [a-z_:0-9]+$|^error' "$log" || true
done
[ "$status" = 0 ] || for log in "$logs"/*; do echo "== the end of ${log##*/}" && tail -n 200 "$log"; done
cat "$logs"/* | awk '/^test result/ { for (i = 1; i < NF; i++) { if ($(i+1) ~ /^passed/) p += $i; if ($(i+1) ~ /^failed/) f += $i; if ($(i+1) ~ /^ignored/) s += $i } }
     END { printf "%d passed, %d failed, %d skipped\n", p, f, s }'
rm -rf "$logs"
exit "$status"
