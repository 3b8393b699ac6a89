# shellcheck shell=bash
# What a run needs before it starts: packages of the host, client programs, test images.
# Sourced by `run`.
: "${here:?}" "${build:?}"

say() { printf 'conformance: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# Packages of the host, only those whose command is missing.
install_packages() {
	local missing=() command package
	while read -r command package; do
		command -v "$command" >/dev/null || [[ -x $command ]] || missing+=("$package")
	done <<-END
		skopeo skopeo
		crun crun
		runc runc
		/usr/lib/cni/bridge containernetworking-plugins
		iptables iptables
		ip iproute2
		pgrep procps
		unshare util-linux
		ipcmk util-linux
		gcc gcc
		readelf binutils
		/usr/share/doc/libc6-dev libc6-dev
		/usr/lib/python3/dist-packages/grpc python3-grpcio
		/usr/lib/python3/dist-packages/google/protobuf python3-protobuf
		/usr/lib/python3/dist-packages/yaml python3-yaml
		/usr/share/doc/busybox-static busybox-static
		openssl openssl
	END
	((${#missing[@]})) || return 0
	say "installing ${missing[*]}"
	apt_get install -y --no-install-recommends "${missing[@]}"
}

# apt-get with its package lists brought up to date when the first try fails.
apt_get() {
	local patience=(-o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
	apt-get -qq "${patience[@]}" -o Dpkg::Use-Pty=0 "$@" >&2 ||
		{ apt-get -qq "${patience[@]}" update >&2 && apt-get -qq "${patience[@]}" "$@" >&2; }
}

# unpack_packages DIR PACKAGE...: their files below DIR; nothing is installed, no maintainer script runs.
unpack_packages() {
	local target=$1 debs
	shift
	debs=$(mktemp -d -p "${work:?}")
	mkdir -p "$target"
	(cd "$debs" && apt_get -o APT::Sandbox::User=root download "$@")
	for deb in "$debs"/*.deb; do dpkg -x "$deb" "$target"; done
	rm -r "$debs"
}

# critest and crictl, as go.mod pins them.
build_clients() {
	local bin=$build/conformance-bin stamp
	stamp=$(cat "$here"/go.mod "$here"/go.sum | sha256sum)
	[[ -f $bin/stamp && $(<"$bin/stamp") == "$stamp" ]] && return
	command -v go >/dev/null || die "no go in PATH: critest is built with it"
	say "building critest and crictl"
	mkdir -p "$bin"
	rm -f "$bin/stamp"
	(
		cd "$here" || exit
		export CGO_ENABLED=0 GOFLAGS='-mod=readonly -trimpath -p=2' GOTOOLCHAIN=local
		go build -o "$bin/crictl" -ldflags '-s -w' sigs.k8s.io/cri-tools/cmd/crictl
		go test -c -o "$bin/critest" -ldflags '-s -w' sigs.k8s.io/cri-tools/cmd/critest
	)
	printf '%s\n' "$stamp" >"$bin/stamp"
}

# The storage folder of a docker-registry that holds every image, in build/conformance-images.
build_images() {
	local images=$build/conformance-images fresh=$work/images stamp
	stamp=$(cat "$here"/images/* "$here/prepare.sh" "$here/registry.sh" | sha256sum)
	[[ -f $images/stamp && $(<"$images/stamp") == "$stamp" ]] && return
	say "building test images"
	mkdir "$fresh"
	unpack_packages "$fresh/tools" docker-registry
	unpack_packages "$fresh/packages" busybox procps util-linux nginx \
		libc6 libproc2-0 libsystemd0 liblz4-1 libzstd1 liblzma5 libcap2 libgcrypt20 libgpg-error0 \
		libsmartcols1 libcrypt1 libpcre2-8-0 libssl3 zlib1g
	gcc -Os -s -static -o "$fresh/pause" "$here/images/pause.c"
	gcc -Os -s -static -o "$fresh/nonewprivs" "$here/images/nonewprivs.c"
	python3 "$here/images/build.py" "$fresh/packages" "$fresh" "$fresh/layout" >"$fresh/names"
	unshare --net "$here/registry.sh" fill "$fresh/tools" "$fresh/storage" "$fresh/layout" "$fresh/names"
	rm -rf "$images"
	mkdir -p "$images"
	mv "$fresh/tools" "$fresh/storage" "$images/"
	rm -r "$fresh"
	printf '%s\n' "$stamp" >"$images/stamp"
}

# Debian's containerd, unpacked: for `run --containerd`.
fetch_containerd() {
	[[ -x $build/conformance-bin/containerd/usr/bin/containerd ]] && return
	say "fetching containerd"
	unpack_packages "$build/conformance-bin/containerd" containerd
}
