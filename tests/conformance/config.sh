# shellcheck shell=bash
# The private configuration of one run: registries, pod network, and the runtime under test.
# Sourced by session.sh.
: "${work:?}"

# write_certs DIR PORT: sends every registry that critest names to the one on loopback.
write_certs() {
	local registry
	for registry in registry.k8s.io k8s.gcr.io gcr.io; do
		mkdir -p "$1/$registry"
		cat >"$1/$registry/hosts.toml" <<-END
			server = "http://127.0.0.1:$2"

			[host."http://127.0.0.1:$2"]
			capabilities = ["pull", "resolve"]
		END
	done
}

# write_cni DIR: a bridge of our own, addresses from a private range, host ports by iptables.
write_cni() {
	mkdir -p "$1"
	cat >"$1/10-conformance.conflist" <<-END
		{
		  "cniVersion": "1.0.0",
		  "name": "berth-conformance",
		  "plugins": [
		    {
		      "type": "bridge",
		      "bridge": "berthcf0",
		      "isGateway": true,
		      "ipMasq": true,
		      "ipam": {
		        "type": "host-local",
		        "dataDir": "$work/cni-addresses",
		        "ranges": [[{"subnet": "10.88.77.0/24"}]],
		        "routes": [{"dst": "0.0.0.0/0"}]
		      }
		    },
		    {"type": "portmap", "capabilities": {"portMappings": true}}
		  ]
		}
	END
}

write_berth() { # FILE
	cat >"$1" <<-END
		root: $work/root
		state: /run/berth
		socket: /run/berth/berth.sock
		cni:
		  conf_dir: $work/net.d
		  bin_dirs: [/usr/lib/cni]
		registry:
		  config_path: $work/certs.d
		default_runtime: crun
		runtimes:
		  crun:
		    path: $(command -v crun)
		  runc:
		    path: $(command -v runc)
		log_level: info
	END
}

write_containerd() { # FILE
	cat >"$1" <<-END
		version = 2
		root = "$work/root"
		state = "/run/containerd"
		[grpc]
		address = "/run/containerd/containerd.sock"
		[plugins."io.containerd.internal.v1.opt"]
		path = "$work/opt"
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "registry.k8s.io/pause:3.9"
		restrict_oom_score_adj = true
		[plugins."io.containerd.grpc.v1.cri".cni]
		conf_dir = "$work/net.d"
		bin_dir = "/usr/lib/cni"
		[plugins."io.containerd.grpc.v1.cri".registry]
		config_path = "$work/certs.d"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		runtime_type = "io.containerd.runc.v2"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		BinaryName = "$(command -v runc)"
	END
}
