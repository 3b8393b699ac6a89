# SPDX-License-Identifier: Apache-2.0
"""Certificates for the tests of TLS, made with openssl(1)."""
import ssl
import subprocess


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Authority:
    """A CA that signs certificates, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2, "-subj",
                f"/CN={folder.name}", "-keyout", folder / "ca.key", "-out", folder / "ca.crt")

    def sign(self, name, serial=1):
        request = self.folder / f"{name}.csr"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", self.folder / f"{name}.key", "-out", request)
        openssl("x509", "-req", "-in", request, "-copy_extensions", "copy", "-CA", self.folder / "ca.crt", "-CAkey",
                self.folder / "ca.key", "-set_serial", serial, "-days", 2, "-out", self.folder / f"{name}.crt")
        return self

    def trust(self, client=None):
        """What a client trusts that knows this CA; with a certificate of its own, signed by another one."""
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        if client:
            context.load_cert_chain(client.folder / "client.crt", client.folder / "client.key")
        return context
