#!/usr/bin/env python3
"""Writes an OpenAPI document in YAML as JSON.

usage: json_of.py DOCUMENT.yaml > DOCUMENT.json"""
import json, sys
import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
json.dump(document, sys.stdout, separators=(",", ":"), ensure_ascii=False, default=str)
