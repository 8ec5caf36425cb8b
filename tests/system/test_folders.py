#!/usr/bin/env python3
"""Vendors' files that arrive in a folder. usage: test_folders.py FOLDER-OF-PROGRAMS"""
import json, os, shutil, subprocess, sys, tempfile, time, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from system import Api, Program, until  # noqa: E402

PROGRAMS = sys.argv.pop(1)
# The published transport keys of the sample file.
KEYS = {7: "00112233445566778899AABBCCDDEEFF", 12: "0F1E2D3C4B5A69788796A5B4C3D2E1F0"}
CONFIG = """smsc "none" { address = "127.0.0.1:1" system-id = "server" password = "secret1" }
single-person = true
listen = "127.0.0.1:0"
import-folder "alder" { path = "%s" settle-s = 1 }
"""


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, octets, how="wb"):
    with open(path, how) as file:
        file.write(octets)


SAMPLE = read(os.path.join(ROOT, "tests/samples/alder-0000717.out"))


class Folders(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.data, self.inbox = self.at("data"), self.at("inbox")
        os.mkdir(self.inbox)
        with open(os.open(self.at("conf"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(CONFIG % self.inbox)
        self.tool("ota-server", "init", "--data", self.data)
        made = self.tool("ota-server", "client", "add", "--data", self.data, "--name", "test")
        self.client = tuple(dict(line.split("=", 1) for line in made.split()).values())
        self.program = Program("ota-server", [os.path.join(PROGRAMS, "ota-server"), "--data", self.data, "--config",
                                              self.at("conf")], self.folder)
        self.connect()
        self.api.post("/vendor-profiles", read(os.path.join(ROOT, "profiles/vendor/samples/alder.json")))
        for index, key in KEYS.items():
            self.api.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC", "components": [key, "0" * 32]})

    def tearDown(self):
        self.assertEqual(self.program.stop(), 0)
        self.program.log.close()
        self.program.process.stdout.close()
        shutil.rmtree(self.folder)

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def tool(self, *arguments):
        done = subprocess.run([os.path.join(PROGRAMS, arguments[0]), *arguments[1:]], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def connect(self):
        self.api = Api(self.program.ready["http"], [self.client])

    def cards(self):
        return self.api.get("/cards")["pagination"]["totalCount"]

    def here(self, *names):
        return sorted(os.listdir(self.at("inbox", *names)))

    def report(self, place, name, seconds=30):
        path = self.at("inbox", place, name + ".report.json")
        until(path, seconds, lambda: os.path.exists(path) and os.path.exists(path[:-len(".report.json")]), 0.05)
        return json.loads(read(path))

    def test_a_file_is_taken_when_it_is_whole(self):
        path = self.at("inbox", "alder.out")
        for name in (".alder.out", "other.part", "other.filepart"):
            write(self.at("inbox", name), SAMPLE)
        os.symlink(os.path.join(ROOT, "tests/samples/alder-0000717.out"), self.at("inbox", "link.out"))
        left = sorted([".alder.out", "alder.out", "done", "link.out", "other.filepart", "other.part", "refused", "taken"])
        # It grows for longer than the server waits for one that does not.
        write(path, SAMPLE[:100])
        for octet in range(100, 108):
            time.sleep(0.2)  # a vendor whose line is slow
            write(path, SAMPLE[octet:octet + 1], "ab")
            self.assertEqual(self.here(), left)
        write(path, SAMPLE[108:], "ab")
        report = self.report("done", "alder.out")
        self.assertEqual((report["import"]["outcome"], report["import"]["loaded"]), ("IMPORTED", 3))
        self.assertEqual([finding["code"] for finding in report["findings"]], ["W-022"])
        self.assertEqual(self.here("taken"), [])
        self.assertEqual(self.here(), [name for name in left if name != "alder.out"])
        self.assertEqual(read(self.at("inbox", "done", "alder.out")), SAMPLE)
        self.assertEqual(self.cards(), 3)
        rows = [row for row in self.api.all("/audit-trail") if row["action"].startswith("import.")]
        self.assertEqual({row["actor"]["kind"] for row in rows}, {"SYSTEM"}, rows)
        # The same name and content again, and one that was cut.
        write(path, SAMPLE)
        write(self.at("inbox", "cut.out"), SAMPLE[:-200].replace(b"Batch: 0000717", b"Batch: 0000718"))
        report = self.report("refused", "cut.out")
        self.assertEqual(report["import"]["outcome"], "REFUSED")
        self.assertIn("IMP-102", [finding["code"] for finding in report["findings"]])
        until("the second", 20, lambda: len(self.here("done")) == 4, 0.05)
        again = [name for name in self.here("done") if ".imp_" in name and name.endswith(".report.json")]
        self.assertEqual(json.loads(read(self.at("inbox", "done", again[0])))["import"]["outcome"], "ALREADY_IMPORTED")
        self.assertEqual(self.cards(), 3)

    def test_no_file_stays_in_the_clear(self):
        self.assertEqual(self.program.stop(), 0)
        with open(self.at("conf"), "a") as file:
            os.mkdir(self.at("other"))
            file.write('import-folder "closed" { path = "%s" vendor-profile = "alder" settle-s = 1 keep-clear = false }\n'
                       % self.at("other"))
        self.program.start()
        self.connect()
        outcomes = []
        for name, octets in (("a.out", SAMPLE), ("a.out", SAMPLE), ("b.out", SAMPLE[:-200].replace(b"0000717", b"0000718"))):
            write(self.at("other", name), octets)
            until(name, 30, lambda: len(self.reports()) > len(outcomes) and not os.listdir(self.at("other", "taken")), 0.05)
            outcomes = self.reports()
        self.assertEqual(sorted(outcomes), ["ALREADY_IMPORTED", "IMPORTED", "REFUSED"])
        self.assertEqual([name for place in ("", "taken", "done", "refused") for name in os.listdir(self.at("other", place))
                          if name.endswith(".out")], [])
        self.assertEqual(self.cards(), 3)

    def reports(self):
        return [json.loads(read(self.at("other", place, name)))["import"]["outcome"] for place in ("done", "refused")
                for name in os.listdir(self.at("other", place)) if name.endswith(".report.json")]

    def test_a_kill_loses_no_file(self):
        self.tool("vendor-make", "--count", "3000", "--output", self.at("many.out"))
        shutil.copy(self.at("many.out"), self.at("inbox", "many.out"))
        until("the file taken", 20, lambda: self.here("taken") == ["many.out"], 0.005)
        self.program.kill()
        self.program.process.stdout.close()
        self.assertEqual(self.here("taken"), ["many.out"])
        self.program.start()
        self.connect()
        report = self.report("done", "many.out")
        self.assertEqual((report["import"]["outcome"], report["import"]["loaded"]), ("IMPORTED", 3000))
        self.assertEqual(self.cards(), 3000)


if __name__ == "__main__":
    unittest.main()
