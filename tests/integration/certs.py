"""Certificates for tests, made by openssl in a folder of the test."""

import subprocess


def _run(*args):
    done = subprocess.run(["openssl", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr


class Authority:
    """A CA of its own; issue() makes certificates of it."""

    def __init__(self, folder, name="ca"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.pem = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self.serial = 1
        _run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",  # Python asks for it since 3.13
             "-keyout", str(self.key), "-out", str(self.pem))

    def issue(self, name, *hosts, days=30, into=None):
        """Paths of certificate and key for the hosts (and 127.0.0.1)."""
        cert, key = into or (self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request, ext = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        names = ",".join([f"DNS:{h}" for h in hosts or ["localhost"]] + ["IP:127.0.0.1"])
        ext.write_text(f"subjectAltName={names}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        self.serial += 1
        _run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
             "-keyout", str(key), "-out", str(request))
        _run("x509", "-req", "-in", str(request), "-CA", str(self.pem), "-CAkey", str(self.key), "-days", str(days),
             "-set_serial", str(self.serial), "-extfile", str(ext), "-out", str(cert))
        return cert, key
