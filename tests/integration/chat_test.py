"""The chat's messages, word by word, over two gateways and four workers."""

import asyncio
import json
import re

import pytest
from harness import ROOT, SLOW, Ports, chat_conf
from ws import Client

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@pytest.fixture
def chat(site):
    ports = Ports(2)
    site(chat_conf(gateways=2, workers=4, events=ROOT / "apps/chat/events.c", registry=ports.registry, port=ports.port,
                   inner=ports.inner)).start(ports.port, ports.registry, ports.inner)
    return ports.port


class Visitor:
    """One page: sends JSON, reads JSON, knows its own id."""

    def __init__(self, client):
        self.client = client
        self.id = None
        self.raw = b""

    @classmethod
    async def come(cls, port, name=None, room=1):
        self = cls(await Client.connect(port))
        if name is not None:
            self.send(type="login", client_name=name, room_id=room)
            self.list = (await self.next("login"))["client_list"]
        return self

    def send(self, **message):
        self.client.send(json.dumps(message))

    async def next(self, kind=None):
        """The next message; its time is checked and taken out."""
        self.raw = await asyncio.wait_for(self.client.inbox.get(), 10 * SLOW)
        message = json.loads(self.raw)
        if "time" in message:
            assert TIME.fullmatch(message.pop("time"))
        if kind:
            assert message["type"] == kind, message
        if message["type"] == "login" and "client_list" in message:
            self.id = message["client_id"]
        return message

    async def error(self, **message):
        """What a bad message is answered with."""
        self.send(**message)
        return (await self.next("error"))["code"]

    async def quiet(self):
        """Nothing else has come: what is asked now is answered next."""
        assert await self.error(type="nothing") == "bad_type"


def run(coroutine):
    asyncio.run(asyncio.wait_for(coroutine, 60 * SLOW))


async def visitors_on_both(port, names, room):
    """One visitor per name; the first two are on different gateways."""
    for n in range(50):
        # A room of its own each time: nobody hears those leave who came in vain.
        two = [await Visitor.come(port, name, f"{room} {n}") for name in names[:2]]
        if two[0].id[8:12] != two[1].id[8:12]:
            break
        for one in two:
            one.client.close()
    else:
        raise AssertionError("the kernel gave every connection to one gateway")
    others = [await Visitor.come(port, name, f"{room} {n}") for name in names[2:]]
    return two + others


async def drain(*visitors):
    """Forgets the notices of others' coming: each hears of all who came later."""
    for i, visitor in enumerate(visitors):
        later = {other.id for other in visitors[i + 1:]}
        while later:
            later.remove((await visitor.next("login"))["client_id"])


def test_login_say_logout(chat):
    async def scene():
        ann = await Visitor.come(chat, "Ann", 1)
        assert ann.list == {ann.id: "Ann"}
        assert re.fullmatch(r"7f000001[0-9a-f]{12}", ann.id)

        bob = await Visitor.come(chat, "Bob", 1)
        assert bob.list == {ann.id: "Ann", bob.id: "Bob"}
        assert await ann.next() == {"type": "login", "client_id": bob.id, "client_name": "Bob"}

        ann.send(type="say", to_client_id="all", to_client_name="x", content="hello")
        want = {"type": "say", "from_client_id": ann.id, "from_client_name": "Ann", "to_client_id": "all",
                "content": "hello"}
        assert await ann.next() == want
        assert await bob.next() == want

        bob.client.close()
        assert await ann.next() == {"type": "logout", "from_client_id": bob.id, "from_client_name": "Bob"}
        await ann.quiet()

    run(scene())


def test_bytes_of_a_message_are_those_of_the_original(chat):
    async def scene():
        ann = await Visitor.come(chat, "小安", 1)
        ann.send(type="say", to_client_id="all", to_client_name="", content="a/b 好")
        await ann.next("say")
        assert re.fullmatch(
            rb'{"type":"say","from_client_id":"' + ann.id.encode() +
            rb'","from_client_name":"\\u5c0f\\u5b89","to_client_id":"all","content":"a\\/b \\u597d","time":"[-: \d]{19}"}',
            ann.raw,
        ), ann.raw

    run(scene())


def test_a_killed_socket_is_a_logout_too(chat):
    async def scene():
        ann = await Visitor.come(chat, "Ann")
        bob = await Visitor.come(chat, "Bob")
        await ann.next("login")
        bob.client.drop()
        assert (await ann.next("logout"))["from_client_id"] == bob.id

    run(scene())


def test_private_messages_reach_their_addressee_only(chat):
    async def scene():
        ann, bob, eve = await visitors_on_both(chat, ["Ann", "Bob & Co", "Eve"], "private")
        await drain(ann, bob, eve)
        ann.send(type="say", to_client_id=bob.id, to_client_name="whoever", content="psst\n<1>")
        head = {"type": "say", "from_client_id": ann.id, "from_client_name": "Ann", "to_client_id": bob.id}
        assert await bob.next() == {**head, "content": "<b>对你说: </b>psst<br />\n&lt;1&gt;"}
        assert await ann.next() == {**head, "content": "<b>你对Bob &amp; Co说: </b>psst<br />\n&lt;1&gt;"}
        await eve.quiet()

        far = await Visitor.come(chat, "Far", "another room")
        for to in (far.id, "7f00000108fcffffffff", "nobody", ""):
            assert await ann.error(type="say", to_client_id=to, to_client_name="", content="x") == "not_here"
        await far.quiet()

    run(scene())


def test_html_is_escaped_once(chat):
    async def scene():
        ann = await Visitor.come(chat, "Ann")
        name = "<b>\"O'Neil\" & Co"
        escaped = "&lt;b&gt;&quot;O&#039;Neil&quot; &amp; Co"
        bob = await Visitor.come(chat, name)
        assert bob.list[bob.id] == escaped
        assert (await ann.next("login"))["client_name"] == escaped
        bob.send(type="say", to_client_id="all", to_client_name="", content="1\r\n2\n\n3\r4\n\r<script>&lt;")
        said = await ann.next("say")
        assert said["from_client_name"] == escaped
        assert said["content"] == "1<br />\r\n2<br />\n<br />\n3<br />\r4<br />\n\r&lt;script&gt;&amp;lt;"
        bob.client.close()
        assert (await ann.next("logout"))["from_client_name"] == escaped

    run(scene())


def test_who_speaks_before_the_login_is_answered_is_in(chat):
    """The gateway sent all three events with the session from before the login."""

    async def scene():
        for i in range(10):
            ann = Visitor(await Client.connect(chat))
            ann.send(type="login", client_name="Ann", room_id=f"hasty{i}")
            for text in ("one", "two"):
                ann.send(type="say", to_client_id="all", to_client_name="", content=text)
            await ann.next("login")
            for text in ("one", "two"):
                said = await ann.next("say")
                assert (said["from_client_name"], said["content"]) == ("Ann", text)

    run(scene())


def test_rooms_are_apart_and_a_second_login_changes_room(chat):
    async def scene():
        ann = await Visitor.come(chat, "Ann", 1)
        bob = await Visitor.come(chat, "Bob", "1")
        await ann.next("login")
        assert bob.list == {ann.id: "Ann", bob.id: "Bob"}
        eve = await Visitor.come(chat, "Eve", 2)

        bob.send(type="login", client_name="Robert", room_id=2)
        assert await ann.next() == {"type": "logout", "from_client_id": bob.id, "from_client_name": "Bob"}
        assert await eve.next() == {"type": "login", "client_id": bob.id, "client_name": "Robert"}
        assert (await bob.next("login"))["client_list"] == {eve.id: "Eve", bob.id: "Robert"}

        ann.send(type="say", to_client_id="all", to_client_name="", content="alone")
        await ann.next("say")
        await bob.quiet()
        await eve.quiet()
        bob.client.close()
        assert (await eve.next("logout"))["from_client_name"] == "Robert"
        await ann.quiet()

    run(scene())


def test_everybody_who_comes_at_once_knows_everybody(chat):
    """Nobody may be missing from list and notices together, whatever the order."""

    async def scene():
        clients = [Visitor(await Client.connect(chat)) for _ in range(40)]
        for i, one in enumerate(clients):
            one.send(type="login", client_name=f"v{i}", room_id="rush")
        known = []
        for one in clients:
            members, is_in = set(), False
            while not (is_in and len(members) == len(clients)):
                message = await one.next("login")
                is_in = is_in or "client_list" in message
                members |= set(message.get("client_list", {})) | {message["client_id"]}
            known.append(members)
        assert all(members == known[0] for members in known)

    run(scene())


def test_a_page_that_takes_merged_messages_gets_its_list_in_parts(chat):
    async def scene():
        old = await Visitor.come(chat, "Old", "merged")
        clients = [Visitor(await Client.connect(chat)) for _ in range(60)]
        for i, one in enumerate(clients):
            one.send(type="login", client_name=f"v{i}", room_id="merged", merged=True)
        parts_n = 0
        for i, one in enumerate(clients):
            members, parts = {}, 0
            while not one.id or parts > 0 or len(members) < 61:
                message = await one.next()
                assert message["type"] in ("login", "logins", "members"), message
                if message["type"] == "members":
                    assert parts > 0, "a part that was not announced"
                    parts -= 1
                    parts_n += 1
                    assert message["client_list"][one.id] == f"v{i}" and message["client_list"][old.id] == "Old"
                elif "parts" in message:
                    parts = message["parts"]
                    assert message["client_list"] == {one.id: f"v{i}"}
                    assert message["client_id"] == one.id and message["client_name"] == f"v{i}"
                elif message["type"] == "login":
                    members[message["client_id"]] = message["client_name"]
                members |= message.get("client_list", {}) | message.get("clients", {})
            assert sorted(members.values()) == sorted(["Old"] + [f"v{i}" for i in range(60)])
        assert parts_n > 0, "no two came together"
        # A page that does not ask for merged messages is told of each one, as by the original.
        seen = [await old.next("login") for _ in clients]
        assert all("client_list" not in message for message in seen)
        assert {message["client_id"]: message["client_name"] for message in seen} == {
            one.id: f"v{i}" for i, one in enumerate(clients)}
        await old.quiet()

    run(scene())


def test_pages_of_the_original_and_ours_in_one_rush(chat):
    async def scene():
        ours = [Visitor(await Client.connect(chat)) for _ in range(30)]
        theirs = [Visitor(await Client.connect(chat)) for _ in range(30)]
        for i, (a, b) in enumerate(zip(ours, theirs)):
            a.send(type="login", client_name=f"a{i}", room_id="mixed", merged=True)
            b.send(type="login", client_name=f"b{i}", room_id="mixed")
        for one in ours + theirs:
            members = {}
            while not (one.id and len(members) == 60):
                message = await one.next()
                assert one in ours or message["type"] == "login", message
                if "client_id" in message:
                    members[message["client_id"]] = message["client_name"]
                members |= message.get("client_list", {}) | message.get("clients", {})
            assert sorted(members.values()) == sorted([f"a{i}" for i in range(30)] + [f"b{i}" for i in range(30)])

    run(scene())


def test_who_leaves_in_a_rush_is_in_nobodys_list_at_its_end(chat):
    async def scene():
        clients = [Visitor(await Client.connect(chat)) for _ in range(60)]
        for i, one in enumerate(clients):
            one.send(type="login", client_name=f"v{i}", room_id="door", merged=i % 3 > 0)
        for one in clients[::4]:
            one.client.drop()
        stay = [one for i, one in enumerate(clients) if i % 4]
        asker = Visitor(await Client.connect(chat))
        asker.send(type="login", client_name="Asker", room_id="door")
        while not asker.id:  # notices of the rush may come before its list
            await asker.next()
        want = {asker.id}
        while len(want) != len(stay) + 1:  # until the gateways have noticed who is gone
            asker.send(type="list")
            while (message := await asker.next())["type"] != "list":
                pass
            want = set(message["client_list"])
        for one in stay:
            known, gone = set(), set()
            while known - gone != want:
                message = await one.next()
                known |= set(message.get("client_list", {})) | set(message.get("clients", {}))
                known |= {message["client_id"]} if "client_id" in message else set()
                gone |= {message["from_client_id"]} if message["type"] == "logout" else set()

    run(scene())


def test_the_list_can_be_asked_for(chat):
    async def scene():
        ann, bob = await visitors_on_both(chat, ["Ann", "Bob & Co"], "list")
        await drain(ann, bob)
        ann.send(type="list")
        assert await ann.next() == {"type": "list", "client_list": {ann.id: "Ann", bob.id: "Bob &amp; Co"}}
        assert await (await Visitor.come(chat)).error(type="list") == "not_logged_in"

    run(scene())


def test_bad_messages_are_answered_and_change_nothing(chat):
    async def scene():
        ann = await Visitor.come(chat)
        for text in ("", "{", "[]", "null", '"login"', "{}", '{"type":1}', '{"type":"logout"}'):
            ann.client.send(text)
            assert (await ann.next("error"))["code"] in ("bad_json", "bad_type"), text
        say = {"type": "say", "to_client_id": "all", "to_client_name": "", "content": "x"}
        assert await ann.error(**say) == "not_logged_in"
        for room in ({}, {"room_id": None}, {"room_id": ""}, {"room_id": " "}, {"room_id": "x" * 65}, {"room_id": [1]},
                     {"room_id": 1.5}, {"room_id": "a\nb"}):
            assert await ann.error(type="login", client_name="Ann", **room) == "bad_room", room
        for name in ("", "   ", "x" * 65, "a\x00b", "a\nb", 7, None):
            assert await ann.error(type="login", client_name=name, room_id=1) == "bad_name", name
        assert await ann.error(**say) == "not_logged_in"

        ann.send(type="login", client_name="好" * 64, room_id="r" * 64)
        await ann.next("login")
        for content in ("", "x" * 4097, "好" * 1366, 5, None, "a\x00b"):
            assert await ann.error(**{**say, "content": content}) == "bad_content"
        for to in (None, 1, ["all"]):
            assert await ann.error(**{**say, "to_client_id": to}) == "bad_addressee"
        ann.send(**{**say, "content": "好" * 1365})
        assert (await ann.next("say"))["content"] == "好" * 1365
        ann.send(type="pong")
        await ann.quiet()

    run(scene())


def test_the_server_pings(site):
    ports = Ports(1)
    site(chat_conf(events=ROOT / "apps/chat/events.c", registry=ports.registry, port=ports.port, inner=ports.inner,
                   gateway='ping_interval = 0.3\nping_data = {"type":"ping"}\n')).start(ports.port, ports.registry)

    async def scene():
        ann = await Visitor.come(ports.port)
        assert await ann.next() == {"type": "ping"}
        ann.send(type="pong")
        assert await ann.next() == {"type": "ping"}

    run(scene())
