#!/usr/bin/env python3
"""Months of the audit trail that leave the server, which is killed meanwhile. usage: test_archive.py FOLDER-OF-PROGRAMS"""
import datetime, glob, hashlib, json, os, shutil, sqlite3, struct, sys, unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from alone import Alone, tool, until  # noqa: E402

ROWS = 4000  # of each old month
KINDS = ["SYSTEM", "USER", "CLIENT", "RULE", "CARD"]
HASHED = ("at", "tenant", "actor_kind", "actor_id", "address", "action", "object_kind", "pseudonym", "operation", "correlator",
          "before", "after", "reason", "approval", "result")


def hash_of(previous, sequence, row):
    """As the description of the trail has it: each field with its length, in fixed order."""
    texts = [(KINDS[row[name]] if name == "actor_kind" else str(row[name])).encode() for name in HASHED]
    return hashlib.sha256(previous + struct.pack(">Q", sequence) + b"".join(struct.pack(">I", len(t)) + t for t in texts)).digest()


def rows_of(path):
    """The rows of an archived month, each of which fits the one before it."""
    with open(path, encoding="utf-8", newline="\n") as file:
        head, *lines, end = file.read().splitlines()
    mark, first, previous, _ = head.split("\t")
    assert mark == "otaria-trail 1", mark
    sequence, previous = int(first), bytes.fromhex(previous)
    for line in lines:
        number, *fields, own = line.split("\t")
        row = dict(zip(HASHED, fields))
        assert int(number) == sequence
        row["actor_kind"] = KINDS.index(row["actor_kind"])
        previous = hash_of(previous, sequence, row)
        assert previous.hex() == own, sequence
        sequence += 1
    word, begin, last, *_, hash_of_last, _ = end.split("\t")
    assert (word, int(begin), int(last), hash_of_last) == ("tombstone", int(first), sequence - 1, previous.hex())
    return range(int(first), sequence)


def months_ago(count):
    now = datetime.datetime.now(datetime.timezone.utc)
    month = now.year * 12 + now.month - 1 - count
    return month, int(datetime.datetime(month // 12, month % 12 + 1, 15, tzinfo=datetime.timezone.utc).timestamp() * 1000)


class Rewritten(Alone):
    """A trail that somebody wrote anew: rows of two old months, and behind them what a server wrote. No checkpoint is left."""

    def prepare(self):
        with sqlite3.connect(self.data + "/registry.db") as db:
            db.row_factory = sqlite3.Row
            guards = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'trail'").fetchall()
            for guard in guards:
                db.execute("DROP TRIGGER " + guard["name"])
            new = [dict(row) for row in db.execute("SELECT * FROM trail ORDER BY sequence")]
            empty = {name: "" for name in ("address", "object_kind", "pseudonym", "before", "after", "reason", "result")}
            old = {**empty, "tenant": 1, "actor_kind": 0, "actor_id": 0, "action": "card.marked", "operation": 0, "correlator": 0,
                   "approval": 0, "grp": 0}
            rows = [{**old, "at": months_ago(ago)[1] + i, "after": f"row {i}"} for ago in (9, 8) for i in range(ROWS)] + new
            db.execute("DELETE FROM trail")
            db.execute("DELETE FROM trail_segment")
            previous, months = bytes(32), []
            for sequence, row in enumerate(rows, 1):
                month = datetime.datetime.fromtimestamp(row["at"] / 1000, datetime.timezone.utc)
                if month.year * 12 + month.month - 1 not in months:
                    months.append(month.year * 12 + month.month - 1)
                    db.execute("INSERT INTO trail_segment VALUES (?, ?, ?)", (sequence, months[-1], previous))
                row.update(sequence=sequence, previous=previous, hash=hash_of(previous, sequence, row))
                previous = row["hash"]
                db.execute(f"INSERT INTO trail ({','.join(row)}) VALUES ({','.join('?' * len(row))})", list(row.values()))
            for guard in guards:
                db.execute(guard["sql"])
        db.close()
        if os.path.exists(self.data + "/checkpoints"):
            os.remove(self.data + "/checkpoints")

    def verify(self, expected, *arguments):
        done = self.otactl("trail", "verify", *arguments)
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return done


class Forged(Rewritten):
    CONFIG = 'trail-months = 0\ncheckpoint-folder = "{folder}/elsewhere"\n'

    def prepare(self):
        self.elsewhere = self.at("elsewhere")
        os.mkdir(self.elsewhere)

    def test_a_trail_that_was_written_anew_is_told(self):
        self.stop()  # it has signed its last row
        copy = self.at("copy")
        shutil.copy(self.elsewhere + "/checkpoints", copy)
        shutil.copytree(self.data, self.at("former"))
        self.start()
        self.verify(0)
        self.verify(0, "--checkpoints", copy)
        self.api.post("/enterprises", {"name": "A", "kind": "ENTERPRISE", "region": "X", "timeZone": "UTC"})
        self.stop()
        shutil.copy(self.elsewhere + "/checkpoints", copy)
        self.assertIn("--first", self.wrong(copy, "--first", "1"))
        self.check_put_back(copy)
        self.check_rewritten(copy)

    def wrong(self, copy, *arguments):
        return tool("otactl", "trail", "verify", "--checkpoints", copy, *arguments).stderr

    def check_put_back(self, copy):
        """The whole of an older day, checkpoints too: that only what lies elsewhere can tell."""
        last = int(open(copy).read().splitlines()[-1].split()[0])
        kept = self.at("kept")
        shutil.copytree(self.data, kept)
        shutil.rmtree(self.data)
        shutil.copytree(self.at("former"), self.data)
        older = [line for line in open(copy) if int(line.split()[0]) < last]
        self.write("elsewhere/checkpoints", "".join(older[:1]))
        self.start()
        self.verify(0)
        self.assertIn("CHECKPOINT at row ", self.verify(7, "--checkpoints", copy).stdout)
        self.stop()
        shutil.rmtree(self.data)
        shutil.copytree(kept, self.data)

    def check_rewritten(self, copy):
        Rewritten.prepare(self)
        os.remove(self.elsewhere + "/checkpoints")
        self.start()
        for _ in range(2):  # the second time the server has signed what it found
            self.assertIn("CHECKPOINT at row 1", self.verify(7).stdout)
            self.stop()
            self.start()
        key = self.api.get("/system")["auditTrail"]["checkpointKey"]
        done = json.loads(self.verify(7, "--json", "--checkpoints", copy, "--checkpoint-key", key).stdout)
        self.assertEqual((done["ok"], done["problem"]), (False, "CHECKPOINT"))


class Archive(Rewritten):
    CONFIG = 'trail-months = 6\ntrail-archive = "{folder}/archive"\n'

    def prepare(self):
        self.archive = self.at("archive")
        os.mkdir(self.archive)
        Rewritten.prepare(self)

    def files(self):
        return sorted(glob.glob(self.archive + "/trail-*.tsv"))

    def part(self):
        return any(os.path.getsize(path) for path in glob.glob(self.archive + "/*.part"))

    def nothing_is_lost(self):
        """Each row is in the database or in a file that is whole."""
        with sqlite3.connect(f"file:{self.data}/registry.db?mode=ro", uri=True) as db:
            have = {sequence for sequence, in db.execute("SELECT sequence FROM trail")}
            gone = {n for first, last in db.execute("SELECT first, last FROM tombstone") for n in range(first, last + 1)}
        db.close()
        kept = {sequence for path in self.files() for sequence in rows_of(path)}
        self.assertLessEqual(gone, kept)
        self.assertEqual(have | kept, set(range(1, max(have) + 1)))

    def removed(self):
        return self.api.get("/audit-trail", "action=trail.month.removed&perPage=10")["items"]

    def settle(self):
        """Both months are files, and the trail begins behind them."""
        until("two months are gone", 60, lambda: len(self.removed()) == 2, 0.1)
        rest = lambda: self.api.get("/audit-trail", "perPage=1&sort=sequence")["items"][0]["sequence"] == 2 * ROWS + 1
        until("their rows are gone", 60, rest, 0.1)

    def test_killed_in_the_middle_it_loses_no_row_and_goes_on(self):
        for what in (self.part, self.files, lambda: len(self.files()) == 1 and self.part(), lambda: len(self.files()) == 2):
            until("it is in the middle", 60, what, 0.002)
            self.kill()
            self.nothing_is_lost()
            self.start()
        self.settle()
        self.nothing_is_lost()
        self.assertEqual(len(self.files()), 2)
        self.assertFalse(self.part())
        self.assertEqual({row["result"] for row in self.removed()}, {os.path.basename(path) for path in self.files()})
        self.assertTrue(self.api.post("/audit-trail/verify", {})["ok"])
        self.check_files()

    def check_files(self):
        first, second = self.files()
        key = self.api.get("/system")["auditTrail"]["checkpointKey"]
        live = json.loads(self.verify(0, "--json", first, second, "--live").stdout)
        self.assertTrue(live["ok"])
        self.assertEqual((live["fromSequence"], live["files"], live["checkpointKey"]), (1, 2, key))
        self.assertEqual(live["checked"], live["toSequence"])
        self.verify(0, second, "--live")
        gap = self.verify(7, first, "--live")  # the server goes on behind the second
        self.assertIn(f"GAP at row {ROWS + 1}", gap.stdout)
        self.assertIn("one is missing", gap.stderr)
        self.stop()
        # From here on there is no server.
        self.assertIn(f"verified {2 * ROWS} rows", self.verify(0, first, second).stdout)
        self.assertIn(f"verified {ROWS} rows", self.verify(0, second, "--checkpoint-key", key).stdout)
        self.assertIn("SIGNATURE at row 1", self.verify(7, first, "--checkpoint-key", "00" * 32).stdout)
        self.assertIn("64 hexadecimal digits", self.verify(2, first, "--checkpoint-key", key[1:]).stderr)
        self.assertIn(f"GAP at row {2 * ROWS + 1}", self.verify(7, second, first).stdout)
        self.assertIn("--live", self.verify(2, "--live").stderr)
        self.assertIn("--first", self.verify(2, first, "--first", "1").stderr)
        self.assertIn("No such file", self.verify(2, self.at("nothing")).stderr)
        self.check_changes(first)

    def check_changes(self, path):
        """What somebody did to a file: each with the first bad row."""
        with open(path, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        changes = [
            (b"".join(lines[:99] + [lines[99].replace(b"card", b"Card")] + lines[100:]), "HASH at row 99"),
            (b"".join(lines[:50] + lines[51:]), "GAP at row 50"),
            (b"".join(lines[:50] + lines[49:]), "GAP at row 50"),
            (b"".join(lines[:-1]), f"GAP at row {ROWS + 1}"),
            (b"".join(lines)[:-700], "at row "),
            (b"".join(lines[:-2] + lines[-1:]), f"GAP at row {ROWS}"),
            (b"".join(lines) + lines[1], f"HASH at row {ROWS + 1}"),
            (b"".join(lines[:-1]) + lines[-1].replace(lines[-1][-9:-1], b"00000000"), "SIGNATURE at row 1"),
            (b"\0" + b"".join(lines), "HASH at row 1"),
            (b"", "GAP at row 1"),
            (b"x" * 100000, "HASH at row 1"),
        ]
        changed = self.at("changed.tsv")
        for octets, expected in changes:
            with open(changed, "wb") as file:
                file.write(octets)
            done = self.verify(7, changed)
            self.assertIn(expected, done.stdout)
            self.assertIn("changed.tsv is not what the server wrote", done.stderr)
        shutil.copy(path, changed)
        self.verify(0, changed)

    def test_without_its_folder_it_does_not_start(self):
        self.stop()
        shutil.rmtree(self.archive)
        done = tool("ota-server", "--data", self.data, "--config", self.config)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(self.archive + ": No such file or directory", done.stderr)
        os.mkdir(self.archive)
        self.start()


if __name__ == "__main__":
    unittest.main()
