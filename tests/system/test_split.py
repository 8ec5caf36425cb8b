#!/usr/bin/env python3
"""One batch in several files: cards that a second file completes. usage: test_split.py FOLDER-OF-PROGRAMS"""
import hashlib, random, time, unittest

import served
from served import tool, until

OTA = ["ICCID", "KIC1", "KID1", "KIK1", "KCV"]
AUC = ["ICCID", "IMSI1", "MSISDN1", "KI1", "OPC1", "IMSI2", "KI2", "OPC2"]
# Header keys that only an OTA file has.
OF_OTA = ("OTA-Keyset", "OTA-Security", "Applet-SM", "Bootstrap", "Operational", "Transport-Key-OTA")


def read(path):
    return served.read(path).decode()


SAMPLE = read(served.SAMPLE)


def part(whole, target, names, edit=lambda line: line):
    """The file with these fields of another one, for this target."""
    header, data = whole.split("*DATA\n")
    fields = header.split("Var_Out: ")[1].split("\n")[0].split("/")
    encrypted = [word for word in header.split("Encrypted: ")[1].split("\n")[0].split() if word.split("=")[0] in names]
    lines = []
    for line in header.splitlines():
        key = line.split(":")[0]
        if key in ("Start-IMSI1", "Start-IMSI2", "Var_In") or (target != "OTA" and key in OF_OTA) or \
                (target != "AUC" and key == "Transport-Key-AUC") or (key == "Encrypted" and not encrypted):
            continue
        lines.append({"Output-Target": "Output-Target: " + target, "Var_Out": "Var_Out: " + "/".join(names),
                      "Encrypted": "Encrypted: " + " ".join(encrypted)}.get(key, line))
    records = [dict(zip(fields, line.split(" "))) for line in data.split("*END")[0].splitlines()]
    text = "".join(edit(" ".join(record[name] for name in names)) + "\n" for record in records)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return "\n".join(lines) + f"\n*DATA\n{text}*END\nRecords: {len(records)}\nSHA256-DATA: {digest}\n"


class Split(served.Served):
    OPTIONS = ("--clear",)

    def order(self, text, query=""):
        return super().order(text.encode(), query)

    def load(self, text):
        return self.ended(self.order(text))

    def imported(self, text, count=3):
        ended = self.load(text)
        self.assertEqual((ended.get("outcome"), ended.get("loaded")), ("IMPORTED", count), ended)

    def findings(self, ended):
        return [(item["code"], item.get("line")) for item in self.api.all(f"/batch-imports/{ended['id']}/report")
                if item["level"] != "W"]

    def states(self):
        return {card["state"] for card in self.api.all("/cards")}

    def shown(self):
        """What the registry says of its cards, without what differs from import to import."""
        cards = []
        for card in sorted(self.api.all("/cards"), key=lambda card: card["iccid"]):
            one = self.api.get("/cards/" + card["id"])
            slots = [{name: slot.get(name) for name in ("slot", "state", "role", "isFallback", "fallback", "imsi", "msisdn", "iccid")}
                     for slot in self.api.all("/subscriptions", "cardId=" + card["id"])]
            cards.append((card["iccid"], one["state"], one.get("applet"), one.get("slotCount"), slots))
        return cards

    def test_the_order_of_arrival_is_free(self):
        kinds = [[SAMPLE], [part(SAMPLE, "OTA", OTA), part(SAMPLE, "AUC", AUC)], [part(SAMPLE, "AUC", AUC), part(SAMPLE, "OTA", OTA)],
                 [part(SAMPLE, "OTA", ["ICCID", "IMSI1", "KIC1", "KID1", "KIK1", "KCV"]), part(SAMPLE, "AUC", AUC[1:])],
                 [part(SAMPLE, "LOG", ["ICCID", "PUK1"]), part(SAMPLE, "AUC", AUC), part(SAMPLE, "OTA", OTA)]]
        whole = None
        for number, files in enumerate(kinds):
            with self.subTest(number):
                if number > 0:
                    self.tearDown()
                    self.setUp()
                for i, text in enumerate(files):
                    self.imported(text)
                    self.assertEqual(self.states(), {"IMPORTED" if i == len(files) - 1 else "IMPORTED_PARTIAL"})
                    if self.states() == {"IMPORTED_PARTIAL"}:
                        status, answer = self.api.ask("POST", "/cards/%s/audits" % self.api.all("/cards")[0]["id"], {})
                        self.assertNotIn(status, (200, 201, 202), answer)
                shown = self.shown()
                whole = whole or shown
                self.assertEqual(shown, whole)
                self.assertEqual([row["result"] for row in self.api.all("/audit-trail") if row["action"] == "import.ended"],
                                 ["IMPORTED"] * len(files))
                # The same files again are known, and another with the same target is not taken.
                self.assertEqual(self.load(files[-1])["outcome"], "ALREADY_IMPORTED")
                self.assertEqual(self.findings(self.load(files[-1].replace("Order-No: PO", "Order-No: OP"))),
                                 [("IMP-121", 5 if files[-1].startswith("*") else 4)])

    def test_parts_that_disagree_change_nothing(self):
        self.imported(part(SAMPLE, "OTA", ["ICCID", "IMSI1", "KIC1", "KID1", "KIK1", "KCV"]))
        before = self.shown()
        other = part(SAMPLE, "AUC", AUC, lambda line: line.replace("999700000000002", "999700000000009"))
        ended = self.load(other)
        line = other[:other.index("999700000000009")].count("\n") + 1
        self.assertEqual((ended["outcome"], self.findings(ended)), ("REFUSED", [("IMP-215", line)]))
        # A card that no other file has brought cannot be found by its IMSI.
        ended = self.load(part(SAMPLE, "AUC", AUC[4:], lambda line: line))
        self.assertEqual(ended["outcome"], "REFUSED")
        self.assertEqual({code for code, _ in self.findings(ended)}, {"IMP-106"})
        self.assertEqual(self.shown(), before)

    def test_a_kill_leaves_all_cards_or_none_completed(self):
        count, seen = 600, set()
        chance = random.Random(1)
        tool("vendor-make", "--count", str(count), "--output", self.at("many"))
        many = read(self.at("many"))
        self.imported(part(many, "OTA", OTA), count)
        auc = part(many, "AUC", AUC)
        for _ in range(12):
            job = self.order(auc)
            until("it to load", 20, lambda: self.api.get("/batch-imports/" + job)["status"] != "CHECKING", 0.001)
            end = time.monotonic() + chance.random() * 0.1
            until("the moment", 1, lambda: time.monotonic() > end, 0.001)
            self.crash()
            ended = self.ended(job)
            states = self.states()
            self.assertEqual(len(states), 1, ended)
            done = states == {"IMPORTED"}
            self.assertEqual(done, ended["outcome"] == "IMPORTED", ended)
            self.assertEqual(self.count("/subscriptions"), 2 * count if done else 0)
            seen.add(done)
            if done:
                break
        else:
            self.imported(auc, count)
        self.assertEqual(self.states(), {"IMPORTED"})
        self.assertTrue(self.api.post("/audit-trail/verify", {})["ok"])

    def correct(self, first, text, query=""):
        job = self.api.post(f"/batch-imports/{first}/quarantine", text.encode(), content_type="text/plain", query=query)["id"]
        ended = self.ended(job)
        return tuple(ended.get(name) for name in ("outcome", "loaded", "unchanged", "quarantined"))

    def held_back(self, text, query="&partial=true"):
        """Orders a file with the ICCID of its last card wrong by a digit; its import."""
        text = text.replace("89999000000717000035", "89999000000717000036")
        data = text.split("*DATA\n")[1].split("*END")[0]
        digest = hashlib.sha256(data.encode()).hexdigest()
        text = text.split("SHA256-DATA: ")[0] + f"SHA256-DATA: {digest}\n"
        job = self.order(text, query)
        self.assertEqual(self.ended(job)["quarantined"], 1)
        return job, text

    def test_a_refused_file_is_corrected_in_steps(self):
        first, spoilt = self.held_back(SAMPLE, "")
        self.assertEqual(self.count("/cards"), 0)
        again = spoilt.replace("Order-No: PO", "Order-No: OP")
        self.assertEqual(self.correct(first, again, "partial=true"), ("IMPORTED_IN_PART", 2, 0, 1))
        self.assertEqual(self.correct(first, SAMPLE), ("IMPORTED", 1, 2, 0))
        self.assertEqual(self.states(), {"IMPORTED"})
        self.assertEqual({card["batchId"] for card in self.api.all("/cards")}, {first})

    def test_a_corrected_card_is_completed_by_another_file(self):
        first, _ = self.held_back(part(SAMPLE, "OTA", OTA))
        self.assertEqual(self.correct(first, part(SAMPLE, "OTA", OTA)), ("IMPORTED", 1, 2, 0))
        self.imported(part(SAMPLE, "AUC", AUC))
        self.assertEqual(self.states(), {"IMPORTED"})

    def test_a_file_is_corrected_after_another_has_completed_its_cards(self):
        for names in ((("OTA", OTA), ("AUC", AUC)), (("AUC", AUC), ("OTA", OTA))):
            with self.subTest(names[0][0]):
                first, _ = self.held_back(part(SAMPLE, *names[0]))
                self.imported(part(SAMPLE, *names[1]))
                self.assertEqual(self.states(), {"IMPORTED", "IMPORTED_PARTIAL"})
                self.assertEqual(self.correct(first, part(SAMPLE, *names[0])), ("IMPORTED", 1, 2, 0))
                self.assertEqual(self.states(), {"IMPORTED"})
                self.tearDown()
                self.setUp()

    def test_a_correction_changes_no_card_that_was_loaded(self):
        first, _ = self.held_back(part(SAMPLE, "AUC", AUC))
        self.imported(part(SAMPLE, "OTA", OTA))
        before = self.shown()
        other = part(SAMPLE, "AUC", AUC, lambda line: line.replace("999700000000002", "999700000000009"))
        job = self.api.post(f"/batch-imports/{first}/quarantine", other.encode(), content_type="text/plain")["id"]
        self.assertEqual((self.ended(job)["outcome"], {code for code, _ in self.findings(self.ended(job))}), ("REFUSED", {"IMP-211"}))
        self.assertEqual(self.shown(), before)


if __name__ == "__main__":
    unittest.main()
