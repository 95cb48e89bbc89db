#!/bin/sh
# The main job on local twins: builds, then provisions and deploys a US and a China twin. Needs root on Debian or Ubuntu.
set -eu
cd "$(dirname "$0")/.."
if ! command -v cc >/dev/null; then
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends gcc libc6-dev
fi
cargo build --profile ci --bins
exec target/ci/geodeploy rehearse --yes "$@"
