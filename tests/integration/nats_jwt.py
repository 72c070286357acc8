"""Operator, account and user of a NATS server in operator mode: keys, JWTs and a credentials file, written with OpenSSL alone
(docs.nats.io, "JWTs"; the texts of keys as in github.com/nats-io/nkeys)."""

import base64
import binascii
import hashlib
import json
import subprocess
import time

OPERATOR, ACCOUNT, USER = 14 << 3, 0, 20 << 3
SEED = 18 << 3
UNLIMITED = {name: -1 for name in ("subs", "data", "payload")}


def _text(raw):
    """Base32 without padding, behind a check sum: CRC-16/XMODEM, which is crc_hqx()."""
    checked = raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(checked).decode().rstrip("=")


def _base64url(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _openssl(*words):
    return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout


class Identity:
    """An Ed25519 pair with a name."""

    def __init__(self, folder, name, kind):
        self.name, self.folder = name, folder
        self.key = folder / f"{name}.pem"
        self.key.write_bytes(_openssl("genpkey", "-algorithm", "ed25519"))
        # The last 32 bytes of either DER form are the key itself (RFC 8410 §4, §7).
        secret = _openssl("pkey", "-in", str(self.key), "-outform", "DER")[-32:]
        self.public = _text(bytes([kind]) + _openssl("pkey", "-in", str(self.key), "-pubout", "-outform", "DER")[-32:])
        self.seed = _text(bytes([SEED | kind >> 5, (kind & 31) << 3]) + secret)

    def vouch(self, other, kind, **claims):
        """A JWT of ours about the other one."""
        body = {"iat": int(time.time()), "iss": self.public, "name": other.name, "sub": other.public,
                "nats": {"type": kind, "version": 2, **claims}}
        body["jti"] = base64.b32encode(hashlib.sha256(json.dumps(body).encode()).digest()).decode().rstrip("=")
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = ".".join(_base64url(json.dumps(part).encode()) for part in (head, body))
        plain = self.folder / "to-sign"
        plain.write_text(text)
        signature = _openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(self.key), "-in", str(plain))
        return f"{text}.{_base64url(signature)}"


class Operator:
    """An operator with one account, that lets users in."""

    def __init__(self, folder, name="op"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.self = Identity(folder, name, OPERATOR)
        self.account = Identity(folder, f"{name}-account", ACCOUNT)

    def conf(self):
        """What a server of this operator has in its config."""
        limits = {**UNLIMITED, **{name: -1 for name in ("imports", "exports", "conn", "leaf")}, "wildcards": True}
        about_self = self.self.vouch(self.self, "operator")
        about_account = self.self.vouch(self.account, "account", limits=limits)
        return f'operator: {about_self}\nresolver: MEMORY\nresolver_preload: {{ {self.account.public}: {about_account} }}\n'

    def credentials(self, name):
        """A file with a user's JWT and seed."""
        user = Identity(self.folder, name, USER)
        path = self.folder / f"{name}.creds"
        path.write_text(f"-----BEGIN NATS USER JWT-----\n{self.account.vouch(user, 'user', **UNLIMITED)}\n"
                        f"------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n{user.seed}\n"
                        "------END USER NKEY SEED------\n")
        path.chmod(0o600)
        return path
