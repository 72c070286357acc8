"""libgatehouse against our gateways: every call, what a hanging gateway costs, what the files export and install."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import api_scene
import libgatehouse as lg
from cluster import Cluster
from harness import BINARY, ROOT, SLOW, Ports, chat_conf, free_ports, wait_until
from ws import Client

loadable = pytest.mark.skipif(bool(lg.why_not_loadable()), reason=lg.why_not_loadable() or "-")


@loadable
@pytest.mark.parametrize("secret", ["", "s3cret \"/é"])
def test_every_call(site, secret):
    asyncio.run(api_scene.play(Cluster(site, secret), counts=True))


@loadable
def test_a_hanging_gateway_costs_its_share_of_one_deadline(site):
    cluster = Cluster(site)
    at_b = f"127.0.0.1:{cluster.inner['b']}"
    lib = lg.Library(f"127.0.0.1:{cluster.registry}", cluster.secret, timeout_ms=1000)
    assert lib.get_all_client_ids() == (lg.OK, [], [])
    pid = cluster.server.pids("gateway")[1]
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert lib.get_all_client_ids() == (lg.EPARTIAL, [], [(at_b, lg.ETIMEOUT)])
        assert 0.9 < time.monotonic() - began < 2 * SLOW
        began = time.monotonic()
        for _ in range(10):
            assert lib.get_all_groups() == (lg.EPARTIAL, [], [(at_b, lg.ETIMEOUT)])
        assert time.monotonic() - began < 5, "a gateway that hung rests before it is asked again"
        rc, (reached, gateways) = lib.send_to_all("x", receipt=True)
        assert (rc, reached, gateways[at_b][0]) == (lg.EPARTIAL, 0, lg.ETIMEOUT)
        assert gateways[f"127.0.0.1:{cluster.inner['a']}"] == (lg.OK, 0)
        assert lib.get_all_client_count() == lg.EPARTIAL
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: lib.get_all_client_ids() == (lg.OK, [], []), what="it is asked again")
    lib.close()


@loadable
def test_errors_of_the_look_up(site):
    cluster = Cluster(site)
    nobody = f"127.0.0.1:{free_ports()}"
    for registry, secret, expected in ((nobody, "", lg.ENOREGISTRY), (f"127.0.0.1:{cluster.registry}", "no", lg.EAUTH)):
        lib = lg.Library(registry, secret)
        assert lib.get_all_client_count() == expected
        assert lib.send_to_all("x") == expected
        assert lib.get_all_groups() == (expected, None, [])
        lib.close()
    lib = lg.Library(f"{nobody}, 127.0.0.1:{cluster.registry}", cluster.secret)
    assert lib.get_all_client_count() == 0
    lib.close()


@loadable
def test_connections_are_kept_and_opened_anew(site):
    """The registry's list stays good while it is away; a gateway that was restarted is found again."""
    cluster = Cluster(site)
    lib = lg.Library(f"127.0.0.1:{cluster.registry}", cluster.secret)
    assert lib.get_all_client_count() == 0

    def inner_connections():
        """Of this process: nobody else talks to that port but the probes of the start."""
        text = subprocess.run(["ss", "-Htnp", "state", "established", f"dport = :{cluster.inner['a']}"],
                              capture_output=True, text=True, check=True).stdout
        return [line for line in text.splitlines() if f"pid={os.getpid()}," in line]

    before = inner_connections()
    for _ in range(50):
        assert lib.get_all_client_count() == 0
    assert len(before) == 1 and inner_connections() == before
    cluster.server.stop()
    rc = lib.get_all_client_count()
    assert rc < 0, "there is nobody"
    cluster.server.start(*cluster.inner.values(), cluster.registry)
    wait_until(lambda: lib.get_all_client_count() == 0, what="the gateways are found again")
    lib.close()


@loadable
def test_handles_of_several_threads(site):
    """A handle belongs to one thread at a time; different ones do not meet. ctypes lets threads run side by side."""
    cluster = Cluster(site)

    def work(n):
        lib = lg.Library(f"127.0.0.1:{cluster.registry}", cluster.secret)
        answers = {repr(lib.get_client_counts_by_groups([f"g{n}"])) for _ in range(100)}
        lib.close()
        return answers

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [{repr((lg.OK, {f"g{n}": 0}, []))} for n in range(8)]


def test_receipts_inside_a_worker(site):
    async def scene():
        ports = Ports(2)
        server = site(chat_conf(gateways=2, workers=2, events=ROOT / "tests/integration/modules/receipts.c",
                                registry=ports.registry, port=ports.port, inner=ports.inner))
        server.start(ports.port, ports.registry, ports.inner, ports.inner + 1)
        clients = [await Client.connect(ports.port, timeout=20 * SLOW) for _ in range(10)]
        asking = clients[0]
        for client in clients[1:4]:
            client.send("uid 42")
            assert await client.text(20 * SLOW) == b"bound 0 0"
        asking.send("hello")
        assert [await asking.text(20 * SLOW) for _ in range(3)] == [b"before", b"hello", b"reached 0 10"]
        for client in clients[1:]:
            assert await client.text(20 * SLOW) == b"hello"
        asking.send("kick 42")
        assert await asking.text(20 * SLOW) == b"kicked 3 0"
        for client in clients[1:4]:
            assert await client.text(20 * SLOW) == b"out"
            await asyncio.wait_for(client.is_closed.wait(), 20 * SLOW)

    asyncio.run(scene())


# ---- the files ----


def test_only_public_names_are_exported():
    for path, options in ((lg.SO, ["-D", "--defined-only"]), (BINARY.parent / "libgatehouse.a", ["-g", "--defined-only"])):
        text = subprocess.run(["nm", *options, str(path)], capture_output=True, text=True, check=True).stdout
        # A line is "address type name"; the version of the node is no name of ours.
        names = {line.split()[2].split("@")[0] for line in text.splitlines() if len(line.split()) == 3} - {"GATEHOUSE_0"}
        strangers = {n for n in names if not n.startswith("gw_") and "asan" not in n and "ubsan" not in n}
        assert not strangers, path
        assert {"gw_open", "gw_send_to_all", "gw_result_free", "gw_json_parse", "gw_strerror"} <= names
    soname = subprocess.run(["readelf", "-d", str(lg.SO)], capture_output=True, text=True, check=True).stdout
    assert "soname: [libgatehouse.so.0]" in soname


def declared():
    """The functions of the headers that serve outside a worker."""
    names = set()
    for header in ("err.h", "gateway.h", "json.h", "session.h", "timer.h"):
        text = re.sub(r"/\*.*?\*/", "", (ROOT / "include/gw" / header).read_text(), flags=re.S)
        names |= set(re.findall(r"GW_API[^;{]*?\b(gw_\w+)\(", text))
    return names


def test_every_declared_call_is_there():
    text = subprocess.run(["nm", "-D", "--defined-only", str(lg.SO)], capture_output=True, text=True, check=True).stdout
    assert declared() - {line.split()[2].split("@")[0] for line in text.splitlines()} == set()
    assert len(declared()) > 60


@pytest.mark.parametrize("command", [["g++", "-std=c++17", "-x", "c++"], ["gcc", "-std=c99", "-x", "c"],
                                     ["gcc", "-std=c11", "-x", "c"], ["gcc", "-std=c17", "-x", "c"],
                                     ["clang", "-std=c17", "-x", "c"]], ids=lambda c: " ".join(c[:2]))
def test_each_header_stands_alone(command, tmp_path):
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]}")
    for header in sorted((ROOT / "include/gw").glob("*.h")):
        source = tmp_path / "one.c"
        source.write_text(f"#include <gw/{header.name}>\n#include <gw/{header.name}>\n")
        done = subprocess.run([*command, "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{ROOT}/include", "-fsyntax-only",
                               str(source)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """`make install` into a folder of its own, from what is built already."""
    folder = tmp_path_factory.mktemp("installed")
    build = BINARY.parent
    options = [f"O={build}", f"PREFIX={folder}", f"SAN={'address,undefined' if is_sanitized() else ''}"]
    subprocess.run(["make", *options, "install"], cwd=ROOT, capture_output=True, check=True)
    assert f"prefix={folder}" in (folder / "lib/pkgconfig/gatehouse.pc").read_text()
    return folder


def is_sanitized():
    return "sanitizer" in lg.why_not_loadable()


def test_what_is_installed(installed):
    for path in ("bin/gatehouse", "lib/libgatehouse.so.0", "lib/libgatehouse.so", "lib/libgatehouse.a",
                 "lib/pkgconfig/gatehouse.pc", "include/gw/gateway.h", "share/man/man1/gatehouse.1",
                 "share/man/man3/libgatehouse.3"):
        assert (installed / path).exists(), path


@pytest.mark.skipif(not shutil.which("man") or not shutil.which("groff"), reason="no man or groff")
@pytest.mark.parametrize("page", ["gatehouse.1", "libgatehouse.3"])
def test_man_pages_without_warnings(page):
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(ROOT / "docs/man" / page)],
                          capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and done.stderr == "", done.stderr


@pytest.mark.skipif(is_sanitized(), reason="built with a sanitizer")
@pytest.mark.parametrize("is_static", [False, True], ids=["shared", "static"])
def test_the_example_from_pkg_config_to_a_delivery(site, installed, tmp_path, is_static):
    async def scene():
        cluster = Cluster(site)
        client = await cluster.join("a", groups=["lobby"])
        env = {**os.environ, "PKG_CONFIG_PATH": str(installed / "lib/pkgconfig"), "LD_LIBRARY_PATH": str(installed / "lib"),
               "GATEHOUSE_SECRET": cluster.secret}
        folder = shutil.copytree(ROOT / "examples/push", tmp_path / "push")
        shared, away = installed / "lib/libgatehouse.so", installed / "lib/away"
        if is_static:
            shared.rename(away)
        built = subprocess.run(["make", *(["PKG_FLAGS=--static"] if is_static else [])], cwd=folder, env=env,
                               capture_output=True, text=True)
        if is_static:
            away.rename(shared)
        assert built.returncode == 0, built.stderr
        done = await asyncio.to_thread(subprocess.run, [str(folder / "push"), f"127.0.0.1:{cluster.registry}", "lobby", "hi"],
                                       env=env, capture_output=True, text=True, timeout=20 * SLOW)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert done.stdout == f"1 in lobby, 1 reached\n{client.id}\n"
        assert await client.text() == b"hi"

    asyncio.run(scene())
