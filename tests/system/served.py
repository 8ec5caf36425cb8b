"""A server without a link to an SMSC, in a folder of its own: what tests begin with that only ask its interface."""
import os, shutil, subprocess, sys, tempfile, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from system import Api, Program, until  # noqa: E402

PROGRAMS = sys.argv.pop(1)
# The published transport keys of the sample file.
KEYS = {7: "00112233445566778899AABBCCDDEEFF", 12: "0F1E2D3C4B5A69788796A5B4C3D2E1F0"}
SAMPLE = os.path.join(ROOT, "tests/samples/alder-0000717.out")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def tool(name, *arguments, **more):
    return subprocess.run([os.path.join(PROGRAMS, name), *arguments], capture_output=True, text=True, check=True, timeout=60,
                          **more).stdout


class Served(unittest.TestCase):
    OPTIONS = ()

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.data = self.at("data")
        tool("ota-server", "init", "--data", self.data)
        made = tool("ota-server", "client", "add", "--data", self.data, "--name", "test", "--scopes", "all")
        self.client = tuple(line.split("=", 1)[1] for line in made.splitlines()[:2])
        self.program = Program("ota-server", [os.path.join(PROGRAMS, "ota-server"), "--data", self.data, "--config", self.config(),
                                              *self.OPTIONS], self.folder)
        self.connect()
        self.api.post("/vendor-profiles", read(os.path.join(ROOT, "profiles/vendor/samples/alder.json")))
        for index, key in KEYS.items():
            self.api.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC", "components": [key, "0" * 32]})

    def tearDown(self):
        code = self.program.stop()
        self.program.log.close()
        self.program.process.stdout.close()
        shutil.rmtree(self.folder)
        self.assertEqual(code, 0)

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def config(self):
        with open(os.open(self.at("server.conf"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write('smsc "none" { address = "127.0.0.1:1" system-id = "server" password = "secret1" }\n'
                       'listen = "127.0.0.1:0"\nsingle-person = true\n' + self.more_config())
        return self.at("server.conf")

    def more_config(self):
        return ""

    def connect(self):
        self.address = self.program.ready["http"]
        self.api = Api(self.address, [self.client])

    def crash(self):
        self.program.kill()
        self.program.process.stdout.close()
        self.program.start()
        self.connect()

    def order(self, octets, query=""):
        return self.api.post("/batch-imports", octets, content_type="text/plain", query="vendorProfile=alder" + query)["id"]

    def ended(self, job):
        return until("the end of the import", 60, lambda: next(
            (now for now in [self.api.get("/batch-imports/" + job)] if now["status"] == "ENDED"), None), 0.02)

    def count(self, path, query=""):
        return self.api.get(path, (query + "&" if query else "") + "perPage=1")["pagination"]["totalCount"]
