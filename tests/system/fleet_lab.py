"""A server, an SMSC and a fleet of emulated cards with a batch and a pool of a vendor, the world sped up: for tests that kill
the server and look at what the cards hold."""
import collections, os, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from system import Api, Control, Program, until  # noqa: E402

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


FUNNEL = ("targeted", "eligible", "sent", "delivered", "answered", "confirmed")


def add_up(campaign):
    """Of each step, the cards of the step before are those that came to it and its losses."""
    lost = collections.Counter()
    for loss in campaign["losses"]:
        lost[loss["step"]] += loss["count"]
    funnel = campaign["funnel"]
    for before, step in zip(FUNNEL, FUNNEL[1:]):
        assert funnel[before] == funnel[step] + lost[step], (before, step, campaign)


class Lab:
    def __init__(self, folder, programs, cards, pool, speed, options=("--single-person",)):
        self.folder, self.programs, self.speed, self.running = folder, programs, speed, []
        self.profile = os.path.join(ROOT, "profiles/vendor/samples/alder.json")
        self.batch, self.pool = os.path.join(folder, "batch.out"), os.path.join(folder, "pool.csv")
        self.tool("vendor-make", "-n", str(cards), "-b", "BOOT001", "-o", self.batch)
        self.tool("vendor-make", "-n", str(pool), "-f", "5001", "-b", "POOL001", "--pool", "-o", self.pool)
        self.data = os.path.join(folder, "data")
        self.tool("ota-server", "init", "--data", self.data)
        made = self.tool("ota-server", "client", "add", "--data", self.data, "--name", "test")
        client = dict(line.split("=", 1) for line in made.split())
        self.client = (client["appkey"], client["appsecret"])
        self.smsc = self.start("smsc-sim", "--config", self.write("smsc.conf", SMSC), "--listen", "127.0.0.1:0", "--control",
                               "127.0.0.1:0", "--speed", str(speed))
        self.server = self.start("ota-server", "--data", self.data, "--listen", "127.0.0.1:0", "--smsc", self.smsc.ready["smpp"],
                                 "--system-id", "server", "--password-file", self.write("server", "secret1\n"),
                                 "--clear", "--speed", str(speed), *options)
        self.connect()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(text)
        return path

    def tool(self, name, *arguments):
        return subprocess.run([os.path.join(self.programs, name), *arguments], capture_output=True, text=True, check=True).stdout

    def start(self, name, *arguments):
        self.running.append(Program(name, [os.path.join(self.programs, name), *arguments], self.folder))
        return self.running[-1]

    def connect(self):
        self.api = Api(self.server.ready["http"], [self.client])
        until("the server is ready", 20, lambda: self.api.ask("GET", "/readyz")[0] == 200, 0.05)

    def kill_server(self):
        self.server.kill()
        self.server.process.stdout.close()
        self.server.start()
        self.connect()

    def upload(self, path, query):
        with open(path, "rb") as file:
            job = self.api.post("/batch-imports", file.read(), content_type="text/plain", query="vendorProfile=alder" + query)
        ended = until("the import", 30, lambda: (lambda j: j if j["status"] == "ENDED" else None)(
            self.api.get("/batch-imports/" + job["id"])), 0.05)
        assert ended["outcome"] == "IMPORTED", ended

    def imports(self):
        with open(self.profile, "rb") as file:
            self.api.post("/vendor-profiles", file.read())
        for index, key in TRANSPORT.items():
            self.api.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC", "components": [key, "0" * 32]})
        self.pool_id = self.api.post("/subscription-pools", {"name": "p", "operator": "TEST-001-01", "templateId": 1})["id"]
        self.upload(self.batch, "")
        self.upload(self.pool, "&kind=SUBSCRIPTIONS&poolId=" + self.pool_id)

    def fleet(self, spread=60):
        """The cards are switched on within so many seconds of their world."""
        transport = "07 auc %s\n12 ota %s\n" % (TRANSPORT[7], TRANSPORT[12])
        program = self.start(
            "sim-emulator", "fleet", "--cards", self.batch, "--pool", self.pool, "--vendor-profile", self.profile,
            "--transport-keys", self.write("keys", transport), "--smsc", self.smsc.ready["smpp"], "--system-id", "radio",
            "--password-file", self.write("radio", "secret2\n"), "--address-range", "999", "--scenario",
            self.write("world", SCENARIO), "--speed", str(self.speed), "--spread", str(spread), "--control", "127.0.0.1:0")
        return Control(program.ready["control"])

    def stop(self):
        codes = {program.name: program.stop() for program in reversed(self.running)}
        assert all(code == 0 for code in codes.values()), codes

    def close(self):
        for program in self.running:
            program.stop()
            program.process.stdout.close()
            program.log.close()
