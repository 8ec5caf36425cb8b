#!/usr/bin/env python3
"""Is there a command for each operation of the interface? The example of every command is run against a listener that notes what
is asked and finds nothing. usage: test_commands.py FOLDER-OF-PROGRAMS"""
import concurrent.futures, http.server, os, re, shlex, shutil, subprocess, sys, tempfile, threading, unittest

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.path.abspath(sys.argv.pop(1))
BASE = "/connectivity-management/v1"
IDS = "".join(prefix + "_01JZ8Q4M7Y2K9T3W5X6A7B8C9D\n" for prefix in ("crd", "op", "dlv"))
# What the examples leave out.
FURTHER = [["import", "quarantine", "imp_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"], ["profile", "put", "alder.json"], ["trail", "verify"],
           ["trail", "show", "vrf_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"], ["card", "show", "crd_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"],
           ["card", "parameters", "crd_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"], ["card", "messages", "crd_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"],
           ["sub", "list", "crd_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"], ["setup", "code", "code", "anna", "Operator", "CN", "UTC"]]


# What a command of another operation does: op list --card.
COVERED = {("GET", BASE + "/cards/{cardId}/operations")}


class Nothing(http.server.BaseHTTPRequestHandler):
    """Finds nothing of what is asked for."""
    protocol_version = "HTTP/1.1"
    asked = set()

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.add((self.command, self.path.split("?")[0]))
        body = b'{"status":404,"code":"NOT_FOUND","message":"nothing"}'
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


def operations():
    with open(os.path.join(ROOT, "docs/openapi/connectivity-management.yaml"), encoding="utf-8") as file:
        paths = yaml.load(file, yaml.CSafeLoader)["paths"]
    rows = []
    for pattern in sorted(paths, key=lambda pattern: pattern.count("{")):  # what is written out comes first
        if pattern.startswith(BASE):
            form = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(pattern)) + "$")
            rows += [(method.upper(), pattern, form) for method in ("get", "post", "put", "patch", "delete") if method in paths[pattern]]
    return rows


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
        self.thread = threading.Thread(target=self.listener.serve_forever)
        self.thread.start()
        self.access = {"OTARIA_URL": "http://127.0.0.1:%d" % self.listener.server_port, "OTARIA_APPKEY": "A" * 20,
                       "OTARIA_APPSECRET": "a" * 43}

    def tearDown(self):
        self.listener.shutdown()
        self.thread.join()
        self.listener.server_close()
        shutil.rmtree(self.folder)

    def run_in(self, *words, stdin=IDS):
        return subprocess.run([os.path.join(PROGRAMS, "otactl"), *words], input=stdin, capture_output=True, text=True,
                              cwd=self.folder, env={**os.environ, **self.access})

    def make_files(self, words):
        """What the example names: JSON, lines, or secrets that only their owner reads."""
        for word in words:
            name = word.partition("=@")[2] or word
            if re.fullmatch(r"[a-z0-9-]+\.(json|csv|out|password)|component-\w+|code", name):
                text = "{}" if name.endswith("json") else "00112233445566778899AABBCCDDEEFF\n"
                with open(os.open(os.path.join(self.folder, name), os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                    file.write(text)

    def examples(self):
        for line in self.run_in("--examples").stdout.splitlines():
            yield shlex.split(line.split(" | ")[-1].split(" > ")[0])[1:]

    def test_there_is_one_for_each_operation_of_the_interface(self):
        commands = [*self.examples(), *FURTHER]
        for words in commands:
            self.make_files(words)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            wrong = [(words, done.stderr) for words, done in zip(commands, pool.map(lambda words: self.run_in(*words), commands))
                     if done.returncode == 2 and words[0] not in ("trail", "setup") and "-" not in words]  # files elsewhere; ids of all kinds
        self.assertEqual(wrong, [])
        asked, rows = set(), operations()
        for method, path in Nothing.asked:
            asked |= {(method, row[1]) for row in [next((row for row in rows if row[2].match(path)), None)] if row}
        missing = sorted({(method, pattern) for method, pattern, _ in rows} - asked - COVERED)
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
