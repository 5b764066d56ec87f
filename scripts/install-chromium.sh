#!/bin/sh
# Installs what `make page` needs and lacks: a browser, fonts and pngquant from Debian, and axe-core, which checks
# whether everybody can read a page, from npm into the folder that is named.
set -eu

axe=axe-core@4.14.1
folder=$1

missing=
need() { # program or file, Debian package
	command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || missing="$missing $2"
}

need chromium chromium
need pngquant pngquant
need npm npm
need /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf fonts-dejavu-core
if [ -n "$missing" ]; then
	echo "apt-get install$missing"
	apt-get update -qq
	# shellcheck disable=SC2086 # a list of packages
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi
[ -e "$folder/node_modules/axe-core/axe.min.js" ] || npm install --prefix "$folder" --no-save --no-fund --no-audit $axe
