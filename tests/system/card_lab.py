"""Cards of sim-emulator reader for tests: what a server and a network know of them, a terminal, and vpcd's side of its
protocol. Cryptography by the openssl command, not by our code."""
import os, shutil, socket, struct, subprocess, sys, tempfile, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from esme import cbc, command_packet, openssl, response_packet  # noqa: E402
from system import Program  # noqa: E402

KEYS = "07 auc 00112233445566778899AABBCCDDEEFF\n12 ota 0F1E2D3C4B5A69788796A5B4C3D2E1F0\n"  # vendor-make's, published
NAMES = "ICCID IMSI1 MSISDN1 ACC PIN1 PUK1 ADM1 KI1 OPC1 IMSI2 KI2 OPC2 KIC1 KID1 KIK1 KCV".split()
ATR = "3B9F96801F878031E073FE211B674F54415249410191"
TAR = bytes.fromhex("534d01")
USIM = "A0000000871002"
# Everything that the applet can use.
PROFILE = "FF" * 33
COUNTER_LOW, COUNTER_BLOCKED = 2, 4  # statuses of a response packet
FIRST_CONTACT, RESTORED = 1, 0x0F  # causes of a notification


def aes(key, block):
    return openssl(["enc", "-aes-128-ecb", "-K", key, "-nopad"], block)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def rotated(block, octets):
    return block[octets:] + block[:octets]


class Milenage:
    """TS 35.206 clause 4.1, with the constants of 4.1 c1 to c4 and r1 to r4."""

    def __init__(self, k, opc):
        self.k, self.opc = k, bytes.fromhex(opc)

    def out(self, temp, turn, constant):
        value = rotated(xor(temp, self.opc), turn)
        return xor(aes(self.k, value[:15] + bytes([value[15] ^ constant])), self.opc)

    def challenge(self, rand, sqn):
        """AUTN, RES, CK, IK."""
        temp = aes(self.k, xor(rand, self.opc))
        amf = bytes.fromhex("8000")
        entry = xor(rotated(xor((sqn + amf) * 2, self.opc), 8), temp)
        mac = xor(aes(self.k, entry), self.opc)[:8]
        second = self.out(temp, 0, 1)
        return xor(sqn, second[:6]) + amf + mac, second[8:], self.out(temp, 4, 2), self.out(temp, 8, 4)


class Card:
    """A line of a vendor file: what server and network know of the card."""

    def __init__(self, line):
        self.fields = dict(zip(NAMES, line.split()))
        self.iccid = self.fields["ICCID"]
        auc, ota = KEYS.split()[2], KEYS.split()[5]
        opened = lambda key, name: cbc(key, bytes.fromhex(self.fields[name]), decrypt=True).hex()
        self.kic, self.kid = opened(ota, "KIC1"), opened(ota, "KID1")
        self.k, self.opc = opened(auc, "KI1"), opened(auc, "OPC1")
        self.counter = 0

    def packet(self, text):
        self.counter += 1
        return command_packet(self.kic, self.kid, TAR, self.counter, bytes.fromhex(text))

    def audit(self):
        return self.packet("80e29105 0d 8a08a0a1a2a3a4a5a6a7 8c0101")

    def confirm(self, operation):
        """CONFIRM of a notification that there is not: executed, stored, and answered in one message."""
        return self.packet(f"80e291100c 8f04{operation:08x} 91040000ffff")

    def answer(self, messages):
        """Counter, status and data of the answer that came in these messages, in order."""
        return response_packet(self.kic, self.kid, bytes.fromhex("027100") + b"".join(m[1 + m[0]:] for m in messages))


def tlv(tag, value):
    length = bytes([len(value)]) if len(value) < 128 else bytes([0x81, len(value)])
    return bytes([tag]) + length + value


def objects(data):
    """Tag without the comprehension flag, and value, one after the other."""
    while data:
        at = 3 if data[1] == 0x81 else 2
        length = data[2] if data[1] == 0x81 else data[1]
        yield data[0] & 0x7F, data[at:at + length]
        data = data[at + length:]


def download(user_data):
    """ENVELOPE (SMS-PP DOWNLOAD) with an SMS-DELIVER [TS 31.111 clause 7.1.1, TS 23.040 clause 9.2.2.1]."""
    deliver = bytes.fromhex("40 05 81 2143F5 7F F6 62011121436500") + bytes([len(user_data)]) + user_data
    data = tlv(0xD1, tlv(0x82, bytes.fromhex("8381")) + tlv(0x8B, deliver))
    return bytes.fromhex("80C20000") + bytes([len(data)]) + data


class Terminal:
    """What a modem does with a card, over any way to exchange APDUs."""

    def __init__(self, exchange):
        self.exchange = exchange  # octets to (octets, status word)
        self.messages = []  # user data of what the card sent

    def command(self, text, data=b""):
        """The answer, GET RESPONSE and 6C xx included, and then the toolkit."""
        octets = (bytes.fromhex(text) if isinstance(text, str) else text) + data
        answer, status = self.exchange(octets)
        if status & 0xFF00 == 0x6C00:
            answer, status = self.exchange(octets[:4] + bytes([status & 0xFF]))
        if status & 0xFF00 == 0x6100:
            answer, status = self.exchange(bytes.fromhex("00C00000") + bytes([status & 0xFF]))
        first = 0x9000 if status & 0xFF00 == 0x9100 else status
        for _ in range(40):
            if status & 0xFF00 != 0x9100:
                break
            status = self.serve(status & 0xFF)
        return answer, first

    def serve(self, length):
        command, status = self.exchange(bytes.fromhex("80120000") + bytes([length]))
        assert status == 0x9000, hex(status)
        content = dict(objects(next(objects(command))[1]))
        if content[1][1] == 0x13:
            # The vendor file names no service centre; terminals that have none of their own need one.
            assert content.get(6) == bytes.fromhex("9199090010"), content.get(6)
            submit = content[0x0B]
            at = 3 + 1 + (submit[2] + 1) // 2
            self.messages.append(submit[at + 3:])
        response = tlv(0x81, content[1]) + bytes.fromhex("82028281 830100")
        if content[1][1] == 3:
            response += tlv(0x84, content[4])
        return self.exchange(bytes.fromhex("80140000") + bytes([len(response)]) + response)[1]

    def start(self):
        self.command("8010000021" + PROFILE)
        assert self.command("00A4040C07" + USIM)[1] == 0x9000

    def in_service(self):
        self.command("80C20000 15 D613 990103 82028281 9B0100 9307 99F907 0001 0001")

    def send(self, user_data):
        """Delivers a packet; the user data of what the card sent then."""
        before = len(self.messages)
        answer, status = self.command(download(user_data))
        assert status == 0x9000, hex(status)
        return self.messages[before:]


class Link:
    """vpcd's side of its protocol, over TCP."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, octets):
        self.socket.sendall(struct.pack(">H", len(octets)) + octets)

    def octets(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def read(self):
        return self.octets(struct.unpack(">H", self.octets(2))[0])

    def exchange(self, octets):
        self.write(octets)
        answer = self.read()
        if len(answer) < 2:
            raise EOFError
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    def reset(self):
        self.write(b"\2")
        self.write(b"\4")
        return self.read().hex().upper()


class Lab(unittest.TestCase):
    PROGRAMS = None  # the folder

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.running, self.pcscd = [], None
        path = os.path.join(self.folder, "cards.out")
        subprocess.run([os.path.join(self.PROGRAMS, "vendor-make"), "-n", "2", "-o", path], check=True)
        with open(path) as file:
            self.cards = [Card(line) for line in file if line.startswith("8999")]
        keys = os.path.join(self.folder, "keys.txt")
        with open(os.open(keys, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(KEYS)
        self.arguments = ["--cards", path, "--vendor-profile", os.path.join(ROOT, "profiles/vendor/samples/alder.json"),
                          "--transport-keys", keys]

    def tearDown(self):
        # pcscd first: Debian's vpcd stops it when a card of the reversed mode goes.
        codes = [self.pcscd.stop()] if self.pcscd else []
        codes += [program.stop() for program in self.running]
        for program in self.running:
            program.log.close()
            program.process.stdout.close()
        shutil.rmtree(self.folder)
        self.assertEqual(codes, [0] * len(codes))

    def reader(self, *arguments):
        program = Program("sim-emulator", [os.path.join(self.PROGRAMS, "sim-emulator"), "reader", *self.arguments, *arguments],
                          self.folder)
        self.running.append(program)
        return program

    def kill(self, program):
        program.kill()
        program.log.close()
        program.process.stdout.close()
        self.running.remove(program)
