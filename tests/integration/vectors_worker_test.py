"""A worker of ours between a hand-made registry and gateway: what it sends is what the PHP worker was recorded to send.

The gateway is made to look like PHP's (no CMD_HELLO) and like ours (CMD_HELLO, queries answered on the link).
"""

import json
import pathlib
import socket
import struct
import threading
import time

import pytest

import harness
import wire

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"
STEPS = {s["name"]: s for s in json.loads((VECTORS / "worker-gateway.json").read_text())["worker_to_gateway"]}
HELLO, DRAIN, DRAIN_MARK, DRAINED, RELEASE, DONE, REPLY = range(220, 227)
PING, PONG = 201, 233
# Events that bring another session than the worker wrote or fetched last: it asks what is true now. The original takes
# what the event brings (docs/wire.md §4).
ASKED_AGAIN = {"session_null": 'a:1:{s:1:"k";s:5:"other";}', "current": "a:0:{}"}
GW_ETOOBIG = -1003


def listener():
    sock = socket.create_server(("127.0.0.1", 0))
    sock.settimeout(10 * harness.SLOW)
    return sock


class Cluster:
    """Registry and gateway by hand, with one worker process attached."""

    def __init__(self, site, *, is_ours, secret="", extra="", events="recorded.c"):
        self.is_ours = is_ours
        self.registry, self.gateway = listener(), listener()
        self.port = self.gateway.getsockname()[1]
        self.site = site(f"""
[worker BW]
events = {HERE}/modules/{events}
register_address = 127.0.0.1:{self.registry.getsockname()[1]}
{f"secret_key = {secret}" if secret else ""}
{extra}
""")
        self.starting = threading.Thread(target=self.site.start)
        self.starting.start()
        self.register = wire.Peer(self.registry.accept()[0])
        self.first_line = self.line()
        self.tell([self.address])
        self.accept()
        self.starting.join()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def accept(self):
        self.link = wire.Peer(self.gateway.accept()[0], timeout=5 * harness.SLOW)
        self.connect = self.link.packet()
        if self.is_ours:
            self.link.send(wire.pack(HELLO, body=b'{"gatehouse":1}'))

    def line(self):
        while b"\n" not in self.register.data:
            self.register.need(len(self.register.data) + 1)
        line, _, self.register.data = self.register.data.partition(b"\n")
        return line + b"\n"

    def tell(self, addresses):
        text = json.dumps({"event": "broadcast_addresses", "addresses": addresses})
        self.register.send(text.encode() + b"\n")

    def at_home(self, hexa):
        """A recorded packet to the worker, from the gateway's real port instead of 2300."""
        raw = bytearray.fromhex(hexa)
        raw[9:11] = struct.pack(">H", self.port)
        return bytes(raw)

    def id_of(self, connection_id):
        return struct.pack(">IHI", 0x7F000001, self.port, connection_id).hex().encode()

    def packets(self, n):
        """The next n packets that are not CMD_DONE."""
        found = []
        while len(found) < n:
            packet = self.link.packet()
            if packet.cmd != DONE:
                found.append(packet)
        return found

    def event(self, body, connection_id, ext=b""):
        return wire.pack(3, local_ip=0x7F000001, local_port=self.port, client_ip=0x7F000001, client_port=54321,
                         connection_id=connection_id, gateway_port=7272, ext=ext, body=body)

    def message(self, body, connection_id=5, ext=b""):
        self.link.send(self.event(body, connection_id, ext))

    def barrier(self):
        """All that the worker had to say before the answer to this."""
        self.message(b"send:current", connection_id=999)
        said = []
        while True:
            (packet,) = self.packets(1)
            if packet.connection_id == 999 and packet.body == b"cur":
                return said
            said.append(packet)

    def answer_queries(self, asked):
        """Gives the recorded answers to the recorded questions, on the link or on a second connection."""
        if self.is_ours:
            for one in asked:
                (packet,) = self.packets(1)
                assert packet.raw.hex() == one["request"]["hex"]
                self.link.send(wire.pack(REPLY, flag=0, body=one["answered_with"].encode()))
            return
        if not hasattr(self, "asker"):
            self.asker = wire.Peer(self.gateway.accept()[0])
        for one in asked:
            assert self.asker.packet().raw.hex() == one["request"]["hex"]
            answer = one["answered_with"].encode()
            self.asker.send(struct.pack(">I", len(answer)) + answer)

    def close(self):
        self.site.stop()


@pytest.fixture(params=[False, True], ids=["php_gateway", "our_gateway"])
def cluster(site, request):
    made = Cluster(site, is_ours=request.param)
    yield made
    made.close()


def expected_packets(step, cluster):
    for one in step.get("to_gateway_on_worker_connection", []):
        raw = bytes.fromhex(one["hex"])
        if one["header"]["cmd"] == 13:
            # CMD_UNBIND_UID: the uid is left out, no gateway looks at it (vectors/README.md, Traps).
            raw = wire.pack(13, connection_id=one["header"]["connection_id"])
        yield raw.replace(b"7f00000108fc00000005", cluster.id_of(5))


def test_every_recorded_event(cluster):
    assert cluster.first_line == bytes.fromhex(STEPS["worker_connect"]["to_register_hex"])
    recorded = wire.Packet(bytes.fromhex(STEPS["CMD_WORKER_CONNECT"]["to_gateway"][0]["hex"]))
    # The one key of ours goes behind theirs; without it every byte is the recorded one.
    assert cluster.connect.body == recorded.body[:-1] + b',"gatehouse":1,"interest":1}'
    assert cluster.connect.raw[4:28] == recorded.raw[4:28]
    replayed = 0
    for name, step in STEPS.items():
        if "from_gateway" not in step or name == "array":
            continue  # "array": a C module sends bytes, there is no call for PHP arrays
        for one in step["from_gateway"]:
            cluster.link.send(cluster.at_home(one["hex"]))
        if "to_gateway_on_a_separate_connection" in step:
            cluster.answer_queries(step["to_gateway_on_a_separate_connection"])
        if name in ASKED_AGAIN:
            (question,) = STEPS["session_stale"]["to_gateway_on_a_separate_connection"]
            cluster.answer_queries([{**question, "answered_with": ASKED_AGAIN[name]}])
        said = [p.raw.hex() for p in cluster.barrier()]
        assert said == [raw.hex() for raw in expected_packets(step, cluster)], name
        replayed += 1
    assert replayed >= 17


@pytest.mark.parametrize("cluster", [True], ids=["our_gateway"], indirect=True)
def test_every_event_is_told_as_done(cluster):
    """Once, also when its callback sends nothing."""
    def tell_of(n):
        done = 0
        while done < n:
            packet = cluster.link.packet()
            done += struct.unpack(">I", packet.body)[0] if packet.cmd == DONE else 0
        return done

    for n in (1, 3, 2):
        for connection_id in range(10, 10 + n):
            cluster.message(b"nothing", connection_id=connection_id)
        assert tell_of(n) == n
    cluster.message(b"send:current")
    cluster.message(b"nothing")
    assert tell_of(2) == 2


def test_link_and_registry_come_back(cluster):
    cluster.tell([])
    assert cluster.barrier() == []  # an empty list closes nothing
    cluster.tell([cluster.address])
    before = time.monotonic()
    cluster.link.close()
    cluster.accept()
    assert time.monotonic() - before > 0.8
    assert cluster.barrier() == []
    cluster.register.close()
    cluster.register = wire.Peer(cluster.registry.accept()[0])
    assert cluster.line() == cluster.first_line
    assert cluster.barrier() == []


def test_a_gateway_that_is_not_listed_is_not_dialled_again(cluster):
    cluster.tell([])
    assert cluster.barrier() == []
    cluster.link.close()
    cluster.gateway.settimeout(2.5)
    with pytest.raises(TimeoutError):
        cluster.gateway.accept()


def test_secret_goes_before_every_query(site):
    cluster = Cluster(site, is_ours=False, secret="s3cret/é")
    assert cluster.first_line == '{"event":"worker_connect","secret_key":"s3cret/é"}\n'.encode()
    assert b'"secret_key":"s3cret\\/\\u00e9"' in cluster.connect.body
    cluster.message(b"query")
    asker = wire.Peer(cluster.gateway.accept()[0])
    for cmd, answer in ((11, b"i:1;"), (15, b"a:1:{i:0;i:5;}"), (24, b"i:3;")):
        key = asker.packet()
        assert (key.cmd, key.body) == (202, b'{"secret_key":"s3cret\\/\\u00e9"}')
        assert asker.packet().cmd == cmd
        asker.send(struct.pack(">I", len(answer)) + answer)
    assert cluster.packets(1)[0].body == b'[1,["' + cluster.id_of(5) + b'"],3]'
    cluster.close()


def test_answers_in_parts_and_none(site):
    cluster = Cluster(site, is_ours=True)
    cluster.message(b"query")
    assert cluster.packets(1)[0].cmd == 11
    cluster.link.send(wire.pack(REPLY, flag=0, body=b"i:1;"))
    assert cluster.packets(1)[0].cmd == 15
    cluster.link.send(wire.pack(REPLY, flag=16, body=b"a:1:{i:0"))
    assert cluster.barrier() == []  # events between the parts are not kept waiting
    cluster.link.send(wire.pack(REPLY, flag=16, body=b";i:5") + wire.pack(REPLY, flag=0, body=b";}"))
    assert cluster.packets(1)[0].cmd == 24
    cluster.link.send(wire.pack(REPLY, flag=1))  # it would have been too large
    assert cluster.packets(1)[0].body == b'[1,["' + cluster.id_of(5) + b'"],%d]' % GW_ETOOBIG
    cluster.message(b"query")  # the link lives
    assert cluster.packets(1)[0].cmd == 11
    cluster.close()


def test_a_lost_gateway_fails_its_queries_at_once(cluster):
    cluster.message(b"query")
    asker = cluster.link if cluster.is_ours else wire.Peer(cluster.gateway.accept()[0])
    assert asker.packet().cmd == 11
    cluster.link.close()
    cluster.accept()
    assert cluster.barrier() == []  # the callback has ended, and its answer had no link to go to


def test_finished_events_are_counted_once_per_turn(site):
    cluster = Cluster(site, is_ours=True)
    for i in range(100):
        cluster.message(b"noop", connection_id=i + 1)
    done = 0
    while done < 100:
        packet = cluster.link.packet()
        assert packet.cmd == DONE
        done += struct.unpack(">I", packet.body)[0]
    assert done == 100
    cluster.close()


def test_what_is_done_is_told_in_one_write_with_what_came_of_it(site):
    """Also in a turn that has queued something before: here the ping that became due in a long turn. Else a worker that gets
    stuck now is thought to hold an event more than it does."""
    cluster = Cluster(site, is_ours=True, events="looping.c")
    cluster.link.send(wire.pack(HELLO, body=b'{"gatehouse":1,"interest":1}'))
    cluster.link.send(wire.pack(PONG, connection_id=cluster.link.packet().connection_id))
    cluster.link.send(b"".join(cluster.event(b"slow", 7) for _ in range(25)))  # a turn of 2.5 s
    time.sleep(1)
    cluster.message(b"next", connection_id=8)
    said = []
    while said.count(5) < 26:
        said.append(cluster.link.packet().cmd)
    assert said[-2:] == [PING, 5] and cluster.link.data
    assert cluster.link.packet().cmd == DONE
    cluster.close()


def test_a_gateway_that_does_not_read_slows_senders_and_loses_nothing(site):
    cluster = Cluster(site, is_ours=True, extra="send_to_gateway_buffer_size = 64k")
    cluster.message(b"flood", connection_id=7)
    time.sleep(0.5)  # 16 MiB are on their way to nobody; the sender waits
    for i in range(64):
        packet = cluster.link.packet()
        assert (packet.cmd, packet.connection_id, packet.body[:3].rstrip(b"\0")) == (5, 7, b"%d" % i)
        assert len(packet.body) == 256 * 1024
    packet = cluster.link.packet()
    assert (packet.cmd, packet.body) == (DONE, b"\0\0\0\1")  # only now has the callback returned
    assert cluster.barrier() == []
    cluster.close()


def test_clients_are_handed_over_at_a_reload(site):
    cluster = Cluster(site, is_ours=True)
    old, old_key = cluster.link, json.loads(cluster.connect.body)["worker_key"]
    cluster.message(b"slow", connection_id=7)
    cluster.message(b"send:current", connection_id=7)  # waits behind the slow one
    cluster.message(b"send:current", connection_id=8)
    assert [p.connection_id for p in cluster.packets(1)] == [8]
    reload = threading.Thread(target=cluster.site.command, args=("reload",))
    reload.start()
    extra = wire.Peer(cluster.registry.accept()[0])  # the new process asks as well
    cluster.register, was = extra, cluster.register
    cluster.line()
    cluster.tell([cluster.address])
    cluster.accept()
    assert json.loads(cluster.connect.body)["worker_key"] != old_key == "BW:0"
    new, cluster.link = cluster.link, old

    said = []
    while not said or said[-1].cmd != DRAIN:
        said += cluster.packets(1)
    old.send(wire.pack(DRAIN_MARK))
    while said[-1].cmd != DRAINED:
        said += cluster.packets(1)
    busy = said[-1].body
    assert busy in (struct.pack(">I", 7), b"")
    while not said[-1].body == b"stopped":
        said += cluster.packets(1)
    order = [(p.cmd, p.connection_id, p.body) for p in said if p.cmd not in (DRAIN, DRAINED)]
    released = [(RELEASE, 7, b"")] if busy else []
    assert order == [(5, 7, b"slow done"), (5, 7, b"cur"), *released, (6, 0, b"stopped")]
    assert old.is_closed()
    cluster.link = new
    assert cluster.barrier() == []
    reload.join()
    was.close()
    cluster.close()
