"""What the README shows is what works: its module and its config are taken from it and run."""

import asyncio
import re

import pytest

from harness import ROOT, Ports
from ws import Client


def blocks(name, language):
    text = (ROOT / name).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_lobby_of_the_readme(site, tmp_path, name):
    ports = Ports(2)
    (source,) = blocks(name, "c")
    conf = next(b for b in blocks(name, "ini") if "events = lobby.c" in b)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "lobby.c").write_text(source)
    for old, new in (("7272", ports.port), ("2300", ports.inner), ("1236", ports.registry)):
        conf = conf.replace(old, str(new))
    server = site(conf).start(ports.port, ports.registry, ports.inner)

    async def scenario():
        a, b = [await Client.connect(ports.port) for _ in range(2)]
        a.send("warm up")
        assert await a.text() == b"warm up"
        b.send("hello")
        assert await b.text() == b"hello" or await b.text() == b"hello"
        assert await a.text() == b"hello"

    asyncio.run(scenario())
    server.stop()


def test_both_readmes_show_the_same_code():
    for language in ("c", "ini", "sh"):
        assert blocks("README.md", language) == blocks("README.zh-CN.md", language)
