"""Reload without loss, seen from the wire: a hand-made worker drains and hands its clients over."""

import struct

import gateway_bench as bench
import wire

SET_SESSION = 204
HELLO, DRAIN, DRAIN_MARK, DRAINED, RELEASE, DONE, REPLY = range(220, 227)
MESSAGE, CLOSE = bench.CMD_ON_MESSAGE, bench.CMD_ON_CLOSE


def attach(gateways, key):
    worker = bench.Worker.attach(gateways.inner["gw1"], key, gatehouse=1)
    hello = worker.packet()
    assert (hello.cmd, hello.body) == (HELLO, b'{"gatehouse":1}')
    return worker


def settle(worker):
    """The answer comes behind every event that the gateway has written before; those are returned."""
    worker.send(wire.pack(bench.CMD_IS_ONLINE, connection_id=1))
    events = []
    while (p := worker.packet()).cmd != REPLY:
        events.append((p.cmd, p.connection_id, p.body))
    return events


def messages(worker, n):
    """The next n events; the order between clients is nobody's promise, so they are sorted by client."""
    events = [(p.cmd, p.connection_id, p.body) for p in (worker.packet() for _ in range(n))]
    return sorted(events, key=lambda e: e[1])


def prepare(site, clients_n=3, **how):
    """A gateway with one worker of ours that has all the clients, and a second one without any."""
    gateways = bench.Gateways(site, **how)
    php = gateways.workers.pop("gw1")
    gateways.lose(php)
    old = attach(gateways, "old")
    clients = []
    for _ in range(clients_n):
        clients.append(bench.Client(gateways.port["gw1"]))
        assert len(messages(old, 2)) == 2
    new = attach(gateways, "new")
    settle(new)
    return gateways, old, new, clients


def send_all(clients, text):
    for client in clients:
        client.send(text)


def events_reach(gateways, clients, *workers):
    """Returns when the gateway has read what the clients sent: each one's pong has come back."""
    for client in clients:
        client.send(b"mark", opcode=9)
        assert client.frame() == b"\x8a\x04mark"
    return [settle(w) for w in workers]


def test_clients_follow_in_order(site):
    gateways, old, new, clients = prepare(site)
    send_all(clients, b"before")
    assert messages(old, 3) == [(MESSAGE, i, b"before") for i in (1, 2, 3)]

    old.send(wire.pack(DRAIN))
    assert old.packet().cmd == DRAIN_MARK
    send_all(clients, b"during")
    assert events_reach(gateways, clients, old, new) == [[], []]

    # Client 2 is still in the old worker's hands.
    old.send(wire.pack(DRAINED, body=struct.pack(">I", 2)))
    assert messages(new, 2) == [(MESSAGE, 1, b"during"), (MESSAGE, 3, b"during")]
    send_all(clients, b"after")
    assert messages(new, 2) == [(MESSAGE, 1, b"after"), (MESSAGE, 3, b"after")]
    assert events_reach(gateways, clients, old, new) == [[], []]

    old.send(wire.pack(RELEASE, connection_id=2))
    assert messages(new, 2) == [(MESSAGE, 2, b"during"), (MESSAGE, 2, b"after")]
    old.close()
    send_all(clients, b"last")
    assert messages(new, 3) == [(MESSAGE, i, b"last") for i in (1, 2, 3)]
    gateways.stop()


def test_waiting_events_bring_the_session_of_now(site):
    """The new worker has no version to compare with, so the session from before the last callback would be taken as
    true, and what that callback wrote would be lost."""
    gateways, old, new, clients = prepare(site, clients_n=1)
    old.send(wire.pack(DRAIN))
    assert old.packet().cmd == DRAIN_MARK
    send_all(clients, b"waits")
    assert events_reach(gateways, clients, old, new) == [[], []]
    old.send(wire.pack(DRAINED, body=struct.pack(">I", 1)))
    session = b'a:1:{s:1:"n";i:1;}'
    old.send(wire.pack(SET_SESSION, connection_id=1, ext=session))
    old.send(wire.pack(RELEASE, connection_id=1))
    event = new.packet()
    assert (event.cmd, event.ext, event.body) == (MESSAGE, session, b"waits")
    gateways.stop()


def test_client_leaves_during_drain(site):
    """ON_CLOSE waits like any other event, also when nothing else of the client is left."""
    gateways, old, new, clients = prepare(site)
    old.send(wire.pack(DRAIN))
    assert old.packet().cmd == DRAIN_MARK
    clients[0].send(b"and bye")
    clients[0].close()
    clients[1].send(b"and bye")
    clients[1].close()
    asker = gateways.asker()
    for connection_id in (1, 2):
        bench.harness.wait_until(lambda: asker.barrier(connection_id) == b"i:0;", what="the client's end")
    old.send(wire.pack(DRAINED, body=struct.pack(">I", 2)))
    assert messages(new, 2) == [(MESSAGE, 1, b"and bye"), (CLOSE, 1, b"")]
    assert settle(new) == []
    old.send(wire.pack(RELEASE, connection_id=2))
    assert messages(new, 2) == [(MESSAGE, 2, b"and bye"), (CLOSE, 2, b"")]
    gateways.stop()


def test_death_while_draining_releases_all(site):
    gateways, old, new, clients = prepare(site)
    old.send(wire.pack(DRAIN))
    assert old.packet().cmd == DRAIN_MARK
    old.send(wire.pack(DRAINED, body=struct.pack(">II", 1, 2)))
    send_all(clients, b"waits")
    assert messages(new, 1) == [(MESSAGE, 3, b"waits")]
    assert events_reach(gateways, clients, old, new) == [[], []]
    old.close()
    assert messages(new, 2) == [(MESSAGE, 1, b"waits"), (MESSAGE, 2, b"waits")]
    gateways.stop()


def test_drain_without_a_successor(site):
    """Events wait for the next worker, in order."""
    gateways, old, new, clients = prepare(site)
    gateways.lose(new, "new")
    old.send(wire.pack(DRAIN))
    assert old.packet().cmd == DRAIN_MARK
    send_all(clients, b"one")
    old.send(wire.pack(DRAINED))
    send_all(clients, b"two")
    assert events_reach(gateways, clients, old) == [[]]
    late = attach(gateways, "late")
    got = messages(late, 6)
    for i in (1, 2, 3):
        assert [body for _, who, body in got if who == i] == [b"one", b"two"]
    gateways.stop()


def test_lost_events_are_counted(site):
    gateways, old, new, clients = prepare(site)
    send_all(clients, b"x")
    messages(old, 3)
    old.send(wire.pack(DONE, body=struct.pack(">I", 6 + 2)))  # of three connects, handshakes and messages
    settle(old)
    gateways.lose(old, "old")
    assert "old is gone with 1 events in its hands" in gateways.site.log()
    send_all(clients, b"y")
    assert messages(new, 3) == [(MESSAGE, i, b"y") for i in (1, 2, 3)]
    gateways.stop()


def test_slow_worker_slows_its_clients_and_nothing_is_lost(site):
    """Far more than all buffers hold: the gateway stops reading, and everything comes in the end."""
    extra = "ping_interval = 0\nsend_to_worker_buffer_size = 65536"
    gateways, old, new, clients = prepare(site, 1, extra=extra)
    text, total = b"q" * 60000, 400
    client = clients[0]
    client.sock.settimeout(0.5)
    frame = bench.ws.frame(text)
    sent = 0
    try:
        while sent < total * len(frame):
            sent += client.sock.send((frame * 2)[sent % len(frame):][:len(frame)])
    except TimeoutError:
        pass
    assert 0 < sent < total * len(frame), "the client was never slowed down"
    # Now the worker dies: only what was on its way to it is lost, the rest comes to the other one.
    whole = sent // len(frame)
    got = 0
    while got < 10:
        assert old.packet().body == text
        got += 1
    old.close()
    client.sock.settimeout(10 * bench.harness.SLOW)
    client.sock.sendall((frame * 2)[sent % len(frame):][:-sent % len(frame) or len(frame)])
    client.send(b"end")
    n = 0
    while (p := new.packet()).body != b"end":
        assert p.body == text
        n += 1
    assert 0 < n <= whole + 1 - got
    gateways.stop()


def test_binary_is_told_between_ours_only(site):
    gateways, old, new, clients = prepare(site, 1)
    clients[0].send(b"\x00\x01", opcode=2)
    clients[0].send(b"text")
    assert [p.flag for p in (old.packet(), old.packet())] == [1 | 4, 1]
    old.send(wire.pack(5, connection_id=1, flag=1 | 4, body=b"\x00\x01"))
    assert clients[0].frame() == b"\x82\x02\x00\x01"
    asker = gateways.asker()
    asker.send(wire.pack(5, connection_id=1, flag=1 | 4, body=b"php"))
    assert clients[0].frame() == b"\x81\x03php"
    gateways.stop()
