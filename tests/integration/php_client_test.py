"""GatewayWorker's own GatewayClient against our registry and gateways: every recorded call, by name and by value.

The calls, states, deliveries and return values are those of tests/vectors/gateway-client.json.
"""

import base64
import json
import struct

import pytest

import gateway_bench as bench
import php
import wire
from cluster import conf
from harness import free_ports, wait_until

pytestmark = php.needs_php

SCENARIOS = bench.vectors("gateway-client.json")["scenarios"]
RECORDED_INNER = {"gw1": 2300, "gw2": 2400}


class Ours:
    """Our registry and two of our gateways, with hand-made workers so that clients may stay."""

    def __init__(self, site, secret):
        self.registry = free_ports()
        self.port = {n: free_ports() for n in RECORDED_INNER}
        self.inner = {n: free_ports() for n in RECORDED_INNER}
        self.secret = secret
        self.site = site(conf(self.registry, {n: (self.port[n], self.inner[n]) for n in self.port}, secret,
                              "ping_interval = 0"))
        self.site.start(*self.inner.values(), self.registry)
        wait_until(lambda: self.said().count("registered 127.0.0.1:") >= 2, what="both gateways registered")
        self.workers = [bench.Worker.attach(port, secret=secret) for port in self.inner.values()]

    def said(self):
        return self.site.output() + self.site.log()

    def asker(self, name):
        peer = bench.Asker.connect(self.inner[name])
        peer.send(wire.pack(202, body=json.dumps({"secret_key": self.secret}).encode()))
        return peer

    def here(self, text):
        """Recorded client ids and addresses as those of this run."""
        for name, port in RECORDED_INNER.items():
            for case in (str.lower, str.upper):
                text = text.replace(case(f"7f000001{port:04x}"), case(f"7f000001{self.inner[name]:04x}"))
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{self.inner[name]}")
        return text

    def here_bytes(self, data):
        return self.here(data.decode("latin-1")).encode("latin-1")

    def stop(self):
        for worker in self.workers:
            worker.close()
        self.site.stop()


def secret_of(step):
    """None: the right one. The recording set another one for calls with these notes."""
    note = step.get("note") or ""
    if note.startswith(("wrong key", "the register closes")):
        return "wrong"
    return "" if note.startswith("no key") else None


def source_of(ours, step):
    """The call as PHP; long texts are shortened in the recording, but not in its arguments."""
    if " characters)" not in step["php"]:
        return ours.here(step["php"])
    args = base64.b64encode(ours.here(json.dumps(step["args"])).encode()).decode()
    return f"Gateway::{step['method']}(...json_decode(base64_decode('{args}'), true))"


def check_returned(ours, client, step):
    value, error = client.call(source_of(ours, step), secret_of(step))
    expected_error = step.get("exception")
    if expected_error:
        assert error is not None, f"{step['php']}: returned {value}, not {expected_error}"
        # The rest quotes what the register answered.
        told = expected_error.split(" return ")[0].replace("127.0.0.1:1236", f"127.0.0.1:{ours.registry}")
        assert error.decode().startswith(ours.here(told)), step["php"]
        return
    assert error is None, f"{step['php']}: {error}"
    expected = ours.here_bytes(bytes.fromhex(step["returned_serialized_hex"]))
    # As text, because NAN is not equal to itself.
    assert repr(php.unordered(php.unserialize(value))) == repr(php.unordered(php.unserialize(expected))), step["php"]


def settle(askers):
    """What the client has sent on a connection of its own, unanswered, is done: it was accepted in the turn of the
    first answer at the latest, and read in that of the second."""
    for asker in askers.values():
        for _ in range(3):
            asker.barrier()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s["scenario"])
def test_every_method_of_the_real_client(site, tmp_path, scenario):
    ours = Ours(site, scenario["secret"])
    client = php.GatewayClient(tmp_path / "php", ours.registry, scenario["secret"])
    askers = {name: ours.asker(name) for name in ours.port}
    pages = {}
    for n, step in enumerate(scenario["steps"]):
        if step["step"] == "ws_connect":
            page = bench.Client(ours.port[step["gateway"]])
            pages[step["client"]] = (step["gateway"], step["connection_id"], page)
            askers[step["gateway"]].barrier()
        elif step["step"] == "ws_close":
            gateway, _, page = pages.pop(step["client"])
            page.send(struct.pack(">H", 1000), opcode=8)
            while page.frame():
                pass
            page.close()
            askers[gateway].barrier()
        elif step["step"] == "call":
            check_returned(ours, client, step)
            settle(askers)
            got = bench.deliveries(askers, pages, n)
            expected = {name: {"frames": [f["raw_hex"] for f in d["frames"]], "closed": d.get("closed", False)}
                        for name, d in step["delivered"].items()}
            assert got == expected, step["php"]
            pages = {name: page for name, page in pages.items() if not page[2].is_closed}
    client.close()
    ours.stop()
