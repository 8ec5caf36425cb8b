"""The completions of the shells: each offers what the program itself says there is."""
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import unittest

import yaml

PROGRAM = os.path.join(os.path.abspath(sys.argv.pop(1)), "otactl")
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FOLDER = os.path.join(ROOT, "ota-server", "shell")
# What anybody may write as a value; every other one is completed.
FREE = {"DIGITS", "TEXT", "TIME", "SECONDS", "COUNT", "NUMBER", "HEX", "SEQUENCE", "KEY", "EVENT", "FILE"}
# Whose values are those of a parameter of the interface; of all commands where none is named.
PARAMETERS = {
    "card list --state": ("/cards", "state"), "card search --state": ("/cards", "state"), "export cards --state": ("/cards", "state"),
    "--mark": ("/cards", "mark"), "bootstrap list --state": ("/card-groups/{groupId}/bootstrap-jobs", "state"),
    "campaign list --state": ("/campaigns", "state"), "delivery list --state": ("/event-deliveries", "state"),
    "alarm list --state": ("/alarms", "state"), "approval list --state": ("/approvals", "state"),
    "subscription list --state": ("/subscriptions", "state"), "--type": ("/operations", "type"), "--status": ("/operations", "status"),
    "--outcome": ("/operations", "outcome"), "--failure-code": ("/operations", "failureCode"), "--window": ("/kpis", "window"),
    "--result": ("/campaigns/{campaignId}/cards", "result"), "--application-field": ("/cards", "applicationField"),
}
# Of a member of a body; small letters and "-" stand for capitals and "_".
BODIES = {
    "permission list --operation": ("PermissionSet", "operations"), "--rule-pack": ("PoolNew", "rulePack"),
    "--algorithm": ("TransportKeyNew", "algorithm"), "--fields": ("RevealOrder", "fields"), "--match": ("CardSearch", "match"),
    "--if-dirty": ("OperationOrder", "ifDirty"), "--if-busy": ("OperationOrder", "ifBusy"), "--enable": ("OperationOrder", "enable"),
    "--role": ("OperationOrder", "role"), "--decision": ("Resolution", "decision"),
}
# What the document says in words, or in a body of a file; --sort is tried with the server in tests/unit/otactl.
ELSEWHERE = {"--sort", "--kind", "--when", "--open-operation", "--topics", "--dirty-reason", "--actor"}
# The bodies of commands that take NAME=VALUE; None: not one of the document.
MEMBERS = {
    "card move-all": None, "card set": "CardPatch", "sink create": "NewEventSink", "sink set": "EventSinkChange", "group change": "CardGroupPatch",
    "config set": None, "pool set": "PoolPatch", "subscription create": "SubscriptionNew", "subscription set": "SubscriptionChange",
    "transport-key create": "TransportKeyNew", "enterprise create": "EnterpriseNew", "enterprise set": "EnterprisePatch",
    "user create": "UserNew", "user set": "UserPatch", "client create": "ClientNew", "client set": "ClientPatch",
    "report create": "ReportOrder", "metering calls": None, "metering cards": None, "metering records": None, "tariff set": "TariffOrder",
}


def run(*command, **more):
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, **more)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


# Some offer a value with what stands before it.
def without(found, before, group):
    return [word.removeprefix(before[group]) for word in found] if before else found


def bash(*words):
    # The shell breaks words at "=".
    split = [part for word in words for part in re.split("(=)", word) if part]
    quoted = " ".join(f"'{word}'" for word in (PROGRAM, *split, *([""] if not words[-1] else [])))
    count = len(split) + (not words[-1])
    found = run("bash", "-c", f"source {FOLDER}/otactl.bash; COMP_WORDS=({quoted}); COMP_CWORD={count}; _otactl;"
                'printf "%s\\n" "${COMPREPLY[@]}"')
    return without(found, re.match("(?:.*=)?(.*,)", words[-1]), 1)


def zsh(*words):
    quoted = " ".join(f"'{word}'" for word in (PROGRAM, *words))
    # What belongs to the line editor: candidates are printed as they are added.
    return [word for word in run("zsh", "-fc", 'compdef() { }; _files() { print FILES }\n'
                                 'compset() { PREFIX=${PREFIX##${~2}} }\n'
                                 'compadd() { local -a c; [[ $1 == -S ]] && shift 2; shift; c=("$@"); print -l -- ${(M)c:#$PREFIX*} }\n'
                                 f"source {FOLDER}/otactl.zsh; words=({quoted}); CURRENT={len(words) + 1};"
                                 f"PREFIX='{words[-1]}'; _otactl") if word != "FILES"]


def fish(*words):
    environment = {**os.environ, "PATH": os.path.dirname(PROGRAM) + ":" + os.environ["PATH"], "HOME": "/nonexistent"}
    line = " ".join(("otactl", *words))
    found = run("fish", "--no-config", "-c", f"source {FOLDER}/otactl.fish; complete -C '{line}'", env=environment)
    return without(found, re.match(".*[=,]", words[-1]), 0)


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lines = [line.split() for line in subprocess.run([PROGRAM, "--words"], capture_output=True, text=True, check=True).stdout.splitlines()]

    def each(self, wanted, *words, with_those=""):
        for shell in (bash, zsh, fish):
            with self.subTest(shell=shell.__name__, words=words):
                found = [word for word in shell(*words) if re.match(with_those, word)]
                self.assertEqual(sorted(set(found)), sorted(set(wanted)))

    def test_nouns_come_first(self):
        self.each({line[0] for line in self.lines if line[0].startswith("c")}, "c")
        self.assertIn("card", bash("c"))

    def test_then_the_verbs_of_the_noun(self):
        self.each({line[1] for line in self.lines if line[0] == "card" and line[1].startswith("re")}, "card", "re")
        self.assertIn("retire", bash("card", "re"))

    def test_then_the_options_of_the_verb(self):
        (line,) = [line for line in self.lines if line[:2] == ["card", "audit"]]
        self.each([re.sub("=.*", "=", word) for word in line[2:]], "card", "audit", "--")
        self.each(["--wait", "--when="], "card", "audit", "--w")

    def test_a_noun_without_verbs_has_options(self):
        (line,) = [line for line in self.lines if line[:2] == ["doctor", "-"]]
        self.each([re.sub("=.*", "=", word) for word in line[2:]], "doctor", "--")

    def test_options_before_are_no_nouns(self):
        self.each(["retire"], "--json", "card", "ret")

    def test_values_are_those_of_the_enumeration(self):
        self.each(["RETIRED", "RESERVED"], "subscription", "list", "--state", "RE")
        self.each(["RETIRED"], "card", "list", "--state", "RE")
        self.each(["RETIRED"], "card", "list", "--state=RE")
        self.each(["OPEN", "ACKNOWLEDGED", "CLEARED"], "alarm", "list", "--state=")
        self.each(["cards", "subscriptions"], "import", "run", "--kind=")
        self.each(["set-fallback", "set-timers"], "op", "list", "--type", "set")
        self.each(["REGULATOR"], "report", "create", "type=R")
        self.each(["type="], "report", "create", "ty")

    def test_of_a_list_the_last_value_is_completed(self):
        self.each(["alarms", "approvals"], "event", "follow", "--topics", "links,a")
        self.each(["alarms", "approvals"], "event", "follow", "--topics=links,cards,a")
        self.each(["imei", "imsi"], "card", "reveal", "--fields", "iccid,im")
        self.each(["card-dirty", "card-clean", "campaign-ended"], "sink", "create", "types=switched,ca")

    def test_ids_are_those_that_the_server_has(self):
        with Server({"/card-groups": [{"id": "grp_A"}, {"id": "grp_B"}], "/users": [{"id": "usr_A"}], "/api-clients": [{"id": "cli_A"}],
                     "/profile-templates": [{"id": "tpl_A", "templateId": 7}], "/vendor-profiles": [{"id": "rec_A", "vendor": "alder"}],
                     "/enterprises": [{"id": "ent_A"}]}):
            self.each(["grp_A", "grp_B"], "card", "list", "--group", "grp")
            self.each(["grp_B"], "op", "list", "--group=grp_B")
            self.each(["usr_A", "USER"], "trail", "list", "--actor=", with_those="[uU].*")
            self.each(["7"], "pool", "create", "--template", "")
            self.each(["alder"], "import", "run", "--vendor-profile", "al")
            self.each(["ent_A"], "user", "create", "enterpriseId=")

    def test_without_a_server_there_are_no_ids(self):
        os.environ.update(OTARIA_URL="http://127.0.0.1:1", OTARIA_APPKEY="A" * 20, OTARIA_APPSECRET="b" * 43)
        self.each([], "card", "list", "--group=")
        self.each(["SYSTEM"], "trail", "list", "--actor", "SY")

    def words(self, command):
        (line,) = [line for line in self.lines if line[:2] == command.split()]
        return dict(word.split("=", 1) for word in line[2:] if "=" in word)

    def each_command(self):
        for line in self.lines:
            command = " ".join(word for word in line[:2] if word != "-")
            yield command, dict(word.split("=", 1) for word in line[2:] if "=" in word)

    def test_every_option_of_a_set_is_completed(self):
        for command, words in self.each_command():
            shown = subprocess.run([PROGRAM, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
            arguments = dict(re.findall(r"(--[a-z-]+)=([A-Z,.]+)", shown))
            for option, values in words.items():
                with self.subTest(command=command, option=option):
                    if option.startswith("--"):
                        self.assertTrue(values or arguments[option] in FREE, arguments[option])

    def test_every_set_is_that_of_the_document(self):
        with open(os.path.join(ROOT, "docs/openapi/connectivity-management.yaml"), encoding="utf-8") as file:
            document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        schemas = document["components"]["schemas"]

        def of(schema):
            if "$ref" in schema:
                schema = schemas[schema["$ref"].split("/")[-1]]
            return [True, False] if schema.get("type") == "boolean" else schema["enum"] if "enum" in schema else of(schema.get("items", {"enum": []}))

        def member(name, key):
            return of(schemas[name]["properties"][key])

        def parameter(path, name):
            get = document["paths"]["/connectivity-management/v1" + path]["get"]
            return of(next(one["schema"] for one in get["parameters"] if one.get("name") == name))

        for command, words in self.each_command():
            for option, values in words.items():
                if not values or values.startswith("@") or option in ELSEWHERE or not option.startswith("--"):
                    continue
                with self.subTest(command=command, option=option):
                    key = f"{command} {option}"
                    path, name = PARAMETERS.get(key) or PARAMETERS.get(option) or (None, None)
                    wanted = parameter(path, name) if path else member(*(BODIES.get(key) or BODIES[option]))
                    given = values.split("|")
                    if key not in BODIES and option in BODIES and option not in ("--fields", "--rule-pack"):
                        given = [value.upper().replace("-", "_") for value in given]
                        wanted = [value.replace("-", "_") for value in wanted]
                    self.assertEqual(sorted(given), sorted(wanted))
            shown = subprocess.run([PROGRAM, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
            if "NAME=VALUE" not in shown.split("\n\n")[0]:
                continue
            with self.subTest(command=command):
                body = MEMBERS[command]
                for name in schemas[body]["properties"] if body else ():
                    wanted = [str(one).lower() if isinstance(one, bool) else one.split(".")[-1] for one in member(body, name) if one != ""]
                    given = words.get(name, "").split("|") if words.get(name, "@")[:1] != "@" else []
                    self.assertEqual(sorted(given), sorted(wanted), name)
        topics = next(one for one in document["paths"]["/connectivity-management/v1/events"]["get"]["parameters"] if one.get("name") == "topics")
        self.assertEqual(self.words("event follow")["--topics"].split("|"), re.findall("[a-z]+(?=,)", topics["description"].split("Some of ")[1]))


class Server:
    """Answers lists of the interface."""

    def __init__(self, lists):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                items = lists.get(self.path.split("?")[0].removeprefix("/connectivity-management/v1"), [])
                body = json.dumps({"items": items, "pagination": {"totalCount": len(items)}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        os.environ.update(OTARIA_URL=f"http://127.0.0.1:{self.server.server_port}", OTARIA_APPKEY="A" * 20, OTARIA_APPSECRET="b" * 43)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


if __name__ == "__main__":
    unittest.main()
