"""The gatehouse command as operators use it: start, status, crash, stop, and configs with mistakes."""

import json
import os
import pathlib
import signal
import socket

import pytest

from harness import SLOW, accepts, free_ports, wait_until


def registry_conf(port, more=""):
    return f"[registry]\nlisten = text://127.0.0.1:{port}\n{more}"


def is_alive(pid):
    """Not gone, and no zombie that waits for an init process to collect it."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def daemon(site):
    """Starts a site with -d; whatever still runs at the end is stopped."""
    made = []

    def start(text):
        one = site(text, folder=f"daemon{len(made)}")
        made.append(one)
        return one, one.command("start", "-d")

    yield start
    for one in made:
        one.command("stop")


def test_start_prints_the_banner_and_stop_leaves_nothing(site):
    port = free_ports()
    s = site(registry_conf(port)).start(port)
    for word in ("event-loop", "proto", "user", "worker", "listen", "count", "state", f"text://127.0.0.1:{port}"):
        assert word in s.output()
    wait_until(lambda: "Press Ctrl+C to stop" in s.output(), what="the last line of the start")
    done = s.command("stop")
    assert (done.returncode, done.stdout) == (0, "stopped\n")
    assert s.process.wait(timeout=5 * SLOW) == 0
    assert sorted(p.name for p in (s.folder / "var").iterdir()) == ["test.log"]
    assert not accepts(port)


def test_quiet_start_hides_the_banner(daemon, site):
    port = free_ports()
    s = site(registry_conf(port))
    done = s.command("start", "-d", "-q")
    assert (done.returncode, done.stdout) == (0, "")
    assert s.command("stop").returncode == 0


def test_second_start_says_that_it_runs(daemon):
    port = free_ports()
    s, done = daemon(registry_conf(port))
    assert done.returncode == 0, done.stderr
    pid = s.status()["master_pid"]
    for args in (["start"], ["start", "-d"]):
        again = s.command(*args)
        assert again.returncode == 1
        assert again.stderr == f"test.conf: already running (pid {pid})\n"
    assert s.status()["master_pid"] == pid


def test_commands_without_a_server(site):
    s = site(registry_conf(free_ports()))
    for command in ("status", "connections", "reload"):
        done = s.command(command)
        assert (done.returncode, done.stdout) == (3, "")
        assert "not running" in done.stderr
    assert s.command("stop").returncode == 0
    assert s.command("dance").returncode == 2
    assert s.command("start", "--dance").returncode == 2
    done = s.command("connections", "--json")
    assert done.returncode == 2
    assert done.stderr.startswith('--json: not an option of "connections", which has: -c\n')


def test_crash_is_restarted_and_shown(daemon):
    port = free_ports()
    s, _ = daemon(registry_conf(port))
    for count in (1, 2):
        (pid,) = s.pids("registry")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: s.pids("registry") not in ([], [pid]) and s.is_ready(), what="a new process")
        assert accepts(port)
        (section,) = s.status()["sections"]
        assert section["exits"] == [{"exit_status": 9, "exit_count": count, "how": "killed by signal 9 (Killed)"}]
    text = s.command("status").stdout
    assert "GLOBAL STATUS" in text and "PROCESS STATUS" in text
    assert "killed by signal 9 (Killed)" in s.log()


def test_a_stopped_process_is_busy_and_blocks_nobody(daemon):
    s, _ = daemon(registry_conf(free_ports()))
    (pid,) = s.pids("registry")
    os.kill(pid, signal.SIGSTOP)
    try:
        assert "[busy]" in s.command("status").stdout
        assert "[busy]" in s.command("connections").stdout
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: "[idle]" in s.command("status").stdout, what="its answer")


def test_stop_kills_a_process_that_does_not_end(daemon):
    s, _ = daemon(registry_conf(free_ports(), "[master]\nstop_timeout = 0.5\n"))
    (pid,) = s.pids("registry")
    os.kill(pid, signal.SIGSTOP)
    assert s.command("stop").returncode == 0
    assert not is_alive(pid)
    assert "did not end in time and is killed" in s.log()


def test_restart_is_another_master(daemon):
    s, _ = daemon(registry_conf(free_ports()))
    before = s.status()["master_pid"]
    done = s.command("restart", "-d", "-g")
    assert done.returncode == 0, done.stderr
    assert s.status()["master_pid"] != before


def test_a_broken_config_leaves_the_server_running(daemon):
    port = free_ports()
    s, _ = daemon(registry_conf(port))
    before = s.status()["master_pid"]
    s.conf.write_text(registry_conf(port, "listn = x\n"))
    for command in ("restart", "start", "check"):
        done = s.command(command)
        assert done.returncode == 1
        assert f"{s.conf}:3: [registry] listn: unknown key; did you mean listen?" in done.stderr
    done = s.command("status", "--json")
    assert json.loads(done.stdout)["master_pid"] == before
    assert s.command("stop").returncode == 0
    wait_until(lambda: not is_alive(before), what="the end of the master")


def test_log_is_opened_again(daemon):
    s, _ = daemon(registry_conf(free_ports()))
    log = s.folder / "var" / "test.log"
    log.rename(log.with_suffix(".log.1"))
    os.kill(s.status()["master_pid"], signal.SIGHUP)
    wait_until(lambda: log.exists() and "reload" in log.read_text(), what="the new log")


MISTAKES = [
    ("[regstry]\n", "test.conf:1: [regstry] unknown kind of section", "registry"),
    ("[registry]\nlisten = text://nowhere:1\n", "test.conf:2: [registry] listen: ", "write"),
    ("[registry]\nlisten = 127.0.0.1:1\n", "test.conf:2: [registry] listen: ", "text://"),
    ("[master]\nstop_timeout = soon\n[registry]\n", "test.conf:2: [master] stop_timeout: ", "soon"),
    ("[master]\nuser = nobody-at-all\n[registry]\n", 'test.conf:2: [master] user: "nobody-at-all"', "no such user"),
    ("[master]\ngroup = none-at-all\n[registry]\n", 'test.conf:2: [master] group: "none-at-all"', "no such group"),
    ("[master]\nlog_level = info\n", "no section", "[gateway]"),
    ("", "no section", "[registry]"),
]


@pytest.mark.parametrize("text,where,what", MISTAKES)
def test_mistakes_in_the_config(site, text, where, what):
    s = site(text)
    for command in ("check", "start"):
        done = s.command(command)
        assert done.returncode == 1, done.stdout
        assert where in done.stderr and what in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
    assert not (s.folder / "var" / "test.pid").exists()


PLACES = [
    ("pid_file = /proc/none/x.pid", "pid_file: \"/proc/none/x.pid\"", "its folder cannot be made"),
    ("log_file = /proc/none/x.log", "log_file: \"/proc/none/x.log\"", "its folder cannot be made"),
    ("run_dir = /proc/none/x", "run_dir: \"/proc/none/x\"", "its folder cannot be made"),
    ("control_socket = var/" + "x" * 110, "control_socket: ", "write a shorter one"),
]


@pytest.mark.parametrize("line,where,what", PLACES)
def test_places_that_cannot_be_used(site, line, where, what):
    s = site(f"[master]\n{line}\n{registry_conf(free_ports())}")
    done = s.command("start")
    assert done.returncode == 1
    assert f"test.conf:2: [master] {where}" in done.stderr and what in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert not (s.folder / "var" / "test.pid").exists()


def test_missing_config(site):
    s = site("")
    s.conf.unlink()
    done = s.command("start")
    assert done.returncode == 1
    assert "test.conf" in done.stderr and "No such file" in done.stderr


@pytest.mark.parametrize("args", [["start"], ["start", "-d"]])
def test_port_in_use(site, args):
    with socket.socket() as other:
        # With the option that would let both bind in silence.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        s = site(registry_conf(other.getsockname()[1]))
        done = s.command(*args)
    assert done.returncode == 1
    assert "test.conf:2: [registry] listen: cannot listen on text://127.0.0.1:" in done.stderr
    assert "the port is in use" in done.stderr


def test_hostile_bytes_on_the_control_socket(daemon):
    s, _ = daemon(registry_conf(free_ports()))
    path = str(s.folder / "var" / "test.sock")
    assert os.stat(path).st_mode & 0o777 == 0o600
    for sent in (b"\x00\xff" * 500, b"x" * 100000, b"status\x00\n", b"stop graceful now\n", b"\n"):
        with socket.socket(socket.AF_UNIX) as c:
            c.settimeout(10 * SLOW)
            c.connect(path)
            try:
                c.sendall(sent)
                while c.recv(4096):
                    pass
            except ConnectionError:
                pass
    assert s.status()["processes"][0]["status"] == "idle"


def test_many_commands_at_once(daemon):
    s, _ = daemon(registry_conf(free_ports()))
    path = str(s.folder / "var" / "test.sock")
    callers = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    try:
        for i, c in enumerate(callers):
            c.settimeout(20 * SLOW)
            c.connect(path)
            c.sendall((b"status\n", b"connections\n", b"reload\n", b"status json\n")[i % 4])
        for c in callers:
            answer = b""
            while piece := c.recv(65536):
                answer += piece
            assert answer.endswith(b"exit 0\n"), answer
    finally:
        for c in callers:
            c.close()


def test_keys_version_and_help(site):
    s = site("")
    keys = s.command("keys").stdout
    for word in ("master", "registry", "gateway", "worker", "web", "graceful_timeout", "secret_key"):
        assert word in keys
    assert s.command("version").stdout.startswith("Gatehouse/")
    assert s.command("help").stdout.startswith("Usage: gatehouse COMMAND")
