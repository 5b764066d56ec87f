#!/bin/sh
# After removal. dpkg says "remove", "purge" or "upgrade", rpm how many versions are left.
set -e
case "$1" in
purge)
	# The spool of "serve" may hold requests that Redis has not got yet: only an empty one goes.
	state="$DPKG_ROOT/var/lib/queuedtracking"
	if [ -d "$state" ] && ! rmdir "$state" 2>/dev/null; then
		echo "queuedtracking: $state is kept: requests may be in it"
	fi
	;;
esac
if [ -d /run/systemd/system ] && [ -z "$DPKG_ROOT" ]; then
	systemctl daemon-reload || true
fi
