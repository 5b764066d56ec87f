#!/bin/sh
# Installs the servers that the tests start privately, PHP for the command line with what Matomo's tracker needs, and the
# tools with which packages, units and manual pages are tried, with apt-get, and only those that are missing. Starts no
# service. promtool, with which alert rules are tested, is taken out of Debian's package prometheus, whose service is
# not installed.
set -eu

missing=
need() { # program, Debian package
	if command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; then
		echo "$1: already installed"
	else
		echo "$1: missing, package $2 will be installed"
		missing="$missing $2"
	fi
}

need redis-server redis-server
need redis-sentinel redis-sentinel
need mariadbd mariadb-server
if [ -e /usr/lib/galera/libgalera_smm.so ]; then
	echo "Galera: already installed"
else
	echo "Galera: missing, package galera-4 will be installed"
	missing="$missing galera-4"
fi
need php php-cli

need_extension() { # PHP's name of it, Debian package
	if command -v php >/dev/null 2>&1 && php -m 2>/dev/null | grep -qix "$1"; then
		echo "PHP extension $1: already installed"
	else
		echo "PHP extension $1: missing, package $2 will be installed"
		missing="$missing $2"
	fi
}

need_extension pdo_mysql php-mysql
need_extension mbstring php-mbstring
need git git
need systemd-analyze systemd
need man man-db
[ "$(id -u)" -eq 0 ] || need fakeroot fakeroot

take_promtool() {
	if command -v promtool >/dev/null 2>&1; then
		echo "promtool: already installed"
		return
	fi
	folder=$(mktemp -d)
	download="apt-get download -qq -o APT::Sandbox::User=root prometheus"
	if (cd "$folder" && { $download || { apt-get update -qq && $download; }; } &&
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool) &&
		install -m 755 "$folder/usr/bin/promtool" /usr/local/bin/promtool; then
		echo "promtool: taken from package prometheus"
	else
		echo "promtool: not to be had, tests of alert rules will fail" >&2
	fi
	rm -rf "$folder"
}

if [ -z "$missing" ]; then
	[ "$(id -u)" -ne 0 ] || take_promtool
	exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
	echo "run as root: apt-get install$missing" >&2
	exit 1
fi

# The packages start their services when installed, unless policy-rc.d forbids it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	trap 'rm -f "$policy"' EXIT
fi
echo "apt-get update"
apt-get update -qq
echo "apt-get install$missing"
# shellcheck disable=SC2086 # a list of packages
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
take_promtool
