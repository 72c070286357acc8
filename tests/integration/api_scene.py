"""Every call of <gw/gateway.h> from an outside program, against two gateways, whoever made these."""

import asyncio
import json

from cluster import nothing
from harness import SLOW
from libgatehouse import EBADID, EBADNAME, ENOGATEWAY, OK, Library

NAMELESS = (OK, [], [])


def asks(lib, a1, a2, b1):
    """a1: uid 42 in red and 5, with a session; a2: nothing; b1: uid 42 in red."""
    assert [lib.is_online(x) for x in (a1, a2, b1)] == [1, 1, 1]
    assert lib.is_online(a1[:12] + "00ffffff") == 0
    assert lib.is_online("0a0000010000" + "00000001") == 0, "a gateway that no registry names is not asked"
    assert lib.is_uid_online("42") == 1 and lib.is_uid_online("43") == 0
    assert lib.are_uids_online(["43", "42", "42"]) == (OK, [False, True, True])

    assert lib.get_uid_by_client(a1) == (OK, "42") and lib.get_uid_by_client(a2) == (OK, None)
    assert lib.get_groups_by_client(a1) == (OK, ["5", "red"], [])
    assert lib.get_groups_by_client(a2) == NAMELESS
    rc, session = lib.get_session(a1)
    assert rc == OK and json.loads(session) == {"name": "Ann", "room": 7}
    assert lib.get_session(a2) == (OK, "{}")
    assert lib.get_session(a1[:12] + "00ffffff") == (OK, None)

    assert lib.get_all_client_count() == 3
    assert lib.get_client_count_by_group("red") == 2 and lib.get_client_count_by_group("none") == 0
    assert lib.get_uid_count_by_group("red") == 1 and lib.get_all_uid_count() == 1
    assert lib.get_client_counts_by_groups(["red", "none", "5"]) == (OK, {"red": 2, "none": 0, "5": 1}, [])
    lists(lib, a1, a2, b1)


def lists(lib, a1, a2, b1):
    both, everybody = sorted([a1, b1]), sorted([a1, a2, b1])
    assert lib.get_all_client_ids() == (OK, everybody, [])
    assert lib.get_client_ids_by_group("red") == (OK, both, [])
    assert lib.get_client_ids_by_uid("42") == (OK, both, [])
    assert lib.get_client_ids_by_uids(["42", "x"]) == (OK, {"42": both, "x": []}, [])
    rc, sessions, failures = lib.get_all_client_sessions()
    assert (rc, failures, sorted(sessions)) == (OK, [], everybody) and json.loads(sessions[a1])["room"] == 7
    assert sorted(lib.get_client_sessions_by_group("red")[1]) == both
    assert lib.get_all_groups() == (OK, ["5", "red"], [])
    assert lib.get_all_uids() == (OK, ["42"], [])
    assert lib.get_uids_by_group("red") == (OK, ["42"], []) and lib.get_uids_by_group("none") == NAMELESS
    assert lib.get_all_group_client_ids() == (OK, {"5": [a1], "red": both}, [])
    assert lib.get_all_group_client_counts() == (OK, {"5": 1, "red": 2}, [])
    assert lib.get_all_group_uids() == (OK, {"5": ["42"], "red": ["42"]}, [])
    assert lib.get_all_group_uid_counts() == (OK, {"5": 1, "red": 1}, [])


def changes(lib, a1, a2):
    assert lib.bind_uid(a2, "é") == OK and lib.get_uid_by_client(a2) == (OK, "é")
    assert lib.unbind_uid(a2) == OK and lib.get_uid_by_client(a2) == (OK, None)
    assert lib.join_group(a2, "new") == OK and lib.join_group(a2, "other") == OK
    assert lib.get_groups_by_client(a2) == (OK, ["new", "other"], [])
    assert lib.leave_group(a2, "other") == OK and lib.ungroup("new") == OK
    assert lib.get_groups_by_client(a2) == NAMELESS
    assert lib.set_session(a2, '{"k":{"x":1,"y":2}}') == OK and lib.update_session(a2, '{"k":{"y":3},"z":"é"}') == OK
    assert json.loads(lib.get_session(a2)[1]) == {"k": {"x": 1, "y": 3}, "z": "é"}
    for rc, expected in ((lib.bind_uid(a1, ""), EBADNAME), (lib.join_group(a1, "x" * 256), EBADNAME),
                         (lib.bind_uid("nonsense", "u"), EBADID), (lib.set_session(a1, "[]"), -1002),
                         (lib.send_to_client("0a000001000000000001", "x"), ENOGATEWAY)):
        assert rc == expected, lib.strerror(rc)


async def sends(lib, cluster, members, counts):
    """counts: whether these gateways tell how many clients a message was for."""
    a1, a2, b1 = members
    at = {name: f"127.0.0.1:{port}" for name, port in cluster.inner.items()}

    async def arrives(rc, text, *expected):
        assert rc == OK, lib.strerror(rc)
        for client in expected:
            assert await client.text() == text.encode()
        await nothing(*members, seconds=0.05)

    async def counted(result, text, expected, receivers):
        """receivers: {gateway: number}"""
        rc, told = result
        delivered = {at[n]: (OK, k if counts else -1) for n, k in receivers.items()}
        assert told == (sum(receivers.values()) if counts else 0, delivered)
        await arrives(rc, text, *expected)

    await arrives(lib.send_to_client(a1.id, "one"), "one", a1)
    await arrives(lib.send_to_all("all"), "all", a1, a2, b1)
    await arrives(lib.send_to_all("only", only=[a2.id, b1.id], exclude=[b1.id.upper()]), "only", a2)
    await arrives(lib.send_to_all("but", exclude=[a1.id]), "but", a2, b1)
    await arrives(lib.send_to_uid("42", "uid"), "uid", a1, b1)
    await arrives(lib.send_to_uids(["42", "x"], "uids"), "uids", a1, b1)
    await arrives(lib.send_to_uids([], "nobody"), "nobody")
    await arrives(lib.send_to_group("5", "group"), "group", a1)
    # Whoever is in both gets it twice, as from the original.
    await arrives(lib.send_to_groups(["red", "5"], "groups", exclude=[b1.id]), "groups", a1, a1)
    await arrives(lib.send_to_client_with(a1.id, "binary", is_binary=True), "binary", a1)

    await counted(lib.send_to_all("c1", receipt=True), "c1", (a1, a2, b1), {"a": 2, "b": 1})
    await counted(lib.send_to_client_with(b1.id, "c2", receipt=True), "c2", (b1,), {"b": 1})
    await counted(lib.send_to_uids(["42"], "c3", receipt=True), "c3", (a1, b1), {"a": 1, "b": 1})
    await counted(lib.send_to_groups(["5"], "c4", exclude=[b1.id], receipt=True), "c4", (a1,), {"a": 1, "b": 0})
    await counted(lib.send_to_all("c5", only=[a2.id], receipt=True), "c5", (a2,), {"a": 1})
    assert lib.send_to_uids([""], "no", receipt=True) == (EBADNAME, None)


async def closes(lib, cluster, members):
    a1, a2, b1 = members
    assert lib.close_client(a2.id, "bye") == OK
    assert await a2.text() == b"bye"
    await asyncio.wait_for(a2.is_closed.wait(), 10 * SLOW)
    assert lib.close_uid("42", "bye all") == 2
    for client in (a1, b1):
        assert await client.text() == b"bye all"
        await asyncio.wait_for(client.is_closed.wait(), 10 * SLOW)
    assert lib.close_uid("42", None) == 0
    last = await cluster.join("b")
    assert lib.destroy_client(last.id) == OK
    await asyncio.wait_for(last.is_closed.wait(), 10 * SLOW)
    assert lib.get_all_client_count() == 0


async def play(cluster, counts):
    """cluster: see cluster.py."""
    session = b'a:2:{s:4:"name";s:3:"Ann";s:4:"room";i:7;}'
    a1 = await cluster.join("a", uid="42", groups=["red", "5"], session=session)
    a2 = await cluster.join("a")
    b1 = await cluster.join("b", uid="42", groups=["red"])
    lib = Library(f"127.0.0.1:{cluster.registry}", cluster.secret)
    asks(lib, a1.id, a2.id, b1.id)
    changes(lib, a1.id, a2.id)
    await sends(lib, cluster, (a1, a2, b1), counts)
    await closes(lib, cluster, (a1, a2, b1))
    lib.close()
