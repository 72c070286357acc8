#!/usr/bin/python3
"""Tests of the whole generator: against the floor, which is right, and against servers that lie in known ways.

    bench/selftest.py BUILD
"""
import asyncio
import contextlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import websockets

import capacity
import cell
import generator
import plan
import run
import schedule
import servers
import slices
import tables

BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else "build"
SENDS = 200  # 1,000 deliveries a second to 5 members for one second


async def lying_server(lie, **settings):
    """Sends everything to everybody, except that `lie` may turn the list of copies for one member into another."""
    members = []
    counted = 0

    async def serve(socket, _path=None):
        nonlocal counted
        members.append(socket)
        try:
            async for text in socket:
                is_counted = text[3] == "m"
                counted += is_counted
                for place, member in enumerate(list(members)):
                    for copy in lie(text, place, counted) if is_counted else [text]:
                        await member.send(copy)
        except websockets.ConnectionClosed:
            pass  # the generator says no goodbye

    return await websockets.serve(serve, "127.0.0.1", 0, **settings)


async def run_against(lie, *options, **settings):
    server = await lying_server(lie, **{"compression": None, **settings})
    port = server.sockets[0].getsockname()[1]
    load = await asyncio.create_subprocess_exec(
        f"{BUILD}/bench/load", "open", "--port", str(port), "--members", "5", "--publishers", "2", "--rate", "1000",
        "--seconds", "1", "--warmup", "0", *options, stdout=subprocess.PIPE)
    out, _ = await load.communicate()
    server.close()
    await server.wait_closed()
    return json.loads(out)


async def run_at_cues(lie, cues):
    """The results of a closed loop."""
    server = await lying_server(lie, compression=None)
    port = server.sockets[0].getsockname()[1]
    load = await asyncio.create_subprocess_exec(
        f"{BUILD}/bench/load", "closed", "--cue", "--port", str(port), "--members", "5", "--seconds", "0.1", "--warmup",
        "0", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = await load.communicate(b"\n" * cues)
    server.close()
    await server.wait_closed()
    return [json.loads(line) for line in out.splitlines() if line != b"ready"]


class Liars(unittest.TestCase):
    def check(self, lie, *options, settings=None, **expected):
        result = asyncio.run(run_against(lie, *options, **(settings or {})))
        for name in ("missing", "doubled", "stray", "broken"):
            self.assertEqual(result[name], expected.get(name, 0), (name, result))
        return result

    def test_the_truth(self):
        result = self.check(lambda text, place, n: [text])
        self.assertLess(result["p99_us"], 1_000_000)

    def test_the_truth_compressed(self):
        result = self.check(lambda text, place, n: [text], "--deflate", settings={"compression": "deflate"})
        self.assertGreaterEqual(result["compressed"], 5 * SENDS)

    def test_the_truth_over_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            servers.make_certificate(folder)
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
            self.check(lambda text, place, n: [text], "--tls", settings={"ssl": tls})

    def test_a_message_that_one_member_does_not_get(self):
        self.check(lambda text, place, n: [] if (n, place) == (50, 3) else [text], missing=1)

    def test_the_last_message_is_missed_too(self):
        self.check(lambda text, place, n: [] if n == SENDS else [text], missing=5)

    def test_a_message_that_comes_twice(self):
        self.check(lambda text, place, n: [text, text] if n == 70 else [text], doubled=5)

    def test_a_message_that_is_cut(self):
        # Cut for good it is not counted as received, so it is missing as well.
        self.check(lambda text, place, n: [text[:60]] if (n, place) == (9, 0) else [text], broken=1, missing=1)

    def test_a_message_of_another_room(self):
        other = lambda text: text[:4] + "PPPP" + text[8:]
        self.check(lambda text, place, n: [other(text), text] if (n, place) == (9, 1) else [text], stray=1)


class LiarsOverTls(Liars):
    """Members 2 to 4 follow the records of their connections and decrypt none."""

    def check(self, lie, *options, settings=None, **expected):
        if "--deflate" in options:
            self.skipTest("a follower counts messages of one length")
        with tempfile.TemporaryDirectory() as folder:
            servers.make_certificate(folder)
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
            result = super().check(lie, "--tls", "--decrypt-every", "100", settings={"ssl": tls}, **expected)
        self.assertEqual(result["followers"], 3)
        return result

    def test_a_message_that_a_follower_gets_cut(self):
        self.check(lambda text, place, n: [text[:60]] if (n, place) == (9, 4) else [text], broken=1, missing=1)


class Cues(unittest.TestCase):
    def test_each_is_answered_by_a_result(self):
        results = asyncio.run(run_at_cues(lambda text, place, n: [text], 3))
        self.assertEqual([r["missing"] + r["doubled"] + r["stray"] + r["broken"] for r in results], [0, 0, 0])
        for before, after in zip(results, results[1:]):
            self.assertGreater(after["published"], before["published"])

    def test_a_loss_is_told_and_ends_it(self):
        results = asyncio.run(run_at_cues(lambda text, place, n: [] if (n, place) == (3, 2) else [text], 3))
        self.assertEqual([r["missing"] for r in results], [1])


class Floor(unittest.TestCase):
    def run_floor(self, flags, *options):
        floor = subprocess.Popen([f"{BUILD}/bench/floor", *flags], stdout=subprocess.PIPE, text=True)
        try:
            port = floor.stdout.readline().split()[1]
            out = subprocess.run([f"{BUILD}/bench/load", *options, "--port", port, "--pid", str(floor.pid), "--seconds",
                                  "0.3", "--warmup", "0.1"], capture_output=True, text=True, check=True).stdout
        finally:
            floor.kill()
            floor.wait()
            floor.stdout.close()
        result = json.loads(out)
        self.assertEqual((result["missing"], result["doubled"], result["stray"], result["broken"]), (0, 0, 0, 0))
        self.assertGreater(result["count"], 0)
        self.assertGreater(result["cpu_seconds"], 0)

    def test_every_way_it_runs(self):
        for hop in ([], ["--hop"]):
            for single in ([], ["--single"]):
                with self.subTest(hop=hop, single=single):
                    self.run_floor(hop + single + ["--echo"], "closed", "--for", "echo", "--members", "20")
                    self.run_floor(hop + single, "closed", "--members", "20")
                    self.run_floor(hop + single, "open", "--members", "20", "--publishers", "4", "--rate", "20000",
                                   "--bytes", "1000")


class Tables(unittest.TestCase):
    def test_ratio_is_taken_within_a_round(self):
        results = {"echo": {"floor": [{"figure": 100}, {"figure": 200}, {"figure": 400}],
                            "x": [{"figure": 50}, {"skipped": "failed"}, {"figure": 300}]}}
        self.assertEqual(tables.ratio(results, "echo", "x", "floor"), 0.625)

    def test_ratio_is_taken_of_slices_where_there_are_some(self):
        rounds = lambda *figures: [{"figure": 1, "slices": [{"figure": f} for f in figures]}]
        results = {"echo": {"floor": rounds(200, 200, 100), "x": rounds(150, 100, 75)}}
        self.assertEqual(tables.ratio(results, "echo", "x", "floor"), 0.75)

    def test_a_failed_row_says_why(self):
        self.assertEqual(tables.cell({"idle": {"x": [{"skipped": "no php"}]}}, "idle", "x"), "skipped: no php")


class Search(unittest.TestCase):
    def search(self, limit, guess, bracket=1.5, precision=0.06):
        best, probes = capacity.search(lambda rate: {"target_per_second": rate, "is_good": rate <= limit}, guess,
                                       bracket, precision)
        self.assertTrue(limit / (1 + precision) <= best["target_per_second"] <= limit, (best, probes))
        return probes

    def test_the_limit_is_found_from_far_and_from_near(self):
        for guess in (0.1, 0.7, 1, 1.3, 10):
            self.search(limit=1e6, guess=guess * 1e6)
        self.assertLessEqual(len(self.search(limit=1e6, guess=0.99e6, bracket=1.2)), 4)

    def test_a_server_that_is_dead_is_not_asked_for_ever(self):
        best, probes = capacity.search(
            lambda rate: {"target_per_second": rate, "is_good": False, "failed": "no result"}, 1e6, 1.5, 0.06)
        self.assertIsNone(best)
        self.assertEqual(len(probes), capacity.FAILURES_MAX)


def run_cells(cells, rounds=3):
    """Their results; those that were written are the same."""
    done = {"results": {}}
    with tempfile.TemporaryDirectory() as folder:
        agenda = schedule.Schedule(cells, rounds, cell.Context(BUILD, folder, False, None))
        with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stderr(nowhere):
            run.measure_all(agenda, done, f"{folder}/results.json", float("inf"))
        with open(f"{folder}/results.json", encoding="utf-8") as f:
            assert json.load(f) == done
    return done["results"]


class Agenda(unittest.TestCase):
    """What a run does with cells that go wrong."""

    class Some(servers.Server):
        label = "some"

    class Ending(servers.Server):
        label = "one that ends at once"

        def prepare(self):
            return ["false"], {}

    def test_what_is_measured_once_is_in_the_first_round(self):
        good = lambda ctx: {"figure": 1}
        cells = [cell.Cell("echo", self.Some, good, cell.runs())]
        cells += cell.once([cell.Cell("fanout", self.Some, good, cell.runs())])
        results = run_cells(cells)
        self.assertEqual([r["round"] for r in results["echo"]["some"]], [1, 2, 3])
        self.assertEqual([r["round"] for r in results["fanout"]["some"]], [1])

    def test_a_failure_stays_in_its_place(self):
        def fail(ctx):
            raise ZeroDivisionError("what nobody thought of")
        cells = [cell.Cell("echo", self.Some, fail, cell.runs()),
                 cell.Cell("fanout", self.Some, lambda ctx: {"figure": 1}, cell.runs())]
        results = run_cells(cells)
        self.assertEqual(results["echo"]["some"][2]["skipped"], "failed: what nobody thought of")
        self.assertEqual(results["fanout"]["some"][2]["figure"], 1)

    def test_a_server_that_does_not_start_is_tried_twice(self):
        starts = []

        def start(ctx):
            with ctx.make(self.Ending) as server:
                starts.append(server)
        results = run_cells([cell.Cell("echo", self.Ending, start, cell.runs())])
        self.assertEqual(starts, [])
        for result in results["echo"][self.Ending.label]:
            self.assertIn("did not start", result["skipped"])

    def test_repetitions_end_when_their_time_is_spent(self):
        tries = []

        def disturbed(*_, **__):
            tries.append(1)
            return {"others_busy": 1}
        patience = generator.Patience(tries=3, seconds=-1)
        with unittest.mock.patch.multiple(generator, start=disturbed, finish=disturbed, patience=patience):
            generator.run(BUILD, None, "open")
        self.assertEqual(len(tries), 2)  # one start and one end


class Slices(unittest.TestCase):
    """Servers that are measured in turn."""

    class One(servers.Floor):
        label = "one"

    class Other(servers.FloorHop):
        label = "other"

    class Third(servers.Floor):
        label = "third"

    def setUp(self):
        self.did = []

    def cell(self, cls, slices_n=4, act=lambda number: None):
        """Notes what it does; act(number) may fail at a slice."""
        def measure(_ctx):
            with contextlib.ExitStack() as stack:
                self.did.append(f"{cls.label} is up")
                stack.callback(self.did.append, f"{cls.label} is down")
                for number in range(slices_n):
                    yield
                    act(number)
                    self.did.append(f"{cls.label} {number}")
                yield
            return {"figure": 1}
        return cell.Cell("echo", cls, measure, slices.lasts(slices.SHORT), is_sliced=True)

    def measure(self, *cells):
        with tempfile.TemporaryDirectory() as folder:
            return slices.measure(cells, cell.Context(BUILD, folder, True, None))

    def test_each_goes_first_every_other_time(self):
        results = self.measure(self.cell(self.One, 2), self.cell(self.Other, 2))
        self.assertEqual(self.did, ["one is up", "other is up", "other 0", "one 0", "one 1", "other 1",
                                    "other is down", "one is down"])
        self.assertEqual([r["figure"] for r in results], [1, 1])

    def test_one_that_fails_is_out_and_the_others_go_on(self):
        def fail(number):
            if number == 1:
                raise generator.Failed("no answer")
        results = self.measure(self.cell(self.One), self.cell(self.Other, act=fail), self.cell(self.Third))
        self.assertEqual(results[1]["skipped"], "failed: no answer")
        self.assertEqual([results[0]["figure"], results[2]["figure"]], [1, 1])
        self.assertLess(self.did.index("other is down"), self.did.index("one 2"))
        self.assertNotIn("other 2", self.did)

    def test_an_interrupt_ends_all(self):
        def interrupt(number):
            raise KeyboardInterrupt
        with self.assertRaises(KeyboardInterrupt):
            self.measure(self.cell(self.One), self.cell(self.Other, act=interrupt), self.cell(self.Third))
        self.assertEqual({what for what in self.did if what.endswith("down")},
                         {"one is down", "other is down", "third is down"})

    def test_a_column_is_one_step(self):
        cells = [self.cell(self.One), cell.Cell("idle", self.One, None, cell.runs())]
        cells += cell.once([self.cell(self.Other)])
        with tempfile.TemporaryDirectory() as folder:
            agenda = schedule.Schedule(cells, 2, cell.Context(BUILD, folder, True, None))
        steps = [(number, [(c.column, c.server) for c in together]) for number, together in agenda.steps]
        self.assertEqual(steps, [(0, [("echo", self.One), ("echo", self.Other)]), (0, [("idle", self.One)]),
                                 (1, [("echo", self.One)]), (1, [("idle", self.One)])])

    def test_another_build_is_measured_in_slices(self):
        columns = lambda: {c.column for c in plan.full_cells() if c.server is servers.GatehouseBefore}
        self.assertEqual(columns(), set())
        with unittest.mock.patch.object(servers.GatehouseBefore, "other", "/nowhere"):
            self.assertEqual(columns(), {"echo", "fanout", "rooms", "handshakes"})
            self.assertIn("/nowhere", servers.GatehouseBefore(BUILD, "").missing())

    def test_disturbed_slices_count_only_where_they_are_the_most(self):
        def slice_of(figure, others_busy):
            return {**dict.fromkeys(slices.MEDIANS + slices.SUMS + ("max_us",), figure), "others_busy": others_busy}
        few = slices.sum_up([slice_of(100, 0), slice_of(10, 1), slice_of(120, 0), slice_of(110, 0)])
        self.assertEqual((few["figure"], few["others_busy"], few["count"], len(few["slices"])), (110, 0, 330, 4))
        most = slices.sum_up([slice_of(100, 0), slice_of(10, 1), slice_of(12, 1)])
        self.assertEqual((most["figure"], most["others_busy"]), (12, 1))

    def test_the_floor_is_measured_beside_one_that_ends(self):
        ending = type("Ending", (servers.Floor,), {"label": "ends", "prepare": lambda self: (["false"], {})})
        cells = [plan.closed("echo", c, "echo", 20) for c in (ending, self.One, self.Other)]
        cells += [plan.closed("rooms", self.One, "room", 5, 10)] + [plan.handshakes(c) for c in (self.One, ending)]
        with unittest.mock.patch.object(generator, "patience", generator.Patience(tries=1)):
            results = run_cells(cells, 1)
        self.assertIn("did not start", results["echo"]["ends"][0]["skipped"])
        self.assertIn("did not start", results["handshakes"]["ends"][0]["skipped"])
        for column, label, slices_n in (("echo", "one", 10), ("echo", "other", 10), ("handshakes", "one", 10),
                                        ("rooms", "one", 2)):
            self.assertEqual(len(results[column][label][0]["slices"]), slices_n)
            self.assertGreater(results[column][label][0]["figure"], 0)
        self.assertEqual(generator.running, [])


class Scale(unittest.TestCase):
    def test_formulas_agree_with_what_was_played(self):
        out = subprocess.run([sys.executable, f"{servers.HERE}/scale.py", "--hosts", "3,16,200", "--members", "7",
                              "--gateways", "2"],
                             capture_output=True, text=True, check=True).stdout
        worst = float(out.splitlines()[-1].split("differ by ")[1].split()[0])
        self.assertLess(worst, 3, out)


if __name__ == "__main__":
    unittest.main()
