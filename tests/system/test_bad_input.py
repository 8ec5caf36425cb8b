#!/usr/bin/env python3
"""Bad input for an ota-server that works: what an SMSC, a stranger, a file, a disk can bring, each with the answer that the
standard or the documents ask for, while cards are commanded beside it. usage: test_bad_input.py FOLDER-OF-PROGRAMS"""
import json, os, random, socket, sqlite3, struct, subprocess, sys, unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402
from lab import SERVER, until  # noqa: E402
from tap import DELIVER, deliver_body, text_of  # noqa: E402

NOBODY = "9990000099999"
OK, BAD_LENGTH, NO_COMMAND, NOT_FROM_YOU, TEMPORARY, BAD_TLVS = 0, 2, 3, 4, 0x64, 0xC0
NACK, SUBMIT = 0x80000000, 4


def flipped(octets, at):
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:]


class Working(lab.Working):
    """What all of them do: put a PDU in between, and see what was counted."""

    def grown(self, name, before, by=1):
        self.assertEqual(self.metric(name) - before, by)

    def answer_of(self, number):
        """A card's latest answer as it came: the body of its one deliver_sm."""
        have = len(self.tap.seen)
        self.done(self.order(number, "set-timers", parameters={"JITTER_MAX": 0}))
        return next(body for body in self.tap.seen[have:] if text_of(body)[2].startswith(b"\x0c\x71"))

    def deliver(self, *arguments, **more):
        return self.tap.ask(DELIVER, deliver_body(*arguments, **more))


class FromTheNetwork(Working):
    def test_user_data_that_are_no_packet_are_taken_and_counted(self):
        chance, operation = random.Random(1), self.order(0)
        before = self.metric("messages_no_packet_total")
        garbage = [b"", b"\0", b"\x02\x70\0", b"\x02\x71\0", b"\x05\0\3\x11\0\0", b"\x05\0\3\x11\2\3" + bytes(9),
                   b"\x06\5\4\0\0\0\0", b"\xff" * 140, b"\x7f" + bytes(100), b"\x02\x71" + b"\1" * 20]
        for octets in garbage:
            self.assertEqual(self.deliver(NOBODY, SERVER, octets), (DELIVER | NACK, OK), octets)
        self.grown("messages_no_packet_total", before, len(garbage))
        for _ in range(50):
            self.deliver(NOBODY, SERVER, b"\x02\x71\0" + chance.randbytes(chance.randrange(1, 137)))
        self.deliver(NOBODY, SERVER, b"Where is my phone?", esm_class=0)
        self.grown("messages_no_packet_total", before, len(garbage) + 1)
        self.done(operation)

    def test_an_answer_that_is_not_the_cards_is_kept_as_a_stray_and_changes_nothing(self):
        body = self.answer_of(1)
        source, _, packet = text_of(body)
        reference = packet.index(b"\x80\x08") + 2
        operation, before = self.order(0), self.metric("messages_stray_total")
        card = self.api.get("/cards/" + self.cards[1])
        forged = [flipped(packet, len(packet) - 1), flipped(packet, reference + 8 + 9),  # MAC, counter
                  flipped(packet, reference),                                           # unknown card
                  b"\x02\x71\0" + packet[packet[0] + 1:]]                               # unknown number, no reference
        for number, octets in enumerate(forged):
            self.assertEqual(self.deliver(NOBODY if number == 3 else source, SERVER, octets), (DELIVER | NACK, OK))
            self.grown("messages_stray_total", before, number + 1)
        self.assertEqual(self.api.get("/system")["queues"]["strays"], before + len(forged))
        self.assertEqual(self.api.get("/cards/" + self.cards[1]), card)
        self.done(operation)
        self.done(self.order(1))

    def test_what_came_already_is_dropped_and_confirmed_no_second_time(self):
        body = self.answer_of(1)
        first = next(b for b in self.tap.seen if text_of(b)[2].startswith(b"\x0c\x70"))  # a notification
        for _ in range(10):  # until no card at rest repeats something meanwhile, as it may when a CONFIRM was slow
            until("rest", 20, self.is_quiet, 0.05)
            have = len(self.tap.seen)
            self.assertEqual(self.tap.ask(0x15, b""), (0x80000015, OK))  # what came before it has been dealt with
            sent, dropped = self.metric("packets_sent_total"), self.metric("messages_dropped_total")
            for copy in (body, body, first):
                self.assertEqual(self.tap.ask(DELIVER, copy), (DELIVER | NACK, OK))
            growth = self.metric("packets_sent_total") - sent, self.metric("messages_dropped_total") - dropped
            if len(self.tap.seen) == have:
                break
        self.assertEqual(growth, (0, 3))
        self.done(self.order(1))

    def test_pdus_that_are_odd_get_the_answer_of_the_standard_and_the_link_lives(self):
        good, operation = deliver_body(NOBODY, SERVER, b"\x02\x71\0" + bytes(40)), self.order(0)
        tlv = struct.pack(">HHB", 0x1400, 1, 0)
        bound = self.api.get("/system")["links"][0]["timesBound"]
        for command, body, wanted in (
            (DELIVER, good + tlv * 16, (DELIVER | NACK, OK)),
            (DELIVER, good + tlv * 100, (DELIVER | NACK, BAD_TLVS)),
            (DELIVER, good + tlv[:3], (DELIVER | NACK, BAD_TLVS)),
            (DELIVER, good[:20], (DELIVER | NACK, BAD_LENGTH)),
            (DELIVER, b"", (DELIVER | NACK, BAD_LENGTH)),
            (SUBMIT, good, (SUBMIT | NACK, NOT_FROM_YOU)),
            (SUBMIT, good + tlv * 100, (SUBMIT | NACK, BAD_TLVS)),
            (0x00010000, b"", (NACK, NO_COMMAND)),
            (0x7FFFFFFF, bytes(100), (NACK, NO_COMMAND)),
        ):
            with self.subTest(command=hex(command), octets=len(body)):
                self.assertEqual(self.tap.ask(command, body), wanted)
        for command in (SUBMIT | NACK, 0x80010000, NACK):  # answers to nothing
            self.tap.tell(command, b"\0")
        self.assertEqual(self.tap.ask(0x15, b""), (0x80000015, OK))
        receipts = self.metric("receipts_unknown_total")
        for text in (b"id:4711 stat:DELIVRD err:000", b"id: stat:", b"\xff" * 200):
            self.assertEqual(self.deliver(NOBODY, SERVER, text, esm_class=4), (DELIVER | NACK, OK))
        self.grown("receipts_unknown_total", receipts, 3)
        self.assertEqual(self.api.get("/system")["links"][0]["timesBound"], bound)
        self.done(operation)

    def test_what_a_groups_rules_say_is_in_the_octets_that_reach_the_smsc(self):
        group = self.api.post("/card-groups", {"name": "octets"})["id"]
        rules = {"smsc": {"sourceAddress": "777", "registeredDelivery": False},
                 "ota": {"keysetVersion": 1, "spi": "1639", "maxSmsParts": 1}, "reason": "test"}
        status, document = self.api.ask("PATCH", f"/card-groups/{group}/rules", rules)
        self.assertEqual(status, 200, document)
        sent = len(self.tap.sent)
        self.done(self.order(0))
        usual = self.tap.sent[sent]
        self.assertEqual(self.api.ask("PATCH", "/cards/" + self.cards[0], {"groupId": group})[0], 200)
        sent = len(self.tap.sent)
        self.done(self.order(0))  # the card takes it, and its answer finds the server's own number
        ruled = self.tap.sent[sent]
        self.assertEqual((text_of(usual)[0], text_of(ruled)[0]), (SERVER, "777"))
        # registered_delivery: behind the two times, which are texts [SMPP 3.4 4.4.1].
        receipt = lambda body: body[-len(text_of(body)[2]) - 5]
        self.assertEqual((receipt(usual), receipt(ruled)), (1, 0))
        # UDH 02 70 00, CPL, CHL 15, then SPI, KIc and KID of key set 1 with AES [102.225 table 1].
        self.assertEqual(text_of(ruled)[2][:3] + text_of(ruled)[2][5:10], bytes.fromhex("0270001516391212"))
        self.assertEqual(self.api.ask("PATCH", f"/card-groups/{group}/rules", {"smsc": {}, "ota": {}, "reason": "end"})[0], 200)

    def test_a_corrupt_vendor_file_changes_nothing(self):
        operation, before = self.order(0), self.api.get("/cards")["pagination"]["totalCount"]
        self.tool("vendor-make", "-n", "20", "-f", "501", "-b", "BAD0002", "-o", self.batch + "2")
        with open(self.batch + "2", "rb") as file:
            good = file.read()
        key = good.split(b"\n")[-3].split()[-2]
        for octets, code in ((good[:-700], "BAD_FORMAT"), (good.replace(key, key[:-1] + b"G"), None),
                             (random.Random(1).randbytes(4096), None), (b"", None)):
            status, document = self.api.ask("POST", "/batch-imports", octets, content_type="text/plain", query="vendorProfile=alder")
            if status != 202:
                self.assertEqual(status // 100, 4, document)
                continue
            look = lambda: (lambda now: now if now["status"] == "ENDED" else None)(self.api.get("/batch-imports/" + document["id"]))
            ended = until("the end of an import", 30, look, 0.05)
            self.assertNotEqual(ended["outcome"], "IMPORTED", ended)
            self.assertGreater(sum(ended["byCode"].values()), 0, ended)
        self.assertEqual(self.api.get("/cards")["pagination"]["totalCount"], before)
        self.done(operation)
        self.assertEqual(self.imported(good)["loaded"], 20)

    def test_an_smsc_that_goes_away_is_waited_for(self):
        self.tap.go_away()
        until("it is noticed", 20, lambda: self.api.ask("GET", "/readyz")[0] == 503, 0.05)
        operations = [self.order(number) for number in range(self.CARDS)]
        self.assertEqual(self.api.ask("GET", "/healthz")[0], 200)
        self.tap.come_back()
        for operation in operations:
            self.done(operation)
        self.assertEqual(self.api.ask("GET", "/readyz")[0], 200)

    def test_a_link_that_is_half_open_is_noticed_and_replaced(self):
        bound = self.api.get("/system")["links"][0]["timesBound"]
        self.tap.mute()
        until("it is noticed", 20, lambda: self.api.ask("GET", "/readyz")[0] == 503, 0.05)
        self.tap.unmute()
        until("another one", 20, lambda: self.api.get("/system")["links"][0]["timesBound"] > bound, 0.05)
        self.done(self.order(0))

    def test_a_database_that_another_process_locks_refuses_writes_and_recovers(self):
        operation = self.order(0)
        other = sqlite3.connect(os.path.join(self.data, "registry.db"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        status, document = self.api.ask("POST", f"/cards/{self.cards[1]}/operations", {"type": "audit"})
        self.assertEqual((status, document["code"]), (503, "UNAVAILABLE"))
        # Reads go on, but for what shows identifiers in clear: that waits for its row.
        self.assertEqual(self.api.ask("GET", "/operations/" + operation["id"])[0], 200)
        self.assertEqual(self.deliver(NOBODY, SERVER, b"\x02\x71\0" + bytes(40)), (DELIVER | NACK, TEMPORARY))
        other.execute("ROLLBACK")
        other.close()
        self.done(operation)
        self.done(self.order(1))
        self.assertTrue(self.api.post("/audit-trail/verify", {})["ok"])


class FromClients(Working):
    CARDS = 1

    def ask(self, request):
        """All that comes until the server closes the connection."""
        host, port = self.api.authority.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 20) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def refused(self, request, status):
        answer = self.ask(request)
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)
        head, body = answer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        told = json.loads(body)
        self.assertEqual(int(lines[0].split()[1]), status)
        for line in ("Content-Type: application/json", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
                     "Referrer-Policy: no-referrer", "Content-Security-Policy: default-src 'none'; object-src 'none'; "
                     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                     "Content-Length: %d" % len(body)):
            self.assertIn(line, lines)
        self.assertEqual(sorted(told), ["code", "message", "status"])
        self.assertEqual((told["status"], told["code"]), (status, "INVALID_ARGUMENT"))

    def test_requests_out_of_form_and_size_are_told_so_once(self):
        get, form = b"GET /healthz HTTP/1.1\r\n", b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\n"
        chunked = b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        for what, request, status in (
            ("no Host", get + b"\r\n", 400),
            ("two Hosts", get + b"Host: a\r\nHost: a\r\n\r\n", 400),
            ("a space in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("two lengths", form + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
            ("a length and chunks", form + b"Content-Length: 1\r\n" + chunked, 400),
            ("a length in two lines", form + b"Content-Length: 1\r\n 0\r\n\r\n0123456789", 400),
            ("a name in two lines", form + b"Transfer: chunked\r\n -Encoding\r\n\r\n0\r\n\r\n", 400),
            ("a long target", b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 8192), 414),
            ("many fields", get + b"Host: a\r\n" + b"X: y\r\n" * 100 + b"\r\n", 431),
            ("long fields", get + b"Host: a\r\nX: %s\r\n\r\n" % (b"y" * 16384), 431),
            ("a long body in chunks", form + chunked + b"100001\r\n%s\r\n0\r\n\r\n" % (b"a" * 0x100001), 413),
        ):
            with self.subTest(what):
                self.refused(request, status)
        self.assertEqual(self.api.ask("GET", "/healthz")[0], 200)

    def test_what_is_no_http_is_counted(self):
        before = self.metric("http_misread_total")
        for request in (b"no HTTP at all\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
            self.assertRegex(self.ask(request), b"^HTTP/1.1 (4\\d\\d|505) ")
        self.assertEqual(self.metric("http_misread_total"), before + 3)


class OnASmallDisk(Working):
    CARDS = 1

    @classmethod
    def place(cls):
        cls.disk = os.path.join(cls.folder, "disk")
        os.mkdir(cls.disk)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "none", cls.disk], capture_output=True, text=True)
        if made.returncode != 0:
            raise unittest.SkipTest("a small disk cannot be mounted here: " + made.stderr.strip())
        return os.path.join(cls.disk, "data")

    @classmethod
    def release(cls):
        if hasattr(cls, "disk"):
            subprocess.run(["umount", "-l", cls.disk])

    def test_what_a_full_disk_cannot_take_stays_with_the_smsc(self):
        filler = os.path.join(self.disk, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass  # full
        stray = b"\x02\x71\0" + bytes(130)
        statuses = [self.deliver(NOBODY, SERVER, stray)[1] for _ in range(200)]
        self.assertLessEqual(set(statuses), {OK, TEMPORARY})  # its log may have had a little room
        self.assertEqual(statuses[-1], TEMPORARY)
        self.assertEqual(self.api.ask("GET", "/system")[0], 200)
        os.unlink(filler)
        self.done(self.order(0))
        self.assertEqual(self.api.get("/system")["queues"]["strays"], statuses.count(OK))
        self.assertTrue(self.api.post("/audit-trail/verify", {})["ok"])
        # On a line of its own: unittest puts a dot before it. Where this is skipped, there is no figure.
        print("\nfigure " + json.dumps({"name": "fault.full_disks", "value": 1, "unit": "disks",
                                        "what": self.id().rsplit(".", 1)[1]}))


if __name__ == "__main__":
    unittest.main()
