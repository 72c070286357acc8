"""The servers under test: how each is started, what it speaks, and what it needs to be there."""
import ctypes
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SERVER_CORE, GENERATOR_CORE = {0}, {1}
NICE = 0  # run.py --nice: of servers and generator
START_SECONDS, STOP_SECONDS = 15, 10
PR_SET_THP_DISABLE = 41  # <linux/prctl.h>
NCHAN_MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so"


def free_ports(n):
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def free_row(n):
    """The first of n ports in a row that nobody listens on now."""
    while True:
        first = free_ports(1)[0]
        held = []
        try:
            for port in range(first, first + n):
                held.append(socket.create_server(("127.0.0.1", port)))
            return first
        except (OSError, OverflowError):
            continue
        finally:
            for s in held:
                s.close()


def raise_priority():
    """Of a session of its own: where the kernel groups processes by session, the group has a nice value as well."""
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    if NICE and os.path.exists("/proc/self/autogroup"):
        with open("/proc/self/autogroup", "w", encoding="ascii") as f:
            f.write(str(NICE))


def pin(cores, has_huge_pages=True):
    """For preexec_fn: children inherit all of it, so a server's workers share its core."""
    def set_up():
        os.sched_setaffinity(0, cores)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it
        raise_priority()
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if not has_huge_pages:
            ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
    return set_up


def make_certificate(folder):
    """cert.pem and key.pem, signed by themselves."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=localhost", "-days", "2", "-keyout", "key.pem", "-out", "cert.pem"],
                   cwd=folder, check=True, capture_output=True)


class StartFailed(Exception):
    """Tried twice; the text holds the end of what it said."""


class Server:
    """One server under test. Used as a context manager it runs from entering to leaving."""

    label = ""
    adapter = "thin"
    members_max = 100000
    has_huge_pages = True  # off where memory is read: one more or less is 2 MiB
    has_on_connect = False  # counts connections in business code
    cores = SERVER_CORE

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.process = None

    def missing(self):
        """Why it cannot run here, or None."""
        return None

    def prepare(self):
        """Writes its files; returns (argv, extra environment)."""
        raise NotImplementedError

    @property
    def name(self):
        return type(self).__name__.lower()

    def __enter__(self):
        try:
            self.start()
        except StartFailed:
            self.start()  # another program may have taken a port meanwhile
        return self

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.port, *self.inner_ports = free_ports(4)
        argv, env = self.prepare()
        with open(os.path.join(self.folder, "output.txt"), "wb") as output:
            self.process = subprocess.Popen(argv, cwd=self.folder, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                                            preexec_fn=pin(self.cores, self.has_huge_pages))
        try:
            self.wait_until_ready()
        except BaseException:  # an interrupt as well: nothing stays behind
            self.__exit__()
            raise

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                time.sleep(0.3)  # workers find their gateways
                return
            except OSError:
                time.sleep(0.05)
        raise StartFailed("did not start: " + (" ".join(self.output().split())[-200:] or "and said nothing"))

    def output(self):
        with open(os.path.join(self.folder, "output.txt"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def __exit__(self, *_):
        """Its own process group and nothing else is ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Floor(Server):
    label = "floor"
    adapter = "floor"
    flags = []
    is_echo = False

    def prepare(self):
        flags = self.flags + (["--echo"] if self.is_echo else [])
        return [f"{self.build}/bench/floor", "--port", str(self.port)] + flags, {}


class FloorHop(Floor):
    label = "floor + hop"
    flags = ["--hop"]


class Gatehouse(Server):
    """The thin module behind gateway and worker."""
    label = "Gatehouse, thin module"
    module = "thin.so"
    gateways_n = 1
    workers_n = 1
    ping_interval = 0
    buffer_bytes = 16 << 20  # of output that may wait for one client
    options = []  # more lines for the gateway
    has_tls = False
    has_on_connect = True

    def prepare(self):
        registry, inner = self.inner_ports[0], free_row(self.gateways_n)
        lines = ["[master]", "pid_file = gatehouse.pid", "log_file = gatehouse.log", "stdout_file = stdout.log",
                 "[registry]", f"listen = text://127.0.0.1:{registry}",
                 "[gateway bench]", f"listen = websocket://127.0.0.1:{self.port}", f"count = {self.gateways_n}",
                 f"start_port = {inner}", f"register_address = 127.0.0.1:{registry}",
                 f"ping_interval = {self.ping_interval}", f"send_to_client_buffer_size = {self.buffer_bytes}", *self.options]
        if self.has_tls:
            make_certificate(self.folder)
            lines += ["tls_cert = cert.pem", "tls_key = key.pem"]
        lines += ["[worker bench]", f"events = {self.build}/bench/{self.module}", f"count = {self.workers_n}",
                  f"register_address = 127.0.0.1:{registry}"]
        with open(os.path.join(self.folder, "bench.conf"), "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")
        return [f"{self.build}/gatehouse", "start", "-c", "bench.conf"], {"GATEHOUSE_INCLUDE": f"{ROOT}/include"}

    def counts(self, *names):
        """What `status` counts under these names, all processes together."""
        answer = subprocess.run([f"{self.build}/gatehouse", "status", "--json", "-c", "bench.conf"], cwd=self.folder,
                                check=True, capture_output=True, timeout=STOP_SECONDS)
        rows = json.loads(answer.stdout)["processes"]
        return {name: sum(r.get(name, 0) for r in rows) for name in names}


class GatehouseBefore(Gatehouse):
    """Of another build, with the thin module of that build."""
    label = "Gatehouse, before"
    other = None  # the folder of that build: run.py --before

    def __init__(self, _build, folder):
        super().__init__(self.other, folder)

    def missing(self):
        there = os.path.exists(f"{self.build}/gatehouse") and os.path.exists(f"{self.build}/bench/{self.module}")
        return None if there else f"no build for make bench in {self.build}"


class GatehouseChat(Gatehouse):
    label = "Gatehouse, the chat"
    adapter = "chat"
    module = "chat.so"
    has_on_connect = False


class GatehouseTls(Gatehouse):
    label = "Gatehouse, thin module, TLS"
    has_tls = True


class GatehouseTwo(Gatehouse):
    label = "Gatehouse, 2 gateways, heartbeat 25 s"
    gateways_n = 2
    ping_interval = 25


class GatehouseDeflate(Gatehouse):
    """Counts its compressions: see bench/deflates.c."""
    label = "Gatehouse, thin module, deflate"
    options = ["deflate = true"]

    def prepare(self):
        argv, env = super().prepare()
        self.counter = os.path.join(self.folder, "deflates")
        with open(self.counter, "wb") as f:
            f.write(bytes(8))
        return argv, {**env, "LD_PRELOAD": f"{self.build}/bench/deflates.so", "BENCH_DEFLATES": self.counter}

    def deflates(self):
        with open(self.counter, "rb") as f:
            return int.from_bytes(f.read(8), sys.byteorder)


class GatehouseFour(Gatehouse):
    label = "Gatehouse, 4 gateways"
    gateways_n = 4


class GatehouseSpread(Gatehouse):
    """On the generator's core as well."""
    label = "Gatehouse, 1 gateway, two cores"
    cores = SERVER_CORE | GENERATOR_CORE


class GatehouseSpreadTwo(GatehouseSpread):
    label = "Gatehouse, 2 gateways, two cores"
    gateways_n = 2


class GatehousePressed(Gatehouse):
    """Little may wait for a client, so that one that reads nothing is full at once."""
    label = "Gatehouse, 2 gateways, 256 KiB may wait"
    gateways_n = 2
    buffer_bytes = 256 << 10


class GatehouseCrowd(Gatehouse):
    label = "Gatehouse, 2 gateways"
    gateways_n = 2


class UWebSockets(Server):
    label = "uWebSockets"

    def missing(self):
        return None if os.path.exists(f"{self.build}/bench/uws") else "UWS_DIR names no checkout"

    def prepare(self):
        return [f"{self.build}/bench/uws", str(self.port)], {}


class Nats(Server):
    label = "nats-server"
    adapter = "nats"

    def missing(self):
        return None if shutil.which("nats-server") else "nats-server is not installed"

    def prepare(self):
        with open(os.path.join(self.folder, "nats.conf"), "w", encoding="ascii") as f:
            f.write(f"listen: 127.0.0.1:{self.inner_ports[0]}\nmax_pending: 256MB\nmax_connections: 100000\n"
                    f"websocket {{ listen: \"127.0.0.1:{self.port}\", no_tls: true, compression: false }}\n")
        return ["nats-server", "-c", "nats.conf"], {}


class Nchan(Server):
    label = "nginx with nchan"
    adapter = "nchan"

    def missing(self):
        if not shutil.which("nginx"):
            return "nginx is not installed"
        return None if os.path.exists(NCHAN_MODULE) else "libnginx-mod-nchan is not installed"

    def prepare(self):
        with open(os.path.join(self.folder, "nginx.conf"), "w", encoding="ascii") as f:
            f.write(f"""load_module {NCHAN_MODULE};
daemon off;
user root;
worker_processes 1;
pid nginx.pid;
error_log error.log crit;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  nchan_shared_memory_size 256m;
  server {{
    listen 127.0.0.1:{self.port} backlog=4096;
    location ~ ^/pubsub/(\\w+)$ {{ nchan_pubsub; nchan_channel_id $1; nchan_store_messages off; }}
    location / {{ nchan_pubsub; nchan_channel_id idle; }}
  }}
}}
""")
        return ["nginx", "-p", self.folder, "-c", "nginx.conf"], {}


class NpmWs(Server):
    label = "npm ws"
    script = "ws.mjs"
    package = "ws"

    def missing(self):
        if not shutil.which("node"):
            return "node is not installed"
        there = os.path.isdir(f"{self.build}/bench/peers/node_modules/{self.package}")
        return None if there else f"npm could not install {self.package}"

    def prepare(self):
        os.symlink(f"{self.build}/bench/peers/node_modules", os.path.join(self.folder, "node_modules"))
        return ["node", f"{HERE}/peers/{self.script}", str(self.port)], {}


class SocketIo(NpmWs):
    label = "socket.io"
    adapter = "socketio"
    script = "socketio.mjs"
    package = "socket.io"


class GatewayWorker(Server):
    label = "GatewayWorker"
    checkout = None  # the folder that holds GatewayWorker, workerman, coroutine
    events = "thin"
    members_max = 900  # stream_select() ends at 1,024 descriptors when PHP has no event extension

    def missing(self):
        if not shutil.which("php"):
            return "php is not installed"
        there = self.checkout and os.path.isdir(f"{self.checkout}/GatewayWorker/src")
        return None if there else "GATEWAYWORKER_DIR names no checkout"

    def prepare(self):
        if subprocess.run(["php", "-r", "exit(extension_loaded('event') ? 0 : 1);"], check=False).returncode == 0:
            self.members_max = Server.members_max
        registry, inner, _ = self.inner_ports
        return (["php", f"{HERE}/peers/php/start.php", "start"],
                {"GATEWAYWORKER_DIR": self.checkout, "BENCH_PORT": str(self.port), "BENCH_INNER_PORT": str(inner),
                 "BENCH_REGISTER_PORT": str(registry), "BENCH_EVENTS": self.events, "BENCH_VAR": self.folder})


class WorkermanChat(GatewayWorker):
    label = "GatewayWorker with workerman-chat"
    adapter = "chat"

    def missing(self):
        reason = super().missing()
        if reason:
            return reason
        self.events = f"{self.checkout}/workerman-chat/Applications/Chat/Events.php"
        return None if os.path.exists(self.events) else "GATEWAYWORKER_DIR holds no workerman-chat"


ALL = [Floor, FloorHop, Gatehouse, GatehouseBefore, GatehouseChat, GatehouseTls, GatehouseDeflate, GatehouseTwo, GatehouseCrowd,
       GatehouseFour, GatehouseSpread, GatehouseSpreadTwo, GatehousePressed, UWebSockets, Nats, GatewayWorker,
       WorkermanChat, Nchan, NpmWs, SocketIo]
