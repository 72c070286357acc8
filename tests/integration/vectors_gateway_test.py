"""Replays what was recorded from GatewayWorker against our gateway: every byte must be the same.

Where a vector marks a fault of the original the safe behaviour is asserted instead, by name, in DEVIATIONS.
"""

import re
import struct

import pytest

import gateway_bench as bench
import wire

SCENARIOS = bench.vectors("gateway-client.json")["scenarios"]
PROBES = bench.vectors("gateway-edge-cases.json")["probes"]
EVENTS = {e["name"]: e for e in bench.vectors("worker-gateway.json")["gateway_to_worker"]}


def send_in(peer, request, segments):
    size = -(-len(request) // segments)
    for at in range(0, len(request), size):
        peer.send(request[at:at + size])


def expect_reply(peer, expected, name):
    """As many bytes as were recorded, and no more."""
    peer.need(len(expected))
    got, peer.data = peer.data[:len(expected)], peer.data[len(expected):]
    assert got.hex() == expected.hex(), name
    assert peer.barrier() in (b"i:0;", b"i:1;"), name


def exchange(gateways, recorded, step):
    """One connection of the client library."""
    peer = bench.Asker.connect(gateways.inner[recorded["gateway"]])
    peer.send(bytes.fromhex(recorded["request_hex"]))
    if re.match("(wrong|no) key", step.get("note") or ""):
        assert peer.is_closed(), step["php"]
    else:
        expect_reply(peer, bytes.fromhex(recorded["reply_hex"]), step["php"])
    peer.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s["scenario"])
def test_every_call_of_the_client_library(site, scenario):
    gateways = bench.Gateways(site, ("gw1", "gw2"), scenario["secret"])
    askers = {name: gateways.asker(name) for name in gateways.port}
    clients = {}
    for n, step in enumerate(scenario["steps"]):
        if step["step"] == "ws_connect":
            client = bench.Client(gateways.port[step["gateway"]])
            clients[step["client"]] = (step["gateway"], step["connection_id"], client)
            askers[step["gateway"]].barrier()
        elif step["step"] == "ws_close":
            gateway, _, client = clients.pop(step["client"])
            client.send(struct.pack(">H", 1000), opcode=8)
            while client.frame():
                pass
            client.close()
            askers[gateway].barrier()
        elif step["step"] == "call":
            for e in step["exchanges"]:
                exchange(gateways, e, step)
            got = bench.deliveries(askers, clients, n)
            expected = {name: {"frames": [f["raw_hex"] for f in d["frames"]],
                               "closed": d.get("closed", False)}
                        for name, d in step["delivered"].items()}
            assert got == expected, step["php"]
            clients = {name: c for name, c in clients.items() if not c[2].is_closed}
    gateways.stop()


# What the original does there would be a fault of ours too: docs/wire.md §5 and the vectors' README.
CLOSED = "closed"
DEVIATIONS = {
    # A length below the head: the original stalls or falls out of step.
    "pack_len_0": CLOSED, "pack_len_1": CLOSED, "pack_len_20": CLOSED, "pack_len_27": CLOSED, "http": CLOSED,
    # A query that kills the original: its sender would wait for an answer.
    "batch_nested": CLOSED, "batch_count_nested": CLOSED,
    # The codec for serialized values refuses objects and references (docs/wire.md §5).
    "send_one_ser_9": "no objects", "update_session_with_object": "no objects",
    "get_session_with_object": "no objects", "update_ref": "no objects", "get_ref": "no objects",
    "worker_connect_array_body": CLOSED,
}


def connect_pair(gateways):
    clients = {}
    for connection_id, name in ((1, "A1"), (2, "A2")):
        clients[name] = ("gw1", connection_id, bench.Client(gateways.port["gw1"]))
    gateways.asker().barrier()
    return clients


def run_probe(gateways, asker, probe, n, clients):
    name, is_deadly = probe["name"], not probe["gateway_process_survived"]
    deviation = DEVIATIONS.get(name)
    peer = bench.Asker.connect(gateways.inner["gw1"])
    send_in(peer, bytes.fromhex(probe["request_hex"]), probe["segments"])
    if deviation == CLOSED or probe["connection"] in ("closed by the gateway", "stays open: closed") and not is_deadly:
        assert peer.is_closed(), name
    elif "does not answer" in probe["connection"]:
        peer.sock.settimeout(0.3)
        assert not peer.is_closed(), name
    else:
        expected = b"" if is_deadly else bytes.fromhex(probe["reply_hex"])
        if deviation and expected:
            peer.reply()
            expected = b""
        expect_reply(peer, expected, name)
    peer.close()
    got = {c: d["frames"] for c, d in bench.deliveries({"gw1": asker}, clients, n).items() if d["frames"]}
    expected = {c: [f["raw_hex"] for f in frames if "raw_hex" in f]
                for c, frames in (probe.get("delivered") or {}).items()}
    if is_deadly or deviation:
        assert got == {}, name
    else:
        assert got == expected, name


def test_edge_cases(site):
    gateways = bench.Gateways(site)
    asker, clients = gateways.asker(), connect_pair(gateways)
    for n, probe in enumerate(PROBES):
        run_probe(gateways, asker, probe, n, clients)
        clients = {name: c for name, c in clients.items() if not c[2].is_closed}
        if not probe["gateway_process_survived"]:
            # The recorded process died here and lost its state; ours must be told to.
            assert clients.keys() == {"A1", "A2"}, probe["name"]
            for _, _, client in clients.values():
                client.close()
            gateways.restart()
            asker, clients = gateways.asker(), connect_pair(gateways)
    gateways.stop()


# ---- the packets that a worker gets ----


def patched(recorded_hex, gateways, client, name="gw1"):
    """A recorded packet with the ports of this run in its head."""
    raw = bytearray.fromhex(recorded_hex.rstrip("."))
    struct.pack_into(">H", raw, 9, gateways.inner[name])
    struct.pack_into(">H", raw, 15, client.port)
    struct.pack_into(">H", raw, 22, gateways.port[name])
    return raw


class Recorded:
    """Connection ids and ports of the recording, turned into those of this run."""

    def __init__(self, gateways, worker, connection_id):
        self.gateways, self.worker, self.connection_id = gateways, worker, connection_id

    def expect(self, name, client, pos=0):
        raw = patched(EVENTS[name]["to_worker"][pos]["hex"], self.gateways, client)
        struct.pack_into(">I", raw, 17, self.connection_id)
        packet = self.worker.packet()
        assert packet.raw.hex() == raw.hex(), name

    def send(self, name):
        for p in EVENTS[name]["from_worker"]:
            raw = bytearray.fromhex(p["hex"])
            struct.pack_into(">I", raw, 17, self.connection_id)
            self.worker.send(bytes(raw))
        self.settle()

    def settle(self):
        """Commands of the worker have been carried out: its answers come in order."""
        self.worker.send(wire.pack(bench.CMD_IS_ONLINE, connection_id=self.connection_id))
        assert self.worker.reply() == b"i:1;"


def recorded_handshake(body):
    """The request whose headers the recorded body lists, as the client must have sent it."""
    uri = re.search(rb's:11:"REQUEST_URI";s:\d+:"(.*?)";', body).group(1)
    headers = re.findall(rb's:\d+:"HTTP_([A-Z0-9_]+)";s:\d+:"(.*?)";', body, re.S)
    lines = [b"GET " + uri + b" HTTP/1.1"]
    lines += [k.replace(b"_", b"-").title() + b": " + v for k, v in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def check_handshake(gateways, worker, client):
    raw = bytes.fromhex(EVENTS["on_websocket_connect"]["to_worker"][0]["hex"])
    old = wire.Packet(raw)
    client.shake_hands(recorded_handshake(old.body))
    got = worker.packet()
    body = old.body.replace(b"i:%d;" % old.client_port, b"i:%d;" % client.port)
    body = body.replace(b"i:%d;" % old.gateway_port, b"i:%d;" % gateways.port["gw1"])
    assert got.cmd == old.cmd and got.flag == old.flag and got.ext == old.ext
    assert got.body == body


def test_events_to_a_worker(site):
    gateways = bench.Gateways(site, extra="ping_interval = 0\norigin = *")
    worker = gateways.workers["gw1"]
    client = bench.Client(gateways.port["gw1"], is_silent=True)
    told = Recorded(gateways, worker, 1)
    told.expect("on_connect", client)
    check_handshake(gateways, worker, client)
    for name, payload, how in (("on_message_text", b"hello", {}), ("on_message_empty", b"", {}),
                               ("on_message_binary", b"bin\x00\xff", {"opcode": 2})):
        client.send(payload, **how)
        told.expect(name, client)
    client.send(b"frag", fin=False)
    client.send(b"men", opcode=0, fin=False)
    client.send(b"ted", opcode=0)
    told.expect("on_message_fragmented", client)
    client.send(b"pingdata", opcode=9)
    assert client.frame().hex() == EVENTS["ws_ping"]["client_received"][0]["raw_hex"]
    client.send(b"", opcode=10)
    client.send(b"z" * 70000)
    big = worker.packet()
    assert big.cmd == bench.CMD_ON_MESSAGE and big.body == b"z" * 70000
    told.send("on_message_session")
    client.send(b"with session")
    told.expect("on_message_session", client)
    worker.send(wire.pack(9, connection_id=1, ext=b'a:2:{s:1:"n";i:8;s:1:"m";a:1:{i:0;i:1;}}'))
    told.settle()
    client.send(b"m2")
    told.expect("on_message_session_updated", client)
    client.send(struct.pack(">H", 1000), opcode=8)
    assert client.frame().hex() == EVENTS["on_close"]["client_received"][0]["raw_hex"]
    assert client.frame() is None
    told.expect("on_close", client)
    gateways.stop()


def test_ends_of_clients(site):
    gateways = bench.Gateways(site)
    worker = gateways.workers["gw1"]
    for connection_id, name in enumerate(("on_close_abrupt", "kick_message", "destroy"), 1):
        client = bench.Client(gateways.port["gw1"])
        assert [worker.packet().cmd for _ in range(2)] == [bench.CMD_ON_CONNECT, bench.CMD_ON_WEBSOCKET_CONNECT]
        told = Recorded(gateways, worker, connection_id)
        if name == "on_close_abrupt":
            client.close()
        elif name == "kick_message":
            worker.send(wire.pack(7, connection_id=connection_id, body=b"bye"))
            assert [client.frame().hex()] == [f["raw_hex"] for f in EVENTS[name]["client_received"]]
            assert client.frame() is None
        else:
            worker.send(wire.pack(8, connection_id=connection_id))
            assert client.frame() is None
        told.expect(name, client)
    gateways.stop()


def commands(worker, n):
    return [(p.cmd, p.connection_id) for p in (worker.packet() for _ in range(n))]


def test_binding_of_clients_to_workers(site):
    """least_connections, same_worker_key, after_same_worker_key, worker_gone."""
    gateways = bench.Gateways(site)
    first = gateways.workers["gw1"]
    second = bench.Worker.attach(gateways.inner["gw1"], "BW:1")
    gateways.asker().barrier()
    clients = []
    for i in range(4):
        clients.append(bench.Client(gateways.port["gw1"]))
        owner = first if i % 2 == 0 else second
        assert commands(owner, 2) == [(bench.CMD_ON_CONNECT, i + 1), (bench.CMD_ON_WEBSOCKET_CONNECT, i + 1)]

    newer = bench.Worker.attach(gateways.inner["gw1"], "BW:1")
    assert second.is_closed()
    for i, client in enumerate(clients):
        client.send(b"m%d" % i)
    assert commands(first, 2) == [(bench.CMD_ON_MESSAGE, 1), (bench.CMD_ON_MESSAGE, 3)]
    assert commands(newer, 2) == [(bench.CMD_ON_MESSAGE, 2), (bench.CMD_ON_MESSAGE, 4)]

    other = bench.Worker.attach(gateways.inner["gw1"], "BW:9")
    gateways.lose(first)
    for client in clients:
        client.send(b"still here")
    got = sorted(commands(newer, 3) + commands(other, 1), key=lambda e: e[1])
    assert got == [(bench.CMD_ON_MESSAGE, i) for i in (1, 2, 3, 4)]
    gateways.workers = {"gw1": newer}
    gateways.stop()


def test_events_wait_for_a_worker(site):
    """no_worker, all_workers_gone: the original closes those clients, ours wait (worker_grace_ms)."""
    gateways = bench.Gateways(site)
    gateways.lose(gateways.workers["gw1"])
    client = bench.Client(gateways.port["gw1"])
    client.send(b"one")
    client.send(b"two")
    gateways.asker().barrier()
    worker = bench.Worker.attach(gateways.inner["gw1"])
    got = [worker.packet() for _ in range(4)]
    assert [p.cmd for p in got] == [1, 205, 3, 3]
    assert [p.body for p in got[2:]] == [b"one", b"two"]
    gateways.workers = {"gw1": worker}
    gateways.stop()


def test_no_worker_in_time(site):
    gateways = bench.Gateways(site, extra="ping_interval = 0\nworker_grace_ms = 100")
    gateways.lose(gateways.workers["gw1"])
    client = bench.Client(gateways.port["gw1"])
    assert client.frame() == b"\x88\x0b\x03\xf5no worker"  # 1013: try again later
    gateways.stop()


def test_heartbeat(site):
    """heartbeat_nolimit: pings go on; heartbeat_limit1: one ping, then the end without a frame."""
    ping = b"\x81\x0f" + b'{"type":"ping"}'
    gateways = bench.Gateways(
        site, extra='ping_interval = 0.4\nping_not_response_limit = 0\nping_data = {"type":"ping"}')
    client = bench.Client(gateways.port["gw1"])
    assert [client.frame() for _ in range(4)] == [ping] * 4
    gateways.stop()
    gateways = bench.Gateways(
        site, ("limited",), extra='ping_interval = 0.8\nping_not_response_limit = 1\nping_data = {"type":"ping"}')
    client = bench.Client(gateways.port["limited"])
    assert [client.frame(), client.frame()] == [ping, None]
    gateways.stop()


def test_registration(site):
    """The line that a gateway registers with; it comes again when the registry was away."""
    gateways = bench.Gateways(site, secret='s3cr"et')
    registry = gateways.registry
    bench.harness.wait_until(lambda: registry.lines, what="gateway_connect")
    line = bench.json.loads(registry.lines[0])
    assert line == {"event": "gateway_connect", "address": f"127.0.0.1:{gateways.inner['gw1']}",
                    "secret_key": 's3cr"et'}
    for sock in registry.socks:
        sock.shutdown(2)
    bench.harness.wait_until(lambda: len(registry.lines) == 2, what="gateway_connect again")
    assert registry.lines[0] == registry.lines[1]
    gateways.stop()
