#!/bin/sh
# Installs rollby as a service on Debian 12 or newer, from the folder of its sources:
#
#     sudo deploy/install.sh
#
# What it leaves: /opt/rollby (the program), /etc/rollby/settings.toml (yours, never overwritten),
# /var/lib/rollby (roads, store, history), /var/cache/rollby (compiled code), a user and a service
# called rollby. Run it again for a newer version: stop, back up, install, start.
set -eu

[ "$(id -u)" = 0 ] || { echo "deploy/install.sh: must be run as root; try sudo" >&2; exit 2; }
cd "$(dirname "$0")/.."
[ -f pyproject.toml ] || { echo "deploy/install.sh: must stand in rollby's sources" >&2; exit 2; }

step() { printf '%s ...\n' "$1"; }

step "Debian's packages"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends python3 python3-venv ca-certificates >/dev/null

step "The user rollby and its folders"
id rollby >/dev/null 2>&1 ||
  useradd --system --home-dir /var/lib/rollby --shell /usr/sbin/nologin rollby
install -d -o rollby -g rollby -m 0750 /var/lib/rollby /var/cache/rollby
install -d -o root -g rollby -m 0750 /etc/rollby

step "The program, into /opt/rollby"
python3 -m venv --clear /opt/rollby
pip="/opt/rollby/bin/python -m pip install --quiet --disable-pip-version-check"
$pip --require-hashes -r deploy/requirements.txt
built=$(mktemp -d)
cp -R pyproject.toml README.md LICENSE NOTICE data geo maps rollby "$built"
$pip --no-deps --no-build-isolation "$built"
rm -r "$built"

step "The router, compiled for this machine"
as_rollby() { runuser -u rollby -- env NUMBA_CACHE_DIR=/var/cache/rollby HOME=/var/lib/rollby "$@"; }
(cd /var/lib/rollby && as_rollby /opt/rollby/bin/python -c "import geo.history, geo.router, geo.snap, geo.standing")

if [ ! -f /etc/rollby/settings.toml ]; then
  step "Settings, with every default, into /etc/rollby/settings.toml"
  /opt/rollby/bin/rollby settings |
    sed 's#^store = .*#store = "sqlite:////var/lib/rollby/rollby.db"#; s#^history = .*#history = "/var/lib/rollby/history"#' \
      >/etc/rollby/settings.toml
  chown root:rollby /etc/rollby/settings.toml
  chmod 0640 /etc/rollby/settings.toml
fi

ln -sf /opt/rollby/bin/rollby /usr/local/bin/rollby
install -m 0644 deploy/rollby.service /etc/systemd/system/rollby.service 2>/dev/null ||
  echo "no systemd here: deploy/rollby.service was left out"
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  step "The service is there, not started: it wants roads first"
fi

cat <<'END'
Installed. What is left for you:
  rollby roads build --place "Harrisburg, Pennsylvania, USA" -o /var/lib/rollby/city.roads
  runuser -u rollby -- rollby users add chief --role administrator --settings /etc/rollby/settings.toml
  systemctl enable rollby && systemctl start rollby
END
