"""Our library and our command against GatewayWorker's own Register and two of its Gateways."""

import asyncio
import json

import pytest

import api_scene
import libgatehouse as lg
import php
from cluster import Members

pytestmark = php.needs_php


@pytest.fixture(params=["", "s3cret/é"], ids=["open", "secret"])
def original(request, tmp_path):
    servers = php.Servers(tmp_path / "php", secret=request.param)
    members = Members(tmp_path, servers.registry, servers.public, servers.inner, servers.secret)
    members.attach_workers()
    yield members
    for worker in members.workers:
        worker.close()
    servers.close()


@pytest.mark.skipif(bool(lg.why_not_loadable()), reason=lg.why_not_loadable() or "-")
def test_every_call_of_the_library(original):
    asyncio.run(api_scene.play(original, counts=False))


def test_push_and_query(original):
    async def scene():
        a1 = await original.join("a", uid="42", groups=["red"], session=b'a:1:{s:1:"k";i:1;}')
        b1 = await original.join("b", groups=["red", "5"])

        async def push(*args, stdin=None):
            done = await original.run("push", *args, stdin=stdin)
            assert (done.returncode, done.stderr) == (0, b""), done
            assert b"not all gateways count" in done.stdout

        await push("--uid", "42", "--client", b1.id, "to both")
        await push("--group", "red", "--exclude", a1.id, "to one")
        await push("--all", stdin=b"\n".join(b"%d" % i for i in range(1000)))
        assert await a1.text() == b"to both"
        assert [await b1.text() for _ in range(2)] == [b"to both", b"to one"]
        for client in (a1, b1):
            assert [await client.text() for _ in range(1000)] == [b"%d" % i for i in range(1000)]

        async def query(*args):
            done = await original.run("query", "--json", *args)
            assert (done.returncode, done.stderr) == (0, b""), done
            return json.loads(done.stdout)[args[0]]

        assert {row["group"]: row["clients"] for row in await query("groups")} == {"red": 2, "5": 1}
        assert await query("uids") == [{"uid": "42", "clients": 1}]
        assert {row["client"]: row["session"] for row in await query("sessions")} == {a1.id: {"k": 1}, b1.id: {}}
        (row,) = await query("client", b1.id)
        assert (row["online"], row["uid"], row["groups"]) == (True, "", ["red", "5"])

    asyncio.run(scene())
