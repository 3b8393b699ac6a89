# SPDX-License-Identifier: Apache-2.0
"""gRPC stubs for our .proto files, made when the tests run: nothing is generated."""
import pathlib
import subprocess
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

API = pathlib.Path(__file__).resolve().parent.parent.parent / "api"
RPC_TIMEOUT = 120  # seconds; longer than berthd waits for anything


def load():
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc-c", f"--proto_path={API}", f"--descriptor_set_out={out.name}",
                        "--include_imports", "cri.proto", "node.proto"], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


POOL = load()
FACTORY = message_factory.MessageFactory(POOL)


def message(name, **fields):
    """A message by its full name, such as message("runtime.v1.VersionRequest", version="v1")."""
    return FACTORY.GetPrototype(POOL.FindMessageTypeByName(name))(**fields)


def enum_name(enum, number):
    return POOL.FindEnumTypeByName(enum).values_by_number[number].name


class Service:
    """service.Method(field=value, …) calls it; a status other than OK raises grpc.RpcError."""

    def __init__(self, channel, name):
        for method in POOL.FindServiceByName(name).methods:
            setattr(self, method.name, self.bind(channel, f"/{name}/{method.name}", method))

    @staticmethod
    def bind(channel, path, method):
        request = FACTORY.GetPrototype(method.input_type)
        response = FACTORY.GetPrototype(method.output_type)
        proto = descriptor_pb2.MethodDescriptorProto()
        method.CopyToProto(proto)
        kind = channel.unary_stream if proto.server_streaming else channel.unary_unary
        call = kind(path, request_serializer=request.SerializeToString, response_deserializer=response.FromString)

        def invoke(rpc_timeout=RPC_TIMEOUT, **fields):
            return call(request(**fields), timeout=rpc_timeout)

        if not proto.server_streaming:
            invoke.future = lambda **fields: call.future(request(**fields), timeout=RPC_TIMEOUT)
        return invoke
