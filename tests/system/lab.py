"""A server at work: an SMSC, a few cards, the server with a tap on its link, all of them programs. Its logs tell no secret."""
import os, re, shutil, subprocess, sys, tempfile, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from esme import cbc  # noqa: E402
from system import Api, Program, until  # noqa: E402,F401
from tap import Tap, text_of  # noqa: E402

PROGRAMS = sys.argv.pop(1)
SPEED = "20"
SERVER = "12345"
TRANSPORT = {7: "00112233445566778899AABBCCDDEEFF", 12: "0F1E2D3C4B5A69788796A5B4C3D2E1F0"}
SMSC = """account "server" { password = "secret1" }
account "radio" { password = "secret2" }
route "12345" { account = "server" }
"""
SCENARIO = """otaria-scenario 1
network 99970 lte
network 00101 lte
allow 99970 99970
allow 00101 00101
area home 99970 00101
"""


def write(path, content):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
    return path


def content_of(path):
    with open(path) as file:
        return file.read()


class Working(unittest.TestCase):
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
        logs = {name: content_of(os.path.join(cls.folder, name)) for name in os.listdir(cls.folder) if name.endswith(".log")}
        cls.release()
        shutil.rmtree(cls.folder)
        assert codes == [0] * len(codes), (codes, {name: log[-500:] for name, log in logs.items()})
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
        for name, log in logs.items():
            for secret in secrets:
                for form in (secret, secret.upper(), secret.lower()):
                    assert form not in log and (len(form) < 32 or form[8:24] not in log), f"{name} tells {form}"

    @classmethod
    def program(cls, name, *arguments):
        cls.running.append(Program(name, [os.path.join(PROGRAMS, name), *arguments], cls.folder))
        return cls.running[-1]

    @classmethod
    def tool(cls, name, *arguments):
        return subprocess.run([os.path.join(PROGRAMS, name), *arguments], capture_output=True, text=True, check=True).stdout

    @classmethod
    def smsc(cls):
        """Starts it; where it listens."""
        config = write(os.path.join(cls.folder, "smsc.conf"), SMSC)
        return cls.program("smsc-sim", "--config", config, "--listen", "127.0.0.1:0", "--speed", SPEED).ready["smpp"]

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
        smsc = cls.smsc()
        cls.tap = Tap(smsc)
        cls.data = cls.place()
        cls.tool("ota-server", "init", "--data", cls.data)
        made = cls.tool("ota-server", "client", "add", "--data", cls.data, "--name", "test", "--scopes", "all")
        cls.clients = [tuple(line.split("=", 1)[1] for line in made.splitlines()[:2])]
        config = write(path("server.conf"), 'smsc "main" { address = "%s" system-id = "server" password = "secret1" enquire = 1 }\n'
                       'server-address = "%s"\nsingle-person = true\n' % (cls.tap.address, SERVER))
        server = cls.program("ota-server", "--data", cls.data, "--listen", "127.0.0.1:0", "--config", config, "--speed", SPEED)
        cls.api = Api(server.ready["http"], cls.clients)
        cls.load()
        cls.fleet = cls.program(
            "sim-emulator", "fleet", "--cards", cls.batch, "--vendor-profile",
            os.path.join(ROOT, "profiles/vendor/samples/alder.json"), "--transport-keys",
            write(path("keys"), "07 auc %s\n12 ota %s\n" % tuple(TRANSPORT.values())), "--server-number", SERVER, "--smsc",
            smsc, "--system-id", "radio", "--password-file", write(path("radio"), "secret2\n"),
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

    def order(self, number, kind="audit", **more):
        return self.api.post(f"/cards/{self.cards[number]}/operations", {"type": kind, **more})

    def done(self, operation):
        look = lambda: (lambda o: o if o["status"] == "ENDED" else None)(self.api.get("/operations/" + operation["id"]))
        self.assertEqual(until("the end of " + operation["id"], 40, look, 0.05)["outcome"], "done")
