#!/usr/bin/env python3
"""docs/OPERATIONS.md, executed: its blocks of shell in their order, on a private tree, against an SMSC and cards of ours.
usage: test_operations.py FOLDER-OF-PROGRAMS

What the page names of the machine (/usr/local/bin, /etc/otaria, /var/..., addresses, accounts of the system) is replaced; systemctl
starts what the page's own unit file says."""
import os, re, shutil, subprocess, sys, tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from system import Control, Program, until  # noqa: E402

PROGRAMS = os.path.abspath(sys.argv[1])
TRANSPORT = "07 auc 00112233445566778899AABBCCDDEEFF\n12 ota 0F1E2D3C4B5A69788796A5B4C3D2E1F0\n"
SMSC = """account "server" { password = "secret1" }
account "radio" { password = "secret2" }
route "12345" { account = "server" }
"""
SCENARIO = """otaria-scenario 1
network 99970 lte
network 00101 lte
allow 99970 99970
allow 00101 00101
area home 99970 00101
"""
# What a test must not do to the machine: run the command that follows, or nothing.
SHIMS = {
    "useradd": "#!/bin/sh\nexit 0\n",
    "chown": "#!/bin/sh\nexit 0\n",
    "runuser": '#!/bin/sh\n[ "$1 $2 $3" = "-u otaria --" ] || exit 2\nshift 3\nexec "$@"\n',
    "systemctl": '#!/bin/sh\nexec python3 "%s" --systemctl "$@"\n' % os.path.abspath(__file__),
}


def write(path, text, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    return path


def blocks(kind):
    with open(os.path.join(ROOT, "docs/OPERATIONS.md")) as file:
        return re.findall(r"^```%s\n(.*?)^```$" % kind, file.read(), re.M | re.S)


def systemctl(folder, verb, unit):
    """start, stop and is-active of the page's own unit, in the foreground of nobody."""
    process = os.path.join(folder, "pid")
    assert unit == "ota-server", unit
    if verb == "start":
        command = re.search(r"^ExecStart=(.*)$", open(os.path.join(folder, "unit")).read(), re.M).group(1).split()
        out = open(os.path.join(folder, "ready"), "wb")
        started = subprocess.Popen(command, stdout=out, stderr=open(os.path.join(folder, "ota-server.log"), "ab"),
                                   start_new_session=True)
        write(process, str(started.pid))
        until("the server", 20, lambda: started.poll() is not None or os.path.getsize(out.name) > 0, 0.02)
        # The page is written for a server that has had a moment to bind.
        until("its link", 20, lambda: started.poll() is not None or
              subprocess.run(["curl", "-sf", "http://%s/readyz" % os.environ["HTTP"]], capture_output=True).returncode == 0, 0.05)
        return 0 if started.poll() is None else 1
    pid = int(open(process).read())
    if verb == "is-active":
        return subprocess.run(["kill", "-0", str(pid)]).returncode
    assert verb == "stop", verb
    subprocess.run(["kill", "-TERM", str(pid)], check=True)
    until("its end", 15, lambda: subprocess.run(["kill", "-0", str(pid)], capture_output=True).returncode != 0, 0.05)
    return 0


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class World:
    """An SMSC and the three cards of the sample, in a folder of their own."""

    def __init__(self, folder):
        self.folder, self.running = folder, []
        tree = os.path.join(folder, "tree")
        self.smsc = self.start("smsc-sim", "--config", write(os.path.join(folder, "smsc.conf"), SMSC), "--listen", "127.0.0.1:0",
                               "--control", "127.0.0.1:0")
        self.http = f"127.0.0.1:{free_port()}"
        self.places = {"build/release/bin": PROGRAMS, "/usr/local/bin": tree + "/bin", "/usr/local/share": tree + "/share",
                       "/etc/otaria": tree + "/etc",
                       "/var/lib/otaria": tree + "/data", "/var/backups/otaria": tree + "/backups",
                       "smsc.example.net:2775": self.smsc.ready["smpp"], "127.0.0.1:8080": self.http}
        shims = os.path.join(folder, "shims")
        os.mkdir(shims)
        for name, text in SHIMS.items():
            write(os.path.join(shims, name), text, 0o755)
        write(os.path.join(folder, "unit"), self.here(blocks("ini")[0]))
        self.environment = {"PATH": f"{shims}:{tree}/bin:{os.environ['PATH']}", "HOME": folder, "FOLDER": folder, "HTTP": self.http,
                            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""), "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, name, *arguments):
        self.running.append(Program(name, [os.path.join(PROGRAMS, name), *arguments], self.folder))
        return self.running[-1]

    def here(self, text):
        for name, place in self.places.items():
            text = text.replace(name, place)
        return text

    def cards(self):
        sample = os.path.join(ROOT, "tests/samples/alder-0000717.out")
        program = self.start(
            "sim-emulator", "fleet", "--cards", sample, "--vendor-profile", os.path.join(ROOT, "profiles/vendor/samples/alder.json"),
            "--transport-keys", write(os.path.join(self.folder, "keys"), TRANSPORT), "--smsc", self.smsc.ready["smpp"],
            "--system-id", "radio", "--password-file", write(os.path.join(self.folder, "radio"), "secret2\n"),
            "--address-range", "999", "--scenario", write(os.path.join(self.folder, "world"), SCENARIO), "--spread", "0",
            "--control", "127.0.0.1:0")
        control = Control(program.ready["control"])
        until("three attached cards", 20, lambda: control.get("/counters").get("attached", 3) == 3, 0.1)

    def run(self, block):
        """The block as a user would type it, in one shell that ends at the first failure."""
        lines = self.here(block)
        done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", "export OTARIA_CREDENTIALS=~/.otaria\n" + lines], cwd=ROOT,
                              env=self.environment, capture_output=True, text=True, timeout=110)
        print("$ " + lines.rstrip().replace("\n", "\n$ ") + "\n" + done.stdout + done.stderr, flush=True)
        assert done.returncode == 0, f"ended with {done.returncode}"
        return done.stdout + done.stderr

    def stop(self):
        try:
            systemctl(self.folder, "stop", "ota-server")
        except FileNotFoundError:
            pass
        codes = [program.stop() for program in reversed(self.running)]
        assert codes == [0] * len(codes), codes


# A command of the page, and what it must say there, besides ending well.
SAYS = {
    "otactl doctor": "ok",
    "--dry-run": "DRY_RUN_OK",
    "otactl card audit": "done",
    "otactl dirty audit - --wait": "done",
    "ota-server backup": "made",
    "ota-server restore": "restored",
    "otactl transport-key list": "3544E0",
    "otactl trail verify": "verified",
    "otactl kpi show": "operation-success-rate",
    "otactl export cards": "exportedBy",
}


def main():
    if sys.argv[1] == "--systemctl":
        return systemctl(os.environ["FOLDER"], *sys.argv[2:])
    folder = tempfile.mkdtemp(prefix="otaria-operations-")
    world = World(folder)
    try:
        commands = 0
        for block in blocks("sh"):
            if "otactl card show" in block:
                world.cards()
            if "ota-server restore" in block:  # the backup is older than what happened since
                world.run("otactl card audit --iccid 89999000000717000027 --wait=60\n")
            said = world.run(block)
            for command, word in SAYS.items():
                assert command not in block or word in said, f"{command} does not say {word}"
            commands += len(block.splitlines())
        assert commands > 40, commands
        print(f"{commands} lines of the page executed")
    finally:
        try:
            world.stop()
        finally:
            log = os.path.join(folder, "ota-server.log")
            if sys.exc_info()[0] and os.path.exists(log):
                print(open(log).read()[-2000:])
            shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
