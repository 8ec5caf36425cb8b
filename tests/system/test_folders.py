#!/usr/bin/env python3
"""Vendors' files that arrive in a folder. usage: test_folders.py FOLDER-OF-PROGRAMS"""
import json, os, shutil, time, unittest

import served
from served import ROOT, read, tool, until

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
        tool("vendor-make", "--count", "3000", "--output", self.at("many.out"))
        shutil.copy(self.at("many.out"), self.at("inbox", "many.out"))
        until("the file taken", 20, lambda: self.here("taken") == ["many.out"], 0.005)
        self.crash()
        report = self.report("done", "many.out")
        self.assertEqual((report["import"]["outcome"], report["import"]["loaded"]), ("IMPORTED", 3000))
        self.assertEqual(self.cards(), 3000)


if __name__ == "__main__":
    unittest.main()
