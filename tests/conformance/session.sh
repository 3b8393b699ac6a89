#!/bin/bash
# One test session: registry, runtime, critest. Started by `run`, which passes everything by environment:
#   here build work   folders
#   subject           berth, containerd, or the endpoint of a runtime that already runs
#   task              critest, or shell
#   session_parts     what critest runs: specs, websocket
# For berth and containerd this is pid 1 of its own pid, mount, network, ipc and uts namespaces: whatever is
# still there when it ends, ends with it.
set -euo pipefail
: "${here:?}" "${build:?}" "${work:?}" "${subject:?}" "${task:?}" "${session_parts:?}"
# shellcheck source=config.sh
source "$here/config.sh"

export TMPDIR=$work/tmp

fail() {
	printf 'conformance: %s\n' "$1" >&2
	[[ ! -f $work/runtime.log ]] || tail -n 20 "$work/runtime.log" >&2
	exit 1
}

# The namespaces are new: bring up loopback, let mounts propagate as on a node, give the runtime an empty /run.
enter() {
	local resolver
	resolver=$(cat /etc/resolv.conf 2>/dev/null || true)
	ip link set lo up
	mount --make-rshared /
	mount -t tmpfs -o mode=755 tmpfs /run
	if [[ ! -e /etc/resolv.conf ]]; then # it was a link into /run
		mkdir -p "$(dirname "$(readlink -m /etc/resolv.conf)")"
		printf '%s\n' "$resolver" >"$(readlink -m /etc/resolv.conf)"
	fi
	mount -t tmpfs -o mode=755 tmpfs /var/lib/cni
}

start_registry() {
	local port=5000 certs=$work/certs.d images=$build/conformance-images
	if [[ $subject == unix:* ]]; then
		port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
		certs=$build/conformance-certs.d
	fi
	"${bound[@]}" "$here/registry.sh" serve "$images/tools" "$images/storage" "$port" >"$work/registry.log" 2>&1 &
	registry=$!
	trap 'kill "$registry" 2>/dev/null || true' EXIT
	write_certs "$certs" "$port"
	for ((i = 0; i < 100; i++)); do
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
		sleep 0.1
	done
	fail "the registry does not answer"
}

start_runtime() {
	mkdir -p /run/"$subject"
	write_cni "$work/net.d"
	case $subject in
	berth)
		endpoint=unix:///run/berth/berth.sock
		write_berth "$work/config.yaml"
		PATH=$build:$PATH berthd --config "$work/config.yaml" >"$work/runtime.log" 2>&1 &
		;;
	containerd)
		endpoint=unix:///run/containerd/containerd.sock
		write_containerd "$work/config.toml"
		PATH=$build/conformance-bin/containerd/usr/bin:$PATH \
			containerd --config "$work/config.toml" >"$work/runtime.log" 2>&1 &
		;;
	esac
	runtime=$!
}

wait_ready() {
	for ((i = 0; i < 100; i++)); do
		crictl version >/dev/null 2>&1 && return
		[[ -z $runtime ]] || kill -0 "$runtime" 2>/dev/null || fail "the runtime ended before its socket answered"
		sleep 0.2
	done
	fail "nothing answers at $endpoint"
}

crictl() {
	"$build/conformance-bin/crictl" --runtime-endpoint "$endpoint" --image-endpoint "$endpoint" --timeout 5s "$@"
}

# critest NAME OPTION...: it writes its own report; a run that hangs is cut off and reported by ginkgo itself.
critest() {
	local name=$1
	shift
	"${bound[@]}" "$build/conformance-bin/critest" -runtime-endpoint "$endpoint" -config /nonexistent \
		-runtime-service-timeout 120s -ginkgo.no-color -ginkgo.seed 1 -ginkgo.timeout 40m \
		-ginkgo.json-report "$work/report/$name.json" -ginkgo.junit-report "$work/report/$name.xml" \
		"$@" >"$work/report/$name.log" 2>&1
}

stop_runtime() {
	kill -TERM "$runtime" 2>/dev/null || fail "the runtime died during the run"
	for ((i = 0; i < 100; i++)); do
		kill -0 "$runtime" 2>/dev/null || return 0
		sleep 0.1
	done
	fail "the runtime did not stop within 10 seconds"
}

bound=(setpriv --pdeathsig KILL) # ends with the session, also where no namespace sees to it
runtime=''
endpoint=$subject
mkdir -p "$work/tmp" "$work/report"
[[ $subject == unix:* ]] || enter
start_registry
[[ $subject == unix:* ]] || start_runtime
wait_ready
if [[ $task == shell ]]; then
	export PATH=$build/conformance-bin:$build:$PATH CONTAINER_RUNTIME_ENDPOINT=$endpoint IMAGE_SERVICE_ENDPOINT=$endpoint
	bash -i || true
else
	# The reports tell what failed.
	[[ $session_parts != *specs* ]] || critest report "$@" || true
	[[ $session_parts != *websocket* ]] || critest websocket -ginkgo.focus Streaming \
		-websocket-exec -websocket-attach -websocket-portforward || true
fi
[[ -z $runtime ]] || stop_runtime
