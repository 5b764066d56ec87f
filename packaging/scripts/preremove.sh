#!/bin/sh
# Before removal and upgrade. dpkg says "remove" or "upgrade", rpm how many versions will be left.
set -e
if [ ! -d /run/systemd/system ] || [ -n "$DPKG_ROOT" ]; then
	exit 0
fi
case "$1" in
remove | 0)
	systemctl disable --now queuedtracking.service queuedtracking-process.timer queuedtracking-process.service \
		queuedtracking-serve.socket queuedtracking-serve.service || true
	;;
esac
