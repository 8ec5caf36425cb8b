"""A listener between the server and its SMSC: it passes PDUs on, remembers them, puts others in between, and can be away."""
import os, select, socket, struct, sys, threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/story"))
from system import until  # noqa: E402

SUBMIT, DELIVER = 4, 5
RESPONSE = 0x80000000
OWN = 0x70000000  # our sequence numbers begin here: no SMSC gets so far


def text_of(body):
    """Source, destination and user data of a submit_sm or deliver_sm."""
    numbers, rest = [], body[body.index(0) + 1:]
    for _ in range(2):
        end = rest.index(0, 2)
        numbers.append(rest[2:end].decode())
        rest = rest[end + 1:]
    rest = rest[3:]
    for _ in range(2):
        rest = rest[rest.index(0) + 1:]
    return (*numbers, rest[5:5 + rest[4]])


def deliver_body(source, destination, user_data, *, esm_class=0x40, tlvs=b""):
    z = lambda text: text.encode() + b"\0"
    return (z("") + b"\1\1" + z(source) + b"\1\1" + z(destination) + bytes([esm_class]) + b"\x7f\0\0\0\0\0\xf6\0" +
            bytes([len(user_data)]) + user_data + tlvs)


class Tap:
    def __init__(self, smsc):
        host, port = smsc.rsplit(":", 1)
        self.smsc, self.lock = (host, int(port)), threading.Lock()
        self.seen = []       # deliver_sm of the SMSC: their bodies
        self.sent = []       # submit_sm of the server: their bodies
        self.refused = []    # what the server answered to them, when it was not ESME_ROK
        self.answers = {}    # to our own requests, by sequence number: command and status
        self.sequence, self.server, self.upstream = OWN, None, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.is_over, self.is_here, self.is_mute = threading.Event(), threading.Event(), threading.Event()
        self.is_here.set()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        """Alone opens and closes sockets; others only shut them down."""
        while not self.is_over.is_set():
            if not self.is_here.is_set():
                self.listener.close()
                self.is_here.wait()
                host, port = self.address.rsplit(":", 1)
                self.listener = socket.create_server((host, int(port)))
            if not select.select([self.listener], [], [], 0.02)[0]:
                continue
            try:
                with self.listener.accept()[0] as self.server, socket.create_connection(self.smsc, 10) as self.upstream:
                    back = threading.Thread(target=self.pump, args=(self.upstream, self.server, True))
                    back.start()
                    self.pump(self.server, self.upstream, False)
                    back.join()
            except OSError:
                continue
        self.listener.close()

    def pump(self, source, sink, is_from_smsc):
        data = b""
        try:
            while piece := source.recv(65536):
                data += piece
                while len(data) >= 4 and len(data) >= (length := int.from_bytes(data[:4], "big")):
                    pdu, data = data[:length], data[length:]
                    if self.note(pdu, is_from_smsc) and not self.is_mute.is_set():
                        with self.lock:
                            sink.sendall(pdu)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def note(self, pdu, is_from_smsc):
        """False: it is an answer to us, and not for the SMSC."""
        _, command, status, sequence = struct.unpack(">IIII", pdu[:16])
        if is_from_smsc and command == DELIVER:
            self.seen.append(pdu[16:])
        if not is_from_smsc and command == SUBMIT:
            self.sent.append(pdu[16:])
        if is_from_smsc or command & RESPONSE == 0 or sequence <= OWN:
            if command == DELIVER | RESPONSE and status != 0:
                self.refused.append(status)
            return True
        self.answers[sequence] = (command, status)
        return False

    def ask(self, command, body):
        """What the server answers to a request that its SMSC might have sent."""
        sequence = self.tell(command, body)
        return until(f"the answer to {command:#x}", 20, lambda: self.answers.get(sequence), 0.005)

    def tell(self, command, body):
        self.sequence += 1
        with self.lock:
            self.server.sendall(struct.pack(">IIII", 16 + len(body), command, 0, self.sequence) + body)
        return self.sequence

    def cut(self):
        for one in (self.server, self.upstream):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except (OSError, AttributeError):
                pass  # it is over, or was never there

    def go_away(self):
        self.is_here.clear()
        self.cut()

    def come_back(self):
        self.is_here.set()

    def mute(self):
        """The connection stays, and nothing comes any more: a link that is half open."""
        self.is_mute.set()

    def unmute(self):
        self.is_mute.clear()

    def close(self):
        self.is_over.set()
        self.is_here.set()
        self.cut()
        self.thread.join()
