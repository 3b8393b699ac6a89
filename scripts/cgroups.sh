#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# On a host with both cgroup versions crun refuses to start while the version 2 hierarchy carries
# controllers. `mount` gives each of those a version 1 hierarchy and prints its name; `unmount NAME…`
# takes away again what is not in use. On other hosts both do nothing.
set -euo pipefail
root=/sys/fs/cgroup

mount_controllers() {
	local controller
	[[ -d $root/unified ]] || return 0
	for controller in $(<"$root/unified/cgroup.controllers"); do
		mkdir -p "$root/$controller"
		mountpoint -q "$root/$controller" || mount -t cgroup -o "$controller" cgroup "$root/$controller"
		echo "$controller"
	done
}

unmount_controllers() {
	local controller
	for controller; do
		if [[ -n $(find "$root/$controller" -mindepth 1 -type d -print -quit) ]]; then
			echo "$root/$controller is in use: left mounted" >&2
		elif umount "$root/$controller"; then
			rmdir "$root/$controller"
		fi
	done
}

case ${1-} in
mount) mount_controllers ;;
unmount) shift && unmount_controllers "$@" ;;
*) echo "usage: scripts/cgroups.sh mount | unmount NAME…" >&2 && exit 2 ;;
esac
