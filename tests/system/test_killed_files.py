#!/usr/bin/env python3
"""The server, killed amid files: uploads in chunks, imports, corrections of what an import held back, and files that arrive in a
folder. What it acknowledged, as the test has it in its log, is done; asked again under its key, it is done once, whatever came
of the answer; nothing is half there. usage: test_killed_files.py FOLDER-OF-PROGRAMS

OTARIA_KILLS: how often it is killed in each test (5 times); OTARIA_KILLS_SEED: when (1)."""
import hashlib, http.client, json, os, random, threading, unittest

from served import Served, read, tool, until

KILLS = int(os.environ.get("OTARIA_KILLS", "5"))
SEED = int(os.environ.get("OTARIA_KILLS_SEED", "1"))
PIECES = 8
CARDS = 1000  # of a vendor's file: it loads for some 40 ms
AFTER_S = 0.06  # a kill comes so long after the last octet at most: before the answer, amid the work, or behind it


class Files(Served):
    def setUp(self):
        super().setUp()
        self.chance, self.kills, self.met = random.Random(SEED), 0, 0

    def send(self, path, body, content_type, key, query="", kill_at=None):
        """Sends the body in chunks; `kill_at` in 0..1: the server dies after so much of it, in 1..2: so much of AFTER_S after it.
        The answer's status and document, or None."""
        size = -(-len(body) // PIECES)
        killer = None

        def pieces():
            nonlocal killer
            for number in range(PIECES):
                if kill_at is not None and kill_at < number / PIECES:
                    self.program.kill()
                yield body[number * size:(number + 1) * size]
            if kill_at is not None:
                killer = threading.Timer(max(0, kill_at - 1) * AFTER_S, self.program.kill)
                killer.start()
        host, port = self.address.rsplit(":", 1)
        path = self.api.BASE + path
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        headers = {"Authorization": self.api.sign("POST", path, query, content_type, key, body), "Content-Type": content_type,
                   "Idempotency-Key": key, "Transfer-Encoding": "chunked"}
        try:
            connection.request("POST", path + ("?" + query if query else ""), pieces(), headers, encode_chunked=True)
            answer = connection.getresponse()
            made = answer.status, json.loads(answer.read())
        except (OSError, ValueError, http.client.HTTPException):
            made = None
        finally:
            connection.close()
            if killer is not None:
                killer.join()
        return made

    def send_through_a_kill(self, path, body, content_type, query=""):
        """Sends it, kills the server meanwhile, and sends it again under its key: the id of what it made."""
        key = "kill-%08d" % self.kills
        self.kills += 1
        first = self.send(path, body, content_type, key, query, self.chance.uniform(0, 2))
        self.program.process.stdout.close()
        self.program.start()
        self.connect()
        status, made = self.send(path, body, content_type, key, query)
        self.assertIn(status, (201, 202), made)
        if first is None:
            self.met += 1
        else:
            self.assertEqual((first[0], first[1]["id"]), (status, made["id"]), "acknowledged, and another one now")
        other, refusal = self.send(path, body + b"\n", content_type, key, query)
        self.assertEqual((other, refusal["code"]), (400, "INVALID_ARGUMENT"))
        return made["id"]

    def rows(self, action):
        return self.count("/audit-trail", "action=" + action)

    def left_over(self):
        """Of bodies that were on their way, beside those that are kept."""
        return [name for name in os.listdir(os.path.join(self.data, "uploads")) if not name.endswith(".body")]

    def assert_whole(self):
        self.assertTrue(self.api.post("/audit-trail/verify", {})["ok"])
        self.assertEqual(self.left_over(), [])
        self.assertGreater(self.met, 0)  # a kill came before the answer
        print("\nfigure " + json.dumps({"name": "fault.kills", "value": self.kills, "unit": "kills", "what": self.id().split(".")[-1]}))

    def vendor_file(self, number, name="file.out"):
        """Of cards that no other file has."""
        path = self.at(name)
        tool("vendor-make", "-n", str(CARDS), "-f", str(number * 1000 + 1), "-b", "K%06d" % number, "-o", path)
        return read(path).decode()


class Uploads(Files):
    def test_an_upload_is_there_once_and_whole(self):
        self.ended(self.order(self.vendor_file(0).encode()))
        cards = [card["id"] for card in self.api.all("/cards")]
        made = []
        for _ in range(KILLS):
            body = "cardId\n" + "".join(card + "\n" for card in self.chance.sample(cards, CARDS // 2))
            made.append(self.send_through_a_kill("/uploads", body.encode(), "text/csv"))
            self.assertEqual(self.api.get("/uploads/" + made[-1])["lines"], CARDS // 2)
            self.assertEqual({one["id"] for one in self.api.all("/uploads")}, set(made[-40:]))
            if len(made) >= 40:  # an enterprise has 50 at the most
                self.assertEqual(self.api.ask("DELETE", "/uploads/" + made[-40])[0], 204)
        self.assertEqual(self.rows("upload.created"), KILLS)
        self.assert_whole()


class Imports(Files):
    def settled(self, job):
        """Its end, and how many of its cards are there: all or none."""
        ended = self.ended(job)
        loaded = self.count("/cards", "batchId=" + job)
        self.assertEqual(loaded, CARDS if ended["outcome"] == "IMPORTED" else 0, ended)
        return ended["outcome"] == "IMPORTED"

    def test_an_import_is_there_once_and_whole(self):
        jobs = loaded = 0
        for number in range(KILLS):
            text = self.vendor_file(number).encode()
            job = self.send_through_a_kill("/batch-imports", text, "text/plain", "vendorProfile=alder")
            is_loaded = self.settled(job)
            jobs += 1
            if not is_loaded:  # the server died while it loaded: the vendor's file is given to it again
                is_loaded = self.settled(self.order(text))
                jobs += 1
            self.assertTrue(is_loaded)
            loaded += CARDS
            self.assertEqual((self.rows("import.ordered"), self.rows("import.ended")), (jobs, jobs))
            self.assertEqual(self.count("/cards"), loaded)
        self.assert_whole()

    def spoilt(self, text):
        """The file with the check digit of its last card wrong."""
        head, data = text.split("*DATA\n")
        lines = data.split("*END")[0].splitlines()
        iccid = next(field for field in lines[-1].split() if field.startswith("8999"))
        wrong = iccid[:-1] + str((int(iccid[-1]) + 1) % 10)
        data = "\n".join(lines).replace(iccid, wrong) + "\n"
        digest = hashlib.sha256(data.encode()).hexdigest()
        return f"{head}*DATA\n{data}*END\nRecords: {len(lines)}\nSHA256-DATA: {digest}\n"

    def test_a_correction_is_done_once_and_whole(self):
        jobs = 0
        for number in range(KILLS):
            text = self.vendor_file(number)
            jobs += 2
            first = self.order(self.spoilt(text).encode(), "&partial=true")
            self.assertEqual(self.ended(first)["quarantined"], 1)
            path = f"/batch-imports/{first}/quarantine"
            job = self.send_through_a_kill(path, text.encode(), "text/plain")
            ended = self.ended(job)
            if ended["outcome"] != "IMPORTED":  # the server died amid it: nothing is corrected, and it can be asked again
                self.assertEqual(self.count("/cards", "batchId=" + first), CARDS - 1)
                ended = self.ended(self.api.post(path, text.encode(), content_type="text/plain")["id"])
                jobs += 1
            self.assertEqual((ended["outcome"], ended["loaded"], ended["unchanged"]), ("IMPORTED", 1, CARDS - 1), ended)
            self.assertEqual(self.count("/cards", "batchId=" + first), CARDS)
            self.assertEqual((self.rows("import.ordered"), self.rows("import.ended")), (jobs, jobs))
        self.assert_whole()


class Folder(Files):
    def more_config(self):
        os.mkdir(self.at("inbox"))
        return 'import-folder "alder" { path = "%s" settle-s = 1 }\n' % self.at("inbox")

    def test_each_file_of_a_folder_is_loaded_once(self):
        names = []
        for number in range(KILLS):
            name = "batch-%03d.out" % number
            self.vendor_file(number, name)
            os.rename(self.at(name), self.at("inbox", name))
            names.append(name)
            taken = self.chance.random() < 0.7
            if taken:  # as it is worked on; else as it settles
                until("it is taken", 20, lambda: not os.path.exists(self.at("inbox", name)), 0.002)
            killer = threading.Timer(self.chance.uniform(0, AFTER_S), self.program.kill)
            killer.start()
            killer.join()
            self.kills += 1
            self.met += name not in os.listdir(self.at("inbox", "done"))
            self.program.process.stdout.close()
            self.program.start()
            self.connect()
        reports = sorted(name + ".report.json" for name in names)
        until("all are done", 60, lambda: [name for name in sorted(os.listdir(self.at("inbox", "done")))
                                           if name.endswith(".report.json")] == reports, 0.05)
        for name in reports:
            outcome = json.loads(read(self.at("inbox", "done", name)))["import"]["outcome"]
            self.assertIn(outcome, ("IMPORTED", "ALREADY_IMPORTED"))  # which it says where the report was still to be written
        self.assertEqual(sorted(os.listdir(self.at("inbox", "done"))), sorted(names + reports))
        self.assertEqual(os.listdir(self.at("inbox", "taken")), [])
        self.assertEqual(os.listdir(self.at("inbox", "refused")), [])
        self.assertEqual(self.count("/cards"), KILLS * CARDS)
        self.assert_whole()


if __name__ == "__main__":
    unittest.main()
