"""A stranger's ESME and secured packets, written from SMPP 3.4 and TS 102 225 with the openssl command: it shares no code
with the programs it talks to."""
import socket, struct, subprocess


def openssl(arguments, data):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def cmac(key, data):
    return bytes.fromhex(openssl(["mac", "-cipher", "AES-128-CBC", "-macopt", "hexkey:" + key, "CMAC"], data).decode().strip())


def cbc(key, data, decrypt=False):
    return openssl(["enc", "-aes-128-cbc", "-K", key, "-iv", "0" * 32, "-nopad"] + (["-d"] if decrypt else []), data)


def command_packet(kic, kid, tar, counter, data):
    """User data of one SMS: SPI 16 39, key set 1 with AES."""
    padding = -(14 + len(data)) % 16
    head = struct.pack(">HB", 22 + len(data) + padding, 0x15) + bytes.fromhex("16391212") + tar
    clear = counter.to_bytes(5, "big") + bytes([padding])
    mac = cmac(kid, head + clear + data + bytes(padding))[:8]
    return bytes.fromhex("027000") + head + cbc(kic, clear + mac + data + bytes(padding))


def response_packet(kic, kid, user_data):
    """Counter, status and data of a response packet whose MAC is right."""
    rest = user_data[1 + user_data[0]:]
    head, region = rest[:6], cbc(kic, rest[6:], decrypt=True)
    padding, status, mac, data = region[5], region[6], region[7:15], region[15:]
    if cmac(kid, bytes.fromhex("027100") + head + region[:7] + data)[:8] != mac:
        raise ValueError("the MAC of the answer is wrong")
    return int.from_bytes(region[:5], "big"), status, data[:len(data) - padding]


class Esme:
    def __init__(self, address, system_id, password, address_range=""):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        self.sequence = 0
        z = lambda text: text.encode() + b"\0"
        self.request(9, z(system_id) + z(password) + z("") + b"\x34\0\0" + z(address_range))
        if self.read()[1] != 0:
            raise ValueError("the bind was refused")

    def request(self, command, body):
        self.sequence += 1
        self.socket.sendall(struct.pack(">IIII", 16 + len(body), command, 0, self.sequence) + body)

    def octets(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ValueError("the connection ended")
            data += piece
        return data

    def read(self):
        length, command, status, sequence = struct.unpack(">IIII", self.octets(16))
        return command, status, sequence, self.octets(length - 16)

    def submit(self, source, destination, user_data):
        z = lambda text: text.encode() + b"\0"
        self.request(4, z("") + b"\1\1" + z(source) + b"\1\1" + z(destination) + b"\x40\x7f\0" + z("") + z("") +
                     b"\0\0\xf6\0" + bytes([len(user_data)]) + user_data)

    def next_message(self):
        """The user data of the next deliver_sm; everything else is read and answered on the way."""
        while True:
            command, _, sequence, body = self.read()
            if command == 0x15:
                self.socket.sendall(struct.pack(">IIII", 16, 0x80000015, 0, sequence))
            if command != 5:
                continue
            self.socket.sendall(struct.pack(">IIIIB", 17, 0x80000005, 0, sequence, 0))
            rest = body[body.index(0) + 1:]
            for _ in range(2):
                rest = rest[2:][rest[2:].index(0) + 1:]
            rest = rest[3:]
            for _ in range(2):
                rest = rest[rest.index(0) + 1:]
            return rest[5:5 + rest[4]]

    def close(self):
        self.request(6, b"")
        self.socket.close()
