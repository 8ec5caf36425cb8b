#!/usr/bin/env python3
"""sim-emulator reader behind Debian's pcscd and vpcd, used by Debian's pyscard as any tester would; and its memory files
under kill -9 and damage.
usage: test_reader.py FOLDER-OF-PROGRAMS"""
import os, random, re, struct, subprocess, sys, unittest, urllib.error

from card_lab import (ATR, COUNTER_BLOCKED, COUNTER_LOW, FIRST_CONTACT, RESTORED, TAR, Lab, Link, Milenage, Terminal, cbc,
                      command_packet)
from pcsc import Pcscd, free_ports
from system import Control, until

PROGRAMS = Lab.PROGRAMS = sys.argv.pop(1)
MEMORY_HEAD = 64  # octets of a memory's file that name its version


class ThroughPcsc(Lab):
    def test_through_pcsc(self):
        """One pcscd: pyscard has one context in a process."""
        self.emulator = self.reader("--listen", "127.0.0.1:0", "--control", "127.0.0.1:0")
        host, port = self.emulator.ready["listen"].rsplit(":", 1)
        self.pcscd = Pcscd(self.folder, host, int(port))
        os.environ["PCSCLITE_CSOCK_NAME"] = self.pcscd.name
        from smartcard.System import readers
        self.readers = until("pcscd has both readers", 20, lambda: len(readers()) == 2 and readers(), 0.05)
        self.a_card_serves_a_foreign_client()
        self.cards_of_one_process_are_two()
        self.opensc_tool_reads_the_card()

    def connect(self, number):
        connection = self.readers[number].createConnection()
        until("the card is there", 20, lambda: self.connected(connection), 0.05)

        def exchange(octets):
            answer, sw1, sw2 = connection.transmit(list(octets))
            return bytes(answer), sw1 << 8 | sw2
        return connection, Terminal(exchange)

    @staticmethod
    def connected(connection):
        from smartcard.Exceptions import NoCardException
        try:
            connection.connect()
            return True
        except NoCardException:
            return False

    def a_card_serves_a_foreign_client(self):
        connection, card = self.connect(0)
        self.assertEqual(bytes(connection.getATR()).hex().upper(), ATR)
        # Files: by identifier, with GET RESPONSE, with 6C xx; the AID by its beginning; a short identifier.
        self.assertEqual(card.command("00A40004022FE2")[1], 0x9000)
        iccid = card.command("00B0000000")[0]
        swapped = "".join(b + a for a, b in zip(*[iter(self.cards[0].iccid.ljust(20, "F"))] * 2))
        self.assertEqual(iccid.hex().upper(), swapped)
        self.assertEqual(card.command("00A40004022FE3")[1], 0x6A82)
        # GET RESPONSE in class 80, as pySim sends it after an ENVELOPE.
        length = card.exchange(bytes.fromhex("00A40004022FE2"))[1]
        self.assertEqual(card.exchange(bytes.fromhex("80C00000") + bytes([length & 0xFF]))[1], 0x9000)
        # STATUS as a command of case 1: there is an answer, so T=0 says how long it is.
        self.assertEqual(card.exchange(bytes.fromhex("80F20000"))[1] & 0xFF00, 0x6C00)
        card.start()
        imsi = card.command("00B0870009")[0].hex()
        self.assertEqual("".join(b + a for a, b in zip(*[iter(imsi[2:])] * 2))[1:].rstrip("f"), self.cards[0].fields["IMSI1"])
        self.authenticates(card)
        self.is_commanded(card)
        self.is_given_what_to_ask(card)
        self.channels_are_apart(card)

    def authenticates(self, card):
        network = Milenage(self.cards[0].k, self.cards[0].opc)
        rand = bytes(range(16))
        autn, res, ck, ik = network.challenge(rand, (32 * 7 + 1).to_bytes(6, "big"))
        question = "0088008122" + "10" + rand.hex() + "10" + autn.hex()
        answer, status = card.command(question)
        self.assertEqual(status, 0x9000)
        self.assertEqual(answer[:2 + len(res)], b"\xdb\x08" + res)
        self.assertEqual(answer[10:44], b"\x10" + ck + b"\x10" + ik)
        # The same again is out of range: AUTS. A wrong MAC is 98 62.
        self.assertEqual(card.command(question)[0][:2], b"\xdc\x0e")
        self.assertEqual(card.command(question[:-2] + "00" if not question.endswith("00") else question[:-2] + "01")[1], 0x9862)

    def is_commanded(self, card):
        """An OTA packet with its answer, repeated, replayed, and with a wrong MAC."""
        first = self.cards[0].audit()
        counter, status, data = self.cards[0].answer(card.send(first))
        self.assertEqual((counter, status, data[:5].hex()), (1, 0, "0190000500"))
        self.assertIn(bytes.fromhex("8a08a0a1a2a3a4a5a6a7"), data)
        self.assertEqual(self.cards[0].answer(card.send(first))[2], data)
        second = self.cards[0].audit()
        card.send(second)
        self.assertEqual(self.cards[0].answer(card.send(first))[1], COUNTER_LOW)
        self.assertEqual(card.send(second[:-1] + bytes([second[-1] ^ 1])), [])

    def is_given_what_to_ask(self, card):
        """PROVIDE LOCAL INFORMATION, date and time, by hand: the card asks its terminal, once."""
        control, path = Control(self.emulator.ready["control"]), "/cards/" + self.cards[0].iccid
        asked = "D009810301260382028182"
        control.post(path, {"give": asked})
        for body, code in (({"give": asked}, 409), ({"give": "D009"}, 400), ({"give": 1}, 400), ({"give": asked, "cut": 1}, 400)):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                control.post(path, body)
            self.assertEqual(refused.exception.code, code, body)
        self.assertEqual(card.exchange(bytes.fromhex("80F2000C00"))[1], 0x910B)
        self.assertEqual(card.exchange(bytes.fromhex("801200000B")), (bytes.fromhex(asked), 0x9000))
        self.assertEqual(card.exchange(bytes.fromhex("8014000015 810301260382028281830100 A607 62111221436500"))[1], 0x9000)

    def channels_are_apart(self, card):
        """The ISIM on a channel of its own, while the basic one stays in the USIM; four of them, and closed ones."""
        self.assertEqual(card.command("0070000001"), (b"\1", 0x9000))
        self.assertEqual(card.command("01A4040C07A0000000871004")[1], 0x9000)
        identity, status = card.command("01B0820040")
        self.assertEqual((status, identity[2:17].decode()), (0x9000, self.cards[0].fields["IMSI1"]))
        self.assertEqual(card.command("00B0870009")[1], 0x9000)
        self.assertEqual([card.command("0070000001")[0] for _ in range(2)], [b"\2", b"\3"])
        self.assertEqual(card.command("0070000001")[1], 0x6A81)
        self.assertEqual(card.command("0170800200")[1], 0x9000)
        self.assertEqual(card.command("02A4000C023F00")[1], 0x6881)
        self.assertEqual(card.command("03A4000C022FE2")[1], 0x9000)
        self.assertEqual(card.command("01B0820040")[0], identity)
        for number in (1, 3):
            self.assertEqual(card.command(f"007080{number:02X}00")[1], 0x9000)

    def cards_of_one_process_are_two(self):
        iccids = []
        for number in range(2):
            _, card = self.connect(number)
            card.command("00A40004022FE2")
            iccids.append(card.command("00B000000A")[0])
        self.assertNotEqual(*iccids)

    def opensc_tool_reads_the_card(self):
        done = subprocess.run(["opensc-tool", "--reader", "0", "--card-driver", "default", "-s", "00A40004022FE2", "-s",
                               "00B000000A"], env=self.pcscd.environment(), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("SW1=0x90, SW2=0x00"), 2, done.stdout)
        swapped = "".join(b + a for a, b in zip(*[iter(self.cards[0].iccid.ljust(20, "F"))] * 2))
        self.assertIn(" ".join(a + b for a, b in zip(*[iter(swapped)] * 2)), done.stdout)


class InAndOut(Lab):
    def test_a_card_that_connects_comes_and_goes(self):
        """vpcd listens, as it does by default, and the card connects to it."""
        port = free_ports()
        self.emulator = self.reader("--vpcd", f"127.0.0.1:{port}", "--control", "127.0.0.1:0")
        self.pcscd = Pcscd(self.folder, "/dev/null", port)
        os.environ["PCSCLITE_CSOCK_NAME"] = self.pcscd.name
        control = Control(self.emulator.ready["control"])
        iccid = self.cards[0].iccid
        waiting = lambda: subprocess.run([sys.executable, "-c", STATE], env=self.pcscd.environment(), capture_output=True,
                                         text=True).stdout.strip()
        until("the card is in the reader", 20, lambda: waiting() == "present", 0.05)
        control.post("/cards/" + iccid, {"card": "out"})
        until("the card is out of it", 20, lambda: waiting() == "empty", 0.05)
        control.post("/cards/" + iccid, {"card": "in"})
        until("the card is back", 20, lambda: waiting() == "present", 0.05)


STATE = """from smartcard.scard import *
_, context = SCardEstablishContext(SCARD_SCOPE_USER)
_, names = SCardListReaders(context, [])
_, states = SCardGetStatusChange(context, 0, [(names[0], SCARD_STATE_UNAWARE)])
print("present" if states[0][1] & SCARD_STATE_PRESENT else "empty")
"""


class Garbage(Lab):
    def test_frames_of_anything_are_survived(self):
        """Frames of any length and content, cut, in pieces, of no octets; the next client finds a card."""
        program = self.reader("--listen", "127.0.0.1:0")
        chance = random.Random(7)

        def connected():
            """A card has one client at a time: the former one may not be gone yet."""
            link = Link(program.ready["listen"])
            try:
                self.assertEqual(link.reset(), ATR)
                return link
            except (OSError, EOFError):
                link.socket.close()
                return None

        for turn in range(12):
            link = until("the card is free", 20, connected, 0.01)
            frames = [chance.randbytes(chance.choice((0, 1, 1, 2, 4, 5, 6, 60, 261, 600, 5000))) for _ in range(60)]
            if turn == 0:
                frames.append(bytes(65535))
            data = b"".join(struct.pack(">H", len(frame)) + frame for frame in frames)
            data = data[:len(data) - chance.randrange(40)]
            try:
                while data:
                    piece = chance.choice((1, 7, 4000, 100000))
                    link.socket.sendall(data[:piece])
                    data = data[piece:]
            except OSError:
                pass  # it was closed: a client that asks and does not read
            link.socket.close()
        link = until("the card is free again", 20, connected, 0.01)
        self.addCleanup(link.socket.close)
        link.exchange(bytes.fromhex("00A4000C022FE2"))
        self.assertEqual(len(link.exchange(bytes.fromhex("00B000000A"))[0]), 10)


class Profiles(Lab):
    def test_a_terminal_that_claims_too_much_is_restrained(self):
        """With SMS-PP download and SEND SHORT MESSAGE alone the card asks for nothing else."""
        program = self.reader("--listen", "127.0.0.1:0", "--profile", "13000002")
        link = Link(program.ready["listen"])
        self.addCleanup(link.socket.close)
        link.reset()
        card = Terminal(link.exchange)
        self.assertEqual(card.exchange(bytes.fromhex("8010000021" + "FF" * 33))[1], 0x9000)
        self.assertEqual(self.cards[0].answer(card.send(self.cards[0].audit()))[1], 0)


class Memories(Lab):
    def start(self):
        program = self.reader("--listen", "127.0.0.1:0", "--data", os.path.join(self.folder, "data"))
        link = Link(program.ready["listen"])
        self.addCleanup(link.socket.close)
        self.assertEqual(link.reset(), ATR)
        card = Terminal(link.exchange)
        card.start()
        return program, card

    def test_a_kill_at_any_moment_leaves_what_was_committed(self):
        """Counters as answers told them, and never less: a packet that was answered stays used."""
        chance = random.Random(1)
        answered = 0
        for _ in range(8):
            program, card = self.start()
            if answered:
                # The last answered packet is known; one more octet of counter is not accepted twice.
                stale = command_packet(self.cards[0].kic, self.cards[0].kid, TAR, answered, bytes.fromhex("80e29105"))
                self.assertEqual(self.cards[0].answer(card.send(stale))[1], COUNTER_LOW)
            killer = subprocess.Popen([sys.executable, "-c", "import os, sys, time; time.sleep(float(sys.argv[2])); "
                                       "os.kill(int(sys.argv[1]), 9)", str(program.process.pid), str(chance.random() / 4)])
            try:
                while True:
                    packet = self.cards[0].confirm(self.cards[0].counter + 1)
                    counter, status, _ = self.cards[0].answer(card.send(packet))
                    self.assertEqual((counter, status), (self.cards[0].counter, 0))
                    answered = counter
            except (EOFError, OSError):
                pass
            killer.wait()
            self.kill(program)
        self.assertGreater(answered, 0)

    def notifications(self, card):
        """Causes of the notifications that the card sent [docs/applet-protocol.md §5]."""
        causes = []
        for user_data in card.messages:
            if user_data[1] != 0x70:
                continue
            region = cbc(self.cards[0].kic, user_data[1 + user_data[0]:][10:], decrypt=True)
            causes.append(region[14])
        return causes

    def test_a_memory_that_is_damaged_all_over_is_closed(self):
        program, card = self.start()
        card.in_service()
        self.assertIn(FIRST_CONTACT, self.notifications(card))
        self.assertEqual(program.stop(), 0)
        path = os.path.join(self.folder, "data", self.cards[0].iccid + ".nvm")
        with open(path, "r+b") as file:
            octets = bytearray(file.read())
            used = [i for i, octet in enumerate(octets) if octet != 0xFF and i >= MEMORY_HEAD]
            for i in random.Random(2).sample(used, len(used) // 3):
                octets[i] ^= 0x5A
            file.seek(0)
            file.write(octets)
        program, card = self.start()
        card.in_service()
        imsi = card.command("00B0870009")[0]
        self.assertEqual(len(imsi), 9)
        with open(path, "rb") as file:
            self.assertNotEqual(file.read(), bytes(octets))
        # Its counters are lost: it accepts nothing any more, and says so [TS 102 225 table 5].
        self.assertEqual(self.notifications(card), [])
        self.assertEqual(self.cards[0].answer(card.send(self.cards[0].audit()))[1], COUNTER_BLOCKED)

    def test_damaged_banks_are_restored_and_told(self):
        for banks in (1, 2):
            with self.subTest(banks=banks):
                program, card = self.start()
                card.in_service()
                self.assertEqual(program.stop(), 0)
                path = os.path.join(self.folder, "data", self.cards[0].iccid + ".nvm")
                with open(path, "r+b") as file:
                    octets = bytearray(file.read())
                    # Each image stands behind its locks, check sum, number and length; 02 is its format. One octet of it.
                    images = list(re.finditer(rb"\xa5\x5a.{8}\0[\x30-\xff]\x02\x08", bytes(octets), re.DOTALL))
                    self.assertEqual(len(images), 2)
                    for image in images[-banks:]:
                        octets[image.start() + 20] ^= 0x01
                    file.seek(0)
                    file.write(octets)
                program, card = self.start()
                card.in_service()
                self.assertIn(RESTORED, self.notifications(card))
                self.assertEqual(card.command("00B0870009")[0].hex().upper(), self.ef_imsi())
                self.assertEqual(program.stop(), 0)

    def ef_imsi(self):
        digits = "9" + self.cards[0].fields["IMSI1"]
        return "08" + "".join(b + a for a, b in zip(*[iter(digits)] * 2))

    def refused(self):
        done = subprocess.run([os.path.join(PROGRAMS, "sim-emulator"), "reader", *self.arguments, "--listen", "127.0.0.1:0",
                               "--data", os.path.join(self.folder, "data")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        return done.stderr

    def test_a_file_that_is_cut_or_in_use(self):
        program, card = self.start()
        self.assertIn("another process", self.refused())
        self.assertEqual(program.stop(), 0)
        with open(os.path.join(self.folder, "data", self.cards[0].iccid + ".nvm"), "r+b") as file:
            file.truncate(MEMORY_HEAD + 100)
        self.start()

    def test_a_file_of_another_version_is_refused_and_kept(self):
        program, card = self.start()
        self.assertEqual(program.stop(), 0)
        path = os.path.join(self.folder, "data", self.cards[0].iccid + ".nvm")
        with open(path, "rb") as file:
            octets = file.read()
        for other in (octets[:9] + bytes([octets[9] ^ 1]) + octets[10:], octets[MEMORY_HEAD:], octets[:MEMORY_HEAD - 1], b""):
            with open(path, "wb") as file:
                file.write(other)
            self.assertIn("version", self.refused())
            with open(path, "rb") as file:
                self.assertEqual(file.read(), other)


class Starting(Lab):
    def test_wrong_use_says_what_is_wrong(self):
        for arguments, expected in ((["--vpcd", "127.0.0.1:1", "--listen", "127.0.0.1:2"], "--listen"),
                                    (["--listen", "nonsense"], "nonsense"), (["--profile", "1"], "hexadecimal"), (["--vpcd", "127.0.0.1"], "127.0.0.1"),
                                    (["--control", "nonsense"], "nonsense"), (["--data", "/proc/nowhere"], "/proc/nowhere"),
                                    (["more"], "more"), (["--smsc", "127.0.0.1:2775"], "smsc")):
            done = subprocess.run([os.path.join(PROGRAMS, "sim-emulator"), "reader", *self.arguments, *arguments],
                                  capture_output=True, text=True)
            self.assertEqual((done.returncode, expected in done.stderr), (2, True), (arguments, done.stderr))
        done = subprocess.run([os.path.join(PROGRAMS, "sim-emulator"), "reader", "--count", "17"], capture_output=True, text=True)
        self.assertEqual((done.returncode, "16" in done.stderr), (2, True), done.stderr)


if __name__ == "__main__":
    unittest.main()
