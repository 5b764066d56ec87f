#!/bin/sh
# State transfer between Galera nodes of one machine. The donor's writesets are all there is: a node that comes back has
# its own data, and the others keep what it has missed. MariaDB's scripts, which could copy everything, take seconds to
# find that out, and the one with rsync does not work as root.
#
# The server calls it as wsrep_sst_local. The joiner says where it listens (a file), waits, and prints the position.
while [ $# -gt 0 ]; do
	case $1 in
	--role) role=$2 && shift ;;
	--address) address=$2 && shift ;;
	--datadir) datadir=$2 && shift ;;
	--gtid) gtid=$2 && shift ;;
	--bypass) bypass=1 ;;
	--mysqld-args) break ;;
	esac
	shift
done
case $role in
joiner)
	parent=$PPID
	rm -f "$datadir/position"
	echo "ready $datadir/position"
	until [ -s "$datadir/position" ]; do
		kill -0 "$parent" || exit 1
		sleep 0.02
	done
	cat "$datadir/position"
	;;
donor)
	if [ -z "$bypass" ]; then
		echo "the joining node lacks more than the donor has kept" >&2
		exit 1
	fi
	echo "$gtid" >"$address.new" && mv "$address.new" "$address"
	echo "done $gtid"
	;;
esac
