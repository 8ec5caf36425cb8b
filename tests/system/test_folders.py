#!/usr/bin/env python3
"""Vendors' files that arrive in a folder. usage: test_folders.py FOLDER-OF-PROGRAMS"""
import json, os, re, shutil, subprocess, time, unittest

import served
from served import PROGRAMS, ROOT, read, tool, until
from system import Api

SAMPLE = read(served.SAMPLE)


def write(path, octets, how="wb"):
    with open(path, how) as file:
        file.write(octets)


class Folders(served.Served):
    def setUp(self):
        super().setUp()
        self.inbox = self.at("inbox")

    def more_config(self):
        os.mkdir(self.at("inbox"))
        return 'import-folder "alder" { path = "%s" settle-s = 1 }\n' % self.at("inbox")

    def cards(self):
        return self.count("/cards")

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
        with open(self.at("server.conf"), "a") as file:
            os.mkdir(self.at("other"))
            file.write('import-folder "closed" { path = "%s" vendor-profile = "alder" settle-s = 1 keep-clear = false }\n'
                       % self.at("other"))
        self.restart()
        outcomes = []
        for name, octets in (("a.out", SAMPLE), ("a.out", SAMPLE), ("b.out", SAMPLE[:-200].replace(b"0000717", b"0000718"))):
            write(self.at("other", name), octets)
            until(name, 30, lambda: len(self.reports()) > len(outcomes) and not os.listdir(self.at("other", "taken")), 0.05)
            outcomes = self.reports()
        self.assertEqual(sorted(outcomes), ["ALREADY_IMPORTED", "IMPORTED", "REFUSED"])
        self.assertEqual([name for place in ("", "taken", "done", "refused") for name in os.listdir(self.at("other", place))
                          if name.endswith(".out")], [])
        self.assertEqual(self.cards(), 3)

    def test_what_cannot_begin_is_refused_with_a_report(self):
        self.assertEqual(self.program.stop(), 0)
        self.add_folder("other", 'vendor-profile = "nobody"')
        self.restart()
        write(self.at("other", "a.out"), SAMPLE)
        for place in ("a.out", "a.out.imp_"):
            until(place, 30, lambda: any(name.startswith(place) and name.endswith(".report.json")
                                         for name in os.listdir(self.at("other", "refused"))), 0.05)
            (name,) = [name for name in os.listdir(self.at("other", "refused")) if name.startswith(place) and
                       name.endswith(".report.json")]
            # The report is in place before its file is.
            until("its file", 30, lambda: not os.listdir(self.at("other", "taken")), 0.05)
            report = json.loads(read(self.at("other", "refused", name)))
            self.assertEqual([report["import"][member] for member in ("status", "outcome", "failure", "vendor")],
                             ["ENDED", "REFUSED", "NO_VENDOR_PROFILE", "nobody"])
            self.assertEqual((report["findings"], "id" in report["import"]), ([], False))
            self.assertEqual(read(self.at("other", "refused", name[:-len(".report.json")])), SAMPLE)
            if place == "a.out":  # the same name again keeps both
                write(self.at("other", "a.out"), SAMPLE)
        self.assertEqual(self.cards(), 0)
        (line,) = [line for line in read(self.program.log.name).decode().splitlines() if "folder.refused" in line][:1]
        self.assertIn("no such vendor profile", line)

    def restart(self):
        self.program.process.stdout.close()
        self.program.start()
        self.connect()

    def test_whatever_comes_of_it_there_is_a_report(self):
        long = "a" * 251 + ".out"  # which leaves no room for its report's name
        write(self.at("inbox", long), SAMPLE)
        until("its report", 30, lambda: any(name.endswith(".report.json") for name in self.here("done")), 0.05)
        until("the file", 30, lambda: len(self.here("done")) == 2, 0.05)
        file, report = self.here("done")
        self.assertEqual(report, file + ".report.json")
        self.assertEqual((file[:200], file[200:205]), ("a" * 200, ".imp_"))
        self.assertEqual(json.loads(read(self.at("inbox", "done", report)))["import"]["outcome"], "IMPORTED")
        self.assertEqual(self.here("taken"), [])
        # A pool that is not there.
        pool = self.api.post("/subscription-pools", {"name": "gone", "operator": "TEST-001-01", "templateId": 1})["id"]
        self.assertEqual(self.program.stop(), 0)
        other = self.at("other-data")
        tool("ota-server", "init", "--data", other)
        self.program.arguments[self.program.arguments.index("--data") + 1] = other
        self.client = tuple(line.split("=", 1)[1] for line in
                            tool("ota-server", "client", "add", "--data", other, "--name", "test").splitlines())
        self.restart()
        self.api.post("/vendor-profiles", read(os.path.join(ROOT, "profiles/vendor/samples/alder.json")))
        self.assertEqual(self.program.stop(), 0)
        self.add_folder("pool", 'vendor-profile = "alder" pool = "%s"' % pool)
        write(self.at("pool", "p.csv"), b"x")
        self.restart()
        path = self.at("pool", "refused", "p.csv.report.json")
        until(path, 30, lambda: os.path.exists(path), 0.05)
        self.assertEqual(json.loads(read(path))["import"]["outcome"], "REFUSED")
        until("the file", 30, lambda: os.listdir(self.at("pool", "taken")) == [], 0.05)

    def add_folder(self, name, more):
        os.mkdir(self.at(name))
        with open(self.at("server.conf"), "a") as file:
            file.write('import-folder "%s" { path = "%s" settle-s = 1 %s }\n' % (name, self.at(name), more))

    def refused(self, *arguments, code):
        ended = subprocess.run([os.path.join(PROGRAMS, "ota-server"), *arguments], capture_output=True, text=True, timeout=60)
        self.assertEqual((ended.returncode, ended.stdout), (code, ""), ended.stderr)
        return ended.stderr

    def test_a_tenant_is_an_enterprise_that_is_there(self):
        made = self.api.post("/enterprises", {"name": "Alder", "kind": "ENTERPRISE", "region": "CN", "timeZone": "UTC"})["id"]
        self.assertEqual(self.program.stop(), 0)
        client = ("client", "add", "--data", self.data, "--name", "theirs", "--tenant")
        wrong = made[:-1] + ("0" if made[-1] != "0" else "1")
        for name in ("1", "2", wrong, made.replace("ent_", "grp_"), ""):
            self.assertIn("id of an enterprise", self.refused(*client, name, code=2))
        other = self.at("other-data")
        tool("ota-server", "init", "--data", other)
        self.assertIn("no such enterprise", self.refused("client", "add", "--data", other, "--name", "x", "--tenant", made, code=1))
        theirs = tuple(line.split("=", 1)[1] for line in tool("ota-server", *client, made).splitlines())
        # A folder for it, which no other server takes.
        self.add_folder("theirs", 'vendor-profile = "alder" tenant = "%s"' % made)
        config = self.at("server.conf")
        self.assertIn("no enterprise " + made, self.refused("--data", other, "--config", config, code=1))
        good = read(config)
        write(config, good.replace(made.encode(), b"2"))
        self.assertIn("ent_ and 26 characters", self.refused("--data", other, "--config", config, code=2))
        write(config, good)
        self.restart()
        enterprise = Api(self.address, [theirs])
        enterprise.post("/vendor-profiles", read(os.path.join(ROOT, "profiles/vendor/samples/alder.json")))
        for index, key in served.KEYS.items():
            enterprise.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC", "components": [key, "0" * 32]})
        write(self.at("theirs", "a.out"), SAMPLE)
        path = self.at("theirs", "done", "a.out.report.json")
        until(path, 30, lambda: os.path.exists(path), 0.05)
        report = json.loads(read(path))["import"]
        self.assertEqual(report["outcome"], "IMPORTED")
        # They and the operator see it; nobody of theirs may be there who mends what it held back.
        for api in (enterprise, self.api):
            self.assertEqual(api.get("/batch-imports/" + report["id"])["outcome"], "IMPORTED")
            self.assertIn(report["id"], [one["id"] for one in api.all("/batch-imports")])
            findings = api.get("/batch-imports/" + report["id"] + "/report")["items"]
            self.assertEqual([(one["level"], one["line"]) for one in findings], [("W", 16)])
            self.assertEqual(api.get("/batch-imports/" + report["id"] + "/quarantine")["items"], [])
        # The log names the import as everybody else does.
        logged = re.findall(r"folder\.imported.* import=\"?(imp_\w+)", read(self.program.log.name).decode())
        self.assertEqual(logged, [report["id"]])

    def reports(self):
        return [json.loads(read(self.at("other", place, name)))["import"]["outcome"] for place in ("done", "refused")
                for name in os.listdir(self.at("other", place)) if name.endswith(".report.json")]

    def test_a_kill_loses_no_file(self):
        tool("vendor-make", "--count", "3000", "--output", self.at("many.out"))
        shutil.copy(self.at("many.out"), self.at("inbox", "many.out"))
        until("the file taken", 20, lambda: self.here("taken") == ["many.out"], 0.005)
        self.crash()
        report = self.report("done", "many.out")
        self.assertEqual((report["import"]["outcome"], report["import"]["loaded"]), ("IMPORTED", 3000))
        self.assertEqual(self.cards(), 3000)
        # Whoever pipes a list into a command is told that it was cut.
        for more, count, told in ((), 1000, "otactl: 1000 of 3000 cards; all: --limit 0\n"), (("--limit", "0"), 3000, ""):
            listed = self.listed(*more)
            self.assertEqual((len(listed.stdout.splitlines()), listed.stderr), (count, told))

    def listed(self, *more):
        access = {"OTARIA_URL": "http://" + self.address, "OTARIA_APPKEY": self.client[0], "OTARIA_APPSECRET": self.client[1]}
        return subprocess.run([os.path.join(PROGRAMS, "otactl"), "card", "list", "-q", *more], capture_output=True, text=True,
                              timeout=60, env={**os.environ, **access})


if __name__ == "__main__":
    unittest.main()
