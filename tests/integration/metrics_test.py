"""GET /metrics of the web role: the numbers of all processes for Prometheus, and who may have them."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import threading
import time

from harness import ROOT, SLOW, Ports, chat_conf, wait_until
from security_test import http
from ws import Client

ECHO = ROOT / "examples" / "echo" / "echo.c"
SAMPLE = re.compile(r'gatehouse_([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? ([0-9]+)')


def start(site, *, web="metrics = /metrics", workers=1, **how):
    ports = Ports()
    text = chat_conf(events=ECHO, gateways=2, workers=workers, registry=ports.registry, port=ports.port,
                     inner=ports.inner, web=ports.web, **how)
    return site(f"{text}\n{web}\n").start(ports.port, ports.web), ports


def get(port, path="/metrics", lines="", method="GET"):
    """Status, head and body."""
    answer = http(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n{lines}Connection: close\r\n\r\n", 60)
    head, _, body = answer.decode().partition("\r\n\r\n")
    return int(head.split()[1]), head, body


def parse(text):
    """{(metric, kind, name, slot or how): value}; each line must be one of the format, each sample once."""
    samples, types = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types
            types[name] = kind
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        assert types["gatehouse_" + name] == ("counter" if name.endswith("_total") else "gauge")
        labels = dict(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', labels or ""))
        key = (name, labels.get("kind"), labels.get("name"), labels.get("slot", labels.get("how")))
        assert key not in samples, key
        samples[key] = int(value)
    return samples


def scrape(port):
    status, head, body = get(port)
    assert status == 200, head
    assert "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n" in head
    assert "\r\nCache-Control: no-store\r\n" in head
    return parse(body)


def lint(text):
    """What Prometheus' own promtool has to say of it, where it is installed (Debian's package prometheus, 100 MB)."""
    promtool = shutil.which("promtool")
    if promtool:
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60 * SLOW)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def total(samples, metric, kind):
    return sum(value for key, value in samples.items() if key[:2] == (metric, kind))


def settled(ports, metric, kind, want):
    return wait_until(lambda: (now := scrape(ports.web)) and total(now, metric, kind) == want and now, 30,
                      f"{metric} of {kind}: {want}")


def test_numbers_are_those_of_the_traffic(site):
    server, ports = start(site, workers=2)

    async def traffic():
        loop = asyncio.get_running_loop()
        clients = [await Client.connect(ports.port) for _ in range(7)]
        for n in range(30):
            for client in clients:
                client.send(f"message {n}")
            for client in clients:
                assert await client.text(60 * SLOW) == f"message {n}".encode()
            if n == 15:  # while more comes
                now = await loop.run_in_executor(None, scrape, ports.web)
                assert total(now, "requests_total", "gateway") <= 7 * 16
        now = await loop.run_in_executor(None, settled, ports, "delivered_total", "gateway", 210)
        assert total(now, "requests_total", "gateway") == 210
        assert total(now, "uids", "gateway") == total(now, "slow_clients", "gateway") == 0
        assert total(now, "read_bytes_total", "gateway") > 210 * len("message 10")
        return now

    now = asyncio.run(traffic())
    rows = server.status()["processes"]
    assert {key[1:] for key in now if key[0] == "process_busy"} == {(r["kind"], r["name"], str(r["slot"])) for r in rows}
    assert total(now, "process_ready", "gateway") == total(now, "process_starts_total", "worker") == 2
    assert now["info", None, None, None] == 1
    for row in rows:
        assert now["process_memory_bytes", row["kind"], row["name"], str(row["slot"])] > 100_000
    lint(get(ports.web)[2])
    assert get(ports.web, method="HEAD")[::2] == (200, "")
    assert get(ports.web, method="POST")[0] == 405
    server.stop()


def test_a_killed_worker_is_counted(site):
    server, ports = start(site)
    before = scrape(ports.web)
    pid = server.pids("worker")[0]
    assert total(before, "process_exits_total", "worker") == 0
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: (pids := server.pids("worker")) and pids[0] != pid and server.is_ready(), 30, "the next worker")
    now = settled(ports, "process_starts_total", "worker", 2)
    assert now["process_exits_total", "worker", "worker:chat", "killed"] == 1
    assert total(now, "process_exits_total", "worker") == 1
    assert server.command("reload").returncode == 0
    now = settled(ports, "process_starts_total", "worker", 3)
    assert now["process_exits_total", "worker", "worker:chat", "killed"] == 1
    server.stop()


def test_a_stopped_process_holds_up_nobody(site):
    """Many scrapes at once, with one process that does not answer: it is busy, the others' numbers are there."""
    server, ports = start(site)
    pid = server.pids("worker")[0]
    seen = []
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: total(scrape(ports.web), "process_busy", "worker") == 1, 30, "busy")
        began = time.monotonic()
        threads = [threading.Thread(target=lambda: seen.append(scrape(ports.web))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 15 * SLOW
    finally:
        os.kill(pid, signal.SIGCONT)
    assert len(seen) == 20
    for now in seen:
        assert total(now, "process_busy", "worker") == 1
        assert not [key for key in now if key[:2] == ("requests_total", "worker")]
        assert len([key for key in now if key[:2] == ("requests_total", "gateway")]) == 2
    settled(ports, "process_busy", "worker", 0)
    server.stop()


def test_behind_a_scrape_the_connection_goes_on(site):
    """Requests that came with it are answered in turn, and its body is nobody's request."""
    server, ports = start(site)
    wants = "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 27\r\n\r\nGET /evil HTTP/1.1\r\nHost: x"
    answer = http(ports.web, wants + "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 60).decode()
    assert answer.count("HTTP/1.1 ") == answer.count("HTTP/1.1 200 ") == 2
    assert answer.index("gatehouse_info") < answer.index("\r\n\r\nok")
    server.stop()


def test_whoever_leaves_before_the_answer(site):
    server, ports = start(site)
    pid = server.pids("worker")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(5):
            try:
                http(ports.web, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 0.05 / SLOW)
            except TimeoutError:
                pass
        assert scrape(ports.web)
    finally:
        os.kill(pid, signal.SIGCONT)
    server.stop()


def test_off_by_default(site):
    server, ports = start(site, web="")
    assert get(ports.web)[0] == 404
    server.stop()


def test_only_for_those_who_are_allowed(site):
    server, ports = start(site, web="metrics = /numbers\nmetrics_allow = 10.0.0.0/8\ntrusted_proxies = 127.0.0.1")
    assert get(ports.web)[0] == 404
    assert get(ports.web, "/numbers")[0] == 403
    assert get(ports.web, "/numbers", "X-Forwarded-For: 10.1.2.3\r\n")[0] == 200
    assert get(ports.web, "/numbers", "X-Forwarded-For: 10.1.2.3, 192.0.2.1\r\n")[0] == 403
    assert get(ports.web, "/health")[0] == 200
    server.stop()


def test_a_proxy_that_is_not_trusted_makes_nobody_local(site):
    server, ports = start(site)
    assert get(ports.web)[0] == 200
    assert get(ports.web, lines="X-Forwarded-For: 127.0.0.1\r\n")[0] == 403
    assert get(ports.web, lines="Forwarded: for=127.0.0.1\r\n")[0] == 403
    server.stop()


def test_what_is_wrong_in_the_config(site):
    for line, words in (("metrics = numbers", "write a path like"), ("metrics = /api/numbers", "not below /api/"),
                        ("metrics_allow = localhost", "is no address")):
        done = site(f"[web]\nlisten = http://127.0.0.1:1\nroot = {ROOT}/apps/chat/web\n{line}\n").command("check")
        assert done.returncode != 0 and words in done.stdout + done.stderr, done
