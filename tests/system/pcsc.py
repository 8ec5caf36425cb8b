"""A pcscd of one's own with Debian's vpcd: its socket, its configuration and its log are in the test's folder, so that it
does not meet another one. Clients of PC/SC find it by PCSCLITE_CSOCK_NAME."""
import os, random, socket, subprocess, sys

DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
PCSCD = "/usr/sbin/pcscd"
# pcscd takes a socket that is open already, as systemd hands it over: descriptor 3, LISTEN_FDS and LISTEN_PID.
START = """import os, sys
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.dup2(int(sys.argv[1]), 3)
os.execv(sys.argv[2], sys.argv[2:])"""


def free_ports():
    """A port that is free, as is the next one, where vpcd listens for its second slot. vpcd cannot be given port 0, and it binds
    later than we look: so the port is not one of those that the system hands out to others in the meantime."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        floor = int(file.read().split()[0])
    for _ in range(1000):
        port = random.randrange(floor // 2, floor - 1)
        try:
            for number in (port, port + 1):
                with socket.socket() as one:
                    one.bind(("", number))
        except OSError:
            continue
        return port
    raise OSError("no free ports")


class Pcscd:
    def __init__(self, folder, host, port):
        """vpcd in its reversed mode, connecting to the card at this port (and the second slot to the next port)."""
        configuration = os.path.join(folder, "reader.conf.d")
        os.mkdir(configuration)
        with open(os.path.join(configuration, "vpcd"), "w") as file:
            file.write(f'FRIENDLYNAME "Test"\nDEVICENAME {host}:0x{port:04X}\nLIBPATH {DRIVER}\nCHANNELID 0x{port:04X}\n')
        self.name = os.path.join(folder, "pcscd.comm")
        self.log = open(os.path.join(folder, "pcscd.log"), "wb")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.name)
        listener.listen(16)
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, str(listener.fileno()), PCSCD, "--foreground", "--error", "--config", configuration],
            pass_fds=(listener.fileno(),), stdout=self.log, stderr=subprocess.STDOUT)
        listener.close()

    def environment(self):
        return dict(os.environ, PCSCLITE_CSOCK_NAME=self.name)

    def stop(self):
        self.process.terminate()
        code = self.process.wait(20)
        self.log.close()
        return code


def is_installed():
    return os.path.exists(DRIVER) and os.path.exists(PCSCD)
