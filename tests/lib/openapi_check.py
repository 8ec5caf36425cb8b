#!/usr/bin/env python3
"""Checks recorded exchanges against an OpenAPI 3.0 document.

usage: openapi_check.py [--cover UNREACHED] DOCUMENT... FOLDER-OF-RECORDS

A record is one line of JSON: {"method", "target", "status", "type", "answer", "requestType", "request"}. Every answer must
be one that the document describes: its path and method, its status, its type, and no member that the schema does not name.
A request that succeeded must be one that the document describes, too. With --cover, every operation must have succeeded once,
and have stood faults amid it ("faults" of a record says how many), and as a dry run, where it takes one,
and every 4xx of the document must have been answered once, and every code of its errors; UNREACHED lists the exceptions, each with its reason, as lines
`METHOD PATH STATUS reason`, where STATUS may be `success`, `crash` or `dry`. Every 4xx must say what to do."""
import json, os, re, sys, urllib.parse
import jsonschema, yaml

OF_THE_SERVER = {"INTERNAL", "UNAVAILABLE", "TIMEOUT"}  # 5xx, that no request asks for
METHODS = ("get", "post", "put", "patch", "delete")


def closed(schema):
    """The schema as JSON Schema: `nullable` spelt out, and no member beyond those that it names."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: {part: closed(value) for part, value in schema[name].items()} if name == "properties" else closed(value)
            for name, value in schema.items() if name not in ("nullable", "example", "format", "description", "default")}
    if "properties" in made:
        made.setdefault("additionalProperties", False)
    if schema.get("format") == "date-time":
        made["pattern"] = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") else made


class Document:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.text = yaml.safe_load(file)
        self.schemas = {"components": closed(self.text["components"])}
        self.paths = []
        for pattern, item in self.text["paths"].items():
            parts = [re.escape(part) if not part.startswith("{") else "([^/]+)" for part in pattern.split("/")]
            self.paths.append((re.compile("/".join(parts) + "$"), pattern, item, pattern.count("{")))
        self.paths.sort(key=lambda row: row[3])  # what is written out wins over what is in braces

    def resolve(self, part):
        while "$ref" in part:
            found = self.text
            for name in part["$ref"].lstrip("#/").split("/"):
                found = found[name]
            part = found
        return part

    def find(self, target):
        path = target.split("?")[0]
        return next(((pattern, item) for form, pattern, item, _ in self.paths if form.match(path)), (None, None))

    def problem(self, schema, value):
        """What is wrong with the value, or None."""
        whole = dict(self.schemas, **closed(schema))
        error = jsonschema.exceptions.best_match(jsonschema.Draft7Validator(whole).iter_errors(value))
        return None if error is None else f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"

    def operations(self):
        for pattern, item in self.text["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), pattern, item[method]


def advice_of(error):
    """What a refusal says to do: behind a colon, but for the name of the field, or the list to look in; or the rule that the
    field breaks. Empty: nothing."""
    if "error" in error:
        return error.get("error_description", "")
    message = error["message"]
    for detail in error.get("details", []):
        field = ": " + detail.get("field", "")
        if message.endswith(field):
            message = message[:-len(field)]
            if error["status"] == 400:
                return message
    what, mark, advice = message.partition(": ")
    return advice if mark else what.partition(", GET /")[2]


def is_type(given, wanted):
    return given.split(";")[0].strip() == wanted


class Checker:
    def __init__(self, document):
        self.document, self.problems = document, []
        self.reached, self.crashed, self.dry = set(), set(), set()
        self.codes = set()

    def wrong(self, record, text):
        self.problems.append(f"{record['method']} {record['target']} {record['status']}: {text}")

    def check_advice(self, record):
        try:
            error = json.loads(record["answer"])
        except ValueError:
            return self.wrong(record, "a refusal that is not JSON")
        self.codes.add(error.get("code"))
        if not advice_of(error):
            self.wrong(record, "does not say what to do: " + str(error.get("message")))

    def check(self, record):
        if 400 <= record["status"] < 500 and record["method"] != "HEAD":
            self.check_advice(record)
        method = "GET" if record["method"] == "HEAD" else record["method"]
        pattern, item = self.document.find(record["target"])
        status = record["status"]
        if pattern is None:
            if status not in (400, 401, 404, 413, 414, 429, 431):
                self.wrong(record, "the document has no such path")
            return self.check_error(record)
        if method.lower() not in item:
            if status not in (204 if method == "OPTIONS" else 405, 400, 413, 429):
                self.wrong(record, "the document has no such method")
            return self.check_error(record) if status != 204 else None
        operation = item[method.lower()]
        response = operation["responses"].get(str(status))
        if response is None:
            return self.wrong(record, "the document does not list this status: " + str(record["answer"])[:200])
        self.reached.add((method, pattern, status))
        if record["method"] != "HEAD":
            self.check_body(record, self.document.resolve(response))
        if status < 300:
            self.check_request(record, operation)
            if "dryRun=true" in record["target"]:
                self.dry.add((method, pattern))
        if record.get("faults"):
            self.crashed.add((method, pattern))

    def check_error(self, record):
        if record["answer"]:
            problem = self.document.problem({"$ref": "#/components/schemas/ErrorInfo"}, json.loads(record["answer"]))
            if problem:
                self.wrong(record, problem)

    def check_body(self, record, response):
        types = response.get("content", {})
        if not types:
            if record["answer"]:
                self.wrong(record, "a body where the document has none")
            return
        found = next((name for name in types if is_type(record["type"], name)), None)
        if found is None:
            return self.wrong(record, f"type {record['type']!r} instead of {', '.join(types)}")
        if found == "application/json":
            try:
                value = json.loads(record["answer"])
            except ValueError as error:
                return self.wrong(record, f"not JSON: {error}")
            problem = self.document.problem(types[found]["schema"], value)
            if problem:
                self.wrong(record, problem)

    def check_request(self, record, operation):
        known = {part["name"] for part in map(self.document.resolve, operation["parameters"]) if part["in"] == "query"}
        query = record["target"].partition("?")[2]
        unknown = {name for name, _ in urllib.parse.parse_qsl(query, keep_blank_values=True)} - known
        if unknown:
            self.wrong(record, f"query parameters that the document does not have: {sorted(unknown)}")
        types = operation.get("requestBody", {}).get("content", {})
        if not record.get("request"):
            return
        found = next((name for name in types if is_type(record["requestType"], name)), None)
        if found is None:
            self.wrong(record, f"taken with type {record['requestType']!r}")
        elif found.endswith("json"):
            problem = self.document.problem(types[found]["schema"], json.loads(record["request"]))
            if problem:
                self.wrong(record, "taken with " + problem)

    def missing(self):
        """What was never answered: (method, path, status) of each."""
        rows = []
        for method, pattern, operation in self.document.operations():
            statuses = [int(status) for status in operation["responses"]]
            if not any((method, pattern, status) in self.reached for status in statuses if status < 300):
                rows.append((method, pattern, "success"))
            if (method, pattern) not in self.crashed:
                rows.append((method, pattern, "crash"))
            takes_dry = any(part.get("$ref", "").endswith("/dryRun") for part in operation["parameters"])
            if takes_dry and (method, pattern) not in self.dry:
                rows.append((method, pattern, "dry"))
            rows += [(method, pattern, str(status)) for status in statuses
                     if 400 <= status < 500 and (method, pattern, status) not in self.reached]
        codes = self.document.text["components"]["schemas"]["ErrorInfo"]["properties"]["code"]["enum"]
        base = self.document.text["info"]["title"].replace(" ", "-")
        rows += [("ANY", base, code) for code in codes if code not in self.codes | OF_THE_SERVER]
        return rows


def main(arguments):
    excepted = {}
    is_covering = arguments[0] == "--cover"
    if is_covering:
        with open(arguments[1], encoding="utf-8") as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    method, path, status, reason = line.split(None, 3)
                    excepted[(method, path, status)] = reason
        arguments = arguments[2:]
    *paths, folder = arguments
    checkers, count = [Checker(Document(path)) for path in paths], 0
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                # Whose path it is; what has none is judged by the first.
                owner = next((one for one in checkers if one.document.find(record["target"])[0]), checkers[0])
                owner.check(record)
                count += 1
    if is_covering:
        missing = [row for one in checkers for row in one.missing()]
        problems = ["never reached: " + " ".join(row) for row in missing if row not in excepted]
        problems += ["listed as unreached, and reached: " + " ".join(row) for row in excepted if row not in missing]
        checkers[0].problems += problems
    problems = list(dict.fromkeys(problem for one in checkers for problem in one.problems))
    for problem in problems:
        print(problem)
    print(f"{count} exchanges, {sum(len(one.reached) for one in checkers)} kinds of answers, {len(problems)} problems")
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
