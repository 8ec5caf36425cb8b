#!/usr/bin/env python3
"""sim-emulator as a program behind smsc-sim, commanded by an ESME and secured packets that share no code with it.
usage: test_sim_emulator.py FOLDER-OF-PROGRAMS"""
import os, random, shutil, socket, struct, subprocess, sys, tempfile, unittest, urllib.error

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from esme import Esme, cbc, command_packet, response_packet  # noqa: E402
from system import Control, Program, until  # noqa: E402
from tap import DELIVER, RESPONSE, Tap, deliver_body  # noqa: E402

PROGRAMS = sys.argv.pop(1)
SERVER = "12345"
SPEED = "100"
SMSC = """account "server" { password = "secret1" }
account "radio" { password = "secret2" }
route "12345" { account = "server" }
"""
KEYS = "07 auc 00112233445566778899AABBCCDDEEFF\n12 ota 0F1E2D3C4B5A69788796A5B4C3D2E1F0\n"  # vendor-make's, published
SCENARIO = """otaria-scenario 1
network 99970 lte
area home 99970
area tunnel none
"""
TAR = bytes.fromhex("534d01")
NAMES = "ICCID IMSI1 MSISDN1 ACC PIN1 PUK1 ADM1 KI1 OPC1 IMSI2 KI2 OPC2 KIC1 KID1 KIK1 KCV".split()
DELETE_ENABLED = 0x11  # the card's result: not of the enabled subscription
DONE = 0x00
COUNTER_LOW = 2  # status of a response packet


class Card:
    """A line of a vendor file: what a server would know of the card."""

    def __init__(self, line):
        self.fields = dict(zip(NAMES, line.split()))
        self.iccid, self.number = self.fields["ICCID"], self.fields["MSISDN1"]
        transport = KEYS.split()[5]
        self.kic, self.kid = (cbc(transport, bytes.fromhex(self.fields[n]), decrypt=True).hex() for n in ("KIC1", "KID1"))

    def packet(self, counter, text):
        return command_packet(self.kic, self.kid, TAR, counter, bytes.fromhex(text))

    def delete(self, operation, slot):
        """The command DELETE of the subscription in slot 1 or 2, by its IMSI."""
        swapped = "".join(b + a for a, b in zip(*[iter("9" + self.fields[f"IMSI{slot}"])] * 2))
        return f"80e29103118f04{operation:08x}810908{swapped}"


class Lab(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.running, self.esme = [], None
        self.scenario = self.write("world.txt", SCENARIO)
        self.keys = self.write("keys.txt", KEYS)
        self.password = self.write("radio.password", "secret2\n")
        self.profile = os.path.join(ROOT, "profiles/vendor/samples/alder.json")

    def tearDown(self):
        if self.esme:
            self.esme.close()
        codes = [program.stop() for program in reversed(self.running)]
        for program in self.running:
            program.log.close()
            program.process.stdout.close()
        shutil.rmtree(self.folder)
        self.assertEqual(codes, [0] * len(codes))

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
            file.write(text)
        return path

    def program(self, name, *arguments):
        self.running.append(Program(name, [os.path.join(PROGRAMS, name), *arguments], self.folder))
        return self.running[-1]

    def vendor_file(self, count):
        path = os.path.join(self.folder, "cards.out")
        subprocess.run([os.path.join(PROGRAMS, "vendor-make"), "-n", str(count), "-o", path], check=True)
        with open(path) as file:
            return path, [Card(line) for line in file if line.startswith("8999")]

    def fleet(self, *arguments):
        program = self.program("sim-emulator", "fleet", "--speed", SPEED, "--spread", "0", "--scenario", self.scenario,
                               "--control", "127.0.0.1:0", *arguments)
        return program, Control(program.ready["control"])

    def vendor_arguments(self, path):
        return ["--cards", path, "--vendor-profile", self.profile, "--transport-keys", self.keys]

    def network(self, count=1, *arguments):
        """An SMSC, a fleet out of a vendor file, and the bound ESME of a stranger."""
        path, cards = self.vendor_file(count)
        smsc = self.program("smsc-sim", "--config", self.write("smsc.conf", SMSC), "--listen", "127.0.0.1:0",
                            "--control", "127.0.0.1:0", "--speed", SPEED)
        self.smsc = smsc.ready["smpp"]
        self.fleet_arguments = [*self.vendor_arguments(path), "--server-number", SERVER, "--smsc", self.smsc, "--system-id",
                                "radio", "--password-file", self.password, *arguments]
        self.emulator, self.control = self.fleet(*self.fleet_arguments)
        self.esme = Esme(self.smsc, "server", "secret1")
        self.attached(count)
        return cards

    def attached(self, count):
        until("all cards are attached", 20, lambda: self.control.get("/counters")["attachedNow"] == count)

    def truth(self, card):
        return self.control.get("/cards/" + card.iccid)

    def states(self, card):
        return [slot["state"] for slot in self.truth(card)["slots"]]

    def act(self, card, **what):
        return self.control.post("/cards/" + card.iccid, what)

    def send(self, card, packet):
        self.esme.submit(SERVER, card.number, packet)

    def answer(self, card):
        """Counter, status and result of the next response packet; notifications are passed over."""
        while True:
            user_data = self.esme.next_message()
            if user_data[1] == 0x71:
                counter, status, data = response_packet(card.kic, card.kid, user_data)
                return counter, status, data[4] if status == 0 else None

    def refused(self, path, body):
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.control.post(path, body)
        return refused.exception.code


class Commands(Lab):
    def test_a_secured_command_is_answered_by_a_secured_packet(self):
        card = self.network()[0]
        self.send(card, card.packet(1, card.delete(1, slot=1)))
        self.assertEqual(self.answer(card), (1, 0, DELETE_ENABLED))
        self.assertEqual(self.truth(card)["mtCounter"], 1)

    def test_a_message_comes_in_message_payload_too(self):
        card = self.network()[0]
        self.assertEqual(self.emulator.stop(), 0)
        tap = Tap(self.smsc)
        self.addCleanup(tap.close)
        self.fleet_arguments[self.fleet_arguments.index("--smsc") + 1] = tap.address
        self.emulator, self.control = self.fleet(*self.fleet_arguments)
        self.attached(1)
        until("it is bound", 20, lambda: self.control.get("/counters")["linksBound"] == 1)
        packet = card.packet(1, card.delete(1, slot=2))
        payload = lambda octets: deliver_body(SERVER, card.number, b"", tlvs=struct.pack(">HH", 0x0424, len(octets)) + octets)
        self.assertEqual(tap.ask(DELIVER, payload(packet)), (DELIVER | RESPONSE, 0))
        self.assertEqual(self.answer(card), (1, 0, DONE))
        self.assertEqual(tap.ask(DELIVER, payload(packet + bytes(141 - len(packet))))[1], 0x66)  # more than a message: ESME_RX_R_APPN
        self.assertEqual(tap.ask(DELIVER, payload(b"")), (DELIVER | RESPONSE, 0))  # nothing, and for nobody

    def test_a_wrong_mac_gets_no_answer_and_changes_nothing(self):
        card = self.network()[0]
        good = card.packet(1, card.delete(1, slot=2))
        self.send(card, good[:-1] + bytes([good[-1] ^ 1]))
        until("it arrived", 10, lambda: self.control.get("/counters")["smppDelivered"] == 1)
        self.assertEqual(self.truth(card)["mtCounter"], 0)
        self.assertEqual(self.states(card), ["ENABLED", "DISABLED"])
        self.send(card, card.packet(2, card.delete(2, slot=1)))
        self.assertEqual(self.answer(card)[0], 2)  # and none before it

    def test_garbage_and_an_unknown_card_leave_the_cards_alone(self):
        """User data that are no packet, cut, or of nobody; each is taken or refused, and the next command is executed."""
        card = self.network()[0]
        packet, chance = card.packet(1, card.delete(1, slot=2)), random.Random(1)
        garbage = [b"\x00", b"\x02\x70\x00", packet[:4], packet[:20], packet[:-1], b"\x03\x70\x00\x00" + packet[3:],
                   b"\x06\x05\x04\x00\x00\x00\x00", b"\x05\x00\x03\x11\x00\x00", b"\x05\x00\x03\x11\x02\x03" + bytes(134),
                   b"\x02\x70\x00" + b"\xff" * 137]
        garbage += [b"\x02\x70\x00" + chance.randbytes(chance.randrange(138)) for _ in range(10)]
        for octets in garbage:
            self.send(card, octets)
        self.esme.submit(SERVER, "9990000099999", packet)  # a number that no card has
        count = lambda: self.control.get("/counters")["smppDelivered"]
        until("they arrived", 20, lambda: count() >= len(garbage))
        self.assertEqual(self.truth(card)["mtCounter"], 0)
        self.assertEqual(self.states(card), ["ENABLED", "DISABLED"])
        self.send(card, packet)
        self.assertEqual(self.answer(card), (1, 0, DONE))
        self.assertEqual(self.states(card), ["ENABLED"])

    def test_the_same_packet_again_is_answered_again_and_executed_once(self):
        card = self.network()[0]
        packet = card.packet(1, card.delete(1, slot=2))
        for _ in range(3):
            self.send(card, packet)
            self.assertEqual(self.answer(card), (1, 0, DONE))
        truth = self.truth(card)
        self.assertEqual(len(truth["outcomes"]), 1)
        self.assertEqual(self.states(card), ["ENABLED"])

    def test_a_message_waits_for_a_card_that_is_off(self):
        card = self.network()[0]
        self.assertEqual(self.act(card, power="off")["power"], "off")
        self.send(card, card.packet(1, card.delete(1, slot=1)))
        until("it was tried twice", 10, lambda: self.control.get("/counters")["mtAbsent"] >= 2)
        self.act(card, power="on")
        self.assertEqual(self.answer(card), (1, 0, DELETE_ENABLED))

    def test_a_command_that_a_power_cut_hits_is_executed_once_afterwards(self):
        card = self.network()[0]
        for operation, cut in ((1, 1), (2, 40), (3, 100)):
            before = self.control.get("/counters")["attached"]
            self.act(card, cut=cut)
            self.send(card, card.packet(2 * operation, card.delete(operation, slot=1)))
            answer = self.answer(card)
            # The counter is used before the command is executed: cut in between, the packet is too old.
            if answer == (2 * operation, COUNTER_LOW, None):
                self.send(card, card.packet(2 * operation + 1, card.delete(operation, slot=1)))
                answer = self.answer(card)
            self.assertEqual(answer[1:], (0, DELETE_ENABLED))
            until("it started again", 10, lambda: self.control.get("/counters")["attached"] > before)
            self.assertEqual([o["operationId"] for o in self.truth(card)["outcomes"]], list(range(1, operation + 1)))

    def test_cards_move_and_change_their_device(self):
        card, other = self.network(2)
        self.act(card, area="tunnel")
        until("no service", 10, lambda: self.truth(card)["service"] == "none")
        self.assertEqual(self.truth(other)["service"], "normal")
        self.act(card, area="home")
        until("service", 10, lambda: self.truth(card)["service"] == "normal")
        self.assertEqual(self.act(card, imei="490154203237518")["imei"], "490154203237518")
        self.assertNotIn("imei", self.act(card, imei=None))
        self.control.post("/areas/home", {"networks": []})
        until("nobody has service", 10, lambda: self.control.get("/counters")["attachedNow"] == 0)

    def test_wrong_requests_are_refused_and_change_nothing(self):
        card = self.network()[0]
        path = "/cards/" + card.iccid
        for body in ({}, {"power": "maybe"}, {"cut": 0}, {"area": "moon"}, {"imei": "12"}, {"cut": 1, "area": "home"}, [], 1):
            self.assertEqual(self.refused(path, body), 400)
        self.assertEqual(self.refused("/cards/8999900000000000000", {"power": "off"}), 404)
        self.assertEqual(self.refused("/areas/moon", {"networks": []}), 404)
        self.assertEqual(self.refused("/areas/home", {"networks": ["26201"]}), 400)
        self.assertEqual(self.refused("/save", None), 409)
        self.assertEqual(self.truth(card)["power"], "on")


class Kept(Lab):
    def restart(self):
        self.emulator.process.stdout.close()
        self.emulator.start()
        self.control = Control(self.emulator.ready["control"])
        self.attached(1)

    def change(self, *, kill):
        """A card deletes a subscription; the program ends, and starts on the same data."""
        card = self.network(1, "--data", os.path.join(self.folder, "data"))[0]
        self.send(card, card.packet(1, card.delete(1, slot=2)))
        self.assertEqual(self.answer(card), (1, 0, DONE))
        before = self.truth(card)
        if kill:
            self.emulator.kill()
        else:
            self.assertEqual(self.emulator.stop(), 0)
        self.restart()
        return card, before, self.truth(card)

    def check(self, card, before, after):
        for name in ("mtCounter", "operationIdHighest", "slots", "outcomes", "registryVersion"):
            self.assertEqual(after[name], before[name])
        self.assertGreaterEqual(after["moCounter"], before["moCounter"])
        self.assertGreaterEqual(after["memoryWrites"], before["memoryWrites"])
        self.send(card, card.packet(1, card.delete(1, slot=2)))
        self.assertEqual(self.answer(card), (1, 0, DONE))  # its stored answer
        self.send(card, card.packet(2, card.delete(2, slot=1)))
        self.assertEqual(self.answer(card), (2, 0, DELETE_ENABLED))

    def test_memories_outlive_a_stop(self):
        self.check(*self.change(kill=False))

    def test_memories_outlive_a_kill(self):
        self.check(*self.change(kill=True))

    def test_a_record_that_was_cut_counts_as_not_written(self):
        card, before, _ = self.change(kill=True)
        self.emulator.kill()
        path = os.path.join(self.folder, "data/cards.nvm")
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) - 1)
        self.restart()
        self.assertEqual(self.truth(card)["slots"], before["slots"])

    def refuses_to_start(self):
        done = subprocess.run(self.emulator.arguments, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        return done.stderr

    def test_a_damaged_file_is_refused_and_so_is_one_of_other_cards(self):
        self.change(kill=False)
        self.assertEqual(self.emulator.stop(), 0)
        path = os.path.join(self.folder, "data/cards.nvm")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, "r+b") as file:
            content = bytearray(file.read())
            content[100] ^= 1
            file.seek(0)
            file.write(content)
        self.assertIn("damaged, or of other cards", self.refuses_to_start())
        os.unlink(path)
        self.emulator.arguments[2:2] = ["--count", "1"]
        at = self.emulator.arguments.index("--cards")
        del self.emulator.arguments[at:at + 2]
        self.emulator.process.stdout.close()
        self.emulator.start()
        self.assertEqual(self.emulator.stop(), 0)
        self.emulator.arguments[3] = "2"
        self.assertIn("damaged, or of other cards", self.refuses_to_start())

    def test_two_programs_do_not_share_a_folder(self):
        self.change(kill=False)
        self.assertIn("data", self.refuses_to_start())


class Starting(Lab):
    def run_fleet(self, *arguments):
        done = subprocess.run([os.path.join(PROGRAMS, "sim-emulator"), *arguments], capture_output=True, text=True)
        return done.returncode, done.stderr

    def test_generated_cards_need_neither_files_nor_an_smsc(self):
        program, control = self.fleet("--count", "300", "--scenario", self.write("any.txt", "otaria-scenario 1\n"
                                      "network 00101\narea home 00101\n"))
        until("all are attached", 20, lambda: control.get("/counters")["attachedNow"] == 300)
        truth = control.truth()
        self.assertEqual(program.ready["cards"], "300")
        self.assertEqual(len(truth), 300)
        self.assertEqual(len({card["imei"] for card in truth.values()}), 300)
        self.assertEqual(len({card["slots"][0]["imsi"] for card in truth.values()}), 300)
        page = control.get("/cards?first=299&count=10")
        self.assertEqual((page["total"], len(page["cards"])), (300, 2))

    def test_wrong_use_says_what_is_wrong(self):
        for arguments, expected in (([], "fleet"), (["fly"], "fly"), (["fleet"], "--cards or --count"),
                                    (["fleet", "--count", "0"], "--cards or --count"),
                                    (["fleet", "--count", "x"], "a number"), (["fleet", "--count", "-1"], "a number"),
                                    (["fleet", "--cards", "a"], "--vendor-profile"),
                                    (["fleet", "--count", "1", "--speed", "0"], "speed"),
                                    (["fleet", "--count", "1", "--server-number", "1x"], "--server-number"),
                                    (["fleet", "--count", "1", "--smsc", "nonsense"], "nonsense"),
                                    (["fleet", "--count", "1", "--control", "nonsense"], "nonsense"),
                                    (["fleet", "--count", "1", "--scenario", "/nowhere"], "/nowhere"),
                                    (["fleet", "--count", "1", "--data", "/proc/nowhere"], "/proc/nowhere"),
                                    (["fleet", "--count", "1", "--colour"], "--colour")):
            code, error = self.run_fleet(*arguments)
            self.assertEqual((code, expected in error), (2, True), (arguments, error))

    def test_wrong_files_are_named_with_their_line(self):
        scenario = self.write("bad.txt", "otaria-scenario 1\nnetwork 1\n")
        code, error = self.run_fleet("fleet", "--count", "1", "--scenario", scenario)
        self.assertEqual((code, f"{scenario}:2: " in error), (2, True), error)
        open_password = self.write("open.password", "secret2\n", 0o644)
        code, error = self.run_fleet("fleet", "--count", "1", "--smsc", "127.0.0.1:1", "--password-file", open_password)
        self.assertEqual((code, "chmod 600" in error), (2, True), error)
        path, _ = self.vendor_file(2)
        for keys, expected in (("", "IMP-110"), (KEYS.replace("0F1E", "0F1F"), "IMP-111"), ("07 auc 00\n", "line 1"),
                               (KEYS + "x\n", "line 3")):
            self.write("keys.txt", keys)
            code, error = self.run_fleet("fleet", *self.vendor_arguments(path))
            self.assertEqual((code, expected in error), (2, True), error)
        self.write("keys.txt", KEYS)
        with open(path) as file:
            text = file.read()
        iccid = [line for line in text.splitlines() if line.startswith("8999")][1].split()[0]
        line = 1 + [line.split()[:1] for line in text.splitlines()].index([iccid])
        broken = iccid[:-1] + str((int(iccid[-1]) + 1) % 10)
        bad = self.write("bad.out", text.replace(iccid, broken))
        code, error = self.run_fleet("fleet", *self.vendor_arguments(bad))
        self.assertEqual(code, 2)
        self.assertTrue(f"{bad}:{line}: IMP-201" in error or "IMP-103" in error, error)
        self.write("profile.json", "{}")
        self.profile = os.path.join(self.folder, "profile.json")
        code, error = self.run_fleet("fleet", *self.vendor_arguments(path))
        self.assertEqual((code, "profile.json: " in error), (2, True), error)

    def test_a_control_port_in_use_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            code, error = self.run_fleet("fleet", "--count", "1", "--control", address)
        self.assertEqual((code, address in error), (2, True), error)


if __name__ == "__main__":
    unittest.main(verbosity=2)
