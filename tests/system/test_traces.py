#!/usr/bin/env python3
"""Traces of cards: what tshark makes of them, what people read in them, and what must not be in them.
usage: test_traces.py FOLDER-OF-PROGRAMS"""
import os, socket, subprocess, sys, unittest

from card_lab import Lab, Link, Milenage, Terminal, cbc, KEYS

Lab.PROGRAMS = sys.argv.pop(1)
# Malformed, or what the analyser warns of (its severities are numbers: 0x600000 warning, 0x800000 error).
MALFORMED = "_ws.malformed || _ws.expert.severity >= 0x600000"


class Traces(Lab):
    def setUp(self):
        super().setUp()
        self.packets, self.text = (os.path.join(self.folder, name) for name in ("cards.pcapng", "cards.txt"))
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener.bind(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        program = self.reader("--listen", "127.0.0.1:0", "--pcapng", self.packets, "--trace", self.text, "--gsmtap",
                              "127.0.0.1:%d" % self.listener.getsockname()[1])
        link = Link(program.ready["listen"])
        self.addCleanup(link.socket.close)
        link.reset()
        self.live(Terminal(link.exchange))
        self.assertEqual(program.stop(), 0)

    def test_traces(self):
        """One story, four readers of it."""
        for check in (self.an_analyser_reads_them_down_to_the_security_headers, self.datagrams_are_those_of_the_file,
                      self.people_read_what_packets_carry_and_what_they_change, self.no_key_is_in_any_of_them):
            with self.subTest(check.__name__):
                check()

    def live(self, card):
        """Files, a PIN, authentication and what a terminal keeps of it, events, packets in one message and in two."""
        card.command("00A40004022FE2")
        card.command("00B000000A")
        card.command("0020000108" + "3132333435363738")
        card.start()
        card.in_service()
        autn, _, self.ck, self.ik = Milenage(self.cards[0].k, self.cards[0].opc).challenge(bytes(range(16)), bytes([0] * 5 + [33]))
        self.answer = card.command("0088008122" + "10" + bytes(range(16)).hex() + "10" + autn.hex())[0]
        card.command("00D6880021" + "07" + self.ck.hex() + self.ik.hex())  # EF.Keys
        card.command("00B0880021")
        self.audit = self.cards[0].audit()
        card.send(self.audit)
        card.send(self.cards[0].confirm(7))
        card.send(self.audit[:-1] + bytes([self.audit[-1] ^ 1]))

    def tshark(self, *arguments):
        done = subprocess.run(["tshark", "-r", self.packets, *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def an_analyser_reads_them_down_to_the_security_headers(self):
        self.assertEqual(self.tshark("-Y", MALFORMED), [])
        self.assertGreater(len(self.tshark("-Y", "gsm_sim")), 40)
        # The user data header's element 70 in commands and notifications, 71 in answers.
        elements = self.tshark("-Y", "gsm_sms", "-T", "fields", "-e", "gsm_sms.ie_identifier")
        flat = [int(value, 0) for line in elements for value in line.split(",")]
        self.assertGreaterEqual(flat.count(0x70), 4)
        self.assertGreaterEqual(flat.count(0x71), 2)
        self.assertEqual({"TP-PID: 127", "TP-DCS: 246"} <= {line.strip() for line in self.tshark("-V", "-Y", "gsm_sms")}, True)

    def datagrams_are_those_of_the_file(self):
        self.listener.setblocking(False)
        datagrams = []
        while True:
            try:
                datagrams.append(self.listener.recv(2048))
            except BlockingIOError:
                break
        with open(self.packets, "rb") as file:
            octets = file.read()
        self.assertEqual(len(datagrams), len(self.tshark("-Y", "udp.port == 4729")))
        for datagram in datagrams:
            self.assertEqual(datagram[:3], bytes([2, 4, 4]))
            self.assertIn(datagram, octets)

    def people_read_what_packets_carry_and_what_they_change(self):
        with open(self.text) as file:
            text = file.read()
        for line in ("SPI 16 39: CC, ciphered, counter higher; PoR always, by SMS-SUBMIT, CC, ciphered",
                     "KIc 12: AES, key set 1; KID 12: AES, key set 1; TAR 534D01", "CNTR 1, PCNTR 0, integrity right",
                     "AUDIT: nonce a0a1a2a3a4a5a6a7, from slot 1", "part 1 of 2, reference", "CNTR 1, PoR 00: OK",
                     "AUDIT operation 0: OK, REGV 1", "CONFIRM operation 7: CONFIRM_UNKNOWN",
                     "FIRST_CONTACT sequence 1", "SPI 16 00: CC, ciphered, counter higher; no PoR",
                     "its RC or CC is wrong", "< 9000 done", "VERIFY PIN", "event 3, service normal"):
            self.assertIn(line, text)
        self.assertRegex(text, "before: [A-Z]+, .* MT 0, MO [01], .*\n    after:  [A-Z]+, .* MT 1, MO 1,")

    def no_key_is_in_any_of_them(self):
        """A canary: each secret of the cards, of the session and of the user, as octets and as text."""
        secrets = [self.ck, self.ik, self.answer[-8:], b"12345678"]
        auc, ota = KEYS.split()[2], KEYS.split()[5]
        for card in self.cards:
            secrets += [cbc(ota, bytes.fromhex(card.fields[name]), decrypt=True) for name in ("KIC1", "KID1", "KIK1")]
            secrets += [cbc(auc, bytes.fromhex(card.fields[name]), decrypt=True) for name in ("KI1", "OPC1", "KI2", "OPC2")]
        self.assertEqual(len(set(secrets)), 4 + 14)
        with open(self.packets, "rb") as file:
            packets = file.read()
        with open(self.text, "rb") as file:
            text = file.read().lower()
        for secret in secrets:
            self.assertNotIn(secret, packets)
            self.assertNotIn(secret.hex().encode(), text)
        # What stands around them is there.
        self.assertIn(self.answer[:10] + b"\x10" + bytes(16) + b"\x10" + bytes(16), packets)


if __name__ == "__main__":
    unittest.main()
