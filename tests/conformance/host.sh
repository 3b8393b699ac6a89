# shellcheck shell=bash
# What a run does to the host outside its namespaces, and how it is undone. Sourced by `run`.
: "${work:?}"
session=''

cgroups() { find /sys/fs/cgroup -mindepth 2 -type d 2>/dev/null | sort; }

# On a host with both cgroup versions crun wants the hugetlb controller in a hierarchy of version 1.
hugetlb=/sys/fs/cgroup/hugetlb hugetlb_ours=''
mount_hugetlb() {
	[[ -d /sys/fs/cgroup/unified ]] && grep -q '^hugetlb' /proc/cgroups || return 0
	! mountpoint -q "$hugetlb" || return 0
	mkdir -p "$hugetlb"
	mount -t cgroup -o hugetlb cgroup "$hugetlb"
	hugetlb_ours=1
}

# The kernel frees removed cgroups later, and keeps a hierarchy that is unmounted before.
unmount_hugetlb() {
	[[ -n $hugetlb_ours ]] || return 0
	for ((i = 0; i < 50; i++)); do
		[[ $(awk '$1 == "hugetlb" { print $3 }' /proc/cgroups) == 1 ]] && break
		sleep 0.1
	done
	if [[ -z $(find "$hugetlb" -mindepth 1 -type d) ]] && umount "$hugetlb" 2>/dev/null; then
		rmdir "$hugetlb"
	else
		say "$hugetlb is in use: left mounted"
	fi
}

# Where network plugins keep results by default: the session covers it, so that nothing lands there.
cni_cache=/var/lib/cni cni_cache_ours=''
make_cni_cache() { [[ -d $cni_cache ]] || { mkdir "$cni_cache" && cni_cache_ours=1; }; }
remove_cni_cache() { [[ -z $cni_cache_ours ]] || rmdir "$cni_cache" 2>/dev/null || true; }

# Containers that die with their namespace leave empty cgroups. Only those that are new and empty are removed.
remove_cgroups() {
	local dir
	comm -13 "$work/cgroups" <(cgroups) | sort -r | while read -r dir; do rmdir "$dir" 2>/dev/null || true; done
}

# The session is `unshare`, whose only child is pid 1 of the namespaces: when that one has died, everything in them has.
end_session() {
	local children
	mapfile -t children < <(pgrep -P "$1")
	kill -KILL "${children[@]:-$1}" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

cleanup() {
	trap '' INT TERM HUP
	[[ -z $session ]] || end_session "$session"
	[[ ! -f $work/cgroups ]] || remove_cgroups
	unmount_hugetlb
	remove_cni_cache
	if [[ -n ${keep?} ]]; then say "kept $work"; else rm -rf --one-file-system "$work"; fi
}
