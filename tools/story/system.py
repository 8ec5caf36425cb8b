"""The programs of a demonstration: started, waited for, asked, and ended. Python's standard library only."""
import hashlib, hmac, itertools, json, os, select, signal, subprocess, time, urllib.error, urllib.parse, urllib.request
import secrets


class Failed(Exception):
    """A step did not show what it promised."""


class Program:
    """One of our programs: started, and ready when its JSON line came."""

    def __init__(self, name, arguments, folder):
        self.name, self.arguments, self.folder = name, arguments, folder
        self.log = open(os.path.join(folder, name + ".log"), "ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, stderr=self.log)
        self.ready = self.wait_ready(20)

    def wait_ready(self, seconds):
        end = time.monotonic() + seconds
        line = b""
        while not line.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Failed(f"{self.name} did not get ready in {seconds} s; see {self.log.name}")
            octet = os.read(self.process.stdout.fileno(), 1)
            if not octet:
                self.process.wait()
                raise Failed(f"{self.name} ended with {self.process.returncode}; see {self.log.name}")
            line += octet
        return json.loads(line)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGTERM, and its exit code; SIGKILL after 15 s."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode


class Control:
    """A control interface without authentication: smsc-sim's and sim-emulator's."""

    def __init__(self, address):
        self.base = "http://" + address

    def ask(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read().decode()
        return json.loads(text) if text and path != "/truth" else text

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body=None):
        return self.ask("POST", path, body)

    def truth(self):
        """Every card's own registry, by ICCID."""
        return {card["iccid"]: card for card in map(json.loads, self.get("/truth").splitlines())}


class Api:
    """The server's interface, with requests signed as its documentation says (OTA1-HMAC-SHA256)."""
    BASE = "/connectivity-management/v1"
    WITHOUT_KEY = ("/cards/export", "/operations/export", "/audit-trail/export")  # the server keeps no answer of theirs
    # A test compares what stands in this file with the published document.
    exchanges = open(os.environ["OTARIA_EXCHANGES"], "w") if os.environ.get("OTARIA_EXCHANGES") else None

    def __init__(self, address, clients, tls=None):
        """`tls`: an ssl.SSLContext, for HTTPS."""
        self.authority, self.clients, self.tls = address, itertools.cycle(clients), tls

    def sign(self, method, path, query, content_type, idempotency, body):
        stamp, nonce = str(int(time.time())), secrets.token_hex(12)
        pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
        text = "&".join(urllib.parse.quote(n, safe="") + "=" + urllib.parse.quote(v, safe="") for n, v in pairs)
        lines = ["OTA1-HMAC-SHA256", method, self.authority, path, text, content_type, "", idempotency, stamp, nonce,
                 hashlib.sha256(body).hexdigest()]
        key, secret = next(self.clients)
        mac = hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
        return f"OTA1-HMAC-SHA256 appKey={key},ts={stamp},nonce={nonce},signature={mac}"

    def ask(self, *arguments, **more):
        """Status and document. Told to slow down, it does."""
        while True:
            status, document = self.ask_once(*arguments, **more)
            if status != 429:
                return status, document
            time.sleep(1)

    def ask_once(self, method, path, body=None, content_type="application/json", query="", key=None):
        if body is None:
            data, content_type = b"", ""
        else:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        if key is None:
            key = "" if method == "GET" or path in self.WITHOUT_KEY else secrets.token_hex(16)
        path = path if path.startswith("/") and path.count("/") == 1 and method == "GET" and path in (
            "/healthz", "/readyz", "/metrics") else self.BASE + path
        url = f"http{'s' if self.tls else ''}://{self.authority}{path}" + ("?" + query if query else "")
        request = urllib.request.Request(url, data if body is not None else None, method=method)
        request.add_header("Authorization", self.sign(method, path, query, content_type, key, data))
        if content_type:
            request.add_header("Content-Type", content_type)
        if key:
            request.add_header("Idempotency-Key", key)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.tls) as answer:
                status, kind, text = answer.status, answer.headers.get("Content-Type", ""), answer.read().decode()
        except urllib.error.HTTPError as error:
            status, kind, text = error.code, error.headers.get("Content-Type", ""), error.read().decode()
        if self.exchanges:
            kept = {"method": method, "target": path + ("?" + query if query else ""), "status": status, "type": kind,
                    "answer": text, "requestType": content_type, "request": data.decode("utf-8", "replace")}
            self.exchanges.write(json.dumps(kept) + "\n")
            self.exchanges.flush()
        try:
            return status, json.loads(text) if text else None
        except json.JSONDecodeError:
            return status, text

    def get(self, path, query=""):
        status, document = self.ask("GET", path, query=query)
        if status != 200:
            raise Failed(f"GET {path}: {status} {document}")
        return document

    def post(self, path, body, wanted=(200, 201, 202), **more):
        status, document = self.ask("POST", path, body, **more)
        if status not in wanted:
            raise Failed(f"POST {path}: {status} {document}")
        return document

    def all(self, path, query=""):
        """Every item of a list, page by page."""
        items, cursor = [], None
        while True:
            more = "perPage=100" + ("&" + query if query else "") + ("&cursor=" + cursor if cursor else "")
            document = self.get(path, more)
            items += document["items"]
            cursor = document["pagination"].get("nextCursor")
            if not cursor or not document["items"]:
                return items


def until(what, seconds, find, every=0.25):
    """The first true answer of `find`; fails after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        found = find()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s in vain for: {what}")
        time.sleep(every)
