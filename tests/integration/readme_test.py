"""What the README shows is what works: its module and its config are taken from it and run."""

import asyncio
import os
import re
import subprocess

import pytest

from harness import BINARY, ROOT, Ports
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


# What a part of a config, on a host without the reader's files, may be complained about.
NOT_HERE = re.compile(r"is missing: |: No such file or directory|cannot read |there is no such environment variable|"
                      r"the config has no section that starts a process")


def complaints(folder, text):
    conf = folder / "part.conf"
    conf.write_text(text)
    done = subprocess.run([BINARY, "check", "-c", str(conf)], capture_output=True, text=True,
                          env={**os.environ, "CHAT_JWT_SECRET": "s" * 40, "SHOP_TOKEN": "t" * 40})
    return [line for line in (done.stdout + done.stderr).splitlines() if done.returncode != 0 and not NOT_HERE.search(line)]


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/*.md")) + [ROOT / "README.md"], ids=lambda path: path.name)
def test_configs_of_the_documents_are_understood(tmp_path, path):
    """Also the parts of sections: there is a kind that takes all of their keys."""
    for text in blocks(path, "ini"):
        kinds = [""] if re.search(r"^\[", text, re.M) else ["[gateway x]\n", "[web]\n", "[worker x]\n"]
        found = [complaints(tmp_path, kind + text) for kind in kinds]
        assert [] in found, f"{text}\n{found}"
        assert not re.search(r"^\w+ =[^\n]*[ \t][#;][ \t]", text, re.M), "a comment stands on a line of its own:\n" + text
