"""A server without a link: its interface, its data and its tools."""
import os, shutil, subprocess, sys, tempfile, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from system import Api, Program, until  # noqa: E402,F401

PROGRAMS = sys.argv.pop(1)
TRANSPORT = {7: "00112233445566778899AABBCCDDEEFF", 12: "0F1E2D3C4B5A69788796A5B4C3D2E1F0"}


def tool(*arguments, env=None):
    """Runs one of our programs to its end."""
    return subprocess.run([os.path.join(PROGRAMS, arguments[0]), *arguments[1:]], capture_output=True, text=True,
                          env=env and {**os.environ, **env})


class Alone(unittest.TestCase):
    CONFIG = ""

    def setUp(self):
        self.folder, self.program = tempfile.mkdtemp(), None
        self.data = self.at("data")
        self.password = self.write("password", "secret1\n")
        self.well("ota-server", "init", "--data", self.data)
        made = self.well("ota-server", "client", "add", "--data", self.data, "--name", "test")
        self.client = tuple(dict(line.split("=", 1) for line in made.split()).values())
        self.prepare()
        self.config = self.write("server.conf", self.CONFIG.format(folder=self.folder))
        self.start()

    def prepare(self):
        pass

    def tearDown(self):
        self.stop()
        shutil.rmtree(self.folder)

    def at(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(os.open(self.at(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        return self.at(name)

    def well(self, *arguments):
        done = tool(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def start(self):
        # Nobody answers at this address: the server works without a link.
        self.program = Program("ota-server", [
            os.path.join(PROGRAMS, "ota-server"), "--data", self.data, "--listen", "127.0.0.1:0", "--single-person", "--smsc",
            "127.0.0.1:1", "--system-id", "server", "--password-file", self.password, "--config", self.config], self.folder)
        self.api = Api(self.program.ready["http"], [self.client])

    def load(self, count, batch):
        """Cards of a vendor, imported; the vendor's file."""
        path = self.at(batch + ".out")
        self.well("vendor-make", "-n", str(count), "-b", batch, "-o", path)
        with open(os.path.join(ROOT, "profiles/vendor/samples/alder.json"), "rb") as file:
            self.api.post("/vendor-profiles", file.read())
        for index, key in TRANSPORT.items():
            self.api.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC", "components": [key, "0" * 32]})
        with open(path, "rb") as file:
            self.imported = self.api.post("/batch-imports", file.read(), content_type="text/plain", query="vendorProfile=alder")["id"]
        until("the end of the import", 30, lambda: self.api.get("/batch-imports/" + self.imported)["status"] == "ENDED", 0.05)
        return path

    def close(self):
        self.program.log.close()
        self.program.process.stdout.close()
        self.program = None

    def stop(self):
        if self.program is not None:
            self.assertEqual(self.program.stop(), 0)
            self.close()

    def kill(self):
        """SIGKILL, amid whatever it does."""
        self.program.kill()
        self.close()

    def otactl(self, *arguments):
        access = {"OTARIA_URL": "http://" + self.program.ready["http"], "OTARIA_APPKEY": self.client[0],
                  "OTARIA_APPSECRET": self.client[1]} if self.program else {}
        return tool("otactl", *arguments, env=access)
