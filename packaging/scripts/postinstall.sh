#!/bin/sh
# After installation and upgrade. dpkg says "configure" and the version before, rpm how many versions there are now.
# Nothing is enabled or started; after an upgrade services that run are started anew, with the new program.
set -e
if [ ! -d /run/systemd/system ] || [ -n "$DPKG_ROOT" ]; then
	exit 0
fi
systemctl daemon-reload || true
case "$1 $2" in
"configure "?* | "2 "*) systemctl try-restart queuedtracking.service queuedtracking-serve.service || true ;;
esac
