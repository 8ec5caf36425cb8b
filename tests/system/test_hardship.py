#!/usr/bin/env python3
"""The real programs in hard times: killed again and again, on a disk without room, among strangers who send slowly, half,
or too much. usage: test_hardship.py FOLDER-OF-PROGRAMS

OTARIA_KILLS: how often the server is killed (25 times, or for 20 s where starting it takes long);
OTARIA_KILLS_SEED: when (1)."""
import json, os, random, secrets, shutil, socket, struct, subprocess, sys, tempfile, threading, time, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from esme import Esme  # noqa: E402
from system import Api, Program, until  # noqa: E402

PROGRAMS = sys.argv.pop(1)
KILLS = int(os.environ.get("OTARIA_KILLS", "25"))
KILLS_SEED = int(os.environ.get("OTARIA_KILLS_SEED", "1"))
KILLING_S = None if "OTARIA_KILLS" in os.environ else 20
ROUNDS = 3          # of good times and bad times in turn
REQUESTS = 200      # of the good client in each
NOISE_MS = 20       # that a busy machine adds to anybody's worst times


def tool(name, *arguments):
    return subprocess.run([os.path.join(PROGRAMS, name), *arguments], capture_output=True, text=True)


def write(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    return path


class Server:
    """An ota-server with one client, in a folder of its own; nobody answers as its SMSC unless there is one."""

    def __init__(self, folder, smsc="127.0.0.1:1"):
        self.folder, self.data = folder, os.path.join(folder, "data")
        self.password = write(os.path.join(folder, "password"), "secret1\n")
        self.smsc, self.program = smsc, None

    def prepare(self):
        made = tool("ota-server", "init", "--data", self.data)
        if made.returncode != 0:
            return made
        self.clients = []
        for number in range(8):  # each has its rate
            made = tool("ota-server", "client", "add", "--data", self.data, "--name", f"test-{number}")
            if made.returncode != 0:
                return made
            values = dict(line.split("=", 1) for line in made.stdout.split())
            self.clients.append((values["appkey"], values["appsecret"]))
        return made

    def start(self, log_folder):
        arguments = [os.path.join(PROGRAMS, "ota-server"), "--data", self.data, "--listen", "127.0.0.1:0",
                     "--single-person", "--smsc", self.smsc, "--system-id", "server", "--password-file", self.password]
        self.program = Program("ota-server", arguments, log_folder)
        self.address = self.program.ready["http"]
        self.api = Api(self.address, self.clients)

    def close(self):
        code = self.program.stop()
        self.program.log.close()
        self.program.process.stdout.close()
        return code

    def pools(self):
        return {pool["id"] for pool in self.api.all("/subscription-pools")}


class InAFolder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)


class Killed(InAFolder):
    def repeat(self, api, asked):
        """The request that the kill met, and an earlier one: each has its answer, and was done once."""
        for number in {len(asked), random.Random(len(asked)).randint(1, len(asked))} if asked else ():
            status, made = self.ask(api, number)
            self.assertEqual(status, 201)
            self.assertIn(asked[number - 1], (None, made["id"]))
            asked[number - 1] = made["id"]

    @staticmethod
    def ask(api, number):
        return api.ask_once("POST", "/subscription-pools", {"name": f"pool {number}", "operator": "Test", "templateId": 1},
                            key=f"pool-{number:07}")

    def test_each_kill_leaves_a_change_and_its_answer_or_neither(self):
        server, chance = Server(self.folder), random.Random(KILLS_SEED)
        self.assertEqual(server.prepare().returncode, 0)
        asked, acknowledged, kills, begin = [], 0, 0, time.monotonic()  # the log outside: ids, None where no answer came
        while kills < KILLS and (KILLING_S is None or time.monotonic() < begin + KILLING_S):
            kills += 1
            server.start(self.folder)
            api = Api(server.address, server.clients[:1])  # a key is of one client
            self.repeat(api, asked)
            killer = threading.Timer(chance.uniform(0.002, 0.2), server.program.kill)
            killer.start()
            try:
                while True:
                    asked.append(None)
                    status, made = self.ask(api, len(asked))
                    if status == 201:
                        asked[-1], acknowledged = made["id"], acknowledged + 1
                    else:
                        self.assertEqual(status, 429, made)
                        asked.pop()  # too many in a second: nothing was done
            except (OSError, ValueError):
                pass  # it is dead: what was asked last may have happened
            except Exception as error:
                if "http.client" not in str(type(error)):
                    raise
            killer.join()
            server.program.log.close()
            server.program.process.stdout.close()
        server.start(self.folder)
        self.repeat(Api(server.address, server.clients[:1]), asked)
        there = server.pools()
        rows = server.api.get("/audit-trail", "action=pool.created&perPage=1")["pagination"]["totalCount"]
        verdict = server.api.post("/audit-trail/verify", {})
        self.assertEqual(server.close(), 0)
        self.assertEqual(there, set(asked))
        self.assertEqual(rows, len(asked))  # and not one for each time that it was asked
        self.assertGreater(acknowledged, kills // 4)  # there was something to lose
        self.assertTrue(verdict["ok"], verdict)
        print("\nfigure " + json.dumps({"name": "fault.kills", "value": kills, "unit": "kills", "what": "ota-server"}))


def tell_full(test):
    """On a line of its own: unittest puts a dot before it. What is skipped tells nothing."""
    print("\nfigure " + json.dumps({"name": "fault.full_disks", "value": 1, "unit": "disks",
                                    "what": test.id().rsplit(".", 1)[1]}))


class WithoutRoom(InAFolder):
    def small_disk(self, octets):
        path = os.path.join(self.folder, "disk")
        os.mkdir(path)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={octets},mode=0700", "none", path],
                              capture_output=True, text=True)
        if made.returncode != 0:
            self.skipTest("a small disk cannot be mounted here: " + made.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", path])
        return path

    def test_a_disk_too_small_for_the_database_is_told(self):
        server = Server(self.small_disk(256 << 10))
        made = server.prepare()
        self.assertEqual(made.returncode, 1)
        self.assertRegex(made.stderr, "the disk is full|the database cannot be written")
        self.assertFalse(os.path.exists(os.path.join(server.data, "registry.db-journal")))
        tell_full(self)

    def test_a_full_disk_answers_503_and_recovers_without_a_restart(self):
        disk = self.small_disk(4 << 20)
        server = Server(disk)
        self.assertEqual(server.prepare().returncode, 0)
        server.start(self.folder)
        filler = os.path.join(disk, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass  # full
        acknowledged, statuses = [], set()
        for number in range(300):
            status, made = server.api.ask("POST", "/subscription-pools",
                                          {"name": f"pool {number}", "operator": "Test", "templateId": 1})
            statuses.add(status)
            if status == 201:
                acknowledged.append(made["id"])
            if status == 503:
                break
        self.assertEqual(statuses - {201, 503}, set())
        self.assertIn(503, statuses)
        self.assertEqual(server.pools(), set(acknowledged))  # reads go on, and nothing is half done
        os.unlink(filler)
        made = server.api.post("/subscription-pools", {"name": "room again", "operator": "Test", "templateId": 1})
        self.assertEqual(server.pools(), {*acknowledged, made["id"]})
        self.assertTrue(server.api.post("/audit-trail/verify", {})["ok"])
        self.assertEqual(server.close(), 0)
        with open(os.path.join(self.folder, "ota-server.log")) as file:
            log = file.read()
        self.assertIn("store.cannot_write", log)
        self.assertIn("store.writes_again", log)
        tell_full(self)


    def test_an_import_that_the_disk_cannot_take_ends(self):
        batch = os.path.join(self.folder, "cards.out")
        self.assertEqual(tool("vendor-make", "-n", "3000", "-b", "FULL001", "-o", batch).returncode, 0)
        disk = self.small_disk(12 << 20)
        server = Server(disk)
        self.assertEqual(server.prepare().returncode, 0)
        server.start(self.folder)
        with open(os.path.join(ROOT, "profiles/vendor/samples/alder.json"), "rb") as file:
            server.api.post("/vendor-profiles", file.read())
        for index, key in ((7, "00112233445566778899AABBCCDDEEFF"), (12, "0F1E2D3C4B5A69788796A5B4C3D2E1F0")):
            server.api.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC", "components": [key, "0" * 32]})
        room = os.statvfs(disk)
        leave = os.path.getsize(batch) + (96 << 10)  # for the file as it comes, but not for what judging it takes
        with open(os.path.join(disk, "filler"), "wb") as file:
            file.write(bytes(room.f_bavail * room.f_frsize - leave))
        with open(batch, "rb") as file:
            job = server.api.post("/batch-imports", file.read(), content_type="text/plain", query="vendorProfile=alder")
        look = lambda: (lambda now: now if now["status"] == "ENDED" else None)(server.api.get("/batch-imports/" + job["id"]))
        ended = until("the end of the import", 20, look, 0.05)
        self.assertEqual(ended["failure"], "UNREADABLE", ended)
        self.assertEqual(server.api.all("/cards"), [])
        self.assertEqual(server.close(), 0)
        tell_full(self)


class Strangers:
    """Connections from other addresses of this machine, until they are told to stop."""

    def __init__(self, address, beginnings, count, flood):
        host, port = address.rsplit(":", 1)
        self.address, self.beginnings, self.count, self.flood = (host, int(port)), beginnings, count, flood
        self.ended, self.made, self.shut = threading.Event(), 0, 0
        self.threads = [threading.Thread(target=self.drip), threading.Thread(target=self.pour)]

    def connect(self, number):
        return socket.create_connection(self.address, 5, (f"127.0.{1 + number % 8}.1", 0))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def drip(self):
        """Some say nothing, some stop in the middle, some send an octet now and then."""
        open_ones = {}
        while not self.ended.is_set():
            if len(open_ones) < self.count:
                try:
                    connection = self.connect(self.made)
                    connection.setblocking(False)
                    beginning = self.beginnings[self.made % len(self.beginnings)]
                    connection.send(beginning[:len(beginning) // 2])
                    open_ones[connection] = beginning[len(beginning) // 2:]
                    self.made += 1
                except OSError:
                    self.shut += 1
            else:
                self.ended.wait(0.02)
            for connection, rest in list(open_ones.items())[:5]:
                try:
                    connection.send(rest[:1])
                    open_ones[connection] = rest[1:]
                    if connection.recv(1) == b"":
                        raise OSError("shut")
                except BlockingIOError:
                    del open_ones[connection]
                    open_ones[connection] = rest[1:]  # the last in the row
                except OSError:
                    del open_ones[connection]
                    connection.close()
                    self.shut += 1
        for connection in open_ones:
            connection.close()

    def pour(self):
        number = 0
        while not self.ended.is_set():
            number += 1
            try:
                with self.connect(number) as connection:
                    connection.sendall(self.flood)
                    connection.settimeout(0.2)
                    connection.recv(4096)
            except OSError:
                pass
            self.ended.wait(0.005)


class AmongStrangers(InAFolder):
    def compare(self, once, strangers):
        """The good client's worst times with and without strangers, in turn; the best round of each counts."""
        def p99():
            times = []
            for _ in range(REQUESTS):
                start = time.monotonic()
                once()
                times.append((time.monotonic() - start) * 1000)
            return sorted(times)[REQUESTS * 99 // 100]
        calm, rough = [], []
        made = 0
        for _ in range(ROUNDS):
            calm.append(p99())
            with strangers() as crowd:
                until("the strangers", 30, lambda c=crowd: c.made >= c.count or c.shut > c.count, 0.01)
                rough.append(p99())
            made += crowd.made + crowd.shut
        name = self.id().rsplit(".", 1)[1]
        # On a line of its own: unittest puts a dot before it.
        print("\nfigure " + json.dumps({"name": "fault.p99", "value": round(min(rough), 2), "unit": "ms",
                                        "what": f"{name}, {made} strangers; {min(calm):.2f} ms without them"}))
        self.assertLess(min(rough), 2 * max(calm) + NOISE_MS)
        self.assertGreater(made, 0)

    def test_slow_and_flooding_clients_of_the_server(self):
        server = Server(self.folder)
        self.assertEqual(server.prepare().returncode, 0)
        server.start(self.folder)
        host, port = server.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 20) as good:
            def once():
                good.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertIn(b" 200 ", good.recv(65536))
            beginnings = [b"", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"a" * 60,
                          b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + b"a" * 200]
            self.compare(once, lambda: Strangers(server.address, beginnings, 120,
                                                 b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" * 20))
        self.assertEqual(server.close(), 0)

    def test_a_request_is_the_same_however_it_is_cut(self):
        server = Server(self.folder)
        self.assertEqual(server.prepare().returncode, 0)
        server.start(self.folder)
        host, port = server.address.rsplit(":", 1)
        form = b"grant_type=nothing&scope=x"
        request = (b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                   b"Content-Length: %d\r\n\r\n" % len(form)) + form

        def ask(connection, *pieces):
            for piece in pieces:
                connection.sendall(piece)
            answer = connection.recv(65536)
            while len(answer.split(b"\r\n\r\n", 1)) < 2 or not answer.endswith(b"}"):
                answer += connection.recv(65536)
            return answer.split(b"\r\n")[0], answer.split(b"\r\n\r\n", 1)[1]
        with socket.create_connection((host, int(port)), 20) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            whole = ask(connection, request)
            self.assertIn(b" 400 ", whole[0])
            self.assertIn(b"unsupported_grant_type", whole[1])
            for at in range(1, len(request)):
                self.assertEqual(ask(connection, request[:at], request[at:]), whole, at)
            self.assertEqual(ask(connection, *(request[i:i + 1] for i in range(len(request)))), whole)
        self.assertEqual(server.close(), 0)

    def test_slow_and_flooding_clients_of_the_smsc(self):
        config = write(os.path.join(self.folder, "smsc.conf"), 'account "good" { password = "secret1" }\n')
        program = Program("smsc-sim", [os.path.join(PROGRAMS, "smsc-sim"), "--config", config, "--listen",
                                       "127.0.0.1:0"], self.folder)
        good = Esme(program.ready["smpp"], "good", "secret1")

        def once():
            good.request(0x15, b"")
            while good.read()[0] != 0x80000015:
                pass
        bind = struct.pack(">IIII", 40, 9, 0, 1) + b"stranger\0wrong\0\0\x34\0\0\0" + bytes(20)
        beginnings = [b"", bind[:4], bind[:30], struct.pack(">IIII", 400, 4, 0, 1) + bytes(100)]
        self.compare(once, lambda: Strangers(program.ready["smpp"], beginnings, 60, bytes(16) * 50))
        good.close()
        self.assertEqual(program.stop(), 0)
        program.log.close()
        program.process.stdout.close()

    def test_an_smsc_that_stalls_dribbles_and_resets(self):
        """The server's side of a link: it comes back each time, and its interface answers as before."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(20)
            server = Server(self.folder, "127.0.0.1:%d" % listener.getsockname()[1])
            self.assertEqual(server.prepare().returncode, 0)
            server.start(self.folder)
            for manner in ("reset", "half", "garbage", "dribble"):
                connection, _ = listener.accept()
                connection.settimeout(20)
                length, command, _, sequence = struct.unpack(">IIII", connection.recv(16, socket.MSG_WAITALL))
                connection.recv(length - 16, socket.MSG_WAITALL)
                self.assertEqual(command, 9)
                answer = struct.pack(">IIII", 21, 0x80000009, 0, sequence) + b"smsc\0"
                if manner == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif manner == "half":
                    connection.sendall(answer[:20])
                elif manner == "garbage":
                    connection.sendall(secrets.token_bytes(3) * 400)
                else:
                    for octet in answer:
                        connection.sendall(bytes([octet]))
                    until("the link", 20, lambda: server.api.ask("GET", "/readyz")[0] == 200, 0.05)
                    last = connection
                    break
                self.assertEqual(server.api.ask("GET", "/healthz")[0], 200)
                connection.close()
            self.assertEqual(server.api.get("/system")["links"][0]["state"], "bound")
            last.close()
            self.assertEqual(server.close(), 0)


if __name__ == "__main__":
    unittest.main()
