"""The HTTP API against two gateways with real clients: every call, keys, arguments, batches, the document."""

import asyncio
import base64
import json
import time

import pytest

import wire
from api_site import ADMIN, DOCUMENT, NEWS, READER, SLOWLY, Api, api, fault, shared  # noqa: F401 (fixtures are used by name)
from cluster import nothing
from harness import ROOT, SLOW, free_ports, wait_until
from openapi import Document


def in_order(value):
    """Every list in it sorted."""
    if isinstance(value, tuple):
        return tuple(in_order(v) for v in value)
    if isinstance(value, dict):
        return {k: in_order(v) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((in_order(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def applied(n, *missing):
    return 200, {"applied": n, "missing": list(missing)}


def test_sending(api):
    async def scene():
        a1 = await api.join("a", uid="42", groups=["red", "blue"])
        a2 = await api.join("a", groups=["blue"])
        b1 = await api.join("b", uid="42")
        b2 = await api.join("b", uid="é", groups=["red"])
        everybody = (a1, a2, b1, b2)

        async def send(expected, text, **body):
            status, value = await api.post("send", **body)
            assert (status, value["receivers"]) == (200, len(expected))
            for client in expected:
                assert await client.text(10 * SLOW) == text
            await nothing(*everybody, seconds=0.05)

        await send([a1, b1], b"by uid", uid="42", message="by uid")
        await send([a1, b1], b"a number", uid=42, message="a number")
        await send([a1, b1, b2], b"uids", uid=["42", "é", "nobody"], message="uids")
        await send([], b"", uid="nobody", message="x")
        await send([a1, b2], b"group", group="red", message="group")
        await send([a2], b"but one", group=["blue"], exclude=a1.id, message="but one")
        await send([a2], b"client", client=a2.id, message="client")
        await send([a2, b1], b"clients", client=[a2.id.upper(), b1.id], message="clients")
        await send(everybody, b"all", all=True, message="all")
        await send([a2, b1], b"", all=True, exclude=[a1.id, b2.id], message="")
        await send([a1, b1], b'{"n":[1,"\xc3\xbc"]}', uid="42", json={"n": [1, "ü"]})
        await send([a1], b"\x00\xff", client=a1.id, base64=base64.b64encode(b"\x00\xff").decode(), binary=True)
        await send([a1], b"hi", client=a1.id, base64=base64.b64encode(b"\x81\x02hi").decode(), raw=True)
        await send([], b"", client=api.cluster.id("b", 99), message="nobody there")
        await send([], b"", client="0a00000108fc00000001", message="no such gateway")
        at = {f"127.0.0.1:{api.cluster.inner[n]}" for n in "ab"}
        status, value = await api.post("send", all=True, message="x")
        assert {g["gateway"] for g in value["gateways"]} == at and value["receivers"] == 4

    asyncio.run(scene())


def test_uids_groups_and_sessions(api):
    async def scene():
        a1 = await api.join("a")
        b1 = await api.join("b")
        gone = api.cluster.id("a", 77)
        both = sorted([a1.id, b1.id])

        async def tells(value, call, **query):
            """Gateways are asked in the order in which they registered."""
            assert in_order(await api.get(call, **query)) == in_order((200, value))

        assert await api.post("bind", client=a1.id, uid="7") == applied(1)
        assert await api.post("bind", client=[b1.id, gone], uid="7") == applied(1, gone)
        assert fault(await api.post("bind", client=gone, uid="7")) == (404, "not_found", "client")
        await tells({"uids": [{"uid": "7", "clients": both}], "total": 1}, "uids", uid="7")
        assert await api.post("unbind", client=b1.id) == applied(1)
        assert await api.get("uids") == (200, {"uids": [{"uid": "7"}], "total": 1})
        await tells({"online": [{"uid": "7", "online": True}, {"uid": "8", "online": False}]}, "online", uid=["7", "8"])
        await tells({"online": [{"client": a1.id, "online": True}, {"client": gone, "online": False}]},
                    "online", client=[a1.id, gone])

        assert await api.post("join", client=[a1.id, b1.id], group=["g", "ü"]) == applied(2)
        assert await api.post("leave", client=b1.id, group="ü") == applied(1)
        await tells({"groups": [{"group": "g", "clients": 2}, {"group": "ü", "clients": 1}], "total": 2}, "groups")
        await tells({"groups": [{"group": "g", "members": both}, {"group": "ü", "members": [a1.id]}], "total": 2},
                    "groups", members="clients")
        await tells({"groups": [{"group": "g", "members": ["7"]}, {"group": "ü", "members": ["7"]}], "total": 2},
                    "groups", members="uids")
        status, value = await api.get("groups", limit=1)
        assert len(value["groups"]) == 1 and value["total"] == 2
        assert await api.get("online", group="ü") == (200, {"clients": [a1.id], "total": 1})
        assert await api.get("count") == (200, {"clients": 2, "uids": 1})
        assert await api.get("count", group=["g", "ü", "none"]) == (200, {"groups": [
            {"group": "g", "clients": 2, "uids": 1}, {"group": "ü", "clients": 1, "uids": 1},
            {"group": "none", "clients": 0, "uids": 0}]})

        assert await api.post("session", client=a1.id, set={"name": "Ann", "at": {"x": 1}}) == applied(1)
        assert await api.post("session", client=a1.id, update={"at": {"y": 2}, "room": 7}) == applied(1)
        session = {"name": "Ann", "at": {"x": 1, "y": 2}, "room": 7}
        await tells({"sessions": [{"client": a1.id, "session": session}], "total": 1}, "sessions", group="ü")
        status, value = await api.get("sessions", limit=1)
        assert len(value["sessions"]) == 1 and value["total"] == 2
        assert await api.get("client", client=[a1.id, gone]) == (200, {"clients": [
            {"client": a1.id, "online": True, "uid": "7", "groups": ["g", "ü"], "session": session},
            {"client": gone, "online": False}]})

        assert await api.post("ungroup", group=["g", "none"]) == applied(2)
        assert await api.get("groups") == (200, {"groups": [{"group": "ü", "clients": 1}], "total": 1})

    asyncio.run(scene())


def test_kicking(api):
    async def scene():
        a1, a2 = await api.join("a", uid="u"), await api.join("a")
        b1, b2 = await api.join("b", uid="u"), await api.join("b")
        assert await api.post("kick", client=a2.id, message="bye") == applied(1)
        assert await a2.text(10 * SLOW) == b"bye"
        assert await api.post("kick", client=b2.id, at_once=True) == applied(1)
        assert await api.post("kick", uid=["u", "v"], message="all of u") == applied(2, "v")
        assert await a1.text(10 * SLOW) == await b1.text(10 * SLOW) == b"all of u"
        for client in (a1, a2, b1, b2):
            await asyncio.wait_for(client.is_closed.wait(), 10 * SLOW)
        assert fault(await api.post("kick", client=a1.id)) == (404, "not_found", "client")
        assert fault(await api.post("kick", uid="u")) == (404, "not_found", "uid")
        assert await api.get("count") == (200, {"clients": 0, "uids": 0})

    asyncio.run(scene())


def test_keys_and_their_scopes(api):
    status, headers, body = api.raw("GET", "/api/online")
    assert status == 401 and headers["WWW-Authenticate"] == 'Bearer realm="gatehouse"'
    for value in ("Bearer " + ADMIN + "x", "Bearer " + ADMIN[:-1], "Basic " + ADMIN, "Bearer", "Bearer " + "x" * 5000):
        status, headers, body = api.raw("GET", "/api/online", headers={"Authorization": value})
        assert status == 401 and 'error="invalid_token"' in headers["WWW-Authenticate"], value
    assert api.raw("GET", "/api/online", headers={"Authorization": "bearer   " + ADMIN})[0] == 200

    assert api.ask("GET", "/api/count", token=READER)[0] == 200
    assert fault(api.ask("POST", "/api/send", {"all": True, "message": "x"}, READER)) == (403, "forbidden", None)
    send = {"message": "x"}
    for groups, allowed in (("news-de", True), ("news-", True), ("sport", True), (["sport", "news-x"], True),
                            ("sports", False), ("new-s", False), (["sport", "other"], False)):
        answer = api.ask("POST", "/api/send", {**send, "group": groups}, NEWS)
        assert answer[0] == 200 if allowed else fault(answer) == (403, "forbidden", "group"), groups
    for target in ({"all": True}, {"uid": "42"}, {"client": "7f0000010b5400000001"}):
        assert fault(api.ask("POST", "/api/send", {**send, **target}, NEWS)) == (403, "forbidden", "group")
    assert fault(api.ask("GET", "/api/online", token=NEWS)) == (403, "forbidden", "group")
    assert fault(api.ask("POST", "/api/kick", {"client": "7f0000010b5400000001"}, NEWS)) == (404, "not_found", "client")
    assert fault(api.ask("GET", "/api/count", token=NEWS)) == (403, "forbidden", None)

    async def scene():
        await api.join("a", groups=["sport", "secret"])
        assert await api.get("groups", NEWS) == (200, {"groups": [{"group": "sport", "clients": 1}], "total": 1})

    asyncio.run(scene())
    text = api.cluster.server.output() + api.cluster.server.log()
    for token in (ADMIN, READER, NEWS, SLOWLY):
        assert token not in text


CLIENT = "7f0000010b5400000001"


@pytest.mark.parametrize("call, body, expected", [
    ("send", {"message": "x"}, (400, "missing_field", "client")),
    ("send", {"all": True}, (400, "missing_field", "message")),
    ("send", {"all": False, "message": "x"}, (400, "bad_field", "all")),
    ("send", {"uid": "1", "group": "g", "message": "x"}, (400, "bad_field", "group")),
    ("send", {"uid": "1", "message": "x", "json": 1}, (400, "bad_field", "json")),
    ("send", {"uid": "1", "message": 5}, (400, "bad_field", "message")),
    ("send", {"uid": "1", "base64": "?"}, (400, "bad_field", "base64")),
    ("send", {"uid": "1", "message": "x", "colour": "red"}, (400, "unknown_field", "colour")),
    ("send", {"uid": "1", "message": "x", "exclude": CLIENT}, (400, "bad_field", "exclude")),
    ("send", {"uid": "1", "message": "x", "raw": True, "binary": True}, (400, "bad_field", "binary")),
    ("send", {"uid": "", "message": "x"}, (400, "bad_field", "uid")),
    ("send", {"uid": "x" * 256, "message": "x"}, (400, "bad_field", "uid")),
    ("send", {"uid": [], "message": "x"}, (400, "bad_field", "uid")),
    ("send", {"uid": ["a", ["b"]], "message": "x"}, (400, "bad_field", "uid")),
    ("send", {"uid": 1.5, "message": "x"}, (400, "bad_field", "uid")),
    ("send", {"uid": [str(i) for i in range(1001)], "message": "x"}, (400, "too_many", "uid")),
    ("send", {"client": "7f", "message": "x"}, (400, "bad_field", "client")),
    ("bind", {"client": CLIENT}, (400, "missing_field", "uid")),
    ("bind", {"client": CLIENT, "uid": ["a", "b"]}, (400, "bad_field", "uid")),
    ("join", {"client": [CLIENT] * 40, "group": ["g"] * 40}, (400, "too_many", "group")),
    ("kick", {"uid": "u", "at_once": True}, (400, "bad_field", "at_once")),
    ("session", {"client": CLIENT, "set": []}, (400, "bad_field", "set")),
    ("session", {"client": CLIENT, "set": {}, "update": {}}, (400, "bad_field", "update")),
    ("session", {"client": CLIENT}, (400, "missing_field", "set")),
])
def test_wrong_arguments_name_their_field(shared, call, body, expected):
    assert fault(shared.ask("POST", f"/api/{call}", body)) == expected


@pytest.mark.parametrize("call, query, expected", [
    ("client", {}, (400, "missing_field", "client")),
    ("online", {"client": CLIENT, "uid": "1"}, (400, "bad_field", "uid")),
    ("online", {"limit": "0"}, (400, "bad_field", "limit")),
    ("online", {"limit": "x"}, (400, "bad_field", "limit")),
    ("online", {"limit": "10001"}, (400, "bad_field", "limit")),
    ("groups", {"members": "all"}, (400, "bad_field", "members")),
    ("groups", {"group": "g"}, (400, "unknown_field", "group")),
])
def test_wrong_parameters_name_their_field(shared, call, query, expected):
    assert fault(shared.ask("GET", f"/api/{call}", query=query)) == expected


def as_admin(**more):
    return {"Authorization": f"Bearer {ADMIN}", **more}


def error_of(data):
    return json.loads(data)["error"]["code"]


def test_methods_types_and_paths(shared):
    status, headers, data = shared.raw("GET", "/api/send", headers=as_admin())
    assert (status, headers["Allow"], error_of(data)) == (405, "POST", "bad_method")
    status, headers, data = shared.raw("POST", "/api/online", "{}", as_admin())
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    for path in ("/api/", "/api/no", "/api/send/", "/api/Send", "/api/send%20"):
        status, headers, data = shared.raw("POST", path, "{}", as_admin())
        assert (status, error_of(data)) == (404, "no_such_call"), path
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp"):
        status, headers, data = shared.raw("POST", "/api/send", "{}", as_admin(**{"Content-Type": kind}))
        assert (status, error_of(data)) == (415, "bad_type"), kind
    body = json.dumps({"uid": "1", "message": "x"})
    for kind in ("application/json", "Application/JSON; charset=utf-8"):
        assert shared.raw("POST", "/api/send", body, as_admin(**{"Content-Type": kind}))[0] == 200
    status, headers, data = shared.raw("HEAD", "/api/online", headers=as_admin())
    assert (status, data) == (200, b"") and int(headers["Content-Length"]) > 0
    for bad in ("", "{", "[]", '{"uid":"1"', "null", "[" * 100 + "]" * 100, '{"uid":"\xff","message":"x"}'):
        status, headers, data = shared.raw("POST", "/api/send", bad.encode("latin-1"),
                                           as_admin(**{"Content-Type": "application/json"}))
        assert (status, error_of(data)) == (400, "bad_json"), bad
    for query in ("client=%zz", "client=%ff", "%00=1"):
        status, headers, data = shared.raw("GET", "/api/client?" + query, headers=as_admin())
        assert (status, error_of(data)) == (400, "bad_query"), query


def test_pages_of_other_origins(shared, api):
    listed = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    status, headers, data = shared.raw("OPTIONS", "/api/send", headers=listed)
    assert (status, data, headers["Access-Control-Allow-Origin"]) == (204, b"", "https://app.example")
    assert "authorization" in headers["Access-Control-Allow-Headers"] and headers["Vary"] == "Origin"
    status, headers, data = shared.raw("GET", "/api/count", headers=as_admin(Origin="https://app.example"))
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "https://app.example")
    status, headers, data = shared.raw("GET", "/api/count", headers=as_admin(Origin="https://evil.example"))
    assert headers["Access-Control-Allow-Origin"] is None and headers["Vary"] == "Origin"
    status, headers, data = api.raw("OPTIONS", "/api/send", headers=listed)
    assert (status, headers["Access-Control-Allow-Origin"]) == (405, None)


def test_batch(api):
    async def scene():
        a1 = await api.join("a")
        calls = [
            {"call": "bind", "client": a1.id, "uid": "9"},
            {"call": "join", "client": a1.id, "group": "g"},
            {"call": "send", "group": "g", "message": "hello"},
            {"call": "send", "group": "g"},
            {"call": "nonsense"},
            {"uid": "1"},
            7,
            {"call": "count", "group": ["g"]},
            {"call": "batch"},
        ]
        status, results = await asyncio.to_thread(api.ask, "POST", "/api/batch", calls)
        assert status == 207 and await a1.text(10 * SLOW) == b"hello"
        assert [r["status"] for r in results] == [200, 200, 200, 400, 404, 400, 400, 200, 404]
        assert results[3]["body"]["error"]["field"] == "message"
        assert results[5]["body"]["error"]["field"] == "call"
        assert results[7]["body"] == {"groups": [{"group": "g", "clients": 1, "uids": 1}]}
        status, results = await asyncio.to_thread(api.ask, "POST", "/api/batch", [calls[0]])
        assert (status, results) == (200, [{"status": 200, "body": {"applied": 1, "missing": []}}])
        status, results = await asyncio.to_thread(api.ask, "POST", "/api/batch", calls[:3], NEWS)
        assert [r["status"] for r in results] == [403, 403, 403]
        for bad in ([], {"call": "count"}, [{"call": "count"}] * 101):
            assert (await asyncio.to_thread(api.ask, "POST", "/api/batch", bad))[0] == 400

    asyncio.run(scene())


def test_a_reload_takes_new_tokens(api, tmp_path):
    """From token_file; a file that is not as it must be leaves the old token in use."""
    new, file = "another-" + NEWS, tmp_path / "news.token"

    def status(token):
        return api.raw("GET", "/api/groups", headers={"Authorization": f"Bearer {token}"})[0]

    def reload():
        return api.cluster.server.command("reload")

    assert (status(NEWS), status(new)) == (200, 401)
    file.write_text(new + "\n")
    assert (status(NEWS), status(new)) == (200, 401)
    done = reload()
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: status(new) == 200, what="the new token")
    assert (status(NEWS), status(ADMIN)) == (401, 200)

    for wrong in ("short\n", ADMIN + "\n", ""):
        file.write_text(wrong)
        done = reload()
        assert done.returncode != 0 and "[api news] token" in done.stdout, done.stdout + done.stderr
        assert ADMIN not in done.stdout
    file.unlink()
    assert reload().returncode != 0
    assert (status(new), status("short"), status(ADMIN)) == (200, 401, 200)


def test_rate(api):
    def count():
        return api.raw("GET", "/api/count", headers={"Authorization": f"Bearer {SLOWLY}"})

    began = time.monotonic()
    answers = [count() for _ in range(40)]
    passed = sum(status == 200 for status, _, _ in answers)
    assert 2 <= passed <= 2 + 2 * (time.monotonic() - began) + 1
    late = [(headers, data) for status, headers, data in answers if status == 429]
    assert len(late) + passed == 40 and error_of(late[0][1]) == "too_fast"
    wait = int(late[-1][0]["Retry-After"])
    assert wait == 1
    time.sleep(wait)
    assert count()[0] == 200

    # A batch larger than what the rate allows at once passes, and what follows pays for it.
    time.sleep(1.1)
    body = json.dumps([{"call": "count"}] * 8)
    headers = {"Authorization": f"Bearer {SLOWLY}", "Content-Type": "application/json"}
    began = time.monotonic()
    assert api.raw("POST", "/api/batch", body, headers)[0] == 200
    status, got, data = count()
    assert status == 429 and 3.5 - (time.monotonic() - began) <= int(got["Retry-After"]) <= 4


@pytest.mark.parametrize("offer, framed", [(b',"gatehouse":1,"packets":1', True), (b',"gatehouse":1', False),
                                           (b',"packets":1', False), (b"", False)])
def test_answers_as_packets_are_for_links_that_ask_for_them(api, offer, framed):
    """docs/wire.md §3; without the offer the bytes are those of the original."""
    peer = wire.Peer.connect(api.cluster.inner["a"], 5 * SLOW)
    secret = json.dumps(api.cluster.secret).encode()
    count = wire.pack(24)  # CMD_GET_CLIENT_COUNT_BY_GROUP of no group: all clients
    peer.send(wire.pack(202, body=b'{"secret_key":' + secret + offer + b"}") + count + count)
    if b"gatehouse" in offer:
        assert peer.packet().cmd == 220
    for _ in range(2):
        answer = peer.packet() if framed else None
        assert (answer.cmd, answer.body) == (226, b"i:0;") if framed else peer.reply() == b"i:0;"
    peer.close()


def test_without_a_registry(site, tmp_path):
    port, nobody = free_ports(), free_ports()
    key = f"[api k]\ntoken = {ADMIN}\ncalls = *\n"
    site(f"[web]\nlisten = http://127.0.0.1:{port}\nroot = {ROOT}/apps/chat/web\n"
         f"register_address = 127.0.0.1:{nobody}\n{key}").start(port)
    api = Api.__new__(Api)
    api.port = port
    status, value = api.ask("POST", "/api/send", {"all": True, "message": "x"})
    assert (status, value["error"]["code"]) == (503, "no_gateway")
    status, headers, data = api.raw("GET", "/api/count", headers=as_admin())
    assert (status, headers["Retry-After"]) == (503, "1")


def test_without_a_key_there_is_no_api(site):
    port = free_ports()
    site(f"[web]\nlisten = http://127.0.0.1:{port}\nroot = {ROOT}/apps/chat/web\n").start(port)
    api = Api.__new__(Api)
    api.port = port
    assert api.raw("GET", "/api/openapi.json")[0] == 404
    assert api.raw("POST", "/api/send", "{}", as_admin())[0] == 405


@pytest.mark.parametrize("keys, says", [
    ("[api k]\ncalls = *\n", "[api k] token: is missing"),
    ("[api k]\ntoken = short\ncalls = *\n", "[api k] token: must have 16"),
    ("[api k]\ntoken = 0123456789abcdef\n", "[api k] calls: is missing"),
    ("[api k]\ntoken = 0123456789abcdef\ncalls = send, snd\n", '[api k] calls: "snd" is no call'),
    ("[api k]\ntoken = 0123456789abcdef\ncalls = *\ngroups = a,,b\n", "[api k] groups: a pattern is empty"),
    ("[api k]\ntoken_file = nowhere\ncalls = *\n", "[api k] token_file: "),
    ("[api k]\ntoken = 0123456789abcdef\ncalls = *\n[api l]\ntoken = 0123456789abcdef\ncalls = *\n", "is that of [api k] too"),
])
def test_wrong_keys_stop_the_start(site, keys, says):
    done = site(f"[web]\nlisten = http://127.0.0.1:{free_ports()}\nroot = {ROOT}/apps/chat/web\n{keys}").command("check")
    assert done.returncode != 0 and says in done.stdout + done.stderr, done.stdout + done.stderr
    assert "0123456789abcdef" not in done.stdout + done.stderr


def test_the_document_is_served_and_walked(shared):
    """Each path, method, parameter and field of the document is known to the server, and none of the server's is missing."""
    status, headers, data = shared.raw("GET", "/api/openapi.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    served = Document(data)
    assert served.root == DOCUMENT.root
    for path, method, operation in served.operations():
        if path == "/api/openapi.json":
            continue
        other = "GET" if method == "POST" else "POST"
        assert shared.raw(other, path, "{}" if other == "POST" else None, as_admin())[0] == 405
        assert shared.raw(method, path, "{}" if method == "POST" else None)[0] == 401
        if method == "POST":
            walk_body(served, shared, path, operation)
        else:
            walk_parameters(served, shared, path, operation)


def walk_body(served, api, path, operation):
    content = operation["requestBody"]["content"]["application/json"]
    served.check(content["schema"], content["example"])
    status, value = api.ask("POST", path, content["example"])
    assert status in (200, 207) or fault((status, value)) == (404, "not_found", "client") or \
        fault((status, value)) == (404, "not_found", "uid"), value
    schema = served.follow(content["schema"])
    for name in schema.get("properties", {}):
        status, value = api.ask("POST", path, {name: {"": 0}})
        assert status == 400 and value["error"]["code"] != "unknown_field", (path, name)
    if schema.get("additionalProperties") is False:
        assert fault(api.ask("POST", path, {"strange": 1})) == (400, "unknown_field", "strange")
        for name in schema.get("required", []):
            less = {k: v for k, v in content["example"].items() if k != name}
            assert fault(api.ask("POST", path, less)) == (400, "missing_field", name)


def walk_parameters(served, api, path, operation):
    values = {"client": CLIENT, "uid": "1", "group": "g", "members": "uids", "limit": "5"}
    parameters = [served.follow(p) for p in operation["parameters"]]
    needed = {p["name"]: values[p["name"]] for p in parameters if p["required"]}
    for p in parameters:
        status, value = api.ask("GET", path, query={**needed, p["name"]: values[p["name"]]})
        assert status == 200, (path, p["name"], value)
        if p["required"]:
            assert fault(api.ask("GET", path)) == (400, "missing_field", p["name"])
    assert fault(api.ask("GET", path, query={**needed, "strange": "1"})) == (400, "unknown_field", "strange")


def test_the_keys_of_the_config_name_the_calls_of_the_document():
    names = {path.removeprefix("/api/") for path, _, _ in DOCUMENT.operations()} - {"batch", "openapi.json"}
    listed = set(DOCUMENT.root["components"]["schemas"]["BatchItem"]["properties"]["call"]["enum"])
    assert names == listed
