#!/usr/bin/env python3
"""Events of ota-server as a program: the stream. usage: test_events.py FOLDER-OF-PROGRAMS"""
import http.client, json, os, shutil, subprocess, sys, tempfile, unittest, urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from system import Api, Program, until  # noqa: E402

PROGRAMS = sys.argv.pop(1)
BASE = "/connectivity-management/v1"
KEYS = {7: "00112233445566778899AABBCCDDEEFF", 12: "0F1E2D3C4B5A69788796A5B4C3D2E1F0"}
CARDS = 4


def tool(name, *arguments, **more):
    return subprocess.run([os.path.join(PROGRAMS, name), *arguments], capture_output=True, text=True, check=True, timeout=60, **more)


class Stream:
    """GET /events: `events()` reads on."""

    def __init__(self, address, token, query="", last=None):
        self.connection = http.client.HTTPConnection(address, timeout=20)
        headers = {"Authorization": "Bearer " + token, "Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", BASE + "/events" + query, headers=headers)
        self.answer = self.connection.getresponse()

    def events(self, count):
        found, one = [], {}
        while len(found) < count:
            line = self.answer.readline().decode()
            if line == "":
                raise AssertionError("the stream ended")
            name, _, value = line.rstrip("\n").partition(": ")
            if line == "\n" and "event" in one:
                found.append((int(one["id"]), one["event"], json.loads(one["data"])))
            if line == "\n":
                one = {}
            elif name in ("id", "event", "data"):
                one[name] = value
        return found

    def close(self):
        self.connection.close()


class Served(unittest.TestCase):
    """A server with a few cards, and no link."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.data = os.path.join(self.folder, "data")
        tool("ota-server", "init", "--data", self.data)
        made = tool("ota-server", "client", "add", "--data", self.data, "--name", "test", "--scopes", "all").stdout
        self.client = tuple(line.split("=", 1)[1] for line in made.splitlines()[:2])
        self.program = Program("ota-server", [os.path.join(PROGRAMS, "ota-server"), "--data", self.data, "--listen", "127.0.0.1:0",
                                              "--config", self.config(), "--single-person"], self.folder)
        self.connect()
        self.load()

    def config(self):
        path = os.path.join(self.folder, "server.conf")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write('smsc "main" { address = "127.0.0.1:1" system-id = "server" password = "secret1" }\n' + self.more_config())
        return path

    def more_config(self):
        return ""

    def tearDown(self):
        code = self.program.stop()
        self.program.log.close()
        self.program.process.stdout.close()
        shutil.rmtree(self.folder)
        self.assertEqual(code, 0)

    def connect(self):
        self.address = self.program.ready["http"]
        self.api = Api(self.address, [self.client])
        connection = http.client.HTTPConnection(self.address, timeout=20)
        scopes = " ".join("connectivity-management:" + name for name in ("events:read", "cards:read", "alarms:read"))
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": self.client[0],
                                       "client_secret": self.client[1], "scope": scopes})
        connection.request("POST", "/oauth2/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
        self.token = json.loads(connection.getresponse().read())["access_token"]
        connection.close()

    def crash(self):
        self.program.kill()
        self.program.process.stdout.close()
        self.program.start()
        self.connect()

    def load(self):
        path = os.path.join(self.folder, "cards.out")
        tool("vendor-make", "-n", str(CARDS), "-b", "EVT0001", "-o", path)
        with open(os.path.join(ROOT, "profiles/vendor/samples/alder.json"), "rb") as file:
            self.api.post("/vendor-profiles", file.read())
        for index, key in KEYS.items():
            self.api.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC", "components": [key, "0" * 32]})
        with open(path, "rb") as file:
            job = self.api.post("/batch-imports", file.read(), content_type="text/plain", query="vendorProfile=alder")
        until("the end of the import", 20, lambda: self.api.get("/batch-imports/" + job["id"])["status"] == "ENDED", 0.05)
        self.cards = [card["id"] for card in self.api.get("/cards")["items"]]
        self.assertEqual(len(self.cards), CARDS)

    def dirty(self, card):
        status, answer = self.api.ask("PUT", f"/cards/{card}/dirty", {"reason": "test"})
        self.assertEqual(status, 200, answer)

    def clean(self, card):
        status, answer = self.api.ask("DELETE", f"/cards/{card}/dirty", {"reason": "test"})
        self.assertEqual(status, 200, answer)


class Streams(Served):
    def test_what_happens_is_told_and_a_crash_loses_none_of_it(self):
        stream = Stream(self.address, self.token, "?topics=cards")
        self.assertEqual(stream.answer.status, 200)
        self.dirty(self.cards[0])
        (first, name, data), = stream.events(1)
        self.assertEqual((name, data["cardId"], data["card"]["marks"][0]["mark"]), ("dirty.added", self.cards[0], "DIRTY"))
        stream.close()
        self.dirty(self.cards[1])  # acknowledged, and told to nobody yet
        self.crash()
        stream = Stream(self.address, self.token, "?topics=cards", first)
        (second, name, data), = stream.events(1)
        self.assertEqual((name, data["cardId"]), ("dirty.added", self.cards[1]))
        self.assertGreater(second, first)
        self.clean(self.cards[0])
        (third, name, data), = stream.events(1)
        self.assertEqual((name, data["cardId"]), ("dirty.removed", self.cards[0]))
        self.assertGreater(third, second)
        stream.close()

    def test_a_stream_ends_with_its_token(self):
        stream = Stream(self.address, self.token)
        connection = http.client.HTTPConnection(self.address, timeout=20)
        form = urllib.parse.urlencode({"token": self.token, "client_id": self.client[0], "client_secret": self.client[1]})
        connection.request("POST", "/oauth2/revoke", form, {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        rest = stream.answer.read()  # to its end, which comes
        self.assertTrue(rest.startswith(b": events\n\n"), rest)
        stream.close()

    def test_otactl_follows(self):
        self.dirty(self.cards[0])
        stream = Stream(self.address, self.token, "?topics=cards", 0)
        first = stream.events(1)[0][0]
        stream.close()
        self.clean(self.cards[0])
        environment = {"OTARIA_URL": "http://" + self.address, "OTARIA_APPKEY": self.client[0], "OTARIA_APPSECRET": self.client[1],
                       "PATH": os.environ["PATH"], "HOME": self.folder}
        shown = tool("otactl", "event", "follow", "--json", "--topics", "cards", "--after", str(first), "--count", "1", env=environment)
        event = json.loads(shown.stdout)
        self.assertEqual((event["event"], event["data"]["cardId"]), ("dirty.removed", self.cards[0]))


if __name__ == "__main__":
    unittest.main()
