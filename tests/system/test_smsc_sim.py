#!/usr/bin/env python3
"""smsc-sim as a program, with an ESME that shares no code with it. usage: test_smsc_sim.py FOLDER-OF-PROGRAMS"""
import os, shutil, socket, struct, subprocess, sys, tempfile, unittest, urllib.error

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from esme import Esme  # noqa: E402
from system import Control, Program, until  # noqa: E402

PROGRAMS = sys.argv.pop(1)
CONFIG = """account "server" { password = "secret1" }
account "radio" { password = "secret2" }
route "12345" { account = "server" }
route "999" { account = "radio" ordered = true }
"""
Z = lambda text: text.encode() + b"\0"
MESSAGE = bytes.fromhex("027000") + bytes(range(60))


def submit_body(text, tlvs=b""):
    return (Z("") + b"\1\1" + Z("12345") + b"\1\1" + Z("9990000000001") + b"\x40\x7f\0" + Z("") + Z("") + b"\1\0\xf6\0" +
            bytes([len(text)]) + text + tlvs)


class SmscSim(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.config = os.path.join(self.folder, "smsc.conf")
        with open(os.open(self.config, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(CONFIG)
        self.pcap = os.path.join(self.folder, "smpp.pcap")
        self.program = Program("smsc-sim", [os.path.join(PROGRAMS, "smsc-sim"), "--config", self.config, "--listen",
                                            "127.0.0.1:0", "--control", "127.0.0.1:0", "--pcap", self.pcap], self.folder)
        self.address = self.program.ready["smpp"]
        self.control = Control(self.program.ready["control"])

    def tearDown(self):
        code = self.program.stop()
        self.program.log.close()
        self.program.process.stdout.close()
        shutil.rmtree(self.folder)
        self.assertEqual(code, 0)

    def test_a_message_arrives_and_the_capture_is_read_without_a_malformed_packet(self):
        server, radio = Esme(self.address, "server", "secret1"), Esme(self.address, "radio", "secret2")
        for i in range(50):
            server.submit("12345", "9990000000001", MESSAGE)
            self.assertEqual(radio.next_message(), MESSAGE)
        counters = self.control.get("/counters")
        self.assertEqual(counters["accepted"], 50)
        server.close()
        radio.close()
        self.assertEqual(self.program.stop(), 0)
        read = lambda *filters: subprocess.run(["tshark", "-r", self.pcap, *filters], capture_output=True, text=True,
                                               check=True).stdout.splitlines()
        self.assertEqual(read("-Y", "_ws.malformed"), [])
        self.assertEqual(len(read("-Y", "smpp.command_id == 0x00000004", "-T", "fields", "-e", "smpp.sequence_number")), 50)
        self.assertEqual(os.stat(self.pcap).st_mode & 0o777, 0o600)  # it holds passwords
        self.assertTrue(all("SMPP" in line for line in read()))

    def test_a_submit_with_a_hundred_tlvs_is_refused_and_the_link_lives(self):
        server = Esme(self.address, "server", "secret1")
        tlv = struct.pack(">HHB", 0x1400, 1, 0)
        server.request(4, submit_body(MESSAGE, tlv * 100))
        command, status, sequence, _ = server.read()
        self.assertEqual((command, status, sequence), (0x80000004, 0xC0, 2))  # ESME_RINVOPTPARSTREAM
        server.request(4, submit_body(MESSAGE, tlv * 2))
        self.assertEqual(server.read()[1], 0)
        server.close()

    def test_an_unknown_command_gets_generic_nack_with_its_sequence(self):
        server = Esme(self.address, "server", "secret1")
        server.request(0x00010000, b"")
        self.assertEqual(server.read()[:3], (0x80000000, 3, 2))
        server.close()

    def test_what_it_does_not_do_is_told_in_the_own_response_of_each_command(self):
        one = b"\1\1" + Z("12345")
        for command, body, status in (
            (0x103, Z("") + one + b"\1\1" + Z("9990000000001") + b"\0\0\0" + struct.pack(">HH", 0x424, 3) + b"abc", 0x03),
            (0x21, Z("") + one + b"\1\1" + one + b"\0\0\0" + Z("") + Z("") + b"\0\0\0\0\3abc", 0x03),  # submit_multi
            (3, Z("nobody's") + one, 0x67),  # query_sm: ESME_RQUERYFAIL
            (8, Z("") + Z("nobody's") + one + one, 0x11),  # cancel_sm: ESME_RCANCELFAIL
            (7, Z("nobody's") + one + Z("") + Z("") + b"\0\0\3abc", 0x13),  # replace_sm: ESME_RREPLACEFAIL
        ):
            server = Esme(self.address, "server", "secret1")
            server.request(command, body)
            self.assertEqual(server.read()[:3], (0x80000000 | command, status, 2))
            server.request(0x15, b"")
            self.assertEqual(server.read()[0], 0x80000015)
            server.close()

    def test_nothing_is_accepted_after_unbind(self):
        server, body = Esme(self.address, "server", "secret1"), submit_body(MESSAGE)
        server.socket.sendall(struct.pack(">IIII", 16, 6, 0, 2) + struct.pack(">IIII", 16 + len(body), 4, 0, 3) + body)
        self.assertEqual(server.read()[:3], (0x80000006, 0, 2))
        until("the end of the link", 10, lambda: self.control.get("/counters")["accepted"] == 0 and
              server.socket.recv(4096) == b"")
        server.socket.close()

    def test_a_submit_before_the_bind_is_refused(self):
        host, port = self.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=5) as link:
            body = submit_body(MESSAGE)
            link.sendall(struct.pack(">IIII", 16 + len(body), 4, 0, 1) + body)
            answer = link.recv(16)
        self.assertEqual(struct.unpack(">IIII", answer), (16, 0x80000004, 4, 1))

    def test_a_length_that_cannot_be_ends_the_link_and_nothing_else(self):
        host, port = self.address.rsplit(":", 1)
        server = Esme(self.address, "server", "secret1")
        for length in (0, 3, 15, 2**31, 2**32 - 1):
            with socket.create_connection((host, int(port)), timeout=5) as link:
                link.sendall(struct.pack(">IIII", length, 4, 0, 1))
                while link.recv(4096):
                    pass
        server.request(0x15, b"")
        self.assertEqual(server.read()[0], 0x80000015)
        server.close()

    def test_a_wrong_password_is_refused(self):
        with self.assertRaises(ValueError):
            Esme(self.address, "server", "secret2")

    def dial(self):
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=10)

    def test_passwords_cannot_be_tried_without_end(self):
        answered = 0
        for _ in range(30):
            try:
                Esme(self.address, "server", "wrong")
            except ValueError as error:
                answered += "refused" in str(error)
            except OSError:
                pass
        self.assertEqual(answered, 10)

    def test_silent_connections_leave_room_for_links(self):
        server = Esme(self.address, "server", "secret1")
        silent = [self.dial() for _ in range(100)]
        for one in silent[16:]:  # a fourth of the 64 links may be unbound; the others are closed at once
            self.assertEqual(one.recv(1), b"")
        self.assertLessEqual(self.control.get("/counters")["links"], 17)
        server.submit("12345", "12345", MESSAGE)
        self.assertEqual(server.next_message(), MESSAGE)
        for one in silent:
            one.close()
        server.close()

    def test_a_peer_that_does_not_leave_is_shown_out(self):
        stranger = self.dial()
        stranger.sendall(struct.pack(">IIII", 15, 4, 0, 1))  # a length that cannot be
        self.assertEqual(len(stranger.recv(100)), 16)
        self.assertEqual(stranger.recv(1), b"")  # we stay; the link ends all the same
        until("the link ends", 10, lambda: self.control.get("/counters")["links"] == 0)
        stranger.close()

    def test_rules_can_be_set_and_taken_away_at_run_time(self):
        server = Esme(self.address, "server", "secret1")
        rule = self.control.post("/rules", {"fault": "status", "value": 0x58, "count": 1})
        server.request(4, submit_body(MESSAGE))
        self.assertEqual(server.read()[1], 0x58)
        self.assertEqual(self.control.get("/rules")[0]["hit"], 1)
        self.control.ask("DELETE", f"/rules/{rule['id']}")
        self.assertEqual(self.control.get("/rules"), [])
        for bad in ({"fault": "eat"}, {"fault": "lose", "probability": 2}, {"fault": "lose", "colour": 1}, {}):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                self.control.post("/rules", bad)
            self.assertEqual(refused.exception.code, 400)
        server.close()

    def test_bad_configurations_say_what_to_do(self):
        def run(text, mode=0o600):
            path = os.path.join(self.folder, "bad.conf")
            if os.path.exists(path):
                os.unlink(path)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, mode), "w") as file:
                file.write(text)
            done = subprocess.run([os.path.join(PROGRAMS, "smsc-sim"), "-c", path], capture_output=True, text=True)
            return done.returncode, done.stderr
        for text, expected in (("", "account"), ("colour = 1\n", "colour"),
                               ('account "a" { password = "123456789" }', "8 characters"),
                               ('account "a" { links = 1 }', "a password is missing"),
                               ('account "a" { password = "x" }\nroute "9" { account = "b" }', "does not exist")):
            code, error = run(text)
            self.assertEqual(code, 2)
            self.assertIn(expected, error)
        code, error = run(CONFIG, 0o644)
        self.assertEqual(code, 2)
        self.assertIn("chmod 600", error)

    def test_an_address_of_nobody_is_wrong_use(self):
        for option in (["-l", "nonsense"], ["-l", "127.0.0.1:99999"], ["-l", "127.0.0.1:0", "--control", "nonsense"]):
            done = subprocess.run([os.path.join(PROGRAMS, "smsc-sim"), "-c", self.config, *option], capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn("bad-address", done.stderr)

    def test_a_port_in_use_is_told(self):
        done = subprocess.run([os.path.join(PROGRAMS, "smsc-sim"), "-c", self.config, "-l", self.address],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot listen", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
