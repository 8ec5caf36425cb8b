#!/usr/bin/env python3
"""Bad input for an ota-server that works: what an SMSC, a stranger, a file, a disk can bring, each with the answer that the
standard or the documents ask for, while cards are commanded beside it. usage: test_bad_input.py FOLDER-OF-PROGRAMS"""
import json, os, random, re, shutil, sqlite3, struct, subprocess, sys, tempfile, time, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from esme import cbc  # noqa: E402
from system import Api, Control, Program, until  # noqa: E402
from tap import DELIVER, Tap, deliver_body, text_of  # noqa: E402

PROGRAMS = sys.argv.pop(1)
SPEED = "20"
SERVER = "12345"
NOBODY = "9990000099999"
TRANSPORT = {7: "00112233445566778899AABBCCDDEEFF", 12: "0F1E2D3C4B5A69788796A5B4C3D2E1F0"}
SMSC = """account "server" { password = "secret1" }
account "radio" { password = "secret2" }
route "12345" { account = "server" }
"""
SCENARIO = "otaria-scenario 1\nnetwork 99970 lte\narea home 99970\n"
OK, BAD_LENGTH, NO_COMMAND, NOT_FROM_YOU, TEMPORARY, BAD_TLVS = 0, 2, 3, 4, 0x64, 0xC0
NACK, SUBMIT, DATA = 0x80000000, 4, 0x103


def write(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    return path


def text(path):
    with open(path) as file:
        return file.read()


def flipped(octets, at):
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:]


class Working(unittest.TestCase):
    """An SMSC, a fleet of three cards, and the server with a tap on its link."""
    CARDS = 3

    @classmethod
    def setUpClass(cls):
        cls.folder, cls.running, cls.tap = tempfile.mkdtemp(), [], None
        try:
            cls.start()
        except Exception:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        codes = [program.stop() for program in reversed(cls.running)]
        if cls.tap:
            cls.tap.close()
        for program in cls.running:
            program.log.close()
            program.process.stdout.close()
        logs = {name: text(os.path.join(cls.folder, name)) for name in os.listdir(cls.folder) if name.endswith(".log")}
        cls.release()
        shutil.rmtree(cls.folder)
        assert codes == [0] * len(codes), (codes, {name: text[-500:] for name, text in logs.items()})
        cls.check_logs(logs)

    @classmethod
    def release(cls):
        pass

    @classmethod
    def check_logs(cls, logs):
        """No key, packet or password stands in any of them, nor 16 digits of one."""
        secrets = [field for line in cls.lines for field in line.split() if len(field) == 32]
        secrets += [cbc(TRANSPORT[12], bytes.fromhex(field), decrypt=True).hex() for field in secrets]
        secrets += [*TRANSPORT.values(), "secret1", "secret2", *cls.clients[0][1:]]
        secrets += [text_of(body)[2][-16:].hex() for body in cls.tap.seen if body[body.index(0):].count(0) > 8]
        for name, text in logs.items():
            for secret in secrets:
                for form in (secret, secret.upper(), secret.lower()):
                    assert form not in text and (len(form) < 32 or form[8:24] not in text), f"{name} tells {form}"

    @classmethod
    def program(cls, name, *arguments):
        cls.running.append(Program(name, [os.path.join(PROGRAMS, name), *arguments], cls.folder))
        return cls.running[-1]

    @classmethod
    def tool(cls, name, *arguments):
        return subprocess.run([os.path.join(PROGRAMS, name), *arguments], capture_output=True, text=True, check=True).stdout

    @classmethod
    def place(cls):
        return os.path.join(cls.folder, "data")

    @classmethod
    def start(cls):
        path = lambda name: os.path.join(cls.folder, name)
        cls.batch = path("cards.out")
        cls.tool("vendor-make", "-n", str(cls.CARDS), "-b", "BAD0001", "-o", cls.batch)
        with open(cls.batch) as file:
            cls.lines = [line for line in file if line.startswith("8999")]
        smsc = cls.program("smsc-sim", "--config", write(path("smsc.conf"), SMSC), "--listen", "127.0.0.1:0", "--speed", SPEED)
        cls.tap = Tap(smsc.ready["smpp"])
        cls.data = cls.place()
        cls.tool("ota-server", "init", "--data", cls.data)
        made = cls.tool("ota-server", "client", "add", "--data", cls.data, "--name", "test", "--scopes", "all")
        cls.clients = [tuple(line.split("=", 1)[1] for line in made.splitlines()[:2])]
        config = write(path("server.conf"), 'smsc "main" { address = "%s" system-id = "server" password = "secret1" }\n'
                       'server-address = "%s"\nsingle-person = true\n' % (cls.tap.address, SERVER))
        server = cls.program("ota-server", "--data", cls.data, "--listen", "127.0.0.1:0", "--config", config, "--speed", SPEED)
        cls.api = Api(server.ready["http"], cls.clients)
        cls.load()
        cls.fleet = cls.program(
            "sim-emulator", "fleet", "--cards", cls.batch, "--vendor-profile",
            os.path.join(ROOT, "profiles/vendor/samples/alder.json"), "--transport-keys",
            write(path("keys"), "07 auc %s\n12 ota %s\n" % tuple(TRANSPORT.values())), "--server-number", SERVER, "--smsc",
            smsc.ready["smpp"], "--system-id", "radio", "--password-file", write(path("radio"), "secret2\n"),
            "--address-range", "999", "--scenario", write(path("world"), SCENARIO), "--spread", "0", "--speed", SPEED,
            "--control", "127.0.0.1:0")
        until("all cards are known and at rest", 40, cls.is_quiet, 0.1)
        cls.cards = [card["id"] for card in cls.api.all("/cards")]

    @classmethod
    def load(cls):
        with open(os.path.join(ROOT, "profiles/vendor/samples/alder.json"), "rb") as file:
            cls.api.post("/vendor-profiles", file.read())
        for index, key in TRANSPORT.items():
            cls.api.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC", "components": [key, "0" * 32]})
        with open(cls.batch, "rb") as file:
            assert cls.imported(file.read())["loaded"] == cls.CARDS

    @classmethod
    def imported(cls, octets):
        job = cls.api.post("/batch-imports", octets, content_type="text/plain", query="vendorProfile=alder")
        look = lambda: (lambda now: now if now["status"] == "ENDED" else None)(cls.api.get("/batch-imports/" + job["id"]))
        return until("the end of an import", 30, look, 0.05)

    @classmethod
    def metric(cls, name):
        return int(re.search(r"^otaria_%s (\d+)" % re.escape(name), cls.api.get("/metrics"), re.M).group(1))

    @classmethod
    def is_quiet(cls):
        contacts = cls.api.get("/cards", "state=SEEN&perPage=1")["pagination"]["totalCount"]
        text = cls.api.get("/metrics")
        open_ones = re.findall(r'^otaria_operations\{status="\w+"\} (\d+)', text, re.M)
        open_ones += re.findall(r'^otaria_(?:cards_marked\{mark="DIRTY"\}|outbox) (\d+)', text, re.M)
        return contacts == cls.CARDS and not any(map(int, open_ones))

    # --- the good operation beside ---

    def order(self, number, kind="audit", **more):
        return self.api.post(f"/cards/{self.cards[number]}/operations", {"type": kind, **more})

    def done(self, operation):
        look = lambda: (lambda o: o if o["status"] == "ENDED" else None)(self.api.get("/operations/" + operation["id"]))
        self.assertEqual(until("the end of " + operation["id"], 40, look, 0.05)["outcome"], "done")

    def grown(self, name, before, by=1):
        self.assertEqual(self.metric(name) - before, by)

    def answer_of(self, number):
        """A card's latest answer as it came: the body of its one deliver_sm."""
        have = len(self.tap.seen)
        self.done(self.order(number, "set-timers", parameters={"JITTER_MAX": 0}))
        return next(body for body in self.tap.seen[have:] if text_of(body)[2].startswith(b"\x0c\x71"))

    def deliver(self, *arguments, **more):
        return self.tap.ask(DELIVER, deliver_body(*arguments, **more))


class FromTheNetwork(Working):
    def test_user_data_that_are_no_packet_are_taken_and_counted(self):
        chance, operation = random.Random(1), self.order(0)
        before = self.metric("messages_no_packet_total")
        garbage = [b"", b"\0", b"\x02\x70\0", b"\x02\x71\0", b"\x05\0\3\x11\0\0", b"\x05\0\3\x11\2\3" + bytes(9),
                   b"\x06\5\4\0\0\0\0", b"\xff" * 140, b"\x7f" + bytes(100), b"\x02\x71" + b"\1" * 20]
        for octets in garbage:
            self.assertEqual(self.deliver(NOBODY, SERVER, octets), (DELIVER | NACK, OK), octets)
        self.grown("messages_no_packet_total", before, len(garbage))
        for _ in range(50):
            self.deliver(NOBODY, SERVER, b"\x02\x71\0" + chance.randbytes(chance.randrange(1, 137)))
        self.deliver(NOBODY, SERVER, b"Where is my phone?", esm_class=0)
        self.grown("messages_no_packet_total", before, len(garbage) + 1)
        self.done(operation)

    def test_an_answer_that_is_not_the_cards_is_kept_as_a_stray_and_changes_nothing(self):
        body = self.answer_of(1)
        source, _, packet = text_of(body)
        reference = packet.index(b"\x80\x08") + 2
        operation, before = self.order(0), self.metric("messages_stray_total")
        card = self.api.get("/cards/" + self.cards[1])
        forged = [flipped(packet, len(packet) - 1), flipped(packet, reference + 8 + 9),  # MAC, counter
                  flipped(packet, reference),                                           # unknown card
                  b"\x02\x71\0" + packet[packet[0] + 1:]]                               # unknown number, no reference
        for number, octets in enumerate(forged):
            self.assertEqual(self.deliver(NOBODY if number == 3 else source, SERVER, octets), (DELIVER | NACK, OK))
            self.grown("messages_stray_total", before, number + 1)
        self.assertEqual(self.api.get("/system")["queues"]["strays"], before + len(forged))
        self.assertEqual(self.api.get("/cards/" + self.cards[1]), card)
        self.done(operation)
        self.done(self.order(1))

    def test_what_came_already_is_dropped_and_confirmed_no_second_time(self):
        body = self.answer_of(1)
        until("rest", 20, self.is_quiet, 0.05)
        sent, dropped = self.metric("packets_sent_total"), self.metric("messages_dropped_total")
        first = next(b for b in self.tap.seen if text_of(b)[2].startswith(b"\x0c\x70"))  # a notification
        for copy in (body, body, first):
            self.assertEqual(self.tap.ask(DELIVER, copy), (DELIVER | NACK, OK))
        self.grown("messages_dropped_total", dropped, 3)
        self.grown("packets_sent_total", sent, 0)
        self.done(self.order(1))

    def test_pdus_that_are_odd_get_the_answer_of_the_standard_and_the_link_lives(self):
        good, operation = deliver_body(NOBODY, SERVER, b"\x02\x71\0" + bytes(40)), self.order(0)
        tlv = struct.pack(">HHB", 0x1400, 1, 0)
        bound = self.api.get("/system")["links"][0]["timesBound"]
        for command, body, wanted in (
            (DELIVER, good + tlv * 16, (DELIVER | NACK, OK)),
            (DELIVER, good + tlv * 100, (DELIVER | NACK, BAD_TLVS)),
            (DELIVER, good + tlv[:3], (DELIVER | NACK, BAD_TLVS)),
            (DELIVER, good[:20], (DELIVER | NACK, BAD_LENGTH)),
            (DELIVER, b"", (DELIVER | NACK, BAD_LENGTH)),
            (SUBMIT, good, (SUBMIT | NACK, NOT_FROM_YOU)),
            (SUBMIT, good + tlv * 100, (SUBMIT | NACK, BAD_TLVS)),
            (0x00010000, b"", (NACK, NO_COMMAND)),
            (0x7FFFFFFF, bytes(100), (NACK, NO_COMMAND)),
        ):
            with self.subTest(command=hex(command), octets=len(body)):
                self.assertEqual(self.tap.ask(command, body), wanted)
        for command in (SUBMIT | NACK, 0x80010000, NACK):  # answers to nothing
            self.tap.tell(command, b"\0")
        self.assertEqual(self.tap.ask(0x15, b""), (0x80000015, OK))
        receipts = self.metric("receipts_unknown_total")
        for text in (b"id:4711 stat:DELIVRD err:000", b"id: stat:", b"\xff" * 200):
            self.assertEqual(self.deliver(NOBODY, SERVER, text, esm_class=4), (DELIVER | NACK, OK))
        self.grown("receipts_unknown_total", receipts, 3)
        self.assertEqual(self.api.get("/system")["links"][0]["timesBound"], bound)
        self.done(operation)

    def test_a_corrupt_vendor_file_changes_nothing(self):
        operation, before = self.order(0), self.api.get("/cards")["pagination"]["totalCount"]
        self.tool("vendor-make", "-n", "20", "-f", "501", "-b", "BAD0002", "-o", self.batch + "2")
        with open(self.batch + "2", "rb") as file:
            good = file.read()
        key = good.split(b"\n")[-3].split()[-2]
        for octets, code in ((good[:-700], "BAD_FORMAT"), (good.replace(key, key[:-1] + b"G"), None),
                             (random.Random(1).randbytes(4096), None), (b"", None)):
            status, document = self.api.ask("POST", "/batch-imports", octets, content_type="text/plain", query="vendorProfile=alder")
            if status != 202:
                self.assertEqual(status // 100, 4, document)
                continue
            look = lambda: (lambda now: now if now["status"] == "ENDED" else None)(self.api.get("/batch-imports/" + document["id"]))
            ended = until("the end of an import", 30, look, 0.05)
            self.assertNotEqual(ended["outcome"], "IMPORTED", ended)
            self.assertGreater(sum(ended["byCode"].values()), 0, ended)
        self.assertEqual(self.api.get("/cards")["pagination"]["totalCount"], before)
        self.done(operation)
        self.assertEqual(self.imported(good)["loaded"], 20)

    def test_an_smsc_that_goes_away_is_waited_for(self):
        self.tap.go_away()
        until("it is noticed", 20, lambda: self.api.ask("GET", "/readyz")[0] == 503, 0.05)
        operations = [self.order(number) for number in range(self.CARDS)]
        self.assertEqual(self.api.ask("GET", "/healthz")[0], 200)
        self.tap.come_back()
        for operation in operations:
            self.done(operation)
        self.assertEqual(self.api.ask("GET", "/readyz")[0], 200)

    def test_a_database_that_another_process_locks_refuses_writes_and_recovers(self):
        operation = self.order(0)
        other = sqlite3.connect(os.path.join(self.data, "registry.db"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        status, document = self.api.ask("POST", f"/cards/{self.cards[1]}/operations", {"type": "audit"})
        self.assertEqual((status, document["code"]), (503, "UNAVAILABLE"))
        self.assertEqual(self.api.ask("GET", "/cards/" + self.cards[1])[0], 200)  # reads go on
        self.assertEqual(self.deliver(NOBODY, SERVER, b"\x02\x71\0" + bytes(40)), (DELIVER | NACK, TEMPORARY))
        other.execute("ROLLBACK")
        other.close()
        self.done(operation)
        self.done(self.order(1))
        self.assertTrue(self.api.post("/audit-trail/verify", {})["ok"])


class OnASmallDisk(Working):
    CARDS = 1

    @classmethod
    def place(cls):
        cls.disk = os.path.join(cls.folder, "disk")
        os.mkdir(cls.disk)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "none", cls.disk], capture_output=True, text=True)
        if made.returncode != 0:
            raise unittest.SkipTest("a small disk cannot be mounted here: " + made.stderr.strip())
        return os.path.join(cls.disk, "data")

    @classmethod
    def release(cls):
        if hasattr(cls, "disk"):
            subprocess.run(["umount", "-l", cls.disk])

    def test_what_a_full_disk_cannot_take_stays_with_the_smsc(self):
        filler = os.path.join(self.disk, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass  # full
        stray = b"\x02\x71\0" + bytes(130)
        statuses = [self.deliver(NOBODY, SERVER, stray)[1] for _ in range(200)]
        self.assertLessEqual(set(statuses), {OK, TEMPORARY})  # its log may have had a little room
        self.assertEqual(statuses[-1], TEMPORARY)
        self.assertEqual(self.api.ask("GET", "/cards/" + self.cards[0])[0], 200)
        os.unlink(filler)
        self.done(self.order(0))
        self.assertEqual(self.api.get("/system")["queues"]["strays"], statuses.count(OK))
        self.assertTrue(self.api.post("/audit-trail/verify", {})["ok"])


if __name__ == "__main__":
    unittest.main()
