#!/bin/bash
# A docker-registry on loopback.
#   registry.sh fill TOOLS STORAGE LAYOUT NAMES   push the images that the file NAMES lists from an OCI layout;
#                                                 wants a network namespace of its own
#   registry.sh serve TOOLS STORAGE PORT          serve read-only, until killed
set -euo pipefail

config() { # STORAGE PORT READONLY
	cat <<-END
		version: 0.1
		log: {level: warn, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $1}, maintenance: {readonly: {enabled: $3}}}
		http: {addr: 127.0.0.1:$2}
	END
}

case $1 in
serve)
	exec "$2/usr/bin/docker-registry" serve <(config "$3" "$4" true)
	;;
fill)
	ip link set lo up
	"$2/usr/bin/docker-registry" serve <(config "$3" 5000 false) >"$3.log" 2>&1 &
	trap 'kill $!' EXIT
	until (: </dev/tcp/127.0.0.1/5000) 2>/dev/null; do kill -0 $!; sleep 0.1; done
	while read -r name; do
		skopeo copy --quiet --insecure-policy --all --dest-tls-verify=false \
			"oci:$4:$name" "docker://127.0.0.1:5000/$name"
	done <"$5"
	;;
esac
