#!/usr/bin/env python3
"""Backups of a server that works, and what comes of them. usage: test_backup.py FOLDER-OF-PROGRAMS"""
import os, shutil, sqlite3, sys, threading, unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from alone import Alone, tool  # noqa: E402


class Backup(Alone):
    def prepare(self):
        self.copy = self.at("backup")

    def fails(self, word, *arguments):
        done = tool(*arguments)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(word, done.stderr)

    def pool(self, name):
        return self.api.post("/subscription-pools", {"name": name, "operator": "TEST-001-01", "templateId": 1})

    def pools(self):
        return {pool["name"] for pool in self.api.all("/subscription-pools")}

    def backup(self):
        self.well("ota-server", "backup", "--data", self.data, "--to", self.copy)

    def restore(self):
        self.well("ota-server", "restore", "--data", self.data, "--from", self.copy)

    def verified(self):
        answer = self.api.post("/audit-trail/verify", {})
        self.assertTrue(answer["ok"], answer)
        return answer

    def test_downloads_that_a_restore_holds_are_freed_by_hand_with_a_reason(self):
        free = ("ota-server", "free-downloads", "--data", self.data, "--reason", "the other cards are scrap")
        self.backup()
        self.fails("another process", *free)
        self.stop()
        self.fails("no download is held", *free)
        with sqlite3.connect(f"{self.data}/registry.db") as db:
            db.execute("INSERT OR REPLACE INTO value VALUES ('downloads_held', ?)", ((1).to_bytes(8, "big"),))
        db.close()
        self.assertEqual(tool("ota-server", "free-downloads", "--data", self.data).returncode, 2)
        self.well(*free)
        self.start()
        rows = self.api.all("/audit-trail", "action=server.downloads_freed")
        self.assertEqual([row["reason"] for row in rows], ["the other cards are scrap"])

    def test_a_backup_under_load_has_what_was_answered_before_it(self):
        done, ended = [], threading.Event()

        def load():
            while not ended.is_set():
                name = f"pool-{len(done)}"
                self.pool(name)
                done.append(name)

        thread = threading.Thread(target=load)
        thread.start()
        try:
            for _ in range(5):
                before = len(done)
                self.backup()
                with sqlite3.connect(f"file:{self.copy}/registry.db?mode=ro", uri=True) as db:
                    self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
                    kept = db.execute("SELECT count(*) FROM document WHERE kind = 'pool'").fetchone()[0]
                db.close()
                self.assertGreaterEqual(kept, before)
                self.assertLessEqual(kept, len(done) + 1)  # one may be on its way
        finally:
            ended.set()
            thread.join()
        self.assertGreater(len(done), 5)
        self.assertEqual(sorted(os.listdir(self.copy)), ["checkpoints", "registry.db"])

    def test_what_was_restored_is_known_as_such_and_goes_on(self):
        self.pool("kept")
        self.backup()
        self.pool("lost")
        self.fails("another process", "ota-server", "restore", "--data", self.data, "--from", self.copy)
        self.stop()
        self.restore()
        self.start()
        self.assertEqual(self.pools(), {"kept"})
        self.verified()
        actions = [row["action"] for row in self.api.all("/audit-trail")]
        self.assertEqual(actions.count("server.restored"), 1)
        self.assertEqual(actions.count("server.downloads_freed"), 1)  # there is no card that could have anything
        self.assertNotIn("downloadsHeldSince", self.api.get("/system"))
        # The database from before is whole: it is put back in turn.
        self.stop()
        old = [name for name in os.listdir(self.data) if name.startswith("registry.db.before-")]
        self.assertEqual(len(old), 1)
        os.remove(os.path.join(self.copy, "checkpoints"))
        shutil.copy(os.path.join(self.data, old[0]), os.path.join(self.copy, "registry.db"))
        self.restore()
        self.start()
        self.assertEqual(self.pools(), {"kept", "lost"})
        self.verified()

    def test_a_database_put_back_by_hand_is_noticed_and_told(self):
        self.pool("kept")
        self.stop()
        shutil.copy(os.path.join(self.data, "registry.db"), self.at("older"))
        with open(os.path.join(self.data, "checkpoints"), encoding="ascii") as file:
            kept = file.readlines()
        self.start()
        self.pool("lost")
        self.stop()
        with open(os.path.join(self.data, "checkpoints"), encoding="ascii") as file:
            lost = file.readlines()[len(kept):]
        self.assertTrue(lost)
        shutil.copy(self.at("older"), os.path.join(self.data, "registry.db"))
        self.start()
        self.assertEqual(self.pools(), {"kept"})
        rows = self.api.all("/audit-trail", "action=server.restored")
        self.assertEqual([(row["before"], row["after"]) for row in rows],
                         [("row " + lost[-1].split()[0], "row " + kept[-1].split()[0])])
        self.assertEqual([alarm["key"] for alarm in self.api.all("/alarms")], ["audit.chain.broken"])
        aside = [name for name in os.listdir(self.data) if name.startswith("checkpoints.before-")]
        self.assertEqual(len(aside), 1)
        with open(os.path.join(self.data, aside[0]), encoding="ascii") as file:
            self.assertEqual(file.readlines(), kept + lost)
        self.verified()
        # It is told once.
        self.stop()
        self.start()
        self.assertEqual(len(self.api.all("/audit-trail", "action=server.restored")), 1)
        # A checkpoint of rows that the trail never reached is not passed over, but when an end was named.
        with open(os.path.join(self.data, "checkpoints"), "a", encoding="ascii") as file:
            file.write("99999" + lost[-1][lost[-1].index(" "):])
        verdict = self.api.post("/audit-trail/verify", {})
        self.assertEqual((verdict["ok"], verdict["problem"], verdict["firstBadSequence"]), (False, "CHECKPOINT", 99999))
        self.assertTrue(self.api.post("/audit-trail/verify", {"toSequence": rows[0]["sequence"]})["ok"])

    def test_what_is_no_backup_changes_nothing(self):
        self.pool("here")
        self.backup()
        self.stop()
        database = os.path.join(self.copy, "registry.db")
        restore = ["ota-server", "restore", "--data", self.data, "--from", self.copy]
        self.fails("No such file", *restore[:-1], self.at("nowhere"))
        open(database + "-wal", "w").close()
        self.fails("not a backup", *restore)
        os.remove(database + "-wal")
        with open(database, "r+b") as file:  # a page in the middle is written over
            file.seek(os.path.getsize(database) // 8192 * 4096)
            file.write(b"\xff" * 4096)
        self.fails("damaged", *restore)
        with open(database, "wb") as file:
            file.write(b"not a database" * 1000)
        self.fails("damaged", *restore)
        other = self.at("other")
        self.well("ota-server", "init", "--data", other)
        self.well("ota-server", "backup", "--data", other, "--to", self.copy)
        self.fails("master key does not open", *restore)
        self.start()
        self.assertEqual(self.pools(), {"here"})
        self.verified()


if __name__ == "__main__":
    unittest.main()
