#!/usr/bin/env python3
"""ota-server as a program, from outside. usage: test_ota_server.py FOLDER-OF-PROGRAMS"""
import concurrent.futures, json, os, shutil, socket, subprocess, sys, tempfile, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from system import Api, Program, until  # noqa: E402

PROGRAMS = sys.argv.pop(1)
BASE = "/connectivity-management/v1"
NOBODY = "crd_" + "0" * 25 + "1"
# The published transport keys of the sample file.
KEYS = {7: "00112233445566778899AABBCCDDEEFF", 12: "0F1E2D3C4B5A69788796A5B4C3D2E1F0"}


def tool(name, *arguments):
    return subprocess.run([os.path.join(PROGRAMS, name), *arguments], capture_output=True, text=True)


class OtaServer(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.data = os.path.join(self.folder, "data")
        self.password = os.path.join(self.folder, "password")
        with open(os.open(self.password, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write("secret1\n")
        self.assertEqual(tool("ota-server", "init", "--data", self.data).returncode, 0)
        self.key, self.secret = self.add_client("all")
        self.limited = self.add_client("cards:read")
        self.program = Program("ota-server", [os.path.join(PROGRAMS, "ota-server"), *self.arguments()], self.folder)
        self.connect()

    def tearDown(self):
        code = self.program.stop()
        self.program.log.close()
        self.program.process.stdout.close()
        shutil.rmtree(self.folder)
        self.assertEqual(code, 0)

    def arguments(self):
        # Nobody answers at this address: the server works without a link.
        return ["--data", self.data, "--listen", "127.0.0.1:0", "--single-person", "--smsc", "127.0.0.1:1", "--system-id",
                "server", "--password-file", self.password]

    def add_client(self, scopes):
        made = tool("ota-server", "client", "add", "--data", self.data, "--name", "test", "--scopes", scopes)
        self.assertEqual(made.returncode, 0, made.stderr)
        values = dict(line.split("=", 1) for line in made.stdout.split())
        return values["appkey"], values["appsecret"]

    def connect(self):
        self.address = self.program.ready["http"]
        self.api = Api(self.address, [(self.key, self.secret)])

    def restart(self):
        self.program.process.stdout.close()
        self.program.start()
        self.connect()

    def ask(self, method, path, body=None, **more):
        return self.api.ask(method, path, body, **more)

    def refused(self, status, code, method, path, body=None, **more):
        got, document = self.ask(method, path, body, **more)
        self.assertEqual((got, document["status"], document["code"]), (status, status, code), document)
        self.assertLessEqual(set(document), {"status", "code", "message", "details"})

    def raw(self, octets):
        """The first line of what the server answers to these octets, and whether it closed afterwards."""
        answer, is_closed = self.raw_all(octets)
        return answer.split(b"\r\n")[0].decode(), is_closed

    def raw_all(self, octets):
        host, port = self.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.settimeout(10)
            connection.sendall(octets)
            answer = b""
            try:
                while True:
                    got = connection.recv(65536)
                    if not got:
                        return answer, True
                    answer += got
                    if b"\r\n\r\n" in answer:
                        connection.settimeout(1)
            except ConnectionResetError:
                return answer, True
            except TimeoutError:
                return answer, False

    def prepare_imports(self):
        with open(os.path.join(ROOT, "profiles/vendor/samples/alder.json"), "rb") as file:
            self.api.post("/vendor-profiles", file.read())
        for index, key in KEYS.items():
            made = self.api.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC", "components": [key, "0" * 32]})
            self.assertEqual(made["kcv"].upper(), {7: "3544E0", 12: "8F93D8"}[index])

    def order(self, count, batch):
        path = os.path.join(self.folder, batch)
        self.assertEqual(tool("vendor-make", "-n", str(count), "-b", batch, "-o", path).returncode, 0)
        with open(path, "rb") as file:
            return self.api.post("/batch-imports", file.read(), content_type="text/plain", query="vendorProfile=alder")

    def ended(self, job):
        def look():
            now = self.api.get("/batch-imports/" + job["id"])
            return now if now["status"] == "ENDED" else None
        return until("the end of the import", 60, look, 0.05)

    def test_every_refusal_has_its_status_and_code(self):
        reader = Api(self.address, [self.limited])
        self.refused(400, "INVALID_ARGUMENT", "GET", "/cards", query="colour=red")
        self.refused(400, "INVALID_ARGUMENT", "POST", "/subscription-pools", {"name": "x", "colour": "red"})
        self.refused(400, "INVALID_ARGUMENT", "POST", "/subscription-pools", b'{"name":"x","name":"y"}')
        stranger = Api(self.address, [(self.key, "x" * 43)])
        self.assertEqual(stranger.ask("GET", "/cards")[0], 401)
        self.assertEqual(reader.ask("POST", "/subscription-pools", {"name": "x", "operator": "y", "templateId": 1})[0], 403)
        self.refused(404, "NOT_FOUND", "GET", "/cards/" + NOBODY)
        self.refused(404, "NOT_FOUND", "GET", "/nothing")
        self.refused(405, "METHOD_NOT_ALLOWED", "PUT", "/cards", {})
        self.refused(415, "UNSUPPORTED_MEDIA_TYPE", "POST", "/subscription-pools", b"{}", content_type="text/plain")

    def test_files_may_be_larger_than_other_bodies(self):
        file = b"nobody\n" + b"#" * (2 << 20)
        for path in ("/uploads", "/batch-imports/imp_" + NOBODY[4:] + "/quarantine"):
            self.refused(404, "NOT_FOUND", "POST", path, file, content_type="text/csv")
            head = {"Host": self.address, "Content-Type": "text/csv", "Idempotency-Key": "file-0001",
                    "Authorization": self.api.sign("POST", Api.BASE + path, "", "text/csv", "file-0001", b"")}
            lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
            told = f"POST {Api.BASE + path} HTTP/1.1\r\n{lines}Content-Length: {(512 << 20) + 1}\r\n\r\n"
            self.assertIn(" 413 ", self.raw(told.encode())[0])

    def test_framing_that_can_be_read_in_two_ways_is_refused_and_the_connection_closed(self):
        get, post = b"GET /healthz HTTP/1.1\r\nHost: a\r\n", b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\n"
        lengths = (b"4\r\nContent-Length: 4", b"3\r\nContent-Length: 4", b"4, 4", b"4, 5", b"+4", b"-4", b"0x4", b"4 4", b"", b"4;",
                   b"9" * 20, b"4\r\nTransfer-Encoding: chunked", b"4\r\ntransfer-encoding:chunked")
        codings = (b"chunked\r\nContent-Length: 4", b"chunked\r\nTransfer-Encoding: chunked", b"gzip", b"gzip, chunked",
                   b"chunked, chunked", b"chunked, identity", b"identity", b"xchunked", b"chunked;q=1", b"\x0bchunked", b"")
        sizes = (b"0x1", b"+1", b"-1", b" 1", b"1 ", b"", b"g")
        targets = (b"http://b/healthz", b"healthz", b"/health%00z", b"/a b", b"/healthz ")
        cases = [post + b"Content-Length: " + value + b"\r\n\r\nabcd" for value in lengths]
        cases += [post + b"Transfer-Encoding: " + value + b"\r\n\r\n0\r\n\r\n" for value in codings]
        cases += [post + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\na\r\n0\r\n\r\n" for size in sizes]
        cases += [b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n" for target in targets]
        cases += [
            post + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
            post.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            post + b"Content-Length : 4\r\n\r\nabcd",
            get + b"X : y\r\n\r\n", get + b"X\t: y\r\n\r\n", get + b"X\r\n\r\n", get + b"X y: z\r\n\r\n", get + b"X\x7f: y\r\n\r\n",
            get + b"X: y\rZ: w\r\n\r\n", get + b"X: y\r\r\n\r\n", get + b"\rX: y\r\n\r\n", get + b"X\0: y\r\n\r\n",
            get.replace(b"\r\nHost", b"\r\n Host") + b"\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\n\r\n", b" " + get + b"\r\n", get.replace(b"HTTP/1.1", b"http/1.1") + b"\r\n",
            b"GET /healthz\r\nHost: a\r\n\r\n", b"no request at all\r\n\r\n",
            post + b"Content-Length: 1\x002\r\n\r\na", post + b"Transfer-Encoding: chunked\0x\r\n\r\n0\r\n\r\n",
            post + b"X: a\0\r\nContent-Length: 5\r\n\r\nabcde", post + b"X: a\nContent-Length: 5\r\n\r\nabcde",
            get + b"\0Content-Length: 5\r\n\r\nabcde", get.replace(b"/healthz", b"/healthz\0/x") + b"\r\n",
            get.replace(b"GET", b"GET\0") + b"\r\n", get.replace(b"\r\n", b"\n") + b"\n", get + b"\n",
        ]
        # Behind each stands what a proxy that read it otherwise would take for the next request: it is never answered.
        smuggled = [octets + get + b"\r\n" for octets in cases]
        with concurrent.futures.ThreadPoolExecutor(16) as threads:
            for octets, (answer, is_closed) in zip(smuggled, threads.map(self.raw_all, smuggled)):
                refused = b" 413 " if b"9" * 20 in octets else b" 400 "
                self.assertTrue(answer == b"" or refused in answer.split(b"\r\n")[0], (octets, answer))
                self.assertNotIn(b"HTTP/1.1 200 ", answer, octets)
                self.assertTrue(is_closed, octets)
        line, _ = self.raw(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn(" 414 ", line)
        line, _ = self.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n")
        self.assertIn(" 431 ", line)
        # What libmicrohttpd refuses, in words of its own (docs/api.md, Form of requests).
        for octets, statuses in ((b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)), (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", (400, 505)),
                                 (b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", (400,))):
            answer, is_closed = self.raw_all(octets + get)
            self.assertIn(int(answer.split()[1]), statuses, (octets, answer))
            self.assertEqual((is_closed, answer.count(b"HTTP/1.1 ")), (True, 1), (octets, answer))
        # Each body at its limit, which is then asked who sends it, and an octet above, which is not read.
        for path, limit in ((BASE + "/subscription-pools", 1 << 20), ("/esim-profile-management/v0.1/download", 64 << 10),
                            (BASE + "/batch-imports?vendorProfile=alder", 1 << 20)):  # of somebody who is not known
            for length, sent, refused in ((limit, limit, (" 401 ", " 400 ", " 415 ")), (limit + 1, 1000, (" 413 ",))):
                line, is_closed = self.raw(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                                           f"Content-Length: {length}\r\n\r\n".encode() + b"x" * sent)
                self.assertTrue(any(status in line for status in refused), (path, length, line))
                self.assertEqual(is_closed, length > limit, path)
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)

    def test_someone_who_sends_slowly_holds_up_nobody(self):
        host, port = self.address.rsplit(":", 1)
        slow = [socket.create_connection((host, int(port)), 10) for _ in range(20)]
        for connection in slow:
            connection.sendall(b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Le")
        for _ in range(20):
            self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        for connection in slow:
            connection.close()

    def test_the_documents_are_served(self):
        host, port = self.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(b"GET /docs/openapi.yaml HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        with open(os.path.join(ROOT, "docs/openapi/connectivity-management.yaml"), "rb") as file:
            kept = file.read()
        here = b"http://" + self.address.encode()
        named = kept.replace(b"url: /}", b"url: %s}" % here, 1).replace(b"Url: /.well", b"Url: %s/.well" % here, 1)
        self.assertEqual(answer.split(b"\r\n\r\n", 1)[1], named)

    def test_each_request_leaves_a_line_in_the_log(self):
        target = "/connectivity-management/v1/users/usr_01JU8Q4M7Y2K9T3W5X6A7B8C9D?name=anna"
        answer, _ = self.raw_all(f"GET {target} HTTP/1.1\r\nHost: a\r\nx-correlator: find-me-1\r\nConnection: close\r\n\r\n".encode())
        self.assertIn(b" 401 ", answer)
        self.assertEqual(self.ask("GET", "/system")[0], 200)
        with open(os.path.join(self.folder, "ota-server.log")) as file:
            kept = file.read()
        lines = [line for line in kept.splitlines() if "correlator=find-me-1" in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], r'http\.request peer=127\.0\.0\.1 caller="" method=GET '
                                   r"path=/connectivity-management/v1/users/\* status=401 correlator=find-me-1 ms=\d+$")
        self.assertRegex(kept, r"http\.request peer=127\.0\.0\.1 caller=cli_\w{26} by=signature method=GET path=/connectivity-management/v1/system status=200")
        self.raw_all(f"GET {target} HTTP/1.1\r\nHost: a\r\nx-correlator: find-me-2\r\nAuthorization: Bearer guessed\r\n"
                     "Connection: close\r\n\r\n".encode())
        form = "grant_type=client_credentials&client_id=x&client_secret=guessed&scope=y"
        self.raw_all(f"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nx-correlator: find-me-3\r\nConnection: close\r\n"
                     f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}".encode())
        with open(os.path.join(self.folder, "ota-server.log")) as file:
            kept = file.read()
        self.assertRegex(kept, r'caller="" by=token method=GET path=\S+/users/\* status=401 correlator=find-me-2 ')
        self.assertRegex(kept, r'caller="" by=secret method=POST path=/oauth2/token status=401 correlator=find-me-3 ')
        self.assertNotIn("guessed", kept)
        self.assertNotIn("anna", lines[0])
        self.assertNotIn("usr_", lines[0])

    def test_its_memory_is_neither_dumped_nor_swapped(self):
        folder = "/proc/%d/" % self.program.process.pid
        with open(folder + "limits") as file:
            limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
        self.assertEqual(limits["Max core file size"], ["0", "0"])
        with open(folder + "status") as file:
            status = dict(line.split(":", 1) for line in file)
        with open(os.path.join(self.folder, "ota-server.log")) as file:
            is_said = "memory.not_locked" in file.read()
        is_limited = limits["Max locked memory"][0] != "unlimited"
        self.assertEqual(is_said, is_limited)
        locked, resident = (int(status[name].split()[0]) for name in ("VmLck", "VmRSS"))
        if "asan" not in PROGRAMS:  # the sanitizer's run time locks nothing
            self.assertGreater(locked, 0)
            self.assertTrue(is_limited or locked >= resident, (locked, resident))

    def test_a_second_server_on_the_same_data_is_refused(self):
        second = tool("ota-server", *self.arguments())
        self.assertEqual(second.returncode, 1)
        self.assertIn("another process is using it", second.stderr)
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)

    def test_times_outside_their_ranges_are_refused(self):
        ranges = {"approval-s": (3600, 1209600), "not-after-s": (300, 1209600), "submit-s": (1, 60), "validity-s": (60, 259200),
                  "por-s": (10, 3600), "unreachable-s": (86400, 7776000)}
        config = os.path.join(self.folder, "times.conf")
        for name, (least, most) in ranges.items():
            for value, code, says in ((least - 1, 2, name), (least, 1, "another process"), (most, 1, "another process"),
                                      (most + 1, 2, name)):
                with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                    file.write(f"policy {{ {name} = {value} }}\n")
                ended = tool("ota-server", "--data", self.data, "--config", config)
                self.assertEqual((ended.returncode, says in ended.stderr), (code, True), (name, value, ended.stderr))

    def test_the_trail_is_exported_whole(self):
        for number in range(170):
            self.api.post("/subscription-pools", {"name": f"pool {number}", "operator": "Test", "templateId": 1})
        status, lines = self.ask("POST", "/audit-trail/export", {"reason": "yearly"})
        self.assertEqual(status, 200)
        rows = [json.loads(line) for line in lines.splitlines()]
        self.assertEqual([row["sequence"] for row in rows], list(range(1, len(rows) + 1)))
        self.assertEqual(rows[-1]["action"], "trail.exported")
        self.assertGreater(len(lines), 65536)  # more than the server holds of it

    def test_the_master_key_is_changed(self):
        self.prepare_imports()
        first = self.order(50, "BATCH01")
        self.assertEqual(self.ended(first)["outcome"], "IMPORTED")
        card = self.api.get("/cards", "perPage=1")["items"][0]["id"]
        order = {"type": "audit"}
        self.ask("PATCH", f"/cards/{card}", {"note": "before"})
        key = os.path.join(self.data, "master.key")
        running = tool("ota-server", "rekey", "--data", self.data)
        self.assertEqual((running.returncode, "another process" in running.stderr), (1, True), running.stderr)
        self.assertEqual(self.program.stop(), 0)
        with open(key) as file:
            before = file.read()
        # Cut off as soon as the new key is there: from there on only the command goes on.
        cut = subprocess.Popen([os.path.join(PROGRAMS, "ota-server"), "rekey", "--data", self.data], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        until("the new key", 10, lambda: os.path.exists(key + ".new") or cut.poll() is not None, 0.001)
        cut.kill()
        cut.wait()
        if os.path.exists(key + ".new") or not os.path.exists(key + ".old"):
            done = tool("ota-server", "rekey", "--data", self.data)
            self.assertEqual(done.returncode, 0, done.stderr)
        with open(key) as new, open(key + ".old") as old:
            self.assertEqual(old.read(), before)
            self.assertNotEqual(new.read(), before)
        self.assertFalse(os.path.exists(key + ".new"))
        # Cut off between the last two steps, once more.
        os.rename(key, key + ".new")
        os.link(key + ".old", key)
        done = tool("ota-server", "rekey", "--data", self.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        again = tool("ota-server", "rekey", "--data", self.data)
        self.assertEqual((again.returncode, "put it away" in again.stderr), (1, True), again.stderr)
        old = tool("ota-server", *self.arguments(), "--master-key-file", key + ".old")
        self.assertEqual((old.returncode, "does not open" in old.stderr), (1, True), old.stderr)
        self.restart()
        # The client's secret, the cards' keys, the transport keys and the file that is kept open.
        opened = self.import_file(first["id"], os.path.join(self.folder, "again"))
        self.assertEqual(opened.returncode, 0, opened.stderr)
        self.assertEqual(self.api.post(f"/cards/{card}/operations", order)["type"], "audit")
        self.assertEqual(self.ended(self.order(50, "BATCH02"))["outcome"], "IMPORTED")
        self.ask("PATCH", f"/cards/{card}", {"note": "after"})
        rows = self.api.get(f"/cards/{card}/audit-trail")["items"]
        self.assertEqual([row["action"] for row in rows].count("card.changed"), 2)  # one card, then and now
        self.assertTrue(self.api.post("/audit-trail/verify", {})["ok"])

    def test_a_gateway_speaks_for_its_clients(self):
        def metrics(*lines):
            header = "".join(f"X-Forwarded-For: {line}\r\n" for line in lines)
            return self.raw(f"GET /metrics HTTP/1.1\r\nHost: a\r\n{header}Connection: close\r\n\r\n".encode())[0]
        outside, loopback = "203.0.113.9", "127.0.0.1"
        self.assertIn("200", metrics(outside))  # nobody is believed
        self.again_with('trusted-proxies = {"127.0.0.1"}\n')
        self.assertIn("200", metrics())
        self.assertIn("401", metrics(outside))
        self.assertIn("401", metrics(f"{loopback}, {outside}"))
        self.assertIn("401", metrics(loopback, loopback))
        self.assertIn("200", metrics(loopback))

    def again_with(self, text):
        config = os.path.join(self.folder, "server.conf")
        with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        self.program.stop()
        self.program.arguments = [*self.program.arguments[:1], *self.arguments(), "--config", config]
        self.restart()

    def guest(self, address):
        host, port = self.address.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), 10, (address, 0))
        connection.settimeout(10)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        return connection

    def test_connections_are_bounded_as_configured(self):
        self.again_with("connections = 3\nconnections-per-address = 2\n")
        guests = [self.guest("127.0.0.2"), self.guest("127.0.0.2")]
        self.assertEqual([b" 200 " in guest.recv(4096) for guest in guests], [True, True])
        with self.guest("127.0.0.2") as one_too_many:  # of its address
            try:
                self.assertEqual(one_too_many.recv(4096), b"")
            except ConnectionResetError:
                pass
        guests.append(self.guest("127.0.0.3"))
        self.assertIn(b" 200 ", guests[2].recv(4096))
        waits = self.guest("127.0.0.4")  # until there is a place
        waits.settimeout(0.2)
        self.assertRaises(TimeoutError, waits.recv, 4096)
        guests.pop(0).close()
        waits.settimeout(10)
        self.assertIn(b" 200 ", waits.recv(4096))
        for guest in [waits, *guests]:
            guest.close()
        config = os.path.join(self.folder, "wrong.conf")
        for text, says in (("connections = 0", "1 to 16384"), ("connections = 16385", "1 to 16384"),
                           ("connections-per-address = 0", "connections-per-address"),
                           ("connections = 5\nconnections-per-address = 6", "connections-per-address"),
                           ('plmn "2620" { rate = 5 }', '5 or 6 digits, not plmn "2620"'), ('plmn "26201" { }', "1 to 1000000"),
                           ('plmn "26201" { rate = 1000001 }', "1 to 1000000"),
                           ("".join('plmn "262%03u" { rate = 1 } ' % i for i in range(65)), "at most 64 networks"),
                           ('second-factor-roles = {"OPERATOR", "BOSS"}', 'second-factor-roles: "BOSS"')):
            with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(text + "\n")
            ended = tool("ota-server", "--data", self.data, "--config", config)
            self.assertEqual((ended.returncode, says in ended.stderr), (2, True), ended.stderr)

    def test_each_heading_of_the_help_has_its_options(self):
        groups = {}
        for line in tool("ota-server", "--help").stdout.split("Commands:")[0].splitlines():
            if line.startswith(" For ") and line.endswith(":"):
                groups[line.strip()] = options = []
            elif groups and line.lstrip().startswith("-"):
                options.append(line[line.index("--"):].split("=")[0].split()[0])
        groups.pop("For laboratories with test data:")  # the general ones follow
        self.assertEqual(groups, {
            "For client add:": ["--name", "--person", "--scopes", "--tenant"], "For backup and restore:": ["--from", "--to"],
            "For free-downloads:": ["--reason"], "For import-file, with --to FILE:": ["--import"]})

    def test_a_limit_of_open_files_that_is_too_low_is_told(self):
        self.program.stop()
        own = [os.path.join(PROGRAMS, "ota-server"), *self.arguments()]
        ended = subprocess.run(["prlimit", "--nofile=300:300", *own], capture_output=True, text=True)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("ota-server: 2048 connections need 2304 open files: raise that limit (now 300), or lower connections", ended.stderr)
        self.restart()

    def test_a_thousand_idle_and_some_hundred_slow_connections_hold_up_nobody(self):
        idle = [self.guest(f"127.0.1.{n // 50}") for n in range(1000)]
        self.assertTrue(all(b" 200 " in connection.recv(4096) for connection in idle))
        slow = []
        for n in range(300):  # more than requests were once in work at a time
            host, port = self.address.rsplit(":", 1)
            slow.append(socket.create_connection((host, int(port)), 10, (f"127.0.2.{n // 50}", 0)))
            slow[-1].sendall(b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\na")
        for _ in range(20):
            self.assertEqual(self.ask("GET", "/healthz")[0], 200)
            self.assertEqual(self.ask("GET", "/cards")[0], 200)
        for connection in idle + slow:
            connection.close()

    def test_an_address_of_nobody_is_wrong_use(self):
        with tempfile.TemporaryDirectory() as other:
            self.assertEqual(tool("ota-server", "init", "--data", other).returncode, 0)
            for option in (["--listen", "nonsense"], ["--listen", "127.0.0.1:99999"],
                           ["--smsc", "nonsense", "--system-id", "a"]):
                done = tool("ota-server", "--data", other, *option)
                self.assertEqual(done.returncode, 2, done.stderr)

    def test_what_was_acknowledged_outlives_a_kill(self):
        self.prepare_imports()
        names = [f"pool {i}" for i in range(20)]
        made = [self.api.post("/subscription-pools", {"name": name, "operator": "Test", "templateId": 1})["id"] for name in names]
        self.assertEqual(self.ended(self.order(500, "BATCH01"))["outcome"], "IMPORTED")
        self.program.kill()
        self.restart()
        self.assertEqual([pool["id"] for pool in self.api.all("/subscription-pools")], made)
        self.assertEqual(self.api.get("/cards")["pagination"]["totalCount"], 500)
        verdict = self.api.post("/audit-trail/verify", {})
        self.assertTrue(verdict["ok"], verdict)
        self.assertEqual(self.program.stop(), 0)
        with open(os.path.join(self.data, "checkpoints")) as file:
            self.assertNotEqual(file.read(), "")

    def kept(self):
        folder = os.path.join(self.data, "uploads")
        return [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".body")]

    def import_file(self, import_id, to):
        return tool("ota-server", "import-file", "--data", self.data, "--import", import_id, "--to", to)

    def test_a_vendor_file_is_kept_enciphered_and_opens_with_the_master_key(self):
        self.prepare_imports()
        job = self.order(300, "BATCH77")
        self.assertEqual(self.ended(job)["outcome"], "IMPORTED")
        with open(os.path.join(self.folder, "BATCH77"), "rb") as file:
            whole = file.read()
        with open(self.kept()[0], "rb") as file:
            stored = file.read()
        self.assertEqual([os.stat(path).st_mode & 0o777 for path in self.kept()], [0o600])
        for line in whole.splitlines():
            self.assertNotIn(line, stored)
        to = os.path.join(self.folder, "again")
        self.assertEqual(self.import_file(job["id"], to).stderr, "")  # beside the server
        with open(to, "rb") as file:
            self.assertEqual(file.read(), whole)
        self.assertIn("File exists", self.import_file(job["id"], to).stderr)
        again = self.api.post("/batch-imports", whole, content_type="text/plain", query="vendorProfile=alder")
        self.assertEqual(self.ended(again)["outcome"], "ALREADY_IMPORTED")
        for import_id, says in ((again["id"], "nothing is kept of such an import"), ("imp_" + NOBODY[4:], "mistyped")):
            none = self.import_file(import_id, os.path.join(self.folder, "none"))
            self.assertEqual((none.returncode, os.path.exists(os.path.join(self.folder, "none"))), (1, False))
            self.assertIn(says, none.stderr)
        with open(self.kept()[0], "r+b") as file:
            file.seek(1000)
            octet = file.read(1)
            file.seek(1000)
            file.write(bytes([octet[0] ^ 1]))
        os.remove(to)
        damaged = self.import_file(job["id"], to)
        self.assertEqual((damaged.returncode, os.path.exists(to)), (1, False))
        self.assertIn("missing or damaged", damaged.stderr)
        with open(os.path.join(self.data, "uploads", "upload-7"), "w") as file:
            file.write("left by a crash")
        self.program.stop()
        self.restart()
        self.assertEqual([os.path.basename(path) for path in self.kept()], [job["id"] + ".body"])
        self.assertFalse(os.path.exists(os.path.join(self.data, "uploads", "upload-7")))

    def test_an_import_that_is_killed_leaves_nothing_and_can_be_repeated(self):
        self.prepare_imports()
        job = self.order(20000, "BATCH02")
        until("the load", 60, lambda: self.api.get("/batch-imports/" + job["id"])["status"] == "LOADING", 0.02)
        self.assertEqual(self.api.get("/cards")["pagination"]["totalCount"], 0)
        self.program.kill()
        self.restart()
        ended = self.api.get("/batch-imports/" + job["id"])
        self.assertEqual((ended["status"], ended["failure"]), ("ENDED", "INTERRUPTED"))
        self.assertEqual(self.api.get("/cards")["pagination"]["totalCount"], 0)
        self.assertEqual(self.ended(self.order(300, "BATCH02"))["loaded"], 300)


if __name__ == "__main__":
    unittest.main()
